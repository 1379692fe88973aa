"""The segments of an upload: bytes from an offset on, in any order, overlapping or not, until nothing is lacking."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from services.kernel import objects

_NAME = re.compile(r"(\d{15})-[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Segment:
    """An object of the bucket of what comes in: its first byte is the upload's byte `offset`."""

    key: str
    offset: int
    length: int

    @property
    def end(self) -> int:
        """Where the next one has to begin at the latest."""
        return self.offset + self.length


def folder_of(tenant: str, upload_id: str) -> str:
    """Where the segments of an upload lie."""
    return f"{tenant}/{upload_id}"


def segment_of(key: str, length: int) -> Segment | None:
    """The object as a segment; None for one that is none, by its name."""
    named = _NAME.fullmatch(key.rpartition("/")[2])
    return Segment(key, int(named[1]), length) if named else None


def found(store: Any, bucket: str, tenant: str, upload_id: str) -> list[Segment]:
    """All segments of an upload. Raises OSError when the object store does not answer."""
    listed = objects.listed(store, bucket, f"{folder_of(tenant, upload_id)}/")
    return [segment for item in listed if (segment := segment_of(item.key, item.bytes))]


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
    """How many bytes are there from the first on without a hole."""
    chain = covering(segments)
    return chain[-1].end if chain else 0


def content(store: Any, bucket: str, chain: Iterable[Segment]) -> Iterator[bytes]:
    """The upload's bytes, out of segments that cover it. Raises ObjectLost, or OSError when the store is away."""
    reached = 0
    for segment in chain:
        skip = reached - segment.offset
        for chunk in objects.chunks(store, bucket, segment.key):
            if skip < len(chunk):
                yield chunk[skip:]
            skip = max(0, skip - len(chunk))
        reached = segment.end
