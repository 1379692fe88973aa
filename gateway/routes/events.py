"""The account's facts as they happen, as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from typing import Annotated

from fastapi import Header, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway import standing
from gateway.auth import Authenticator
from gateway.door import CallDep, Gatekeeper, resource, signed_in
from gateway.errors import Problem
from gateway.frames import Frame, notice
from gateway.live import STREAMS_PER_ACTOR, Listener, LiveFeed
from services.kernel.broker import BrokerLost

router = resource("events")

TICK_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0
SEND_SECONDS = 30.0


class EventStream(Response):
    """Sends chunks until there are no more, the reader goes away, or the reader no longer reads."""

    media_type = "text/event-stream"

    def __init__(self, chunks: Callable[[asyncio.Event], AsyncIterator[bytes]], on_end: Callable[[], None]) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks
        self._on_end = on_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream."""
        gone = asyncio.Event()
        watcher = asyncio.create_task(_watch(receive, gone))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async for chunk in self._chunks(gone):
                async with asyncio.timeout(SEND_SECONDS):
                    await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # the reader holds the connection open and takes nothing: the server cuts it
        finally:
            watcher.cancel()
            self._on_end()


async def _watch(receive: Receive, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


@router.get(
    "/events",
    summary="Follow the account's facts",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events, one per fact. `ready`: from here on nothing is missed. `reset`: "
            "something was missed, read again. `bye`: the stream ends, with the reason.",
            "content": {
                "text/event-stream": {
                    "schema": {"type": "string"},
                    "example": 'id: tasks:42:0\nevent: TaskAdvanced\ndata: {"type": "TaskAdvanced"}\n\n',
                }
            },
        }
    },
    **signed_in(),
)
async def follow(
    request: Request, call: CallDep, last_event_id: Annotated[str | None, Header(max_length=100)] = None
) -> Response:
    """Facts carry ids only, and only those one may read. `Last-Event-ID` brings what came meanwhile."""
    feed: LiveFeed = request.app.state.live
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    if feed.streams_of(call.principal) >= STREAMS_PER_ACTOR:
        raise Problem("too-many-streams", headers={"Retry-After": "10"}, limit=STREAMS_PER_ACTOR)
    try:
        listener, missed = await feed.join(call.principal, last_event_id)
    except BrokerLost as lost:
        raise Problem("service-unavailable", headers={"Retry-After": "2"}) from lost
    return EventStream(
        lambda gone: _chunks(listener, missed, gatekeeper.authenticator, gone),
        on_end=lambda: feed.leave(listener),
    )


async def _chunks(
    listener: Listener, missed: list[Frame] | None, authenticator: Authenticator, gone: asyncio.Event
) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n" + notice("ready")
    if missed is None:
        yield notice("reset", reason="unknown-place")
    for frame in missed or ():
        yield frame.body
    sent_at = checked_at = time.monotonic()
    while not gone.is_set():
        now = time.monotonic()
        thorough = now - checked_at >= HEARTBEAT_SECONDS
        checked_at = now if thorough else checked_at
        reason = await _why_over(listener, authenticator, thorough)
        if reason is not None:
            yield notice("bye", reason=reason)
            return
        next_frame = await listener.next(TICK_SECONDS)
        if next_frame is not None:
            yield next_frame.body
        elif time.monotonic() - sent_at >= HEARTBEAT_SECONDS:
            yield b": still here\n\n"
        else:
            continue
        sent_at = time.monotonic()


async def _why_over(listener: Listener, authenticator: Authenticator, thorough: bool) -> str | None:
    principal = listener.principal
    if listener.is_lost:
        return "interrupted"
    if principal.expires_at <= time.time():
        return "token-expired"
    if authenticator.is_revoked(principal):
        return "session-revoked"
    if refused := standing.refusal(authenticator.standing(principal), principal.role, "read"):
        return refused.code
    if thorough:
        try:
            await authenticator.still_valid(principal, safe=True)
        except Problem as problem:
            return problem.code
    return None
