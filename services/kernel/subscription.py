"""The nameko entrypoint that follows other services' facts through the inbox; order and once-only are the inbox's."""

from __future__ import annotations

import contextlib
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.queue import Empty, LightQueue
from kombu import Connection, Exchange, Queue  # type: ignore[attr-defined]  # kombu exports lazily
from kombu.transport.base import Message
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint
from pymongo.collection import Collection

from services.kernel import broker, faults, logging
from services.kernel.application import Subscription
from services.kernel.handlers import of_subscription
from services.kernel.inbox import MAJORITY, Inbox
from services.kernel.message import Unreadable
from services.kernel.platform import Platform
from services.kernel.relay import replay_request
from services.kernel.service import OpenPlatform

log = logging.get(__name__)
PREFETCH = 100
PARTITIONS = 8
FOLDING_PARTITIONS = 2  # a read model takes in together what has come: the fewer share it, the more that is
HEARTBEAT = 20
LONGEST_BACK_OFF = 30.0
CONFIRMED_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """Messages on their way into a handler's inbox, in the order of their coming."""

    inbox: Inbox
    bodies: Sequence[bytes]

    def take_in(self) -> None:
        """Bring each to a durable outcome: applied, dropped, parked or shelved as unreadable."""
        facts = []
        for body in self.bodies:
            try:
                facts.append((self.inbox.read(body), body))
            except Unreadable as unreadable:
                self.inbox.shelve_unreadable(body, str(unreadable))
        self.inbox.receive_all(facts)


