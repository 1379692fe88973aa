"""How many requests may bring evidence at the same time: each holds some memory while it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from gateway.errors import Problem

EACH = 12
"""Of one caller: more than any client opens, and too few to take all."""
PATIENCE = 10.0


class Lanes:
    """Who brings something now, and who waits until another has finished."""

    def __init__(self, all: int, each: int = EACH, patience: float = PATIENCE) -> None:
        self._all = asyncio.Semaphore(all)
        self._each = each
        self._patience = patience
        self._of: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def one(self, actor: str) -> AsyncIterator[None]:
        """A lane while it lasts. Raises Problem when none gets free for ten seconds."""
        own = self._of.setdefault(actor, asyncio.Semaphore(self._each))
        await self._enter(own)
        try:
            await self._enter(self._all)
            try:
                yield
            finally:
                self._all.release()
        finally:
            own.release()

    async def _enter(self, lane: asyncio.Semaphore) -> None:
        try:
            async with asyncio.timeout(self._patience):
                await lane.acquire()
        except TimeoutError:
            raise Problem("overloaded", headers={"Retry-After": "2"}, service="uploads") from None
