"""The keys that identity signs access tokens with, as far as the gateway needs them: their public halves."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.errors import Problem
from gateway.rpc_client import Overloaded, ServiceTimeout, ServiceUnavailable
from services.kernel import logging
from services.kernel.rpc import RemoteError

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""A query to identity on the gateway's own behalf."""

ALGORITHM = "EdDSA"
NO_ANSWER = (ServiceUnavailable, ServiceTimeout, Overloaded)
KEYS_ASKED_AT_MOST_EVERY = 5.0
KEYS_TRUSTED_SECONDS = 300.0

log = logging.get(__name__)


class SigningKeys:
    """Identity's public keys by id; asked for again when an unknown id turns up, but not at anyone's pleasure."""

    def __init__(self, ask: Ask, clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._keys: dict[str, Ed25519PublicKey] = {}
        self._loaded_at = float("-inf")
        self._asked_at = float("-inf")
        self._asking = asyncio.Lock()

    async def get(self, kid: str) -> Ed25519PublicKey | None:
        """The key, or None when identity has none of this id. Raises Problem when identity cannot be asked.

        An outage of identity must not log everybody out: a key known before goes on being trusted.
        """
        key = self._keys.get(kid)
        if key is not None and self._clock() - self._loaded_at < KEYS_TRUSTED_SECONDS:
            return key
        async with self._asking:
            if self._clock() - self._asked_at >= KEYS_ASKED_AT_MOST_EVERY:
                await self._refresh()
        key = self._keys.get(kid)
        if key is None and self._loaded_at < self._asked_at:
            raise Problem("service-unavailable", headers={"Retry-After": "2"})
        return key

    async def _refresh(self) -> None:
        self._asked_at = self._clock()
        try:
            answer = await self._ask("signing_keys", {})
        except (*NO_ANSWER, RemoteError) as why:
            log.warning("signing_keys_not_loaded", why=repr(why))
            return
        self._keys = dict(_read_keys(answer))
        self._loaded_at = self._asked_at


def _read_keys(answer: Mapping[str, Any]) -> list[tuple[str, Ed25519PublicKey]]:
    keys = []
    for document in answer["keys"]:
        if document.get("kty") == "OKP" and document.get("crv") == "Ed25519":
            key = jwt.PyJWK(document, algorithm=ALGORITHM).key
            assert isinstance(key, Ed25519PublicKey)
            keys.append((str(document["kid"]), key))
    return keys
