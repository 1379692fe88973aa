"""The body of a request as it comes in, in pieces of bounded size; what came before a cut is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

from starlette.requests import ClientDisconnect

PIECE = 1024 * 1024
PATIENCE = 30.0
"""Seconds without a byte after which a line is taken for dead."""


class Inflow:
    """One body. Once its pieces have been read, `ended` says how.

    complete: the client has sent all it wanted · cut: the line broke · stalled: nothing came for too long ·
    too-long: there was more than `room`.
    """

    ended: Literal["complete", "cut", "stalled", "too-long"] = "complete"

    def __init__(self, stream: AsyncIterator[bytes], room: int, patience: float = PATIENCE) -> None:
        self._stream = stream
        self._room = room
        self._patience = patience

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body in pieces of 1 MiB, the last shorter, and never more than there is room for."""
        held = bytearray()
        while (chunk := await self._next()) is not None:
            if len(chunk) > self._room:
                self.ended = "too-long"
                chunk = chunk[: self._room]
            self._room -= len(chunk)
            held += chunk
            while len(held) >= PIECE:
                yield bytes(held[:PIECE])
                del held[:PIECE]
            if self.ended == "too-long":
                break
        if held:
            yield bytes(held)

    async def _next(self) -> bytes | None:
        try:
            async with asyncio.timeout(self._patience):
                return await anext(self._stream)
        except StopAsyncIteration:
            return None
        except ClientDisconnect:
            self.ended = "cut"
            return None
        except TimeoutError:
            self.ended = "stalled"
            return None
