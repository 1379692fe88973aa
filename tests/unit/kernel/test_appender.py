"""Group commit under every order of writers and every way in which an insert can fail."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel import together
from services.kernel.appender import Appender, Taken, Unknown
from services.kernel.commit import Commit, StoreUnavailable, VersionConflict
from services.kernel.memory import MemoryCommitStore
from tests.support.commits import commit, stream
from tests.support.log_checks import assert_well_formed, whole_log
from tests.support.threads import at_once


class Broken(Exception):
    """A failure that nobody foresaw."""


class ScriptedInsert:
    """Inserts into a log in memory, or fails as the script says: before, in the middle of, or after the write."""

    def __init__(self, script: list[tuple[str, int]]) -> None:
        self.store = MemoryCommitStore()
        self.script = script
        self.batches: list[int] = []
        self.running = threading.Lock()

    def __call__(self, commits: Sequence[Commit]) -> list[Commit | Taken | Unknown]:
        assert self.running.acquire(blocking=False), "two batches of one process at once"
        try:
            self.batches.append(len(commits))
            how, written = self.script.pop(0) if self.script else ("works", 0)
            outcomes = [self._one(c) for c in commits[: len(commits) if how == "works" else written]]
            if how == "works":
                return outcomes
            if how == "unknown":
                return [*outcomes, *[Unknown(Broken())] * (len(commits) - len(outcomes))]
            raise Broken
        finally:
            self.running.release()

    def _one(self, wanted: Commit) -> Commit | Taken:
        try:
            return self.store.append(wanted)
        except VersionConflict:
            return Taken()


def write_all(insert: ScriptedInsert, writers: int, each: int) -> list[list[Commit | Exception]]:
    """Every writer adds to its own stream or to a common one, and repeats what got no clear answer."""
    appender = Appender(insert)

    def write(writer: int) -> list[Commit | Exception]:
        answers: list[Commit | Exception] = []
        own = stream("common" if writer % 3 == 0 else f"own-{writer}")
        for n in range(each):
            for _ in range(500):
                log = insert.store.load(own)
                try:
                    answers.append(
                        appender.append(commit(own, log[-1].last_version + 1 if log else 1, id=f"{writer}/{n}"))
                    )
                    break
                except (VersionConflict, StoreUnavailable, Broken) as failed:
                    answers.append(failed)
        return answers

    outcomes = at_once([lambda w=w: write(w) for w in range(writers)], timeout=30)
    assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    return outcomes  # type: ignore[return-value]


SCRIPTS = st.lists(st.tuples(st.sampled_from(["works", "unknown", "raises"]), st.integers(0, 6)), max_size=12)


@settings(max_examples=60)
@given(script=SCRIPTS, writers=st.integers(1, 12), each=st.integers(1, 4))
def test_every_writer_is_answered_and_the_log_is_whole(script: list[tuple[str, int]], writers: int, each: int) -> None:
    insert = ScriptedInsert(list(script))
    answers = write_all(insert, writers, each)
    log = whole_log(insert.store)
    assert_well_formed(log)
    acknowledged = [a for one in answers for a in one if isinstance(a, Commit)]
    assert sorted(acknowledged, key=lambda c: c.position) == log
    assert len(log) == writers * each


def test_writers_that_come_together_share_one_insert(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "LARGEST_BATCH", 7)
    gate, entered = threading.Event(), threading.Event()
    insert = ScriptedInsert([])

    def slow(commits: Sequence[Commit]) -> Any:
        entered.set()
        assert gate.wait(10)
        return insert(commits)

    appender = Appender(slow)
    first = threading.Thread(target=appender.append, args=(commit(stream("first")),))
    first.start()
    assert entered.wait(10)

    def let_go() -> None:
        while appender.waiting < 20:
            threading.Event().wait(0.002)
        gate.set()

    outcomes = at_once([lambda n=n: appender.append(commit(stream(f"s{n}"))) for n in range(20)] + [let_go])
    first.join(10)
    assert all(isinstance(outcome, Commit) for outcome in outcomes[:20])
    assert insert.batches == [1, 7, 7, 6]


def test_a_failure_reaches_everybody_in_the_batch_and_nobody_after_it() -> None:
    insert = ScriptedInsert([("raises", 0)])
    appender = Appender(insert)
    with pytest.raises(Broken):
        appender.append(commit(stream("a")))
    assert appender.append(commit(stream("a"))).position == 1


def test_every_outcome_has_its_own_answer() -> None:
    insert = ScriptedInsert([("works", 0), ("works", 0), ("unknown", 0)])
    appender = Appender(insert)
    assert appender.append(commit(stream("a"))).position == 1
    with pytest.raises(VersionConflict):
        appender.append(commit(stream("a")))
    with pytest.raises(StoreUnavailable):
        appender.append(commit(stream("a"), 2))
