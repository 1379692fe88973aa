"""A commit whose fate is unknown is neither lost nor doubled, whatever the server answers or fails to answer."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from typing import Any

import pymongo
import pytest
from pymongo.errors import AutoReconnect
from pymongo.monitoring import CommandListener, CommandStartedEvent

from deploy.local import LocalStack
from services.kernel import faults
from services.kernel.commit import Commit, StoreUnavailable, VersionConflict
from services.kernel.store import MongoCommitStore, connect
from tests.support.commits import commit, stream
from tests.support.engines import breakable, failing
from tests.support.log_checks import assert_well_formed, whole_log
from tests.support.threads import at_once, each_at_once

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    with breakable(tmp_path_factory.mktemp("breakable"), "mongod") as started:
        yield started


@pytest.fixture(scope="module")
def url(engines: LocalStack) -> str:
    """A driver that looks at the server more often, so that an injected change of state passes sooner."""
    return f"{engines.mongod.url}&heartbeatFrequencyMS=500"


@pytest.fixture
def store(url: str) -> Iterator[MongoCommitStore]:
    with connect(url) as client:
        made = MongoCommitStore(client[f"store{next(_numbers)}"], deadline=10.0)
        made.ensure_indexes()
        yield made


def batch(store: MongoCommitStore, commits: list[Commit]) -> list[Commit | Exception]:
    """Append these so that they share one insert: the one before them is held until all have queued up."""
    gathered = threading.Event()
    held = threading.Event()

    def hold() -> None:
        if not held.is_set():
            held.set()
            assert gathered.wait(10)

    faults.arm("store.before_insert", hold)
    try:
        first = threading.Thread(target=store.append, args=(commit(stream("before")),))
        first.start()
        assert held.wait(10)

        def let_go() -> None:
            while store._appender.waiting < len(commits):
                time.sleep(0.002)
            gathered.set()

        return at_once([lambda c=c: store.append(c) for c in commits] + [let_go])[:-1]
    finally:
        gathered.set()
        first.join()
        faults.disarm()


WAYS = {
    "connection closed": {"closeConnection": True},
    "not the primary any more": {"errorCode": 10107},
    "primary stepped down": {"errorCode": 189},
    "shutting down": {"errorCode": 91},
    "written, but nobody knows": {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
    "written, but interrupted": {"writeConcernError": {"code": 11602, "errmsg": "interrupted by a stepdown"}},
}


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_a_failing_insert_is_settled_by_its_commit_id(
    engines: LocalStack, store: MongoCommitStore, how: dict[str, Any], times: int
) -> None:
    earlier = store.append(commit(stream("a")))
    with failing(engines.mongod.url, "insert", times=times, **how):
        stored = store.append(commit(stream("a"), 2))
    assert stored.position == 2
    assert whole_log(store) == [earlier, stored]


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_a_failing_batch_is_settled_commit_by_commit(
    engines: LocalStack, store: MongoCommitStore, how: dict[str, Any]
) -> None:
    with failing(engines.mongod.url, "insert", times=3, **how):
        outcomes = each_at_once(
            [lambda n=n: [store.append(commit(stream(f"s{n}"), v)) for v in (1, 2, 3)] for n in range(16)]
        )
    log = whole_log(store)
    assert_well_formed(log)
    assert sorted((c for stored in outcomes for c in stored), key=lambda c: c.position) == log
    assert len(log) == 48


@pytest.mark.parametrize("how", WAYS.values(), ids=WAYS)
def test_a_lost_race_is_told_from_ones_own_earlier_attempt(
    engines: LocalStack, store: MongoCommitStore, how: dict[str, Any]
) -> None:
    store.append(commit(stream("a")))
    with failing(engines.mongod.url, "insert", times=2, **how), pytest.raises(VersionConflict):
        store.append(commit(stream("a"), 1))
    assert store.head() == 1


def test_a_store_that_cannot_be_asked_says_so_and_a_repeat_finds_out(engines: LocalStack, url: str) -> None:
    with connect(url) as client:
        hasty = MongoCommitStore(client["hasty"], deadline=0.2)
        hasty.ensure_indexes()
        wanted = commit(stream("a"))
        unclear = {"writeConcernError": {"code": 64, "errmsg": "timed out"}}
        with (
            failing(engines.mongod.url, "insert", times=1, **unclear),
            failing(engines.mongod.url, "find", "insert", times=1_000, closeConnection=True),
            pytest.raises(StoreUnavailable),
        ):
            hasty.append(wanted)
        assert hasty.head() == 0
        assert hasty.append(wanted).position == 1
        assert hasty.append(wanted).position == 1


class LosesTheAnswer(MongoCommitStore):
    """The insert is carried out in full or in part, and then the connection is gone."""

    def __init__(self, *args: Any, lost: list[int | None], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lost = lost

    def _insert_ordered(self, placed: Any) -> Any:
        if not self.lost:
            return super()._insert_ordered(placed)
        carried_out = self.lost.pop(0)
        super()._insert_ordered(placed[:carried_out]) if placed[:carried_out] else None
        raise AutoReconnect("the answer is lost")


@pytest.mark.parametrize("lost", [[None], [0], [None, None], [1], [3, 1, 0, None]], ids=str)
def test_an_answer_that_is_lost_after_the_write_doubles_nothing(url: str, lost: list[int | None]) -> None:
    with connect(url) as client:
        store = LosesTheAnswer(client[f"lost{next(_numbers)}"], lost=[])
        store.ensure_indexes()
        given = [commit(stream(f"s{n}"), id=f"c{n}") for n in range(8)]
        held = [commit(stream("before"))]
        store.append(held[0])
        store.lost = list(lost)
        answers = each_at_once([lambda c=c: store.append(c) for c in given])
        log = whole_log(store)
        assert_well_formed(log)
        assert len(log) == 9
        assert sorted(answers, key=lambda c: c.position) == log[1:]


def test_one_commit_that_lost_its_race_leaves_the_others_of_its_batch_alone(store: MongoCommitStore) -> None:
    store.append(commit(stream("taken")))
    repeated = store.append(commit(stream("repeated")))
    given = [commit(stream(f"s{n}")) for n in range(6)]
    given[0], given[3] = commit(stream("taken")), commit(stream("repeated"), id=repeated.commit_id)
    outcomes = batch(store, given)
    assert isinstance(outcomes[0], VersionConflict)
    assert outcomes[3] == repeated
    assert all(isinstance(outcomes[n], Commit) for n in (1, 2, 4, 5)), outcomes
    assert_well_formed(whole_log(store))
    assert store.head() == 7


def test_nothing_that_a_failing_batch_had_before_the_conflict_is_acknowledged_below_majority(
    engines: LocalStack, store: MongoCommitStore
) -> None:
    store.append(commit(stream("taken")))
    unclear = {"code": 64, "errmsg": "waiting for replication timed out"}
    asked: list[str] = []
    found = store.find

    def find(commit_id: str) -> Commit | None:
        asked.append(commit_id)
        return found(commit_id)

    store.find = find  # type: ignore[method-assign]
    given = [commit(stream("a"), id="before"), commit(stream("taken"), id="taken"), commit(stream("b"), id="behind")]
    store._appender.append(commit(stream("warm")))
    with failing(engines.mongod.url, "insert", times=1, writeConcernError=unclear):
        outcomes = store._insert(given)
    assert "before" in asked, "it was acknowledged although its durability was never confirmed"
    assert [isinstance(o, Commit) for o in outcomes] == [True, False, True]
    assert_well_formed(whole_log(store))


class Reads(CommandListener):
    def __init__(self) -> None:
        self.concerns: list[Any] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in ("find", "aggregate") and "events" in event.command.values():
            self.concerns.append(event.command.get("readConcern", {}).get("level"))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


def test_whatever_is_read_from_the_log_can_never_be_rolled_back(engines: LocalStack) -> None:
    """A version or position learned below majority may vanish in a failover, and what is built on it leaves a hole."""
    reads = Reads()
    with pymongo.MongoClient(engines.mongod.url, event_listeners=[reads]) as client:
        store = MongoCommitStore(client["reads"])
        store.ensure_indexes()
        stored = store.append(commit(stream("a")))
        store.load(stored.stream)
        store.find(stored.commit_id)
        store.after(0, 10)
        store.head()
        store.of_streams(stored.stream, 1)
        with pytest.raises(VersionConflict):
            store.append(commit(stream("a")))
    assert len(reads.concerns) >= 6
    assert set(reads.concerns) == {"majority"}