class Subscribes(Entrypoint):
    """`@subscribes("handler name")`: one broker connection, one greenthread that owns it, workers for what it brings.

    nameko's own event handler is not used: it acknowledges what raised, runs messages of one stream side
    by side, and an ack on a dead socket ends the process. Here a message is acknowledged only after its
    outcome is durable; messages of one stream go through one partition in order of arrival; a failing
    database makes partitions wait, and the prefetch limit makes the broker wait with them.
    """

    opened = OpenPlatform()

    def __init__(self, handler: str, **kwargs: Any) -> None:
        super().__init__(expected_exceptions=(Exception,), **kwargs)
        self.handler = handler
        self._stopping = False
        self._threads: list[Any] = []
        self._inboxes: dict[str, Inbox] = {}

    @property
    def _backfills(self) -> Collection[dict[str, Any]]:
        return self._platform.db.get_collection("backfills", write_concern=MAJORITY)

    @property
    def _platform(self) -> Platform:
        return self.opened.platform

    def setup(self) -> None:
        """Find the subscription of this name in the service's definition."""
        definition = self.container.service_cls.definition
        self.subscription: Subscription = next(s for s in definition.subscriptions if s.handler == self.handler)
        many = FOLDING_PARTITIONS if self.subscription.into is not None else PARTITIONS
        self._partitions = [LightQueue() for _ in range(many)]
        self._done: LightQueue = LightQueue()

    def start(self) -> None:
        """Begin to consume."""
        for partition in self._partitions:
            self._threads.append(self.container.spawn_managed_thread(lambda p=partition: self._work(p)))
        self._threads.append(self.container.spawn_managed_thread(self._consume))
        self._threads.append(self.container.spawn_managed_thread(self._mind_the_shelf))

    def stop(self) -> None:
        """Finish what is in hand; the broker redelivers the rest."""
        self._stopping = True
        for thread in self._threads:
            thread.wait()

    def kill(self) -> None:
        """End at once."""
        self._stopping = True

    def _inbox(self) -> Inbox:
        handler = of_subscription(self.subscription, self._platform)
        if handler.name not in self._inboxes:
            # A rebuilt read model has its own cursors; the former generation's inbox is not needed any more.
            self._inboxes = {handler.name: Inbox(self._platform.db, handler, self._platform.clock)}
        return self._inboxes[handler.name]

    def _consume(self) -> None:
        pause = 0.5
        while not self._stopping:
            try:
                self._consume_once()
                pause = 0.5
            except Exception as lost:  # every broker error counts as loss of the connection
                log.warning("subscription.interrupted", handler=self.handler, why=repr(lost), retry_in=pause)
                eventlet.sleep(pause)
                pause = min(pause * 2, 5.0)

    def _consume_once(self) -> None:
        with self._connect() as connection, connection.channel() as channel:
            queue = self._declare(channel)
            channel.basic_qos(0, PREFETCH, False)
            faults.reached("subscription.after_declare_before_request")
            self._ask_for_what_is_due(channel)

            unsettled = 0

            def deliver(message: Message) -> None:
                nonlocal unsettled
                unsettled += 1
                self._partitions[self._partition(message.body)].put((channel, message))

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
                        connection.drain_events(timeout=0.02 if unsettled else 0.25)
                    for message in self._settled(channel):
                        message.ack()
                        unsettled -= 1
                    if time.monotonic() - beat > HEARTBEAT / 4:
                        connection.heartbeat_check()
                        beat = time.monotonic()

    def _connect(self) -> Connection:
        # Bounded retries everywhere: a publish to a dead broker can otherwise block for ever (kombu issue 1024).
        connection = Connection(
            self._platform.settings.amqp_url.get_secret_value(),
            heartbeat=HEARTBEAT,
            connect_timeout=5,
            transport_options={
                "max_retries": 3,
                "interval_start": 0.1,
                "interval_step": 0.2,
                "interval_max": 1,
                "confirm_publish": True,
                "client_properties": {"connection_name": f"subscription.{self.handler}"},
            },
        )
        return connection.ensure_connection(max_retries=3, interval_start=0.1, interval_max=1)

    def _declare(self, channel: Any) -> Queue:
        """Make sure exchange and queue exist; notes beforehand that a new queue lacks everything."""
        for exchange in broker.EXCHANGES:
            Exchange(
                exchange.name, exchange.type, channel=channel, durable=True, arguments=exchange.arguments
            ).declare()
        wanted = broker.consumer_queue(self.handler, self.subscription.source, self.subscription.categories)
        if not self._exists(wanted.name):
            self._backfills.update_one({"_id": self.handler}, {"$set": {"due": True}}, upsert=True)
        queue = Queue(wanted.name, durable=True, queue_arguments=wanted.arguments, channel=channel)
        queue.queue_declare()
        for exchange_name, key in wanted.bindings:
            queue.bind_to(exchange_name, key)
        replays = broker.replay_queue(self.subscription.source)
        Queue(replays.name, durable=True, queue_arguments=replays.arguments, channel=channel).queue_declare()
        return queue

    def _exists(self, queue: str) -> bool:
        # A passive declare of a missing queue closes its channel, hence a channel of its own.
        with self._connect() as connection:
            try:
                connection.channel().queue_declare(queue, passive=True)
            except connection.channel_errors:
                return False
            return True

    def _ask_for_what_is_due(self, channel: Any) -> None:
        """A new queue starts with the whole history: a new subscriber, or a broker that lost its data.

        What was already handled is dropped by the cursors, so asking too much only costs time. That it
        is due is noted in the database, or a crash between declaring and asking would leave a queue that
        looks as if it had always been there.
        """
        due = {"_id": self.handler, "due": True}
        if self._backfills.find_one(due) is None:
            return
        log.info("subscription.backfill", handler=self.handler, source=self.subscription.source)
        self._request(channel, replay_request(self.handler, categories=self.subscription.categories))
        self._backfills.update_one(due, {"$set": {"due": False, "asked_at": self._platform.clock.now()}})

    def _request(self, channel: Any, body: bytes) -> None:
        """Ask the source's relay; returns when the broker has taken responsibility for the question."""
        message = channel.prepare_message(body, content_type="application/json", content_encoding="utf-8")
        message.properties["delivery_mode"] = 2
        channel.basic_publish(
            message,
            exchange="",
            routing_key=broker.replay_queue(self.subscription.source).name,
            confirm_timeout=CONFIRMED_WITHIN,
        )

    def _partition(self, body: bytes | memoryview) -> int:
        # The stream is what must stay in order; its name stands in the body's "subject".
        raw = bytes(body)
        start = raw.find(b'"subject":"') + 11
        return zlib.crc32(raw[start : raw.find(b'"', start)]) % len(self._partitions)

    def _work(self, partition: LightQueue) -> None:
        while not self._stopping:
            try:
                waiting = [partition.get(timeout=0.5)]
            except Empty:
                continue
            while not partition.empty():  # what came meanwhile goes along; the prefetch bounds it
                waiting.append(partition.get_nowait())
            if self._handle([bytes(message.body) for _, message in waiting]):
                for delivered in waiting:
                    self._done.put(delivered)

    def _handle(self, bodies: Sequence[bytes]) -> bool:
        """Bring messages to a durable outcome; False only when the process stops before that."""
        pause = 0.05
        while not self._stopping:
            try:
                error = self._fire(Delivery(self._inbox(), bodies))
            except Exception as away:  # which generation is live stands in the database, too
                error = away
            if error is None:
                return True
            # Transient, or the inbox would have parked it: wait here, the prefetch holds the rest back.
            log.warning("subscription.waits", handler=self.handler, why=repr(error), retry_in=pause)
            eventlet.sleep(pause)
            pause = min(pause * 2, LONGEST_BACK_OFF)
        return False

    def _fire(self, delivery: Delivery) -> BaseException | None:
        """Let a worker run the service's method on the delivery; answers what it raised."""
        done = Event()

        def finished(_context: Any, result: Any, exc_info: Any) -> tuple[Any, Any]:
            done.send(exc_info[1] if exc_info else None)
            return result, exc_info

        try:
            self.container.spawn_worker(self, (delivery,), {}, handle_result=finished)
        except ContainerBeingKilled as killed:
            return killed
        raised: BaseException | None = done.wait()
        return raised

    def _settled(self, channel: Any) -> Iterator[Message]:
        while True:
            try:
                owner, message = self._done.get_nowait()
            except Empty:
                return
            if owner is channel:  # acks belong to the channel of the delivery; a lost one redelivers
                yield message

    def _mind_the_shelf(self) -> None:
        """Ask the producer again for facts that others have waited for too long."""
        after = self._platform.settings.parked_after_seconds
        asked: dict[tuple[str, int], float] = {}
        while not self._stopping:
            eventlet.sleep(1.0)
            try:
                now = time.monotonic()
                missing = [
                    gap for gap in self._inbox().overdue(timedelta(seconds=after)) if now - asked.get(gap, -60.0) > 30.0
                ]
                if missing:
                    with self._connect() as connection, connection.channel() as channel:
                        for stream, version in missing:
                            log.warning("subscription.gap", handler=self.handler, stream=stream, missing=version)
                            self._request(channel, replay_request(self.handler, stream=stream, start=version))
                            asked[stream, version] = now
            except Exception as away:
                log.warning("subscription.waits", handler=self.handler, why=repr(away), retry_in=1.0)


subscribes = Subscribes.decorator
