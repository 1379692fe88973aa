"""The outermost shell of every request: its ids, its size limit, its headers, its line in the log."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.context import (
    SCOPE_KEY,
    Context,
    client_ip,
    correlation_id,
    preferred_language,
    traceparent,
)
from gateway.errors import Problem, respond
from gateway.receiving.tus import OFFSET_OCTETS
from gateway.settings import Network
from services.kernel import logging

UPLOAD_PREFIX = "multipart/form-data"

_WANTED = frozenset({b"x-correlation-id", b"accept-language", b"traceparent", b"user-agent", b"x-forwarded-for"})
SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-site"),
    (b"strict-transport-security", b"max-age=63072000; includeSubDomains"),
)
_NO_STORE = (b"cache-control", b"no-store")

log = logging.get(__name__)


class Edge:
    """Makes the request's `Context`, adds the headers every answer carries, logs one line, and lets nothing out raw.

    The log line names ids and the route's template: never a path as typed, a query, a body or a token.
    """

    def __init__(self, app: ASGIApp, *, trusted_proxies: Sequence[Network], access_log: bool) -> None:
        self._app = app
        self._trusted = trusted_proxies
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        context = self._context(scope)
        scope[SCOPE_KEY] = context
        status = 0
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, context)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # the last resort: whatever was overlooked becomes a problem document
            log.error("request_failed", correlation_id=context.correlation_id, **_whereabouts(error))
            if status:
                raise
            await respond(context, Problem("internal"))(scope, receive, send_with_headers)
        finally:
            if self._access_log:
                _log_line(scope, context, status, started)

    def _context(self, scope: Scope) -> Context:
        found: dict[bytes, bytes] = {}
        forwarded: list[str] = []
        for name, value in scope["headers"]:
            if name in _WANTED:
                found[name] = value
                if name == b"x-forwarded-for":
                    forwarded.append(value.decode("latin-1"))
        peer = scope["client"][0] if scope.get("client") else ""
        return Context(
            correlation_id=correlation_id(found.get(b"x-correlation-id", b"")),
            language=preferred_language(found.get(b"accept-language", b"")),
            ip=client_ip(peer, forwarded, self._trusted) if self._trusted and forwarded else peer,
            traceparent=traceparent(found.get(b"traceparent", b"")),
            user_agent=found.get(b"user-agent", b"").decode("latin-1")[:200],
        )


def _whereabouts(error: BaseException) -> dict[str, Any]:
    """What went wrong and where, without the error's words: they may quote what somebody typed."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return {
        "exc_type": type(error).__name__,
        "at_line": [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _add_headers(message: Message, context: Context) -> None:
    headers: list[tuple[bytes, bytes]] = message.setdefault("headers", [])
    if not isinstance(headers, list):
        headers = message["headers"] = list(headers)
    if not any(name == b"cache-control" for name, _ in headers):
        headers.append(_NO_STORE)
    said = {name for name, _ in headers}
    # A file may have to say more exactly what its reader may do with it; two policies would only add up.
    headers.extend((name, value) for name, value in SECURITY_HEADERS if name not in said)
    headers.append((b"x-correlation-id", context.correlation_id.encode()))


def _log_line(scope: Scope, context: Context, status: int, started: float) -> None:
    """In the form of all log lines, but written at once: the logger's way would be a third of a short request."""
    route: Any = scope.get("route")
    line = {
        "event": "request",
        "level": "info",
        "at": datetime.now(UTC),
        "process": "gateway",
        "method": scope["method"],
        "route": getattr(route, "path", None) or "unmatched",
        "status": status,
        "ms": round((time.perf_counter() - started) * 1000, 1),
        "correlation_id": context.correlation_id,
        "tenant": context.tenant or None,
        "actor": context.actor or None,
        "problem": context.problem or None,
    }
    sys.stdout.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE).decode())


class BodyLimit:
    """Refuses a body that is announced, or turns out, to be larger than its kind may be."""

    def __init__(self, app: ASGIApp, *, max_json: int, max_upload: int, max_media: int) -> None:
        self._app = app
        self._max_json = max_json
        self._max_upload = max_upload
        self._max_media = max_media

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        announced, limit = 0, self._max_json
        for name, value in scope["headers"]:
            if name == b"content-length" and value.isdigit():
                announced = int(value)
            elif name == b"content-type" and value.lower().startswith(UPLOAD_PREFIX.encode()):
                limit = self._max_upload
            elif name == b"content-type" and value == OFFSET_OCTETS.encode():
                limit = self._max_media
        if announced > limit:
            refusal = respond(scope[SCOPE_KEY], Problem("body-too-large", limit=limit))
            await refusal(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    # The framework lets this type pass while it reads a body; any other it would
                    # take for a body that cannot be parsed.
                    raise HTTPException(413)
            return message

        await self._app(scope, receive_counted, send)
