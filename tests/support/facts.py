"""Facts in their message form, a probe that shows what was applied, and a consumer made of an inbox and the probe."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.database import Database

from services.kernel import inbox
from services.kernel.clock import Clock, SettableClock
from services.kernel.commit import Recorded
from services.kernel.inbox import Handler, Inbox, Outcome
from services.kernel.message import incoming, outgoing
from tests.support.commits import commit, stream

Db = Database[dict[str, Any]]
NOON = datetime(2026, 11, 23, 17, tzinfo=UTC)


def bodies(name: str, count: int, *, from_position: int = 1) -> list[bytes]:
    """The messages of one stream's facts 1..count."""
    made = []
    for version in range(1, count + 1):
        placed = commit(stream(name), version).placed(from_position + version - 1)
        made += [body for _, _, body in outgoing("parcels", placed)]
    return made


class Probe:
    """A handler whose effect is to note each fact beside its stream, in the transaction that it is given."""

    def __init__(self, db: Db, name: str = "probe") -> None:
        self.db = db
        self.name = name
        self.poison: dict[tuple[str, int], Exception] = {}
        self.poison_before: dict[tuple[str, int], Exception] = {}
        self.attempts: list[tuple[str, int]] = []

    @property
    def handler(self) -> Handler:
        """For an inbox."""
        return Handler(self.name, incoming, effect=self.effect)

    def effect(self, fact: Recorded, session: ClientSession) -> None:
        """Note it, or fail as told."""
        self.attempts.append((fact.stream, fact.version))
        if trouble := self.poison_before.get((fact.stream, fact.version)):
            raise trouble
        self.db[self.name].update_one(
            {"_id": fact.stream}, {"$push": {"log": fact.version}}, upsert=True, session=session
        )
        if trouble := self.poison.get((fact.stream, fact.version)):
            raise trouble

    def log(self, name: str) -> list[int]:
        """The versions that had their effect, in the order in which they had it."""
        row = self.db[self.name].find_one({"_id": stream(name)})
        return row["log"] if row else []

    def cursor(self, name: str) -> int:
        """Where the inbox stands."""
        row = self.db["inbox_cursors"].find_one({"_id": f"{self.name}|{stream(name)}"})
        return row["version"] if row else 0

    def blocked(self, name: str) -> dict[str, Any] | None:
        """What stopped the stream."""
        row = self.db["inbox_cursors"].find_one({"_id": f"{self.name}|{stream(name)}"})
        return (row or {}).get("blocked")

    def parked(self) -> int:
        """How many facts wait."""
        return self.db["inbox_parked"].count_documents({"handler": self.name})


class Consumer:
    """One process's inbox of the probe, and what it does with deliveries."""

    def __init__(self, probe: Probe, kind: type[Inbox] = Inbox, clock: SettableClock | None = None) -> None:
        self.inbox = kind(probe.db, probe.handler, clock or SettableClock(NOON))

    def receive(self, body: bytes) -> Outcome:
        """Take in one delivery; answers what became of it."""
        return self.inbox.receive(self.inbox.read(body), body)

    def take_in(self, bodies: Iterable[bytes], at_once: int) -> None:
        """Take in deliveries in their order, that many together."""
        facts = [(self.inbox.read(body), body) for body in bodies]
        for start in range(0, len(facts), at_once):
            self.inbox.receive_all(facts[start : start + at_once])


class Reacting(Inbox):
    """An inbox that reacts where the other has effects; what is done is done once, as commands are."""

    def __init__(self, db: Db, handler: Handler, clock: Clock) -> None:
        assert handler.effect is not None
        effect = handler.effect

        def react(fact: Recorded) -> None:
            def once(session: ClientSession) -> None:
                marked = db["reacted"].update_one(
                    {"_id": f"{fact.stream}@{fact.version}"}, {"$set": {"done": True}}, upsert=True, session=session
                )
                if marked.upserted_id is not None:
                    effect(fact, session)

            with db.client.start_session() as session:
                session.with_transaction(once)

        super().__init__(db, Handler(handler.name, handler.read, reaction=react), clock)


def fresh(client: MongoClient[dict[str, Any]], name: str) -> Db:
    """An empty database with what inboxes need; collections exist, as transactions cannot make them together."""
    db = client[name]
    inbox.ensure_indexes(db)
    for collection in ("probe", "reacted", "inbox_cursors", "inbox_parked"):
        if collection not in db.list_collection_names():
            db.create_collection(collection)
    return db


def empty(db: Db) -> Db:
    """The same database without rows."""
    for collection in db.list_collection_names():
        db[collection].delete_many({})
    return db


def assert_exactly_once_in_order(probe: Probe, counts: dict[str, int]) -> None:
    """Every stream's facts 1..n had their effect once and in order, and nothing is left waiting."""
    for name, count in counts.items():
        assert probe.log(name) == list(range(1, count + 1)), f"{name}: effects {probe.log(name)}"
        assert probe.cursor(name) == count
    assert probe.parked() == 0, "facts are parked for ever"


def names(deliveries: Iterable[bytes]) -> list[str]:
    """For messages of failed assertions."""
    return [f"{fact.stream[-1]}{fact.version}" for fact in map(incoming, deliveries)]
