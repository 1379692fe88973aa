"""Each safeguard, removed: the check that passes on the kernel must convict the mutant, or it proves nothing.

Two mutants need a replica set of three nodes, in which an acknowledged write can be rolled back, and are
not here: appending below majority, and a relay that reads what is not durable yet. That the store reads
and writes with majority is proven in `tests/contract/test_store_failures.py` from the commands it sends.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from pymongo import ASCENDING, ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from deploy.local import LocalStack
from services.kernel import broker
from services.kernel.clock import SystemClock, new_id
from services.kernel.commit import Commit, Recorded, VersionConflict
from services.kernel.config import Settings
from services.kernel.inbox import Inbox, Outcome
from services.kernel.platform import Platform, open_platform
from services.kernel.relay import Relay
from services.kernel.store import CommitStore, MongoCommitStore, connect
from tests.examples.kernel import ParcelClaimed, Tracks, an_id, caller, parcels
from tests.support.broker import channel_of, declare
from tests.support.facts import Db, fresh
from tests.support.inbox_checks import CHECKS
from tests.support.log_checks import check_commit_ids, check_racing_writers
from tests.support.relay_checks import check_crash_of_the_relay
from tests.support.system import check_kill_before_the_effect, check_live_equals_rebuilt, running

_numbers = itertools.count(1)


def convicts(reason: str) -> Any:
    """The check fails, and for the reason for which this mutant must fail it."""
    return pytest.raises(AssertionError, match=reason)


ROUNDS = 20


# --- the log ---


class CountsFirst(MongoCommitStore):
    """Takes a number from a counter, then inserts: numbers become visible out of order, and some never."""

    def append(self, commit: Commit) -> Commit:
        counters = self._written.database["counters"]
        row = counters.find_one_and_update(
            {"_id": "events"}, {"$inc": {"last": 1}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        try:
            placed = commit.placed(row["last"])
            self._written.insert_one(placed.to_document())
        except DuplicateKeyError:
            if stored := self.find(commit.commit_id):
                return stored
            raise VersionConflict(commit.stream) from None
        return placed


class NeverUnique(MongoCommitStore):
    """Has no unique index on the commit id."""

    def ensure_indexes(self) -> None:
        self._written.create_index([("stream", ASCENDING), ("version", ASCENDING)], unique=True)


@pytest.fixture
def opener(engines: LocalStack) -> Iterator[Callable[[type[MongoCommitStore]], Callable[[], CommitStore]]]:
    """Opens processes of a kind of store on one empty log."""
    name = f"mutants{next(_numbers)}"
    with ExitStack() as clients:

        def of(kind: type[MongoCommitStore]) -> Callable[[], CommitStore]:
            def opened() -> CommitStore:
                store = kind(clients.enter_context(connect(engines.mongod.url))[name])
                store.ensure_indexes()
                return store

            return opened

        yield of


def test_counter_before_insert(opener: Any) -> None:
    with convicts("the reader met a gap|acknowledged and seen differ"):
        check_racing_writers(opener(CountsFirst), writers=16, each=10)


def test_no_unique_index_on_the_commit_id(opener: Any) -> None:
    with convicts("stored twice"):
        check_commit_ids(opener(NeverUnique))


@pytest.mark.parametrize("check", [lambda of: check_racing_writers(of, 16, 10), check_commit_ids], ids=["race", "ids"])
def test_the_log_itself_passes(opener: Any, check: Any) -> None:
    check(opener(MongoCommitStore))


# --- the inbox ---


class OneByOne(Inbox):
    """Takes in every delivery by itself, so that a mutant has one place to be wrong at."""

    def receive_all(self, deliveries: Sequence[tuple[Recorded, bytes]]) -> None:
        for fact, body in deliveries:
            self.receive(fact, body)


class TrustsTheBroker(OneByOne):
    """Applies whatever is newer than the cursor."""

    def _take(self, fact: Recorded, body: bytes) -> Outcome:
        version, _ = self._cursor(fact.stream)
        return Outcome.DROPPED if fact.version <= version else self._apply(fact, body, version)


class NeverLooksAgain(OneByOne):
    """Parks and goes on."""

    def _take(self, fact: Recorded, body: bytes) -> Outcome:
        version, _ = self._cursor(fact.stream)
        if fact.version <= version + 1:
            return super()._take(fact, body)
        self._park(fact, body)
        return Outcome.PARKED


class NoTransaction(OneByOne):
    """Effect and cursor are written one after the other."""

    def _in_transaction(self, work: Callable[[ClientSession], None]) -> None:
        with self._client.start_session() as session:
            work(session)


class SwallowsPoison(OneByOne):
    """Goes on over what raised, as the stock event handler does."""

    def _raised_again(self, fact: Recorded, body: bytes, poison: Exception) -> Outcome:
        self._move_cursor(fact, fact.version - 1, None)
        return Outcome.APPLIED


class ComparesNothing(OneByOne):
    """Moves the cursor wherever it stands."""

    def _move_cursor(self, fact: Recorded, version: int, session: ClientSession | None) -> None:
        place = {"_id": self._cursor_id(fact.stream)}
        new = {"version": fact.version, "handler": self._handler.name, "stream": fact.stream}
        self._cursors.update_one(place, {"$set": new}, upsert=True, session=session)


MUTANTS: dict[str, tuple[type[Inbox], str, str]] = {
    "trust broker order": (TrustsTheBroker, "reordered and doubled", "effects"),
    "no re-check after park": (NeverLooksAgain, "lost wake-up", "effects"),
    "no transaction": (NoTransaction, "crash between effect and cursor", "effects"),
    "poison swallowed": (SwallowsPoison, "poison is kept", "went on over the poison"),
    "cursor not compared": (ComparesNothing, "racing consumers", "effects"),
}


@pytest.fixture
def db(engines: LocalStack) -> Iterator[Db]:
    with connect(engines.mongod.url) as client:
        yield fresh(client, f"mutants{next(_numbers)}")


@pytest.mark.parametrize(("mutant", "check", "reason"), MUTANTS.values(), ids=MUTANTS)
def test_inbox_with(db: Db, mutant: type[Inbox], check: str, reason: str) -> None:
    with convicts(reason):
        # Not every race goes wrong: what a check misses once it must find in one of many rounds.
        for _ in range(ROUNDS):
            CHECKS[check](db, mutant, 1)


@pytest.mark.parametrize("check", CHECKS)
def test_the_inbox_itself_passes(db: Db, check: str) -> None:
    CHECKS[check](db, OneByOne, 1)


# --- relay, read models, subscription ---


@pytest.fixture
def service(corner: dict[str, str]) -> Iterator[Platform]:
    """Three parcels, moved about and claimed."""
    with closing(open_platform(parcels(), Settings(**corner), SystemClock())) as opened:  # type: ignore[arg-type]
        opened.ensure_indexes()
        for n in range(3):
            for command, more in (("register", {}), ("move", {"steps": 2}), ("claim", {"courier_id": an_id(9)})):
                data = {"parcel_id": an_id(n), **more}
                opened.application.execute(f"{command}_parcel", data, caller(), new_id())
        yield opened


class CheckpointFirst(Relay):
    """Moves its checkpoint when it has read, and publishes then."""

    async def _read(self, position: int, rest: float = 0.0) -> list[Commit]:
        commits = await super()._read(position, rest)
        if commits:
            self._checkpoint.move(commits[-1].position, self._clock.now())
        return commits


@pytest.mark.parametrize("kind", [Relay, CheckpointFirst])
def test_checkpoint_before_publish(service: Platform, corner: dict[str, str], kind: type[Relay]) -> None:
    stored = [
        (c.stream, c.version + n)
        for c in service.store.after(0, 1_000)
        if c.category == "parcel"
        for n in range(len(c.events))
    ]
    with channel_of(corner["AMQP_URL"]) as channel:
        queue = declare(channel, broker.consumer_queue("mutants", "parcels", ("parcel",)))
        check = (service, channel, queue, "relay.before_publish", stored, kind)
        if kind is Relay:
            check_crash_of_the_relay(*check)
        else:
            with convicts("never told"):
                check_crash_of_the_relay(*check)


class SkipsClaims(Tracks):
    """Follows all but one type of fact."""

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        return doc if isinstance(fact.event, ParcelClaimed) else super().evolve(doc, fact)


def test_a_type_of_fact_that_the_live_read_model_skips(service: Platform) -> None:
    with convicts("differ"):
        check_live_equals_rebuilt(service, SkipsClaims(), Tracks())


def test_the_read_model_itself_passes(service: Platform) -> None:
    check_live_equals_rebuilt(service, Tracks(), Tracks())


def test_ack_before_effect(corner: dict[str, str], tmp_path: Path) -> None:
    with running(corner, tmp_path) as system:
        check_kill_before_the_effect(system)
        with convicts("not within .*depots.arrivals"):
            check_kill_before_the_effect(system, module="tests.support.acks_first", patience=6)
