"""What tus asks of every request and answer at `/v1/uploads`, whatever becomes of it."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.receiving.tus import VERSION, override

_PLACE = "/v1/uploads"
_SPOKEN = (b"tus-resumable", VERSION.encode())


class TusShell:
    """Says in every answer which version is spoken, and takes a POST for what it says it is meant as."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not (scope["path"] == _PLACE or scope["path"].startswith(f"{_PLACE}/")):
            await self._app(scope, receive, send)
            return
        if scope["method"] == "POST":
            scope["method"] = override(dict(scope["headers"])) or "POST"

        async def send_with_version(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [pair for pair in message.get("headers", ()) if pair[0] != _SPOKEN[0]]
                message["headers"] = [*headers, _SPOKEN]
            await send(message)

        await self._app(scope, receive, send_with_version)
