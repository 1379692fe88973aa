"""Which part of a file is wanted (RFC 9110, section 14), so that a download that broke off can go on."""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import Headers

from gateway.errors import Problem

_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@dataclass(frozen=True, slots=True)
class Part:
    """From which byte, and how many."""

    start: int
    length: int

    def content_range(self, size: int) -> str:
        """The header that says so."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{size}"


def wanted_part(headers: Headers, size: int, etag: str) -> Part | None:
    """The part that is asked for; None for all of it. Raises Problem("range-not-satisfiable").

    What is not one range of bytes is passed over, as HTTP has it, and so is a range of another edition of the file.
    """
    asked = _RANGE.fullmatch(headers.get("range", "").strip())
    if asked is None or asked.groups() == ("", "") or headers.get("if-range", etag) != etag:
        return None
    first, last = asked.groups()
    if not first:
        start, end = max(size - int(last), 0), size - 1
    else:
        start, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < start:
            return None
    if start > end or (not first and int(last) == 0):
        raise Problem("range-not-satisfiable", headers={"Content-Range": f"bytes */{size}"}, size=size)
    return Part(start, end - start + 1)
