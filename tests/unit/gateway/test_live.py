"""Each listener gets the facts of its own account that it may see, once, in order, and knows when some were missed."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from gateway.frames import REMEMBERED_EVENTS, Memory, frame_of, notice
from gateway.live import WAITING_EVENTS, LiveFeed
from gateway.principals import Principal
from services.kernel.broker import BrokerLost


def reader(tenant: str = "t", actor: str = "u", *permissions: str) -> Principal:
    return Principal(tenant, actor, "admin", frozenset(permissions or {"tasks:read"}), "s", None, 0, 0.0)


def message(n: int, tenant: str = "t") -> dict[str, Any]:
    return {
        "id": f"tasks:{n}:0",
        "type": "co.checkop.tasks.TaskAdvanced.v1",
        "subject": f"task-{tenant}-x",
        "time": "2026-12-01T00:00:00Z",
        "tenant": tenant,
        "streamversion": n,
        "position": n,
        "actor": "u",
        "origin": "not for clients",
        "correlationid": "c",
        "data": {"task_id": "x"},
    }


class FakeBroker:
    def __init__(self) -> None:
        self.consuming = 0
        self.deliver: Any = None
        self.channel = SimpleNamespace(queue_declare=1, queue_bind=2, basic_consume=3, basic_cancel=self.cancel)

    async def call(self, method: int, **arguments: Any) -> Any:
        if method == 3:
            self.consuming += 1
            self.deliver = arguments["on_message_callback"]
        return SimpleNamespace(method=SimpleNamespace(queue="q", consumer_tag="tag"))

    def cancel(self, _tag: str) -> None:
        self.consuming -= 1

    def tell(self, n: int, tenant: str = "t", category: str = "tasks.task") -> None:
        method = SimpleNamespace(routing_key=f"{category}.TaskAdvanced")
        self.deliver(None, method, None, orjson.dumps(message(n, tenant)))


def test_a_frame_is_a_server_sent_event_without_circumstances() -> None:
    frame = frame_of("tasks.task", message(7))
    lines = frame.body.decode().split("\n")
    assert lines[:2] == ["id: tasks:7:0", "event: TaskAdvanced"]
    data = orjson.loads(lines[2].removeprefix("data: "))
    assert data["data"] == {"task_id": "x"}
    assert data["position"] == 7
    assert "origin" not in data
    assert frame.body.endswith(b"\n\n")
    assert frame.permission == "tasks:read"


def test_unlisted_categories_are_for_readers_of_the_history() -> None:
    assert frame_of("identity.session", message(1)).permission == "history:read"


def test_notices_have_no_id() -> None:
    assert notice("reset", reason="x") == b'event: reset\ndata: {"reason":"x"}\n\n'


def test_memory_keeps_each_fact_once_and_not_for_ever() -> None:
    memory = Memory()
    frames = [frame_of("tasks.task", message(n)) for n in range(REMEMBERED_EVENTS + 10)]
    for frame in frames:
        assert memory.add(frame)
    assert not memory.add(frames[-1])
    assert memory.after(frames[0].id) is None
    assert memory.after(frames[-3].id) == frames[-2:]
    assert memory.after(frames[-1].id) == []
    assert memory.after("unknown") is None


async def joined(*principals: Principal) -> tuple[LiveFeed, FakeBroker, list[Any]]:
    feed, broker = LiveFeed(), FakeBroker()
    await feed.connected(broker)  # type: ignore[arg-type]
    return feed, broker, [(await feed.join(principal, None))[0] for principal in principals]


def test_facts_reach_their_own_account_only() -> None:
    async def story() -> None:
        _, broker, (mine, theirs) = await joined(reader("t"), reader("other"))
        broker.tell(1)
        broker.tell(2, "other")
        assert (await mine.next(0.01)).id == "tasks:1:0"
        assert await mine.next(0.01) is None
        assert (await theirs.next(0.01)).id == "tasks:2:0"

    asyncio.run(story())


def test_facts_one_may_not_read_are_left_out() -> None:
    async def story() -> None:
        feed, broker, (listener,) = await joined(reader("t", "u", "tasks:read"))
        broker.tell(1, category="identity.user")
        broker.tell(2)
        assert (await listener.next(0.01)).id == "tasks:2:0"
        _, missed = await feed.join(reader("t", "u", "users:read"), "tasks:1:0")
        assert missed == []

    asyncio.run(story())


def test_a_repeated_fact_is_told_once() -> None:
    async def story() -> None:
        _, broker, (listener,) = await joined(reader())
        broker.tell(1)
        broker.tell(1)
        await listener.next(0.01)
        assert await listener.next(0.01) is None

    asyncio.run(story())


def test_a_reader_who_comes_back_gets_what_it_missed() -> None:
    async def story() -> None:
        feed, broker, (listener,) = await joined(reader())
        broker.tell(1)
        feed.leave(listener)
        broker.tell(2)
        broker.tell(3)
        _, missed = await feed.join(reader(), "tasks:1:0")
        assert missed is not None
        assert [frame.id for frame in missed] == ["tasks:2:0", "tasks:3:0"]
        _, unknown = await feed.join(reader(), "tasks:99:0")
        assert unknown is None

    asyncio.run(story())


def test_a_slow_reader_is_dropped_and_others_are_not() -> None:
    async def story() -> None:
        _, broker, (slow, quick) = await joined(reader("t", "slow"), reader("t", "quick"))
        for n in range(WAITING_EVENTS + 1):
            broker.tell(n)
            await quick.next(0.01)
        assert slow.is_lost
        assert not quick.is_lost

    asyncio.run(story())


def test_a_broken_connection_ends_every_stream_and_forgets() -> None:
    async def story() -> None:
        feed, broker, (listener,) = await joined(reader())
        broker.tell(1)
        feed.disconnected()
        assert listener.is_lost
        with pytest.raises(BrokerLost):
            await feed.join(reader(), None)
        await feed.connected(broker)  # type: ignore[arg-type]
        _, missed = await feed.join(reader(), "tasks:1:0")
        assert missed is None

    asyncio.run(story())


def test_the_broker_is_asked_once_and_streams_are_counted_by_person() -> None:
    async def story() -> None:
        feed, broker, listeners = await joined(reader("t", "a"), reader("t", "a"), reader("t", "b"))
        assert broker.consuming == 1
        assert feed.streams_of(reader("t", "a")) == 2
        feed.leave(listeners[0])
        assert feed.streams_of(reader("t", "a")) == 1

    asyncio.run(story())


def test_nonsense_from_the_broker_is_survived() -> None:
    async def story() -> None:
        _, broker, (listener,) = await joined(reader())
        broker.deliver(None, SimpleNamespace(routing_key="a.b.c"), None, b"{")
        broker.deliver(None, SimpleNamespace(routing_key="a.b.c"), None, b"{}")
        broker.deliver(None, SimpleNamespace(routing_key="a.b.c"), None, b'{"tenant": "t"}')
        broker.tell(1)
        assert await listener.next(0.01) is not None

    asyncio.run(story())
