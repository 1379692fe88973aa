"""The inbox on a real database: any order, any number of copies, several consumers; poison stops its own stream."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.kernel import faults, inbox
from services.kernel.clock import SettableClock
from services.kernel.commit import Recorded, StoreUnavailable
from services.kernel.inbox import Handler, Inbox, Outcome
from services.kernel.message import Unreadable, incoming
from services.kernel.store import connect
from tests.support.facts import (
    NOON,
    Consumer,
    Db,
    Probe,
    Reacting,
    assert_exactly_once_in_order,
    bodies,
    empty,
    fresh,
    stream,
)
from tests.support.inbox_checks import CHECKS, Check, check_any_order


@pytest.fixture(scope="module")
def one_db(mongo_url: str, db_prefix: str) -> Iterator[Db]:
    with connect(mongo_url) as client:
        yield fresh(client, f"{db_prefix}inbox")


@pytest.fixture
def db(one_db: Db) -> Db:
    return empty(one_db)


@pytest.fixture
def probe(db: Db) -> Probe:
    return Probe(db)


@pytest.mark.parametrize("at_once", [1, 5])
@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize("kind", [Inbox, Reacting])
def test_the_inbox_keeps_order_and_uniqueness(db: Db, check: Check, kind: type[Inbox], at_once: int) -> None:
    check(db, kind, at_once)


COUNTS = st.fixed_dictionaries({"a": st.integers(1, 4), "b": st.integers(1, 2)})


@st.composite
def schedules(draw: st.DrawFn) -> tuple[list[tuple[int, int, str]], dict[str, int]]:
    """Any permutation with repetitions of two streams' facts, each taken in by either of two consumers."""
    counts = draw(COUNTS)
    deliveries = [
        (who, version, name)
        for name, count in counts.items()
        for version in range(1, count + 1)
        for who in draw(st.lists(st.integers(0, 1), min_size=0, max_size=2))
    ]
    return draw(st.permutations(deliveries)), counts


