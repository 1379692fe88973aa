"""What was revoked is known as long as a token could outlive it, and silence is noticed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from gateway.principals import Principal
from gateway.revocations import REMEMBERED_SECONDS, SILENCE_SECONDS, RevocationFeed, Revocations
from services.kernel.broker import EVENTS, HEARTBEATS


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


def principal(**changes: Any) -> Principal:
    fields: dict[str, Any] = {
        "tenant": "t",
        "actor": "u",
        "role": "admin",
        "permissions": frozenset(),
        "session": "s",
        "token": None,
        "epoch": 3,
        "expires_at": 0.0,
    }
    return Principal(**fields | changes)


def fact(name: str, **data: Any) -> bytes:
    return orjson.dumps({"type": f"co.checkop.identity.{name}.v1", "data": data})


@pytest.mark.parametrize(
    ("body", "who"),
    [
        (fact("SessionRevoked", session_id="s", user_id="u"), principal()),
        (fact("ApiTokenRevoked", token_id="k"), principal(session=None, token="k")),
        (fact("UserEpochRaised", user_id="u", epoch=4), principal()),
    ],
)
def test_facts_end_what_they_name(body: bytes, who: Principal) -> None:
    known = Revocations()
    assert not known.has_ended(who)
    known.learn(body)
    assert known.has_ended(who)


def test_other_facts_and_other_people_are_left_alone() -> None:
    known = Revocations()
    known.learn(fact("SessionRevoked", session_id="other"))
    known.learn(fact("UserEpochRaised", user_id="other", epoch=9))
    known.learn(fact("UserRenamed", user_id="u"))
    assert not known.has_ended(principal())


def test_an_epoch_never_falls() -> None:
    known = Revocations()
    known.raise_epoch("u", 5)
    known.raise_epoch("u", 2)
    assert known.has_ended(principal(epoch=4))


def test_a_snapshot_adds_to_what_is_known() -> None:
    known = Revocations()
    known.end("s1")
    known.load({"sessions": {"s2": "2026-01-01T00:00:00Z"}, "epochs": {"u": 4}, "api_tokens": {"k": "x"}})
    for who in (principal(session="s1"), principal(session="s2"), principal(), principal(session=None, token="k")):
        assert known.has_ended(who)


def test_entries_are_forgotten_when_no_token_can_be_left() -> None:
    clock = Clock()
    known = Revocations(clock)
    known.end("s")
    known.raise_epoch("u", 4)
    clock.now += REMEMBERED_SECONDS - 1
    known.forget()
    assert len(known) == 2
    clock.now += 2
    known.forget()
    assert len(known) == 0


class FakeBroker:
    """Accepts every declaration; keeps the consumer's function."""

    def __init__(self) -> None:
        self.bound: list[str] = []
        self.deliver: Any = None
        self.channel = SimpleNamespace(
            queue_declare="queue_declare", queue_bind="queue_bind", basic_consume="basic_consume"
        )

    async def call(self, method: str, **arguments: Any) -> Any:
        if method == "queue_bind":
            self.bound.append(f"{arguments['exchange']}:{arguments['routing_key']}")
        if method == "basic_consume":
            self.deliver = arguments["on_message_callback"]
        return SimpleNamespace(method=SimpleNamespace(queue="q"))

    def beat(self) -> None:
        self.deliver(None, SimpleNamespace(exchange=HEARTBEATS, routing_key="identity"), None, b"{}")

    def tell(self, body: bytes) -> None:
        self.deliver(None, SimpleNamespace(exchange=EVENTS, routing_key="identity.session.SessionRevoked"), None, body)


def test_the_feed_is_fresh_only_with_a_snapshot_and_a_recent_heartbeat() -> None:
    clock, broker, known = Clock(), FakeBroker(), Revocations()
    answers: list[Any] = [RuntimeError("not up yet"), {"sessions": {"gone": "x"}}]

    async def snapshot() -> Mapping[str, Any]:
        answer = answers.pop(0) if answers else {}
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return]

    async def story() -> None:
        feed = RevocationFeed(known, snapshot, clock)
        assert not feed.is_fresh
        await feed.connected(broker)  # type: ignore[arg-type]
        broker.beat()
        await asyncio.sleep(0.05)
        assert not feed.is_fresh, "the snapshot has not come"
        await asyncio.sleep(0.3)
        assert feed.is_fresh
        assert known.has_ended(principal(session="gone"))
        clock.now += SILENCE_SECONDS + 0.1
        assert not feed.is_fresh
        broker.beat()
        assert feed.is_fresh
        broker.tell(fact("SessionRevoked", session_id="s"))
        broker.tell(b"not json")
        assert known.has_ended(principal())
        feed.disconnected()
        assert not feed.is_fresh

    asyncio.run(story())
    assert broker.bound == [
        "events:identity.session.SessionRevoked",
        "events:identity.user.UserEpochRaised",
        "events:identity.api_token.ApiTokenRevoked",
        "events:identity.account.AccountStateChanged",
        "heartbeats:identity",
    ]
