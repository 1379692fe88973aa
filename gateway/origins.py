"""Where a session acts from, as an id: facts carry the id, only identity knows the address behind it."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Awaitable, Callable

from gateway.caches import LruCache
from gateway.principals import Principal

Observe = Callable[[Principal, str, str], Awaitable[None]]
"""Tell identity of (caller, origin id, address)."""


class Origins:
    """Origin ids, and which of them identity has been told of already.

    The id is derived, so that every copy of the gateway, and this one after a restart, gives the same
    session and address the same id; telling identity twice changes nothing.
    """

    def __init__(self, secret: bytes, observe: Observe, capacity: int = 50_000) -> None:
        self._secret = secret
        self._observe = observe
        self._known: LruCache[tuple[str, str], str] = LruCache(capacity)

    def id_of(self, session: str, ip: str) -> str:
        """The id of this session at this address; without the secret nobody can guess addresses from it."""
        message = f"{session}|{ip}".encode()
        digest = bytearray(hmac.new(self._secret, message, hashlib.sha256).digest()[:16])
        digest[6] = (digest[6] & 0x0F) | 0x80
        digest[8] = (digest[8] & 0x3F) | 0x80
        return str(uuid.UUID(bytes=bytes(digest)))

    async def of(self, principal: Principal, ip: str) -> str:
        """The id, after identity knows it: the command that carries it must not be recorded first."""
        key = (principal.session, ip)
        known = self._known.get(key)
        if known is not None:
            return known
        origin = self.id_of(*key)
        await self._observe(principal, origin, ip)
        self._known.put(key, origin)
        return origin
