"""Whether this process is up, and whether what stands behind it answers."""

from __future__ import annotations

import asyncio
from typing import Any

from gateway.calls import gateway_caller
from gateway.link import Link
from gateway.revocations import RevocationFeed
from gateway.rpc_client import Overloaded, RpcClient, ServiceTimeout, ServiceUnavailable
from services.kernel.rpc import QUERY, RemoteError

SERVICES = ("identity", "tasks")
PATIENCE_SECONDS = 2.0


class Health:
    """Asks every part, all at once, with little patience."""

    def __init__(self, link: Link, rpc: RpcClient, feed: RevocationFeed) -> None:
        self._link = link
        self._rpc = rpc
        self._feed = feed

    async def parts(self) -> dict[str, str]:
        """Every part and how it is: `ok`, `down`, or for revocations `stale`."""
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