@settings(
    max_examples=150,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(planned=schedules(), at_once=st.integers(1, 4), kind=st.sampled_from([Inbox, Reacting]))
def test_any_permutation_with_repetition_ends_the_same(
    one_db: Db, planned: Any, at_once: int, kind: type[Inbox]
) -> None:
    schedule, counts = planned
    check_any_order(one_db, kind, at_once, schedule, counts)


def test_reactions_that_take_long_are_not_repeated_by_the_many(db: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash in a long row of them repeats the last part of it only."""

    class Killed(BaseException):
        """As SIGKILL, it lets nothing more happen."""

    monkeypatch.setattr(inbox, "TOGETHER_SECONDS", -1.0)
    reacted: list[int] = []

    def react(fact: Recorded) -> None:
        reacted.append(fact.version)
        if fact.version == 4 and reacted.count(4) == 1:
            raise Killed

    made = Inbox(db, Handler("probe", incoming, reaction=react), SettableClock(NOON))
    row = [(incoming(body), body) for body in bodies("a", 5)]
    with pytest.raises(Killed):
        made.receive_all(row)
    made.receive_all(row)
    assert reacted == [1, 2, 3, 4, 4, 5]
    assert Probe(db).cursor("a") == 5


def test_each_delivery_has_its_outcome(probe: Probe) -> None:
    one = Consumer(probe)
    first, second, third = bodies("a", 3)
    assert one.receive(second) is Outcome.PARKED
    assert one.receive(third) is Outcome.PARKED
    assert one.receive(third) is Outcome.PARKED
    assert probe.parked() == 2
    assert one.receive(first) is Outcome.APPLIED
    assert [one.receive(body) for body in (first, second, third)] == [Outcome.DROPPED] * 3
    assert_exactly_once_in_order(probe, {"a": 3})


def test_handlers_have_cursors_of_their_own(db: Db, probe: Probe) -> None:
    other = Probe(db, "other")
    one = Consumer(probe)
    another = Consumer(other)
    for body in bodies("a", 3):
        one.receive(body)
    assert (probe.cursor("a"), other.cursor("a")) == (3, 0)
    for body in bodies("a", 2):
        another.receive(body)
    assert (probe.log("a"), other.log("a")) == ([1, 2, 3], [1, 2])


def test_a_poison_fact_is_tried_three_times_and_leaves_no_effect(probe: Probe) -> None:
    one = Consumer(probe)
    probe.poison[stream("a"), 1] = KeyError("broken")
    first, second = bodies("a", 2)
    assert one.receive(first) is Outcome.BLOCKED
    assert probe.attempts == [(stream("a"), 1)] * 3
    assert [one.receive(body) for body in (second, first, second)] == [Outcome.BLOCKED] * 3
    assert len(probe.attempts) == 3, "a blocked stream is left alone"
    assert (probe.log("a"), probe.cursor("a"), probe.parked()) == ([], 0, 2)


def test_poison_that_waited_on_the_shelf_blocks_when_its_turn_comes(probe: Probe) -> None:
    one = Consumer(probe)
    probe.poison[stream("a"), 2] = ValueError("cannot be handled")
    first, second, third = bodies("a", 3)
    one.receive(third)
    one.receive(second)
    one.receive(first)
    assert probe.log("a") == [1]
    assert (probe.blocked("a") or {})["version"] == 2
    assert probe.parked() == 2
    probe.poison.clear()
    assert one.inbox.unpark(stream("a")) == 2
    assert_exactly_once_in_order(probe, {"a": 3})


def test_a_stream_that_is_still_poison_blocks_again(probe: Probe) -> None:
    one = Consumer(probe)
    probe.poison[stream("a"), 1] = ValueError("first")
    for body in bodies("a", 2):
        one.receive(body)
    probe.poison[stream("a"), 1] = ValueError("second")
    assert one.inbox.unpark(stream("a")) == 0
    assert "second" in (probe.blocked("a") or {})["reason"]
    assert probe.parked() == 2


def test_an_operator_may_pass_over_a_poison_fact(probe: Probe) -> None:
    one = Consumer(probe)
    probe.poison[stream("a"), 2] = ValueError("cannot be handled")
    for body in bodies("a", 4):
        one.receive(body)
    assert one.inbox.unpark(stream("a"), skip=True) == 2
    assert (probe.log("a"), probe.cursor("a"), probe.parked()) == ([1, 3, 4], 4, 0)
    assert probe.blocked("a") is None


def test_freeing_counts_what_another_consumer_took_up_behind_it(probe: Probe) -> None:
    one, other = Consumer(probe), Consumer(probe)
    probe.poison[stream("a"), 1] = ValueError("cannot be handled")
    for body in bodies("a", 4):
        one.receive(body)
    probe.poison.clear()

    def other_is_quicker() -> None:
        faults.disarm()
        other.inbox.drain(stream("a"))

    faults.arm("inbox.after_effect_before_ack", other_is_quicker)
    assert one.inbox.unpark(stream("a")) == 4
    assert_exactly_once_in_order(probe, {"a": 4})


def test_two_operators_pass_over_the_same_fact_only_once(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Consumer(probe), Consumer(probe)
    probe.poison[stream("a"), 2] = ValueError("cannot be handled")
    for body in bodies("a", 4):
        one.receive(body)
    look = one.inbox._cursor

    def other_decides_meanwhile(of: str) -> tuple[int, bool]:
        seen = look(of)
        monkeypatch.undo()
        assert other.inbox.unpark(stream("a"), skip=True) == 2
        return seen

    monkeypatch.setattr(one.inbox, "_cursor", other_decides_meanwhile)
    one.inbox.unpark(stream("a"), skip=True)
    assert (probe.log("a"), probe.cursor("a"), probe.parked()) == ([1, 3, 4], 4, 0)


@pytest.mark.parametrize("away", [StoreUnavailable("away"), OSError("away"), ConnectionResetError()], ids=repr)
def test_what_may_pass_is_raised_and_blocks_nothing(probe: Probe, away: Exception) -> None:
    one = Consumer(probe)
    probe.poison[stream("a"), 1] = away
    (first,) = bodies("a", 1)
    for _ in range(5):
        with pytest.raises(type(away)):
            one.receive(first)
    assert (probe.blocked("a"), probe.parked(), probe.cursor("a")) == (None, 0, 0)
    probe.poison.clear()
    assert one.receive(first) is Outcome.APPLIED


def test_another_consumer_that_could_handle_it_lifts_no_block_and_suffers_none(db: Db, probe: Probe) -> None:
    """One consumer runs broken code, the other has applied the fact meanwhile: the stream must not stand still."""
    there = Consumer(probe)
    first, second = bodies("a", 2)
    raised = []

    def broken(fact: Any) -> None:
        raised.append(fact)
        if len(raised) == 3:
            there.receive(first)
        raise ValueError("broken code")

    made = Inbox(db, Handler(probe.name, incoming, reaction=broken), SettableClock(NOON))
    assert made.receive(made.read(first), first) is Outcome.DROPPED
    assert probe.blocked("a") is None
    there.receive(second)
    assert_exactly_once_in_order(probe, {"a": 2})


def test_a_gap_is_overdue_after_a_while_and_no_longer_when_it_is_filled(probe: Probe) -> None:
    clock = SettableClock(NOON)
    one = Consumer(probe, clock=clock)
    first, second, third = bodies("a", 3)
    one.receive(third)
    clock.advance(timedelta(seconds=4))
    assert one.inbox.overdue(timedelta(seconds=5)) == []
    clock.advance(timedelta(seconds=2))
    assert one.inbox.overdue(timedelta(seconds=5)) == [(stream("a"), 1)]
    one.receive(first)
    assert one.inbox.overdue(timedelta(seconds=5)) == [(stream("a"), 2)]
    one.receive(second)
    assert one.inbox.overdue(timedelta(seconds=5)) == []
    assert_exactly_once_in_order(probe, {"a": 3})


def test_a_blocked_stream_lacks_nothing_that_a_replay_could_bring(probe: Probe) -> None:
    clock = SettableClock(NOON)
    one = Consumer(probe, clock=clock)
    probe.poison[stream("a"), 1] = ValueError("cannot be handled")
    for body in bodies("a", 3):
        one.receive(body)
    clock.advance(timedelta(hours=1))
    assert one.inbox.overdue(timedelta(seconds=5)) == []


def test_what_was_parked_late_is_cleared_away(probe: Probe) -> None:
    """A consumer decided to park; before it did, another applied that very fact and everything before it."""
    clock = SettableClock(NOON)
    one = Consumer(probe, clock=clock)
    there = Consumer(probe)
    first, second = bodies("a", 2)
    park = one.inbox._park

    def park_late(*args: Any, **reason: str) -> None:
        there.receive(first)
        there.receive(second)
        park(*args, **reason)

    one.inbox._park = park_late  # type: ignore[method-assign]
    one.receive(second)
    clock.advance(timedelta(minutes=1))
    one.inbox.overdue(timedelta(seconds=5))
    assert_exactly_once_in_order(probe, {"a": 2})


def test_what_was_left_on_the_shelf_by_a_crash_is_applied_when_it_is_overdue(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SettableClock(NOON)
    one = Consumer(probe, clock=clock)
    first, second = bodies("a", 2)
    one.receive(second)
    monkeypatch.setattr(one.inbox, "_drain_behind", lambda applied: None)
    one.receive(first)
    monkeypatch.undo()
    assert probe.log("a") == [1]
    clock.advance(timedelta(minutes=1))
    assert one.inbox.overdue(timedelta(seconds=5)) == []
    assert_exactly_once_in_order(probe, {"a": 2})


def test_what_nobody_can_read_is_kept_once_for_an_operator(probe: Probe) -> None:
    one = Consumer(probe)
    for _ in range(2):
        with pytest.raises(Unreadable):
            one.inbox.read(b"{}")
        one.inbox.shelve_unreadable(b"{}", "no such message")
    (row,) = probe.db["inbox_parked"].find({})
    assert (row["body"], row["reason"], row["unreadable"]) == (b"{}", "no such message", True)
    assert one.inbox.overdue(timedelta()) == []
