"""Uploaded files on their way to the object store, off the event loop."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from minio import Minio
from minio.error import MinioException, S3Error
from urllib3 import PoolManager, Retry, Timeout
from urllib3.exceptions import HTTPError

from gateway.errors import Problem
from gateway.settings import GatewaySettings
from services.kernel import logging

CHUNK = 256 * 1024

log = logging.get(__name__)

R = TypeVar("R")
AT_ONCE = 32
_WAITING = ThreadPoolExecutor(AT_ONCE, "objects")


@dataclass(frozen=True, slots=True)
class Stored:
    """What is now in the store."""

    key: str
    sha256: str
    size: int


def client_of(settings: GatewaySettings, endpoint: str) -> Minio:
    """A client that gives up soon, of the store behind this address."""
    address = urlsplit(endpoint)
    return Minio(
        address.netloc,
        access_key=settings.s3_access_key.get_secret_value(),
        secret_key=settings.s3_secret_key.get_secret_value(),
        secure=address.scheme == "https",
        region=settings.s3_region,
        http_client=PoolManager(
            maxsize=AT_ONCE, timeout=Timeout(connect=2, read=20), retries=Retry(2, backoff_factor=0.2)
        ),
    )


def made(client: Minio, bucket: str) -> None:
    """Make the bucket, or find it made in the same moment. Raises what the store raises."""
    try:
        client.make_bucket(bucket)
    except S3Error as why:
        if why.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
            raise


async def off_loop(work: Callable[[], R]) -> R:
    """Do it on a thread that only waits for the store: when that is slow, nothing else waits with it."""
    return await asyncio.get_running_loop().run_in_executor(_WAITING, work)


async def asked(what: str, ask: Callable[[], R]) -> R:
    """What the store answers, off the event loop.

    Raises Problem("object-unknown") for what it does not have, Problem("service-unavailable") when it does not answer.
    """
    try:
        return await off_loop(ask)
    except (MinioException, HTTPError, OSError) as why:
        if getattr(why, "code", None) == "NoSuchKey":
            raise Problem("object-unknown") from why
        log.warning(f"object_not_{what}", why=repr(why))
        raise Problem("service-unavailable", headers={"Retry-After": "5"}, service="objects") from why


async def _chunks(answer: Any) -> AsyncIterator[bytes]:
    # What breaks off now cuts the connection short: the caller sees that bytes are missing and goes on from there.
    try:
        while chunk := await off_loop(partial(answer.read, CHUNK)):
            yield chunk
    finally:
        answer.close()
        answer.release_conn()


class ObjectStore:
    """Puts files into the bucket; connects on first use, gives up soon."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._bucket = settings.s3_bucket
        self._bucket_known = False
        self._client = client_of(settings, settings.s3_endpoint)

    async def put(self, folder: str, file: BinaryIO, content_type: str) -> Stored:
        """Store the file in `folder` under its own hash. Raises Problem when the store does not take it.

        Another content has another name: what is stored once is never overwritten.
        """
        return await asked("stored", lambda: self._put(folder, file, content_type))

    async def get(self, key: str) -> bytes:
        """The whole file. Raises Problem when the store does not give it."""
        return await asked("read", lambda: self._get(key))

    async def stream(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        """A part of the file, as it comes. Raises Problem when the store does not begin to give it."""
        return _chunks(await self.opened(self._bucket, key, start, length))

    async def opened(self, bucket: str, key: str, start: int, length: int) -> Any:
        """A part of a file of any bucket, to be read, closed and released. Raises Problem as `stream` does."""
        return await asked("read", lambda: self._client.get_object(bucket, key, offset=start, length=length))

    async def remove(self, stored: Stored) -> None:
        """Take it out again, if the store lets us; otherwise it lies there unused."""
        try:
            await off_loop(lambda: self._client.remove_object(self._bucket, stored.key))
        except (MinioException, HTTPError, OSError) as why:
            log.warning("object_not_removed", why=repr(why))

    def _get(self, key: str) -> bytes:
        answer = self._client.get_object(self._bucket, key)
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()

    def _put(self, folder: str, file: BinaryIO, content_type: str) -> Stored:
        if not self._bucket_known:
            if not self._client.bucket_exists(self._bucket):
                made(self._client, self._bucket)
            self._bucket_known = True
        digest, size = hashlib.sha256(), 0
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
        file.seek(0)
        stored = Stored(f"{folder}/{digest.hexdigest()}", digest.hexdigest(), size)
        self._client.put_object(self._bucket, stored.key, file, size, content_type)
        return stored
