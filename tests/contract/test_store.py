"""What every store of commits promises, held against the one in memory and the one in MongoDB."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.kernel.commit import Commit, NotStorable, StoredEvent, VersionConflict
from services.kernel.memory import MemoryCommitStore
from services.kernel.store import CommitStore, MongoCommitStore, connect
from tests.support.commits import commit, stream
from tests.support.log_checks import assert_well_formed, check_commit_ids, check_racing_writers, whole_log
from tests.support.threads import at_once, each_at_once

Open = Callable[[], CommitStore]
_numbers = itertools.count(1)


@pytest.fixture(params=["memory", "mongo"])
def open_store(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens one empty log; every further call is another process on the same log."""
    if request.param == "memory":
        store = MemoryCommitStore()
        yield lambda: store
        return
    url, name = request.getfixturevalue("mongo_url"), f"{request.getfixturevalue('db_prefix')}store{next(_numbers)}"
    with ExitStack() as clients:

        def opened() -> CommitStore:
            store = MongoCommitStore(clients.enter_context(connect(url))[name])
            store.ensure_indexes()
            return store

        yield opened


@pytest.fixture
def store(open_store: Open) -> CommitStore:
    return open_store()


def test_an_empty_log_has_neither_head_nor_commits(store: CommitStore) -> None:
    assert (store.head(), store.after(0, 10), store.load(stream("a")), store.find("x")) == (0, [], [], None)


def test_positions_are_counted_from_one_over_all_streams(store: CommitStore) -> None:
    placed = [store.append(commit(stream(name))) for name in "abc"]
    assert [c.position for c in placed] == [1, 2, 3]
    assert store.head() == 3


def test_a_commit_comes_back_as_it_was_given(store: CommitStore) -> None:
    sealed = {"scope": "tenant", "key": 1, "nonce": b"\x00n", "ct": b"\xffc"}
    given = replace(
        commit(stream("a"), facts=2),
        events=(
            StoredEvent("Told", 2, {"ñ": ["á", 1, 2.5, None, {"b": True}]}, (sealed,)),
            StoredEvent("Moved", 1, {}),
        ),
        at=datetime(2026, 2, 28, 23, 59, 59, 123_000, tzinfo=UTC),
        origin=None,
    )
    stored = store.append(given)
    assert stored == given.placed(1)
    assert store.load(given.stream) == store.after(0, 1) == [store.find(given.commit_id)] == [stored]
    assert stored.last_version == 2


def test_a_taken_version_is_a_conflict_and_leaves_nothing(store: CommitStore) -> None:
    first = store.append(commit(stream("a"), facts=2))
    with pytest.raises(VersionConflict):
        store.append(commit(stream("a"), 1))
    assert whole_log(store) == [first]
    assert store.append(commit(stream("a"), 3)).position == 2


def test_a_commit_id_is_stored_once(open_store: Open) -> None:
    check_commit_ids(open_store)


def test_a_stream_is_loaded_oldest_first_and_alone(store: CommitStore) -> None:
    for version, name in ((1, "a"), (1, "ab"), (2, "a"), (3, "a"), (2, "ab")):
        store.append(commit(stream(name), version))
    assert [c.version for c in store.load(stream("a"))] == [1, 2, 3]
    assert [c.version for c in store.load(stream("ab"))] == [1, 2]


def test_the_last_of_a_stream_is_found_as_of_any_position(store: CommitStore) -> None:
    assert store.last(stream("a")) is None
    first, other, second = (
        store.append(commit(stream(name), version)) for name, version in (("a", 1), ("b", 1), ("a", 2))
    )
    assert store.last(stream("a")) == second
    assert store.last(stream("a"), up_to=other.position) == first
    assert store.last(stream("b"), up_to=first.position) is None


def test_reading_goes_on_after_any_position_with_any_limit(store: CommitStore) -> None:
    log = [store.append(commit(stream("a"), version)) for version in range(1, 8)]
    for position in range(9):
        for limit in (1, 3, 100):
            assert store.after(position, limit) == log[position : position + limit]


@pytest.mark.parametrize(("writers", "each"), [(2, 40), (32, 8)])
def test_racing_writers_leave_no_gap_and_overlap_nowhere(open_store: Open, writers: int, each: int) -> None:
    check_racing_writers(open_store, writers, each)


@pytest.mark.parametrize("rivals", [2, 32])
def test_exactly_one_of_many_rivals_takes_a_version(open_store: Open, rivals: int) -> None:
    stores = [open_store(), open_store()]
    for version in range(1, 6):
        outcomes = at_once([lambda s=stores[n % 2], v=version: s.append(commit(stream("a"), v)) for n in range(rivals)])
        winners = [outcome for outcome in outcomes if isinstance(outcome, Commit)]
        losers = [outcome for outcome in outcomes if isinstance(outcome, VersionConflict)]
        assert (len(winners), len(losers)) == (1, rivals - 1), outcomes
    assert_well_formed(whole_log(stores[0]))


def test_one_commit_sent_by_many_at_once_is_stored_once_and_answered_alike(open_store: Open) -> None:
    stores = [open_store(), open_store(), open_store()]
    for n in range(10):
        given = commit(stream(f"s{n}"), id=f"same-{n}")
        answers = each_at_once([lambda s=stores[i % 3], c=given: s.append(c) for i in range(18)])
        assert len({answer.position for answer in answers}) == 1, answers
    assert stores[0].head() == 10


def test_what_one_process_was_told_the_others_read_at_once(open_store: Open) -> None:
    one, other = open_store(), open_store()
    for version in range(1, 30):
        stored = one.append(commit(stream("a"), version))
        assert other.find(stored.commit_id) == stored
        assert other.head() == version
        assert [c.version for c in other.load(stream("a"))] == list(range(1, version + 1))
        one, other = other, one


@pytest.mark.parametrize(
    "unfit",
    [{"amount": 2**63}, {"a\x00b": 1}, {"much": "x" * 9_000_000}, {"half": "\ud800"}],
    ids=["number", "name", "size", "text"],
)
def test_what_no_document_can_hold_is_refused_and_harms_no_other(store: CommitStore, unfit: dict[str, Any]) -> None:
    given = [commit(stream("a")), commit(stream("unfit"), **unfit), commit(stream("b"))]
    outcomes = at_once([lambda c=c: store.append(c) for c in given])
    assert [type(outcome) for outcome in outcomes] == [Commit, NotStorable, Commit]
    assert {c.stream for c in whole_log(store)} == {stream("a"), stream("b")}
