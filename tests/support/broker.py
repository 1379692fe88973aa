"""The broker as a test sees it: queues to look into, messages to send by hand, a relay in a thread."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import pika
from pika.adapters.blocking_connection import BlockingChannel

from deploy.local.rabbitmq import manage
from services.kernel import broker
from services.kernel.clock import SystemClock
from services.kernel.platform import Platform
from services.kernel.relay import Checkpoint, Relay


@contextmanager
def channel_of(amqp_url: str) -> Iterator[BlockingChannel]:
    """A channel with confirms; all of the platform's exchanges exist."""
    with pika.BlockingConnection(pika.URLParameters(amqp_url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for exchange in broker.EXCHANGES:
            channel.exchange_declare(exchange.name, exchange.type, durable=True, arguments=exchange.arguments or None)
        yield channel


def declare(channel: BlockingChannel, queue: broker.Queue) -> str:
    """Make a queue as the platform does; answers its name."""
    channel.queue_declare(queue.name, durable=True, arguments=queue.arguments)
    for exchange, key in queue.bindings:
        channel.queue_bind(queue.name, exchange, key)
    return queue.name


def take(channel: BlockingChannel, queue: str, count: int, timeout: float = 20.0) -> list[dict[str, Any]]:
    """Take that many messages out of a queue, in order; fewer when they do not come in time."""
    taken: list[dict[str, Any]] = []
    deadline = time.monotonic() + timeout
    while len(taken) < count and time.monotonic() < deadline:
        delivery, _, body = channel.basic_get(queue, auto_ack=True)
        if delivery is None:
            channel.connection.sleep(0.02)
        else:
            taken.append(json.loads(body))
    return taken


def take_all(channel: BlockingChannel, queue: str, quiet: float = 0.3) -> list[dict[str, Any]]:
    """Take everything out of a queue, until nothing has come for a moment."""
    taken: list[dict[str, Any]] = []
    while more := take(channel, queue, 1, timeout=quiet):
        taken += more
    return taken


class RunningRelay:
    """A relay of a service, in a thread of its own."""

    def __init__(self, platform: Platform, kind: type[Relay] = Relay) -> None:
        self.relay = kind(
            platform.definition.name,
            platform.store,
            Checkpoint(platform.db),
            platform.settings.amqp_url.get_secret_value(),
            SystemClock(),
        )
        self._thread = threading.Thread(target=lambda: asyncio.run(self.relay.run()))

    def __enter__(self) -> RunningRelay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.relay.stop()
        self._thread.join(timeout=20)
        assert not self._thread.is_alive(), "the relay did not stop"


def cut(management: str, amqp_url: str, name: str) -> None:
    """Close the connections of this name in our virtual host, from the broker's side."""
    vhost = urlsplit(amqp_url).path.lstrip("/")
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        found = [
            connection
            for connection in manage(management, "GET", f"/api/vhosts/{vhost}/connections") or []
            if connection.get("client_properties", {}).get("connection_name") == name
        ]
        if found:
            for connection in found:
                manage(management, "DELETE", f"/api/connections/{quote(connection['name'], safe='')}")
            return
        time.sleep(0.2)
    raise AssertionError(f"no connection named {name}")
