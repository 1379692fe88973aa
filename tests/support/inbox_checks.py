"""What must hold of an inbox; the same checks prove the kernel's and convict mutants that lack one safeguard."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.kernel import faults
from services.kernel.clock import SettableClock
from services.kernel.commit import Recorded
from services.kernel.inbox import Inbox
from tests.support.facts import NOON, Db, Probe, assert_exactly_once_in_order, bodies, consumer, empty, names, stream
from tests.support.threads import each_at_once


def check_any_order(
    db: Db, kind: type[Inbox], schedule: Sequence[tuple[int, int, str]], counts: dict[str, int]
) -> None:
    """Deliveries (consumer, version, stream) in any order and number, then all of them once more in order."""
    probe = Probe(empty(db))
    clock = SettableClock(NOON)
    consumers = [consumer(probe, kind, clock) for _ in range(2)]
    messages = {name: bodies(name, count) for name, count in counts.items()}
    for who, version, name in schedule:
        consumers[who][1](messages[name][version - 1])
    last = [messages[name][v] for name, count in counts.items() for v in range(count)]
    for body in last:
        consumers[0][1](body)
    clock.advance(timedelta(minutes=1))
    assert consumers[0][0].overdue(timedelta(seconds=5)) == []
    try:
        assert_exactly_once_in_order(probe, counts)
    except AssertionError as wrong:
        shown = names(messages[name][version - 1] for _, version, name in schedule)
        raise AssertionError(f"after {shown}: {wrong}") from wrong


def check_reordered_and_doubled(db: Db, kind: type[Inbox], seed: int = 7) -> None:
    """Many shuffled copies of three streams, taken in by two consumers in turn."""
    counts = {"a": 8, "b": 5, "c": 1}
    schedule = [
        (copy % 2, version, name)
        for name, count in counts.items()
        for version in range(1, count + 1)
        for copy in (0, 1)
    ]
    random.Random(seed).shuffle(schedule)
    check_any_order(db, kind, schedule, counts)


def check_lost_wakeup(db: Db, kind: type[Inbox]) -> None:
    """The missing fact is applied by another consumer just before this one has parked its successor."""
    probe = Probe(empty(db))
    first, second = bodies("a", 2)
    here, receive = consumer(probe, kind)
    _, receive_there = consumer(probe, kind)
    park = here._park

    def park_late(fact: Recorded, body: bytes, **reason: str) -> None:
        receive_there(first)
        park(fact, body, **reason)

    here._park = park_late  # type: ignore[method-assign]
    receive(second)
    assert_exactly_once_in_order(probe, {"a": 2})


def check_crash_between_effect_and_cursor(db: Db, kind: type[Inbox]) -> None:
    """A failure right after the effect takes the effect back, so that the repeat does not double it."""
    probe = Probe(empty(db))
    _, receive = consumer(probe, kind)
    messages = bodies("a", 3)
    for body in messages:
        probe.poison[stream("a"), 2] = faults.InjectedFault("once")
        for _ in range(4):
            try:
                receive(body)
            except faults.InjectedFault:
                probe.poison.clear()
                continue
            break
    assert_exactly_once_in_order(probe, {"a": 3})


def check_poison_is_kept(db: Db, kind: type[Inbox]) -> None:
    """A fact that cannot be handled stops its own stream, is visible, and goes on once the handler is mended."""
    probe = Probe(empty(db))
    made, receive = consumer(probe, kind)
    probe.poison[stream("a"), 2] = ValueError("cannot be handled")
    for body in [*bodies("a", 4), *bodies("b", 3)]:
        receive(body)
    assert probe.log("b") == [1, 2, 3], "another stream was stopped, too"
    assert probe.log("a") == [1], "the stream went on over the poison"
    assert probe.parked() == 3, "a fact was dropped"
    blocked = probe.blocked("a")
    assert blocked is not None
    assert blocked["version"] == 2
    assert "cannot be handled" in blocked["reason"]
    probe.poison.clear()
    assert made.unpark(stream("a")) == 3
    assert_exactly_once_in_order(probe, {"a": 4, "b": 3})


def check_racing_consumers(db: Db, kind: type[Inbox]) -> None:
    """Three consumers take in the same shuffled deliveries at the same time."""
    probe = Probe(empty(db))
    counts = {"a": 12, "b": 6}
    messages = [body for name, count in counts.items() for body in bodies(name, count)]

    def consume(seed: int) -> None:
        _, receive = consumer(probe, kind)
        mine = list(messages)
        random.Random(seed).shuffle(mine)
        for body in mine:
            receive(body)

    each_at_once([lambda s=s: consume(s) for s in range(3)])
    clock = SettableClock(NOON + timedelta(minutes=1))
    assert consumer(probe, kind, clock)[0].overdue(timedelta(seconds=5)) == []
    assert_exactly_once_in_order(probe, counts)


CHECKS: dict[str, Any] = {
    "reordered and doubled": check_reordered_and_doubled,
    "lost wake-up": check_lost_wakeup,
    "crash between effect and cursor": check_crash_between_effect_and_cursor,
    "poison is kept": check_poison_is_kept,
    "racing consumers": check_racing_consumers,
}
