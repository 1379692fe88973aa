"""The one connection to the broker: what is confirmed, what counts as lost, and that nothing waits for ever."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pika
import pytest

from services.kernel import broker
from services.kernel.broker import AsyncBroker, BrokerLost, Exchange, Queue
from services.kernel.clock import new_id
from tests.support.broker import channel_of, take_all

PERSISTENT = pika.BasicProperties(delivery_mode=2)


@pytest.fixture(scope="module")
def amqp(amqp_url: str) -> str:
    return amqp_url


def with_link(url: str, work: Callable[[AsyncBroker], Awaitable[None]]) -> None:
    """Connect, work, close; within reasonable time."""

    async def run() -> None:
        link = AsyncBroker(url, name="test")
        await link.connect()
        try:
            async with asyncio.timeout(20):
                await work(link)
        finally:
            link.close()

    asyncio.run(run())


def test_what_is_settled_has_arrived(amqp: str) -> None:
    queue = Queue(f"q-{new_id()}", {"x-queue-type": "quorum"})

    async def work(link: AsyncBroker) -> None:
        await link.declare((), (queue,))
        for n in range(300):
            link.publish("", queue.name, b'{"n": %d}' % n, PERSISTENT)
        await link.settle(100)
        assert link.confirmed >= 100
        await link.settle()
        assert link.confirmed == link.published == 300

    with_link(amqp, work)
    with channel_of(amqp) as channel:
        assert [message["n"] for message in take_all(channel, queue.name)] == list(range(300))


def test_topology_is_declared_as_often_as_one_likes(amqp: str) -> None:
    async def work(link: AsyncBroker) -> None:
        for _ in range(3):
            await link.declare(broker.EXCHANGES, (*broker.STRAYS, broker.consumer_queue("a", "parcels", ("parcel",))))

    with_link(amqp, work)


def test_a_publish_to_nowhere_ends_the_connection_and_says_so(amqp: str) -> None:
    async def work(link: AsyncBroker) -> None:
        link.publish("no-such-exchange", "k", b"x", PERSISTENT)
        with pytest.raises(BrokerLost):
            await link.settle()
        with pytest.raises(BrokerLost):
            link.publish("", "q", b"x", PERSISTENT)

    with_link(amqp, work)


def test_a_declaration_that_contradicts_what_is_there_is_no_reason_to_wait(amqp: str) -> None:
    name = f"e-{new_id()}"

    async def work(link: AsyncBroker) -> None:
        await link.declare((Exchange(name, "topic"),), ())
        began = time.monotonic()
        with pytest.raises(BrokerLost):
            await link.declare((Exchange(name, "fanout"),), ())
        assert time.monotonic() - began < 5

    with_link(amqp, work)


def test_a_message_that_the_broker_refuses_is_not_taken_for_confirmed(amqp: str) -> None:
    queue = Queue(f"q-{new_id()}", {"x-max-length": 1, "x-overflow": "reject-publish"})

    async def work(link: AsyncBroker) -> None:
        await link.declare((), (queue,))
        link.publish("", queue.name, b"{}", PERSISTENT)
        await link.settle()
        link.publish("", queue.name, b"{}", PERSISTENT)
        with pytest.raises(BrokerLost, match="refused"):
            await link.settle()

    with_link(amqp, work)


def test_nobody_there_is_told_at_once(amqp: str) -> None:
    async def run() -> None:
        link = AsyncBroker("amqp://x:y@127.0.0.1:1/%2F")
        began = time.monotonic()
        with pytest.raises(BrokerLost):
            await link.connect()
        assert time.monotonic() - began < 5

    asyncio.run(run())


def test_somebody_there_who_does_not_answer_is_given_up(amqp: str) -> None:
    async def run() -> None:
        silent = await asyncio.start_server(lambda _reader, _writer: asyncio.sleep(60), "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        link = AsyncBroker(f"amqp://x:y@127.0.0.1:{port}/%2F")
        with pytest.raises(BrokerLost, match="no answer"):
            await link.connect(timeout=0.5)
        silent.close()

    asyncio.run(run())
