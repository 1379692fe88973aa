"""Where a session acts from, as an id: facts carry the id, only identity knows the address behind it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gateway.caches import LruCache
from gateway.principals import Principal

Observe = Callable[[Principal, str], Awaitable[str]]
"""Tell identity that this caller acts from this address; it answers the origin id."""


class Origins:
    """The origin ids of callers at their addresses, as far as identity has given them out to this process.

    The id is identity's keyed hash of session and address: every copy of the gateway, and this one
    after a restart, is given the same one, and nobody else can tell the address from it.
    """

    def __init__(self, observe: Observe, capacity: int = 50_000) -> None:
        self._observe = observe
        self._known: LruCache[tuple[str, str], str] = LruCache(capacity)

    async def of(self, principal: Principal, ip: str) -> str:
        """The id, after identity knows it: the command that carries it must not be recorded first."""
        key = (principal.credential, ip)
        known = self._known.get(key)
        if known is None:
            known = await self._observe(principal, ip)
            self._known.put(key, known)
        return known

    def learn(self, session: str, ip: str, origin: str) -> None:
        """Identity has told this one with a new session."""
        self._known.put((session, ip), origin)
