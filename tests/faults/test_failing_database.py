"""A database that fails in the middle of an effect: it is tried again, never counted as poison, never doubled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from deploy.local import LocalStack
from services.kernel.clock import SettableClock
from services.kernel.inbox import Handler, Inbox
from services.kernel.message import incoming
from services.kernel.store import connect
from tests.support.engines import failing
from tests.support.facts import NOON, Consumer, Db, Probe, assert_exactly_once_in_order, bodies, fresh, stream

_numbers = itertools.count(1)


@pytest.fixture
def db(engines: LocalStack) -> Iterator[Db]:
    with connect(f"{engines.mongod.url}&heartbeatFrequencyMS=500") as client:
        yield fresh(client, f"inbox{next(_numbers)}")


WAYS: dict[str, dict[str, Any]] = {
    "connection closed": {"closeConnection": True},
    "not the primary any more": {"errorCode": 10107},
    "interrupted by a change of state": {"errorCode": 11602},
    "took too long": {"errorCode": 262},
    "too long on the server": {"errorCode": 50},
    "lock not granted": {"errorCode": 24},
    "no snapshot any more": {"errorCode": 246},
}
UNCLEAR: dict[str, dict[str, Any]] = {
    "written, durability unknown": {"writeConcernError": {"code": 64, "errmsg": "timed out"}},
    "written, then shut down": {"writeConcernError": {"code": 91, "errmsg": "shutting down"}},
    "written, then interrupted": {"writeConcernError": {"code": 11602, "errmsg": "stepped down"}},
}
MOVING = ("update",)
ANYTHING = ("find", "update", "commitTransaction", "delete", "findAndModify")
CASES = {
    **{f"{name}, anywhere": (ANYTHING, how) for name, how in WAYS.items()},
    **{f"{name}, moving the cursor": (MOVING, how) for name, how in UNCLEAR.items()},
    **{f"{name}, committing": (("commitTransaction",), how) for name, how in (WAYS | UNCLEAR).items()},
}


def patiently(consumer: Consumer, body: bytes) -> None:
    """As a subscription does: the same delivery again, until it has an outcome."""
    for _ in range(40):
        try:
            consumer.receive(body)
            return
        except Exception as away:
            last = away
    raise AssertionError(f"no outcome: {last!r}")


@pytest.mark.parametrize(("place", "how"), CASES.values(), ids=CASES)
def test_an_effect_survives_a_failing_database(
    engines: LocalStack, db: Db, place: tuple[str, ...], how: dict[str, Any]
) -> None:
    probe = Probe(db)
    clock = SettableClock(NOON)
    consumer = Consumer(probe, Inbox, clock)
    first, second, third = bodies("a", 3)
    with failing(engines.mongod.url, *place, times=5, **how):
        for body in (first, third, second):
            patiently(consumer, body)
    clock.advance(timedelta(minutes=1))
    consumer.inbox.overdue(timedelta(seconds=5))
    assert probe.blocked("a") is None
    assert_exactly_once_in_order(probe, {"a": 3})


@pytest.mark.parametrize("how", [*WAYS.values(), *UNCLEAR.values()], ids=[*WAYS, *UNCLEAR])
def test_a_reactions_cursor_survives_a_failing_database(engines: LocalStack, db: Db, how: dict[str, Any]) -> None:
    probe, reacted = Probe(db), []
    inbox = Inbox(db, Handler("probe", incoming, reaction=reacted.append), SettableClock(NOON))
    consumer = Consumer(probe)
    consumer.inbox = inbox
    with failing(engines.mongod.url, "update", times=12, **how):
        for body in bodies("a", 3):
            patiently(consumer, body)
    assert (probe.blocked("a"), probe.cursor("a"), probe.parked()) == (None, 3, 0)
    assert list(dict.fromkeys(fact.version for fact in reacted)) == [1, 2, 3]
    assert {fact.stream for fact in reacted} == {stream("a")}
