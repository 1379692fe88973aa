"""Names of files in a package: safe on every system, whatever people typed, and each once."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 80
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)


def safe(text: str, instead: str = "-") -> str:
    """The text as the name of one file or folder."""
    plain = _UNSAFE.sub("-", unicodedata.normalize("NFC", text))
    plain = re.sub(r"\s+", " ", plain)[:LONGEST].strip(" .")
    return f"_{plain}" if _RESERVED.match(plain) else plain or instead


class Names:
    """The paths that are taken, however they are capitalised."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def of(self, folder: str, name: str, ending: str) -> str:
        """A path in that folder that nobody else has."""
        path, n = f"{folder}/{name}.{ending}", 1
        while path.casefold() in self._taken:
            n += 1
            path = f"{folder}/{name} ({n}).{ending}"
        self._taken.add(path.casefold())
        return path
