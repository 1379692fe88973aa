"""The place for what is on its way: segments are added and listed, and browsers are let in for one file each."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from minio.datatypes import PostPolicy
from minio.error import S3Error

from gateway.settings import GatewaySettings
from gateway.uploads import asked, client_of, made
from services.kernel.segments import FORM, Segment, covered, folder, new_name, segment_of

_OCTETS = "application/octet-stream"
R = TypeVar("R")


class Incoming:
    """The bucket of uploads that are under way. Whoever verifies them reads it and clears it."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._bucket = settings.s3_incoming_bucket
        self._client = client_of(settings, settings.s3_endpoint)
        self._public = (settings.s3_public_endpoint or settings.s3_endpoint).rstrip("/")

    async def add(self, tenant: str, upload_id: str, offset: int, data: bytes) -> None:
        """Keep these bytes, which begin at `offset`. Raises Problem when the store does not take them."""
        key = f"{folder(tenant, upload_id)}/{new_name(offset)}"
        await asked("stored", lambda: self._there(lambda: self._put(key, data)))

    async def reached(self, tenant: str, upload_id: str) -> int:
        """The first byte of the upload that has not come yet. Raises Problem when the store does not answer."""
        prefix = f"{folder(tenant, upload_id)}/"
        return covered(await asked("listed", lambda: self._there(lambda: self._segments(prefix))))

    async def form(
        self, tenant: str, upload_id: str, length: int, type: str, until: datetime
    ) -> tuple[str, dict[str, str]]:
        """Where a browser may send this one file, and with which fields before it: not longer, of no other type."""
        policy = PostPolicy(self._bucket, until)
        named = {"key": f"{folder(tenant, upload_id)}/{FORM}", "Content-Type": type}
        for field, value in named.items():
            policy.add_equals_condition(field, value)
        policy.add_content_length_range_condition(1, length)
        # Looked at first: the browser cannot make what is not there.
        await self.reached(tenant, upload_id)
        signed = await asked("signed", lambda: self._client.presigned_post_policy(policy))
        return f"{self._public}/{self._bucket}", {**named, **signed}

    def _put(self, key: str, data: bytes) -> None:
        self._client.put_object(self._bucket, key, io.BytesIO(data), len(data), _OCTETS)

    def _there(self, ask: Callable[[], R]) -> R:
        """Ask, and if the bucket was not there, make it and ask again; to look for it first takes more rights."""
        try:
            return ask()
        except S3Error as why:
            if why.code != "NoSuchBucket":
                raise
            made(self._client, self._bucket)
            return ask()

    def _segments(self, prefix: str) -> list[Segment]:
        found = self._client.list_objects(self._bucket, prefix, recursive=True)
        named = (segment_of(str(item.object_name), int(item.size or 0)) for item in found)
        return [segment for segment in named if segment is not None]
