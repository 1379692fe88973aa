"""Uploaded files on their way to the object store: hashed while they pass, off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from minio import Minio
from minio.error import MinioException
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from gateway.errors import Problem
from gateway.settings import GatewaySettings
from services.kernel import logging

log = logging.get(__name__)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is now in the store."""

    key: str
    sha256: str
    size: int


class Hashing:
    """A file that counts and hashes what is read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        chunk = self._file.read(size)
        self._hash.update(chunk)
        self.size += len(chunk)
        return chunk

    @property
    def sha256(self) -> str:
        """Of everything read so far."""
        return self._hash.hexdigest()


class ObjectStore:
    """Puts files into the bucket; connects on first use, gives up soon."""

    def __init__(self, settings: GatewaySettings) -> None:
        address = urlsplit(settings.s3_endpoint)
        self._bucket = settings.s3_bucket
        self._bucket_known = False
        self._client = Minio(
            address.netloc,
            access_key=settings.s3_access_key.get_secret_value(),
            secret_key=settings.s3_secret_key.get_secret_value(),
            secure=address.scheme == "https",
            http_client=PoolManager(
                maxsize=8, timeout=Timeout(connect=2, read=20), retries=Retry(2, backoff_factor=0.2)
            ),
        )

    async def put(self, key: str, file: BinaryIO, size: int, content_type: str) -> Stored:
        """Store `size` bytes under `key`, over what is there. Raises Problem when the store does not take them."""
        try:
            return await asyncio.to_thread(self._put, key, file, size, content_type)
        except (MinioException, HTTPError, OSError) as why:
            log.warning("object_not_stored", why=repr(why))
            raise Problem("service-unavailable", headers={"Retry-After": "5"}, service="objects") from why

    def _put(self, key: str, file: BinaryIO, size: int, content_type: str) -> Stored:
        if not self._bucket_known:
            if not self._client.bucket_exists(self._bucket):
                self._client.make_bucket(self._bucket)
            self._bucket_known = True
        source = Hashing(file)
        self._client.put_object(self._bucket, key, source, size, content_type)  # type: ignore[arg-type]
        return Stored(key, source.sha256, source.size)
