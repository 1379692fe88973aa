"""Tells identity now and then that an API token is in use, beside the request and never in its way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from gateway.caches import LruCache
from gateway.principals import Principal
from services.kernel import logging

AT_MOST_EVERY_SECONDS = 3600.0

log = logging.get(__name__)


class TokenUse:
    """Who maintains a token wants to see whether it is used; the hour is exact enough."""

    def __init__(
        self, tell: Callable[[Principal], Awaitable[object]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._clock = clock
        self._told_at: LruCache[str, float] = LruCache(10_000)
        self._telling: set[asyncio.Task[None]] = set()

    def note(self, principal: Principal) -> None:
        """This token has just let somebody in."""
        told_at = self._told_at.get(principal.credential)
        if told_at is not None and self._clock() - told_at < AT_MOST_EVERY_SECONDS:
            return
        self._told_at.put(principal.credential, self._clock())
        task = asyncio.create_task(self._try(principal))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _try(self, principal: Principal) -> None:
        try:
            await self._tell(principal)
        except Exception as why:  # whatever it is, the next use tells it again
            self._told_at.drop(principal.credential)
            log.warning("token_use_not_noted", why=repr(why))
