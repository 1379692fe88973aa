"""One broker connection and the greenthread that owns it: hands over what comes, acknowledges what is settled."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Any

import eventlet
from eventlet.queue import LightQueue
from kombu import Connection, Queue  # type: ignore[attr-defined]  # kombu exports lazily
from kombu.transport.base import Message

from services.kernel import logging

log = logging.get(__name__)
HEARTBEAT = 20
LONGEST_PAUSE = 5.0
AT_ONCE = 8 * 1024


def connect(amqp_url: str, name: str, *, confirms: bool = True) -> Connection:
    """A connection to the broker. Every retry is bounded: a publish to a dead one can otherwise block for ever
    (kombu issue 1024)."""
    connection = Connection(
        amqp_url,
        heartbeat=HEARTBEAT,
        connect_timeout=5,
        transport_options={
            "max_retries": 3,
            "interval_start": 0.1,
            "interval_step": 0.2,
            "interval_max": 1,
            "confirm_publish": confirms,
            "client_properties": {"connection_name": name},
        },
    )
    connection.ensure_connection(max_retries=3, interval_start=0.1, interval_max=1)
    _read_widely(connection.connection.transport)
    return connection


def _read_widely(transport: Any) -> None:
    """Let py-amqp 5.4 take from the socket what there is.

    It asks for the head, the body and the end of every frame by itself: nine system calls for a message, a fifth
    of what following costs. What comes beyond the bytes it asked for stays in its own buffer for the next question.
    """
    receive = transport._quick_recv
    transport._quick_recv = lambda wanted: receive(max(wanted, AT_ONCE))


def body_of(message: Message) -> bytes:
    """The bytes of a message; py-amqp makes text, or nothing, of one that is empty."""
    body = message.body
    return body.encode() if isinstance(body, str) else bytes(body or b"")


class Listener:
    """Consumes one queue until stopped, over as many connections as it takes.

    A message is acknowledged after `settled` was called with it, by the greenthread that owns its channel:
    an ack on a dead socket raises OSError there and is the loss of the connection, never of the process.
    What is not acknowledged comes again.
    """

    def __init__(
        self,
        connection: Callable[[], Connection],
        *,
        name: str,
        prepare: Callable[[Any], Queue],
        take: Callable[[Message], None],
        prefetch: int,
        grace: float = 0.0,
    ) -> None:
        self._connection = connection
        self._name = name
        self._prepare = prepare
        self._take = take
        self._prefetch = prefetch
        self._grace = grace
        self._settled: LightQueue = LightQueue()
        self._stopping = False

    def settled(self, messages: Iterable[Message]) -> None:
        """The outcome of these is durable; from any greenthread."""
        for message in messages:
            self._settled.put(message)

    def stop(self) -> None:
        """Take nothing more; what is settled within the grace of so many seconds is acknowledged yet."""
        self._stopping = True

    def run(self) -> None:
        """Consume; a lost connection is made again, after a growing pause."""
        pause = 0.5
        while not self._stopping:
            try:
                self._consume()
                pause = 0.5
            except Exception as lost:  # every broker error counts as loss of the connection
                log.warning("listener.interrupted", listener=self._name, why=repr(lost), retry_in=pause)
                eventlet.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _consume(self) -> None:
        with self._connection() as connection, connection.channel() as channel:
            queue = self._prepare(channel)
            channel.basic_qos(0, self._prefetch, False)
            unsettled: set[int] = set()

            def deliver(message: Message) -> None:
                unsettled.add(message.delivery_tag)
                self._take(message)

            with connection.Consumer(
                [queue],
                channel=channel,
                on_message=deliver,
                accept=None,
                auto_declare=False,
                prefetch_count=None,
            ):
                beat = time.monotonic()
                while not self._stopping:
                    with contextlib.suppress(TimeoutError):
                        # Only what is under way gives a reason to look up before the next message comes.
                        connection.drain_events(timeout=0.02 if unsettled else 0.5)
                    self._acknowledge(channel, unsettled)
                    if time.monotonic() - beat > HEARTBEAT / 4:
                        connection.heartbeat_check()
                        beat = time.monotonic()
            until = time.monotonic() + self._grace
            while unsettled and time.monotonic() < until:
                eventlet.sleep(0.01)
                self._acknowledge(channel, unsettled)

    def _acknowledge(self, channel: Any, unsettled: set[int]) -> None:
        """Tell the broker what is settled: in one frame everything before the oldest that is not, the rest singly."""
        tags = []
        while not self._settled.empty():
            message = self._settled.get_nowait()
            if message.channel is channel:  # acks belong to the channel of the delivery; a lost one redelivers
                tags.append(message.delivery_tag)
        if not tags:
            return
        unsettled.difference_update(tags)
        oldest = min(unsettled, default=max(tags) + 1)
        if whole := max((tag for tag in tags if tag < oldest), default=0):
            channel.basic_ack(whole, multiple=True)
        for tag in tags:
            if tag > oldest:
                channel.basic_ack(tag)
