"""What lies in the bucket of what comes in: the segments of an upload, and the bytes that they hold together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from services.kernel import objects
from services.kernel.segments import Segment, folder, segment_of


def found(store: Any, bucket: str, tenant: str, upload_id: str) -> list[Segment]:
    """All segments of an upload. Raises OSError when the object store does not answer."""
    listed = objects.listed(store, bucket, f"{folder(tenant, upload_id)}/")
    return [segment for item in listed if (segment := segment_of(item.key, item.bytes))]


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
