"""The gateway's calls travel a real broker: many at once, each with its deadline, none mixed up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pika
import pytest

from gateway.link import Link
from gateway.rpc_client import Overloaded, RpcClient, ServiceTimeout, ServiceUnavailable
from services.kernel import rpc
from services.kernel.broker import AsyncBroker
from tests.conftest import RunningStack
from tests.support.broker import cut

Answer = Callable[[rpc.Call], Awaitable[Any]]


class FakeService:
    """Answers in the wire format with whatever a function says, each call when it is done."""

    def __init__(self, url: str, name: str, answer: Answer) -> None:
        self._broker = AsyncBroker(url, name=f"fake-{name}")
        self._queue = rpc.call_queue(name)
        self._answer = answer
        self._tasks: set[asyncio.Task[None]] = set()
        self.seen: list[pika.BasicProperties] = []
        self.messages: list[list[rpc.Call]] = []

    async def start(self) -> None:
        await self._broker.connect(confirms=False)
        channel = self._broker.channel
        await self._broker.call(channel.queue_declare, queue=self._queue, durable=True)
        channel.basic_consume(self._queue, self._on_calls, auto_ack=True)

    def stop(self) -> None:
        self._broker.close()

    def _on_calls(self, channel: Any, _method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        calls = rpc.decode_calls(body)
        self.seen.append(properties)
        self.messages.append(calls)

        async def reply(call: rpc.Call) -> None:
            try:
                answer = rpc.encode_result(call.id, await self._answer(call))
            except rpc.RemoteError as error:
                answer = rpc.encode_error(call.id, error)
            made = pika.BasicProperties(content_type=rpc.CONTENT_TYPE, delivery_mode=1)
            channel.basic_publish("", properties.reply_to, rpc.encode_replies([answer]), made)

        for call in calls:
            task = asyncio.create_task(reply(call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def connected(url: str, *, name: str = "gateway", **settings: Any) -> AsyncIterator[RpcClient]:
    client = RpcClient(**{"timeout": 5.0, "in_flight": 200, "wait": 0.2} | settings)
    link = Link(url, (client,), name=name)
    running = asyncio.create_task(link.run())
    try:
        assert await link.wait_up(10)
        yield client
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def serving(url: str, name: str, answer: Answer) -> AsyncIterator[FakeService]:
    service = FakeService(url, name, answer)
    await service.start()
    try:
        yield service
    finally:
        service.stop()


async def echo(call: rpc.Call) -> Any:
    return dict(call.kwargs)


def test_hundreds_of_calls_at_once_each_get_their_own_answer(amqp_url: str) -> None:
    async def story() -> None:
        async with serving(amqp_url, "echo", echo), connected(amqp_url) as client:
            answers = await asyncio.gather(*(client.call("echo", "query", {"n": n}) for n in range(600)))
        assert [answer["n"] for answer in answers] == list(range(600))

    asyncio.run(story())


def test_what_is_asked_at_the_same_moment_shares_messages_and_each_is_answered_when_it_is_done(amqp_url: str) -> None:
    async def uneven(call: rpc.Call) -> Any:
        if call.kwargs["n"] == 0:
            await asyncio.sleep(1.0)
        return call.kwargs["n"]

    async def story() -> None:
        async with serving(amqp_url, "uneven", uneven) as service, connected(amqp_url) as client:
            start = time.monotonic()
            slow, *quick = [asyncio.create_task(client.call("uneven", "query", {"n": n})) for n in range(32)]
            assert await asyncio.gather(*quick) == list(range(1, 32))
            assert time.monotonic() - start < 0.9, "a slow call holds up those it travelled with"
            assert await slow == 0
        assert [len(calls) for calls in service.messages] == [16, 16]

    asyncio.run(story())


def test_a_lone_call_waits_for_nobody(amqp_url: str) -> None:
    async def story() -> None:
        async with serving(amqp_url, "lone", echo) as service, connected(amqp_url) as client:
            for n in range(3):
                await client.call("lone", "query", {"n": n})
        assert [len(calls) for calls in service.messages] == [1, 1, 1]

    asyncio.run(story())


def test_calls_whose_askers_went_away_do_not_hold_up_others(amqp_url: str) -> None:
    async def sleepy(call: rpc.Call) -> Any:
        if call.kwargs.get("sleep"):
            await asyncio.sleep(30)
        return "awake"

    async def story() -> None:
        async with serving(amqp_url, "tired", sleepy), connected(amqp_url) as client:
            for _ in range(8):
                gone = asyncio.create_task(client.call("tired", "query", {"sleep": True}))
                await asyncio.sleep(0.01)
                gone.cancel()
            start = time.monotonic()
            for _ in range(10):
                assert await client.call("tired", "query", {}) == "awake"
            assert time.monotonic() - start < 1.0

    asyncio.run(story())


def test_a_message_says_where_answers_go_and_how_long_they_are_waited_for(amqp_url: str) -> None:
    async def story() -> None:
        async with serving(amqp_url, "echo", echo) as service, connected(amqp_url) as client:
            await client.call("echo", "query", {}, timeout=4.0, traceparent="00-1")
        (seen,), ((call,),) = service.seen, service.messages
        assert (seen.content_type, seen.expiration, call.traceparent) == ("application/json", "4000", "00-1")
        assert seen.reply_to.startswith("replies.gateway.")

    asyncio.run(story())


def test_what_the_service_raises_comes_back(amqp_url: str) -> None:
    async def refuse(_call: rpc.Call) -> Any:
        raise rpc.RemoteError("Rejected", ("task-unknown", {"task_id": "t"}))

    async def story() -> None:
        async with serving(amqp_url, "refuser", refuse), connected(amqp_url) as client:
            with pytest.raises(rpc.RemoteError) as raised:
                await client.call("refuser", "execute", {})
        assert raised.value.rejection == ("task-unknown", {"task_id": "t"})

    asyncio.run(story())


def test_a_service_that_is_not_there_is_known_at_once(amqp_url: str) -> None:
    async def story() -> None:
        async with connected(amqp_url) as client:
            start = time.monotonic()
            with pytest.raises(ServiceUnavailable):
                await client.call("nobody", "query", {})
            assert time.monotonic() - start < 1.0

    asyncio.run(story())


def test_patience_ends(amqp_url: str) -> None:
    async def sleepy(_call: rpc.Call) -> Any:
        await asyncio.sleep(30)

    async def story() -> None:
        async with serving(amqp_url, "sleepy", sleepy), connected(amqp_url) as client:
            with pytest.raises(ServiceTimeout):
                await client.call("sleepy", "query", {}, timeout=0.2)

    asyncio.run(story())


def test_one_hanging_service_does_not_hold_up_another(amqp_url: str) -> None:
    async def sleepy(_call: rpc.Call) -> Any:
        await asyncio.sleep(30)

    async def story() -> None:
        async with (
            serving(amqp_url, "hanging", sleepy),
            serving(amqp_url, "lively", echo),
            connected(amqp_url, in_flight=3, wait=0.05) as client,
        ):
            stuck = [asyncio.create_task(client.call("hanging", "query", {}, timeout=2.0)) for _ in range(3)]
            await asyncio.sleep(0.1)
            with pytest.raises(Overloaded):
                await client.call("hanging", "query", {})
            assert await client.call("lively", "query", {"n": 1}) == {"n": 1}
            for task in stuck:
                with pytest.raises(ServiceTimeout):
                    await task

    asyncio.run(story())


def test_a_broken_connection_fails_what_is_under_way_and_heals(stack: RunningStack, amqp_url: str) -> None:
    async def sleepy(call: rpc.Call) -> Any:
        if call.kwargs.get("sleep"):
            await asyncio.sleep(30)
        return "awake"

    async def story() -> None:
        async with serving(amqp_url, "dozing", sleepy), connected(amqp_url, name="to-be-cut") as client:
            waiting = asyncio.create_task(client.call("dozing", "query", {"sleep": True}, timeout=40.0))
            await asyncio.sleep(0.2)
            await asyncio.to_thread(cut, stack.env["RABBITMQ_MANAGEMENT_URL"], amqp_url, "to-be-cut")
            start = time.monotonic()
            with pytest.raises(ServiceUnavailable):
                await waiting
            assert time.monotonic() - start < 10.0
            deadline = time.monotonic() + 10
            while True:
                try:
                    assert await client.call("dozing", "query", {}) == "awake"
                    break
                except ServiceUnavailable:
                    assert time.monotonic() < deadline
                    await asyncio.sleep(0.05)

    asyncio.run(story())
