"""Which sessions, tokens and user epochs have ended: known within seconds, and doubted when identity falls silent."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from gateway.principals import Principal
from gateway.standing import Standings
from services.kernel import logging
from services.kernel.broker import EVENTS, HEARTBEATS, AsyncBroker

SOURCE = "identity"
KEYS = (
    "identity.session.SessionRevoked",
    "identity.user.UserEpochRaised",
    "identity.api_token.ApiTokenRevoked",
    "identity.account.AccountStateChanged",
)
REMEMBERED_SECONDS = 600.0
"""Twice the life of an access token: whatever is forgotten here has expired by itself."""
SILENCE_SECONDS = 3.0
SNAPSHOT_AGAIN_SECONDS = 5.0

log = logging.get(__name__)


class Revocations:
    """The maps themselves, each entry with the moment it was learnt."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ended: dict[str, float] = {}
        self._epochs: dict[str, tuple[int, float]] = {}
        self.standings = Standings(REMEMBERED_SECONDS, clock)

    def __len__(self) -> int:
        return len(self._ended) + len(self._epochs) + len(self.standings)

    def end(self, id: str) -> None:
        """This session or API token counts no more."""
        self._ended[id] = self._clock()

    def raise_epoch(self, user_id: str, epoch: int) -> None:
        """Tokens of this person made before `epoch` count no more. Never lowers what is known."""
        known = self._epochs.get(user_id)
        self._epochs[user_id] = (max(epoch, known[0]) if known else epoch, self._clock())

    def has_ended(self, principal: Principal) -> bool:
        """Whether what this caller shows was revoked, as far as is known here."""
        if principal.credential in self._ended:
            return True
        known = self._epochs.get(principal.actor)
        return known is not None and principal.epoch < known[0]

    def load(self, snapshot: Mapping[str, Any]) -> None:
        """Take in identity's list of what was revoked lately; adds to what is known."""
        for id in (*snapshot.get("sessions", ()), *snapshot.get("api_tokens", ())):
            self.end(id)
        for user_id, epoch in dict(snapshot.get("epochs", {})).items():
            self.raise_epoch(user_id, int(epoch))
        for account_id, known in dict(snapshot.get("accounts", {})).items():
            self.standings.learn(account_id, known["state"], int(known["revision"]))

    def learn(self, body: bytes) -> None:
        """Take in one fact from the broker. Raises ValueError or KeyError on what is no such fact."""
        message = orjson.loads(body)
        name = message["type"].rsplit(".", 2)[1]
        data = message["data"]
        match name:
            case "SessionRevoked":
                self.end(data["session_id"])
            case "ApiTokenRevoked":
                self.end(data["token_id"])
            case "UserEpochRaised":
                self.raise_epoch(data["user_id"], int(data["epoch"]))
            case "AccountStateChanged":
                self.standings.learn(data["account_id"], data["state"], int(data["revision"]))

    def forget(self) -> None:
        """Drop entries older than any token they could concern."""
        limit = self._clock() - REMEMBERED_SECONDS
        self._ended = {id: at for id, at in self._ended.items() if at > limit}
        self._epochs = {id: entry for id, entry in self._epochs.items() if entry[1] > limit}
        self.standings.forget()


class RevocationFeed:
    """Keeps `Revocations` up to date from the broker, and knows whether they can be trusted now.

    Facts and heartbeats of identity's relay arrive on one queue, so a heartbeat vouches for every fact
    before it. What happened while there was no queue comes from a snapshot, taken after the queue
    exists, and once more a little later in case identity's read model lagged behind its own facts.
    """

    def __init__(
        self,
        revocations: Revocations,
        snapshot: Callable[[], Awaitable[Mapping[str, Any]]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._revocations = revocations
        self._snapshot = snapshot
        self._clock = clock
        self._heard_at: float | None = None
        self._loaded = False
        self._loading: asyncio.Task[None] | None = None

    @property
    def is_fresh(self) -> bool:
        """Whether a revocation made a few seconds ago would be known here."""
        return self._loaded and self._heard_at is not None and self._clock() - self._heard_at <= SILENCE_SECONDS

    async def connected(self, broker: AsyncBroker) -> None:
        """Consume from an own queue, then start to load what was missed."""
        channel = broker.channel
        declared = await broker.call(channel.queue_declare, queue="", exclusive=True, auto_delete=True)
        queue = declared.method.queue
        for key in KEYS:
            await broker.call(channel.queue_bind, queue=queue, exchange=EVENTS, routing_key=key)
        await broker.call(channel.queue_bind, queue=queue, exchange=HEARTBEATS, routing_key=SOURCE)
        await broker.call(
            channel.basic_consume, queue=queue, on_message_callback=self._on_message, auto_ack=True, exclusive=True
        )
        self._loading = asyncio.create_task(self._load())

    def disconnected(self) -> None:
        """From now on facts pass by unheard."""
        self._heard_at, self._loaded = None, False
        if self._loading is not None:
            self._loading.cancel()
            self._loading = None

    async def _load(self) -> None:
        pause = 0.2
        while True:
            try:
                self._revocations.load(await self._snapshot())
            except Exception as why:  # identity may not be up yet; until it is, nothing here is trusted
                log.warning("revocations_not_loaded", why=repr(why))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 2.0)
                continue
            first, self._loaded = not self._loaded, True
            await asyncio.sleep(SNAPSHOT_AGAIN_SECONDS if first else REMEMBERED_SECONDS / 4)
            self._revocations.forget()

    def _on_message(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        if method.exchange == HEARTBEATS:
            self._heard_at = self._clock()
            return
        try:
            self._revocations.learn(body)
        except (ValueError, KeyError, TypeError, IndexError) as why:
            log.error("revocation_unreadable", key=method.routing_key, why=repr(why))
