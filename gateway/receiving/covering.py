"""How far an upload has come: as far as its segments cover it from the first byte on without a hole.

What lies in the store decides and nothing else does, so any number of gateways agree, and none can set it back:
segments are only added. They may overlap and repeat; the hash of the whole tells whether they said the same.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass

_DIGITS = 15
FORM = f"{0:0{_DIGITS}d}-form"
"""The one segment of a file that a browser sends by itself."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Some bytes of an upload, from `offset` on."""

    offset: int
    length: int

    @classmethod
    def stored(cls, key: str, size: int) -> Segment:
        """What an object of this key and size is. Raises ValueError when it is no segment."""
        return cls(int(key.rpartition("/")[2].partition("-")[0]), size)


def folder(tenant: str, upload_id: str) -> str:
    """Where the segments of an upload lie; no other account's lie below it."""
    return f"{tenant}/{upload_id}/"


def new_name(offset: int) -> str:
    """A name that no other segment has, also not another one that begins at the same byte."""
    return f"{offset:0{_DIGITS}d}-{secrets.token_hex(8)}"


def covered(segments: Iterable[Segment]) -> int:
    """The first byte that has not come yet."""
    reached = 0
    for segment in sorted(segments, key=lambda each: each.offset):
        if segment.offset > reached:
            break
        reached = max(reached, segment.offset + segment.length)
    return reached
