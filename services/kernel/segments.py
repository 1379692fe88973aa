"""The segments of an upload: bytes from an offset on, in any order, overlapping or not, until nothing is lacking.

What lies in the store decides how far an upload has come and nothing else does, so any number of gateways agree, and
none can set it back: segments are only added. They may overlap and repeat; the hash of the whole tells whether they
said the same.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

_DIGITS = 15
_NAME = re.compile(r"(\d{15})-[A-Za-z0-9_-]{1,64}")
FORM = f"{0:0{_DIGITS}d}-form"
"""The one segment of a file that a browser sends by itself."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Some bytes of an upload, from `offset` on, and the object that holds them."""

    offset: int
    length: int
    key: str = ""

    @property
    def end(self) -> int:
        """Where the next one has to begin at the latest."""
        return self.offset + self.length


def folder(tenant: str, upload_id: str) -> str:
    """Where the segments of an upload lie; no other account's lie below it."""
    return f"{tenant}/{upload_id}"


def new_name(offset: int) -> str:
    """A name that no other segment has, also not another one that begins at the same byte."""
    return f"{offset:0{_DIGITS}d}-{secrets.token_hex(8)}"


def segment_of(key: str, length: int) -> Segment | None:
    """The object as a segment; None for one that is none, by its name."""
    named = _NAME.fullmatch(key.rpartition("/")[2])
    return Segment(int(named[1]), length, key) if named else None


def covering(segments: Iterable[Segment]) -> list[Segment]:
    """The fewest segments that hold everything from the first byte up to the first hole, in order."""
    chosen: list[Segment] = []
    reached, best = 0, None
    for segment in sorted(segments, key=lambda segment: segment.offset):
        if segment.offset > reached:
            if best is None or segment.offset > best.end:
                break
            chosen.append(best)
            reached, best = best.end, None
        if segment.end > (best.end if best else reached):
            best = segment
    if best is not None:
        chosen.append(best)
    return chosen


def covered(segments: Iterable[Segment]) -> int:
    """The first byte that has not come yet."""
    chain = covering(segments)
    return chain[-1].end if chain else 0
