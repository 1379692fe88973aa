"""One turn of publishing in a process of its own: the relay from a full log, or a raw loop of equal bodies."""

from __future__ import annotations

import asyncio
import sys
import time
from datetime import datetime
from typing import Any

import orjson
import pika
from pika.adapters.asyncio_connection import AsyncioConnection
from pika.channel import Channel

import bench.run  # noqa: F401  # makes the sample services known
from services.kernel import broker, heap, message
from services.kernel.config import settings
from services.kernel.platform import Platform, definition_of, open_platform
from services.kernel.relay import Checkpoint, Relay

WINDOW = 1_000


class Until(Checkpoint):
    """Ends the relay, and the clock, when everything has been told."""

    def __init__(self, platform: Platform, head: int) -> None:
        super().__init__(platform.db)
        self._head = head
        self.relay: Relay | None = None
        self.began = self.ended = 0.0

    def read(self) -> int:
        """The relay is connected and begins."""
        self.began = time.perf_counter()
        return super().read()

    def move(self, position: int, at: datetime) -> None:
        """Everything up to here is confirmed."""
        super().move(position, at)
        if position >= self._head and self.relay is not None:
            self.ended = time.perf_counter()
            self.relay.stop()


def relay() -> tuple[int, float]:
    """Messages and seconds of the real relay, from its first look at the log to its last checkpoint."""
    platform = open_platform(definition_of("sample"), settings())
    platform.db["checkpoints"].delete_many({})
    head = platform.store.head()
    checkpoint = Until(platform, head)
    url = platform.settings.amqp_url.get_secret_value()
    checkpoint.relay = Relay("sample", platform.store, checkpoint, url, platform.clock)
    asyncio.run(checkpoint.relay.run())
    platform.close()
    return head, checkpoint.ended - checkpoint.began


async def raw() -> tuple[int, float]:
    """Messages and seconds of equal bodies, made beforehand, published with pipelined confirms."""
    platform = open_platform(definition_of("sample"), settings())
    bodies = [
        (key, body) for one in platform.store.after(0, 1_000_000) for key, _id, body in message.outgoing("sample", one)
    ]
    platform.close()
    properties = pika.BasicProperties(content_type=message.CONTENT_TYPE, delivery_mode=2)
    channel = await _channel()
    confirmed = 0
    more = asyncio.Event()

    def confirm(frame: Any) -> None:
        nonlocal confirmed
        confirmed = frame.method.delivery_tag if frame.method.multiple else confirmed + 1
        more.set()

    channel.confirm_delivery(confirm)
    began = time.perf_counter()
    for published, (key, body) in enumerate(bodies, start=1):
        channel.basic_publish(broker.EVENTS, key, body, properties)
        while published - confirmed >= WINDOW:
            more.clear()
            await more.wait()
    while confirmed < len(bodies):
        more.clear()
        await more.wait()
    took = time.perf_counter() - began
    channel.connection.close()
    return len(bodies), took


async def _channel() -> Channel:
    opened: asyncio.Future[Channel] = asyncio.get_running_loop().create_future()
    AsyncioConnection(
        pika.URLParameters(settings().amqp_url.get_secret_value()),
        on_open_callback=lambda connection: connection.channel(on_open_callback=opened.set_result),
    )
    return await opened


if __name__ == "__main__":
    heap.settle()  # as the relay's process does
    messages, seconds = relay() if sys.argv[1] == "relay" else asyncio.run(raw())
    sys.stdout.write(orjson.dumps({"messages": messages, "seconds": seconds}).decode())
