"""A whole service in memory: the same application, store contract and read models, answered in microseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mongomock
from pydantic import SecretStr

from services.kernel.application import Application, ReadModel, Reads, ServiceDefinition
from services.kernel.clock import SettableClock, new_id
from services.kernel.commands import Journal
from services.kernel.commit import Caller, Commit, Recorded
from services.kernel.config import Settings
from services.kernel.keyring import SqliteKeyring
from services.kernel.memory import MemoryCommitStore
from services.kernel.message import incoming, outgoing
from services.kernel.process import carry_out
from services.kernel.reads import TenantCollection
from services.kernel.registry import Registry
from services.kernel.secrets import Secrets
from services.kernel.timers import At

START = datetime(2026, 11, 23, 13, 0, tzinfo=UTC)
"""Monday 8:00 in Bogotá."""


@dataclass
class MailBox:
    """Keeps what was sent."""

    sent: list[dict[str, str]] = field(default_factory=list)

    def send(self, **message: str) -> None:
        """See `Mail.send`."""
        self.sent.append(message)


class MemoryReads(Reads):
    """Read models in memory, always up to date."""

    def __init__(self, models: tuple[ReadModel, ...], head: Callable[[], int]) -> None:
        self._db: Any = mongomock.MongoClient(tz_aware=True)["memory"]
        self.head = head
        self.models = {model.name: model for model in models}

    def of(self, tenant: str) -> dict[str, TenantCollection]:
        """See `Reads.of`."""
        return {name: TenantCollection(self._db[name], tenant) for name in self.models}

    def visible(self, position: int) -> bool:
        """See `Reads.visible`: nothing lags here."""
        return True

    def followed(self, model: str) -> int:
        """See `Reads.followed`: whatever has happened."""
        return self.head()

    def fold(self, model: ReadModel, fact: Recorded) -> None:
        """Let one fact change the model's documents."""
        rows = self._db[model.name]
        for id in model.owned_keys(fact):
            row = rows.find_one({"_id": id})
            bare = row and {k: v for k, v in row.items() if k not in ("_id", "tenant")}
            doc = model.evolve(bare, fact)
            rows.delete_one({"_id": id})
            if doc is not None:
                rows.insert_one({"tenant": id.split(":", 1)[0], **doc, "_id": id})


class MemoryApp:
    """A service to talk to in unit tests: commands, queries, its mails, its timers, its facts, its clock."""

    def __init__(self, definition: ServiceDefinition, start: datetime = START, ports: Mapping[str, Any] | None = None):
        self.definition = definition
        self.clock = SettableClock(start)
        self.mails = MailBox()
        self.timers: dict[str, tuple[At, str]] = {}
        self.store = MemoryCommitStore()
        self.registry = Registry(definition.name, definition.deciders)
        self.keyring = SqliteKeyring(None, b"k" * 32)
        self.reads = MemoryReads((*definition.read_models, *definition.foreign_models), self.store.head)
        self.settings = Settings(
            mongo_url=SecretStr(""),
            amqp_url=SecretStr(""),
            keyring_dir=Path(),
            keyring_kek=SecretStr(""),
            token_seed=SecretStr(""),
        )
        self.application = Application(
            definition,
            Journal(self.store, self.registry, self.keyring),
            self.reads,
            self.clock,
            self.settings,
            Secrets(b"s" * 32),
            {"mail": lambda: self.mails, **(ports or {})},
        )
        self._followed = 0
        self._delivered: dict[str, int] = {}

    def execute(
        self,
        command: str,
        data: Mapping[str, Any],
        caller: Caller,
        command_id: str | None = None,
        expected_version: int | None = None,
    ) -> dict[str, Any]:
        """Carry out a command, then let read models and reactions follow."""
        try:
            return self.application.execute(command, data, caller, command_id or new_id(), expected_version)
        finally:
            self.follow()

    def query(self, query: str, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        """Answer a query."""
        return self.application.query(query, params, caller)

    def advance(self, by: timedelta) -> None:
        """Let time pass; timers that come due fire in order."""
        until = self.clock.now() + by
        while due := sorted((t for t in self.timers.values() if t[0].due <= until), key=lambda t: t[0].due):
            timer, tenant = due[0]
            self.clock.advance(max(timer.due - self.clock.now(), timedelta()))
            del self.timers[timer.timer_id]
            self.application.dispatch(
                timer.dispatch, tenant=tenant, by="timer", commit_id=f"timer:{timer.timer_id}", cause=None
            )
            self.follow()
        self.clock.advance(until - self.clock.now())

    def follow(self) -> None:
        """Fold new facts into the read models and let the reactions answer them."""
        while commits := self.store.after(self._followed, 100):
            for commit in commits:
                self._followed = commit.position
                for fact in self.registry.recorded(commit, self.keyring):
                    self._take(fact)

    def facts(self) -> list[Recorded]:
        """Everything that has happened in this service."""
        return [f for c in self.store.after(0, 2**31) for f in self.registry.recorded(c, self.keyring)]

    def listen_to(self, other: MemoryApp) -> None:
        """Deliver the other service's new facts to this service's subscriptions, by their message form."""
        source = other.definition.name
        for commit in other.store.after(self._delivered.get(source, 0), 2**31):
            self._delivered[source] = commit.position
            self._receive(source, commit)
        self.follow()

    def _receive(self, source: str, commit: Commit) -> None:
        for subscription in self.definition.subscriptions:
            if subscription.source != source or not {"*", commit.category} & set(subscription.categories):
                continue
            for _key, _id, body in outgoing(source, commit):
                fact = incoming(body, subscription.models)
                if fact.event is None:
                    continue
                if subscription.into is not None:
                    self.reads.fold(subscription.into, fact)
                if subscription.react is not None:
                    self._react(subscription.handler, subscription.react, fact)

    def _take(self, fact: Recorded) -> None:
        for model in self.definition.read_models:
            if fact.category in model.categories:
                self.reads.fold(model, fact)
        for reaction in self.definition.reactions:
            if fact.category in reaction.categories:
                self._react(reaction.name, reaction.react, fact)

    def _react(self, name: str, react: Any, fact: Recorded) -> None:
        carry_out(name, react, fact, self.application, self._set_timer)

    def _set_timer(self, timer: At, tenant: str, _cause: str) -> None:
        self.timers[timer.timer_id] = (timer, tenant)


def memory_app(definition: ServiceDefinition, **options: Any) -> MemoryApp:
    """A fresh, empty service in memory."""
    return MemoryApp(definition, **options)
