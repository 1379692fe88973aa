"""The nameko entrypoint through which a service is asked: several calls in a message, each answered when it is done."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import eventlet
from eventlet.greenpool import GreenPool
from eventlet.queue import Empty, LightQueue
from kombu import Queue  # type: ignore[attr-defined]  # kombu exports lazily
from kombu.transport.base import Message
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint

from services.kernel import logging, rpc
from services.kernel.commit import StoreUnavailable, VersionConflict
from services.kernel.config import settings
from services.kernel.domain import Rejected
from services.kernel.listener import HEARTBEAT, LONGEST_PAUSE, Listener, body_of, connect

EXPECTED = (Rejected, VersionConflict, StoreUnavailable)
GRACE = 5.0
TOGETHER = 0.001
"""So many seconds an answer waits for those of other calls under way, to share a message with them."""
SHARED = 64
log = logging.get(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """The calls of one message, and the way back for their answers."""

    calls: list[rpc.Call]
    pool: GreenPool
    answer: Callable[[bytes], None]

    def carry_out(self, methods: Mapping[str, Callable[..., Any]]) -> None:
        """Run all of them side by side; returns when each has been answered."""
        under_way = [self.pool.spawn(self._one, call, methods) for call in self.calls]
        for one in under_way:
            one.wait()

    def _one(self, call: rpc.Call, methods: Mapping[str, Callable[..., Any]]) -> None:
        if call.traceparent:
            # A greenthread has a context of its own, which ends with it.
            logging.tie(traceparent=call.traceparent)
        try:
            method = methods.get(call.method)
            if method is None:
                raise rpc.RemoteError("MethodNotFound", (call.method,))
            reply = rpc.encode_result(call.id, method(**call.kwargs))
        except Exception as raised:
            if not isinstance(raised, EXPECTED):
                log.exception("call.failed", method=call.method)
            reply = rpc.encode_error(call.id, raised)
        self.answer(reply)


class Calls(Entrypoint):
    """`@answers`: one connection takes the calls, another sends the answers, a pool of greenthreads is between them.

    nameko's own `@rpc` is not used: it answers one call a message, and for calls as short as ours the broker,
    both ends' framing and the worker around each cost more than the call. A message is acknowledged when all of
    its calls were carried out: what a dying process had in hand comes again, and the command ids make that
    harmless. An answer that a broken connection swallowed is not sent again for ever: its caller has a time-out.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(expected_exceptions=(Exception,), **kwargs)
        self._answers: LightQueue = LightQueue()
        self._ended = False

    def setup(self) -> None:
        """Get ready to consume the service's queue of calls."""
        config = settings()
        self._url = config.amqp_url.get_secret_value()
        self._service = self.container.service_name
        self._pool = GreenPool(config.rpc_workers)
        self._listener = Listener(
            lambda: connect(self._url, f"calls.{self._service}"),
            name=f"calls.{self._service}",
            prepare=self._declare,
            take=self._take,
            prefetch=config.rpc_workers,
            grace=GRACE,
        )

    def start(self) -> None:
        """Begin to take calls."""
        self._listening = self.container.spawn_managed_thread(self._listener.run)
        self._answering = self.container.spawn_managed_thread(self._send_answers)

    def stop(self) -> None:
        """Take no more, answer what is in hand."""
        self._listener.stop()
        self._listening.wait()
        self._ended = True
        self._answering.wait()

    def kill(self) -> None:
        """End at once."""
        self._listener.stop()
        self._ended = True

    def _declare(self, channel: Any) -> Queue:
        queue = Queue(rpc.call_queue(self._service), durable=True, channel=channel)
        queue.queue_declare()
        # Said here and not when the process has begun: from now on the broker returns nobody's call.
        log.info("service.ready", service=self._service)
        return queue

    def _take(self, message: Message) -> None:
        reply_to = str(message.properties.get("reply_to", ""))
        try:
            calls = rpc.decode_calls(body_of(message))
        except rpc.Malformed as unreadable:
            log.error("calls.unreadable", why=str(unreadable))
            self._listener.settled([message])
            return
        asked = Asked(calls, self._pool, lambda reply: self._answers.put((reply_to, reply)))

        def finished(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            self._listener.settled([message])
            return result, exc_info

        # One that is being killed takes no more; unacknowledged, the message comes to another.
        with contextlib.suppress(ContainerBeingKilled):
            self.container.spawn_worker(self, (asked,), {}, handle_result=finished)

    def _send_answers(self) -> None:
        pause = 0.1
        unsent: dict[str, list[bytes]] = {}
        while not (self._ended and self._answers.empty()):
            try:
                with (
                    connect(self._url, f"answers.{self._service}", confirms=False) as connection,
                    connection.channel() as channel,
                ):
                    pause = 0.1
                    self._send_over(connection, channel, unsent)
            except Exception as lost:  # every broker error counts as loss of the connection
                log.warning("answers.interrupted", why=repr(lost), retry_in=pause)
                eventlet.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    def _send_over(self, connection: Any, channel: Any, unsent: dict[str, list[bytes]]) -> None:
        beat = time.monotonic()
        while unsent or not (self._ended and self._answers.empty()):
            if not unsent:
                unsent.update(self._gathered())
            for reply_to, replies in list(unsent.items()):
                message = channel.prepare_message(
                    rpc.encode_replies(replies),
                    content_type=rpc.CONTENT_TYPE,
                    properties={"delivery_mode": 1},
                )
                channel.basic_publish(message, exchange="", routing_key=reply_to)
                del unsent[reply_to]
            if time.monotonic() - beat > HEARTBEAT / 4:
                with contextlib.suppress(TimeoutError):
                    connection.drain_events(timeout=0.001)  # the broker's own heartbeats
                connection.heartbeat_check()
                beat = time.monotonic()

    def _gathered(self) -> dict[str, list[bytes]]:
        """The answers that are ready, by who waits for them; an empty one after a while without any."""
        gathered: dict[str, list[bytes]] = defaultdict(list)
        with contextlib.suppress(Empty):
            reply_to, reply = self._answers.get(timeout=0.5)
            eventlet.sleep(TOGETHER if self._pool.running() else 0)
            gathered[reply_to].append(reply)
            for _ in range(SHARED):
                reply_to, reply = self._answers.get_nowait()
                gathered[reply_to].append(reply)
        return gathered


answers = Calls.decorator
