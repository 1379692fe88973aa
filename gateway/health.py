"""Whether this process is up, and whether what stands behind it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from gateway.link import Link
from gateway.revocations import RevocationFeed
from gateway.rpc_client import Overloaded, RpcClient, ServiceTimeout, ServiceUnavailable
from gateway.service_calls import gateway_caller
from services.kernel.rpc import QUERY, RemoteError

SERVICES = ("identity", "tasks", "forms", "billing", "media")
PATIENCE_SECONDS = 2.0
SERVES_SECONDS = 0.5


class Health:
    """Asks every part, all at once, with little patience; anybody may ask, so the answer serves for a moment."""

    def __init__(
        self, link: Link, rpc: RpcClient, feed: RevocationFeed, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._link = link
        self._rpc = rpc
        self._feed = feed
        self._clock = clock
        self._asking = asyncio.Lock()
        self._known: dict[str, str] = {}
        self._known_at = float("-inf")

    async def parts(self) -> dict[str, str]:
        """Every part and how it is: `ok`, `down`, for revocations `stale`."""
        async with self._asking:
            if self._clock() - self._known_at >= SERVES_SECONDS:
                self._known = await self._ask()
                self._known_at = self._clock()
        return self._known

    async def _ask(self) -> dict[str, str]:
        answers = await asyncio.gather(*(self._answers(service) for service in SERVICES))
        return {
            "broker": "ok" if self._link.is_up else "down",
            **{service: "ok" if up else "down" for service, up in zip(SERVICES, answers, strict=True)},
            "revocations": "ok" if self._feed.is_fresh else "stale",
        }

    async def _answers(self, service: str) -> bool:
        kwargs: dict[str, Any] = {"query": "health", "params": {}, "caller": gateway_caller(), "at_least": None}
        try:
            await self._rpc.call(service, QUERY, kwargs, timeout=PATIENCE_SECONDS)
        except (ServiceUnavailable, ServiceTimeout, Overloaded):
            return False
        except RemoteError as error:
            # A refusal is an answer: the service carries out requests.
            return error.rejection is not None
        return True
