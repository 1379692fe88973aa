"""What must hold of an inbox; the same checks prove the kernel's and convict mutants that lack one safeguard."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence
from datetime import timedelta

from services.kernel import faults
from services.kernel.clock import SettableClock
from services.kernel.commit import Recorded
from services.kernel.inbox import Inbox
from tests.support.facts import NOON, Consumer, Db, Probe, assert_exactly_once_in_order, bodies, empty, names, stream
from tests.support.threads import each_at_once

Check = Callable[[Db, type[Inbox], int], None]


def check_any_order(
    db: Db, kind: type[Inbox], at_once: int, schedule: Sequence[tuple[int, int, str]], counts: dict[str, int]
) -> None:
    """Deliveries (consumer, version, stream) in any order and number, then all of them once more in order."""
    probe = Probe(empty(db))
    clock = SettableClock(NOON)
    consumers = [Consumer(probe, kind, clock) for _ in range(2)]
    messages = {name: bodies(name, count) for name, count in counts.items()}
    for who, run in itertools.groupby(schedule, lambda delivery: delivery[0]):
        consumers[who].take_in([messages[name][version - 1] for _, version, name in run], at_once)
    consumers[0].take_in([body for bodies in messages.values() for body in bodies], at_once)
    clock.advance(timedelta(minutes=1))
    assert consumers[0].inbox.overdue(timedelta(seconds=5)) == []
    try:
        assert_exactly_once_in_order(probe, counts)
    except AssertionError as wrong:
        shown = names(messages[name][version - 1] for _, version, name in schedule)
        raise AssertionError(f"after {shown}, {at_once} at once: {wrong}") from wrong


def check_reordered_and_doubled(db: Db, kind: type[Inbox], at_once: int, seed: int = 7) -> None:
    """Many shuffled copies of three streams, taken in by two consumers in turn."""
    counts = {"a": 8, "b": 5, "c": 1}
    schedule = [
        (who, version, name) for name, count in counts.items() for version in range(1, count + 1) for who in (0, 1)
    ]
    random.Random(seed).shuffle(schedule)
    check_any_order(db, kind, at_once, schedule, counts)


def check_lost_wakeup(db: Db, kind: type[Inbox], at_once: int) -> None:
    """The missing fact is applied by another consumer just before this one has parked its successor."""
    probe = Probe(empty(db))
    first, second = bodies("a", 2)
    here, there = Consumer(probe, kind), Consumer(probe, kind)
    park = here.inbox._park

    def park_late(fact: Recorded, body: bytes, **reason: str) -> None:
        there.receive(first)
        park(fact, body, **reason)

    here.inbox._park = park_late  # type: ignore[method-assign]
    here.take_in([second], at_once)
    assert_exactly_once_in_order(probe, {"a": 2})


def check_crash_between_effect_and_cursor(db: Db, kind: type[Inbox], at_once: int) -> None:
    """A failure right before or right after the effect takes all of it back, so that the repeat has it once."""
    for before in (True, False):
        probe = Probe(empty(db))
        consumer = Consumer(probe, kind)
        poison = probe.poison_before if before else probe.poison
        poison[stream("a"), 2] = faults.InjectedFault("once")
        for _ in range(2):
            try:
                consumer.take_in(bodies("a", 3), at_once)
            except faults.InjectedFault:
                poison.clear()
        assert_exactly_once_in_order(probe, {"a": 3})


def check_poison_is_kept(db: Db, kind: type[Inbox], at_once: int) -> None:
    """A fact that cannot be handled stops its own stream, is visible, and goes on once the handler is mended."""
    probe = Probe(empty(db))
    consumer = Consumer(probe, kind)
    probe.poison[stream("a"), 2] = ValueError("cannot be handled")
    consumer.take_in([*bodies("a", 4), *bodies("b", 3)], at_once)
    assert probe.log("b") == [1, 2, 3], "another stream was stopped, too"
    assert probe.log("a") == [1], "the stream went on over the poison"
    assert probe.parked() == 3, "a fact was dropped"
    blocked = probe.blocked("a")
    assert blocked is not None
    assert blocked["version"] == 2
    assert "cannot be handled" in blocked["reason"]
    probe.poison.clear()
    assert consumer.inbox.unpark(stream("a")) == 3
    assert_exactly_once_in_order(probe, {"a": 4, "b": 3})


def check_racing_consumers(db: Db, kind: type[Inbox], at_once: int) -> None:
    """Three consumers take in the same shuffled deliveries at the same time."""
    probe = Probe(empty(db))
    counts = {"a": 12, "b": 6}
    messages = [body for name, count in counts.items() for body in bodies(name, count)]

    def consume(seed: int) -> None:
        mine = list(messages)
        random.Random(seed).shuffle(mine)
        Consumer(probe, kind).take_in(mine, at_once)

    each_at_once([lambda s=s: consume(s) for s in range(3)])
    clock = SettableClock(NOON + timedelta(minutes=1))
    assert Consumer(probe, kind, clock).inbox.overdue(timedelta(seconds=5)) == []
    assert_exactly_once_in_order(probe, counts)


CHECKS: dict[str, Check] = {
    "reordered and doubled": check_reordered_and_doubled,
    "lost wake-up": check_lost_wakeup,
    "crash between effect and cursor": check_crash_between_effect_and_cursor,
    "poison is kept": check_poison_is_kept,
    "racing consumers": check_racing_consumers,
}
