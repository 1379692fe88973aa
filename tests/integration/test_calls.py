"""A service answers every call of a message by itself, and whatever ends it or its line loses none."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from services.kernel import rpc
from services.kernel.clock import new_id
from tests.examples.kernel import caller
from tests.support.broker import cut
from tests.support.programs import Program, Programs, until

SERVICE = "parcels"
WAITS = 2.0
"""So many seconds a question waits for a read model that nobody keeps up to date here."""


@dataclass
class Asker:
    """Sends messages with calls, and takes the replies in the order of their coming."""

    channel: BlockingChannel
    queue: str

    def send(self, *calls: rpc.Call) -> None:
        self.send_raw(rpc.encode_calls(rpc.encode_call(call) for call in calls))

    def send_raw(self, body: bytes) -> None:
        properties = pika.BasicProperties(content_type=rpc.CONTENT_TYPE, reply_to=self.queue)
        self.channel.basic_publish("", rpc.call_queue(SERVICE), body, properties, mandatory=True)

    def replies(self, count: int, timeout: float = 20.0) -> list[rpc.Reply]:
        taken: list[rpc.Reply] = []
        deadline = time.monotonic() + timeout
        while len(taken) < count and time.monotonic() < deadline:
            delivery, _, body = self.channel.basic_get(self.queue, auto_ack=True)
            if delivery is None:
                self.channel.connection.sleep(0.01)
            else:
                taken += rpc.decode_replies(body)
        return taken

    def waiting(self) -> int:
        """Messages that nobody has taken, or that were taken and not acknowledged by one who is gone."""
        return int(self.channel.queue_declare(rpc.call_queue(SERVICE), passive=True).method.message_count)


@contextmanager
def asker(amqp_url: str) -> Iterator[Asker]:
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        queue = rpc.reply_queue("test", new_id())
        channel.queue_declare(queue, exclusive=True)
        yield Asker(channel, queue)


@pytest.fixture(scope="module")
def programs(platform_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with Programs(platform_env, tmp_path_factory.mktemp("logs")) as started:
        yield started


@pytest.fixture
def service(programs: Programs) -> Iterator[Program]:
    program = programs.start("service", SERVICE).ready()
    yield program
    program.kill()


@pytest.fixture
def asks(service: Program, platform_env: dict[str, str]) -> Iterator[Asker]:
    with asker(platform_env["AMQP_URL"]) as made:
        yield made


def command(name: str, id: str | None = None, **data: Any) -> rpc.Call:
    asked = {"command": name, "data": data, "caller": caller().to_wire(), "command_id": id or new_id()}
    return rpc.Call(new_id(), rpc.EXECUTE, asked)


def tracks(at_least: int | None = None) -> rpc.Call:
    asked = {"query": "tracks", "params": {}, "caller": caller().to_wire(), "at_least": at_least}
    return rpc.Call(new_id(), rpc.QUERY, asked)


def slow(asks: Asker) -> rpc.Call:
    """A question that is answered after a while: its read model lags behind a fact that was just stored."""
    asks.send(command("register_parcel", parcel_id=new_id()))
    (stored,) = asks.replies(1)
    return tracks(at_least=stored.answer()["position"])


def test_each_call_of_a_message_has_its_own_answer(asks: Asker) -> None:
    parcel = new_id()
    good, unknown, foreign, wrong = (
        command("register_parcel", parcel_id=parcel),
        command("move_parcel", parcel_id=new_id()),
        rpc.Call(new_id(), "explode", {}),
        rpc.Call(new_id(), rpc.QUERY, {"whatever": 1}),
    )
    asks.send(good, unknown, foreign, wrong)
    replies = {reply.id: reply for reply in asks.replies(4)}
    assert replies[good.id].answer()["id"] == parcel
    errors = {id: reply.error for id, reply in replies.items() if reply.error is not None}
    assert {errors[call.id]["type"] for call in (unknown, foreign, wrong)} == {
        "Rejected",
        "MethodNotFound",
        "TypeError",
    }
    assert errors[unknown.id]["args"][0] == "parcel-unknown"


def test_a_slow_call_holds_up_nobody_it_travelled_with(asks: Asker) -> None:
    waits, quick = slow(asks), tracks()
    began = time.monotonic()
    asks.send(waits, quick)
    (first,) = asks.replies(1)
    assert (first.id, first.error) == (quick.id, None)
    assert time.monotonic() - began < WAITS / 2
    (second,) = asks.replies(1)
    assert second.id == waits.id
    assert second.error is not None
    assert second.error["args"][0] == "not-yet-visible"


def test_what_is_no_message_is_put_aside_and_the_next_is_answered(asks: Asker, service: Program) -> None:
    for body in (b"", b"{}", b'{"calls": [1]}', b"\xff"):
        asks.send_raw(body)
    asks.send(tracks())
    (reply,) = asks.replies(1)
    assert reply.error is None
    until(lambda: service.said("calls.unreadable"), 5)
    assert asks.waiting() == 0


def test_what_is_in_hand_is_answered_before_a_service_stops(asks: Asker, service: Program) -> None:
    waits = slow(asks)
    asks.send(waits)
    time.sleep(0.3)
    assert service.stop()
    (reply,) = asks.replies(1)
    assert reply.id == waits.id
    assert asks.waiting() == 0


def test_what_a_killed_service_had_in_hand_comes_to_the_next_one(
    asks: Asker, service: Program, programs: Programs
) -> None:
    waits, moved = slow(asks), command("register_parcel", parcel_id=new_id())
    asks.send(waits, moved)
    (stored,) = asks.replies(1)
    service.kill()
    until(lambda: asks.waiting() == 1, 10)
    another = programs.start("service", SERVICE).ready()
    replies = {reply.id: reply for reply in asks.replies(2)}
    another.kill()
    assert set(replies) == {waits.id, moved.id}
    assert replies[moved.id].answer() == stored.answer(), "the command was carried out twice"


@pytest.mark.parametrize("line", ["calls", "answers"])
def test_a_line_that_breaks_in_the_middle_is_made_again(
    asks: Asker, service: Program, platform_env: dict[str, str], line: str
) -> None:
    waits = slow(asks)
    asks.send(waits)
    time.sleep(0.3)
    cut(platform_env["RABBITMQ_MANAGEMENT_URL"], platform_env["AMQP_URL"], f"{line}.{SERVICE}")
    assert waits.id in {reply.id for reply in asks.replies(1)}
    asks.send(again := tracks())
    until(lambda: again.id in {reply.id for reply in asks.replies(1, timeout=1.0)}, 15)
    assert service.alive
