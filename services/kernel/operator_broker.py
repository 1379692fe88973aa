"""The operator's line to the broker: looks at queues, asks relays to send history again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pika
import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel

from services.kernel import broker
from services.kernel.config import Settings


@contextmanager
def channel(settings: Settings) -> Iterator[BlockingChannel]:
    """One connection with one channel in confirm mode, closed at the end."""
    parameters = pika.URLParameters(settings.amqp_url.get_secret_value())
    parameters.heartbeat = 20
    parameters.blocked_connection_timeout = 30
    parameters.client_properties = {"connection_name": "operator"}
    connection = pika.BlockingConnection(parameters)
    try:
        opened = connection.channel()
        opened.confirm_delivery()
        yield opened
    finally:
        if connection.is_open:
            connection.close()


def depth(settings: Settings, queue: str) -> tuple[int, int] | None:
    """How many messages wait in a queue and how many consume it; None where there is no such queue."""
    with channel(settings) as asking:
        try:
            found = asking.queue_declare(queue, passive=True).method
        except pika.exceptions.ChannelClosedByBroker:
            return None
        return found.message_count, found.consumer_count


def ask_relay(asking: BlockingChannel, source: str, request: bytes) -> bool:
    """Put a request for history before a service's relay; False when no relay listens at the moment."""
    desk = broker.replay_queue(source)
    state = asking.queue_declare(desk.name, durable=True, arguments=desk.arguments).method
    asking.basic_publish(
        "",
        desk.name,
        request,
        pika.BasicProperties(content_type="application/json", delivery_mode=2),
        mandatory=True,
    )
    return bool(state.consumer_count)
