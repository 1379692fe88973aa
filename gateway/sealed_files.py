"""Evidence out of the store: opened frame by frame while it is sent, whole or the part that is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cryptography.exceptions import InvalidTag
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from gateway.files import Shown, headers_of
from gateway.ranges import wanted_part
from gateway.uploads import CHUNK, ObjectStore, off_loop
from services.kernel import logging
from services.kernel.sealing import key_bytes, opened, span

PRIVATE = "private, no-cache"
"""A client may keep it, and asks each time whether it still may be seen."""
LOCKED = "default-src 'none'; frame-ancestors 'none'; sandbox"
"""Wherever the file is opened, it loads nothing and runs nothing."""

log = logging.get(__name__)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What it takes to send one sealed object and nothing else; `bytes`, `type` and `sha256` are of the plain file."""

    bucket: str
    object: str
    key: str
    bytes: int
    type: str
    sha256: str
    file_name: str

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Ticket:
        """The ticket in a service's answer, whatever else that says."""
        return cls(**{name: answer[name] for name in cls.__slots__})


async def sealed_file(
    request: Request,
    objects: ObjectStore,
    ticket: Ticket,
    shown: Shown,
    *,
    cache: str = PRIVATE,
    policy: str = LOCKED,
) -> Response:
    """The file as an answer: 200, 206 for a `Range`, 304 for who has it already.

    What is sent runs no script wherever it is opened. Raises Problem for a range that cannot be, for an object that
    is gone, and while the store does not answer. A file that was tampered with breaks off.
    """
    etag = f'"{ticket.sha256}"'
    guarded = {"Cache-Control": cache, "Content-Security-Policy": policy}
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag, **guarded})
    part = wanted_part(request.headers, ticket.bytes, etag)
    headers = headers_of(ticket.bytes, ticket.sha256, part, shown, ticket.file_name) | guarded
    start, length = (part.start, part.length) if part else (0, ticket.bytes)
    content = await _opened(objects, ticket, start, length)
    # Not as the response's own type: of a text that would say in which letters it is written, which nobody knows.
    return StreamingResponse(content, 206 if part else 200, headers | {"Content-Type": ticket.type})


async def _opened(objects: ObjectStore, ticket: Ticket, start: int, length: int) -> AsyncIterator[bytes]:
    """The plain bytes of a part. The first are opened before the answer begins, so that it can still be a problem."""
    sought = span(start, length, ticket.bytes)
    answer = await objects.opened(ticket.bucket, ticket.object, sought.offset, sought.length)
    sealed: Iterator[bytes] = iter(partial(answer.read, CHUNK), b"")
    plain = opened(sealed, key_bytes(ticket.key), ticket.object, ticket.bytes, sought)

    async def following() -> bytes:
        try:
            return await off_loop(partial(next, plain, b""))
        except InvalidTag:
            log.error("sealed_file_damaged", object=ticket.object)
            raise

    async def pieces(piece: bytes) -> AsyncIterator[bytes]:
        try:
            while piece:
                yield piece
                piece = await following()
        finally:
            _end(answer)

    try:
        return pieces(await following())
    except BaseException:
        _end(answer)
        raise


def _end(answer: Any) -> None:
    answer.close()
    answer.release_conn()
