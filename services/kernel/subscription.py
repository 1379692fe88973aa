"""The nameko entrypoint that follows other services' facts through the inbox; order and once-only are the inbox's."""

from __future__ import annotations

import threading
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from eventlet.event import Event
from eventlet.queue import LightQueue
from kombu import Connection, Exchange, Queue  # type: ignore[attr-defined]  # kombu exports lazily
from kombu.transport.base import Message
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint
from pymongo.collection import Collection

from services.kernel import broker, faults, logging
from services.kernel.application import Subscription
from services.kernel.container import OpenPlatform
from services.kernel.handlers import of_subscription
from services.kernel.inbox import MAJORITY, Inbox
from services.kernel.listener import Listener, body_of, connect
from services.kernel.message import Unreadable
from services.kernel.platform import Platform
from services.kernel.relay import replay_request
from services.kernel.tail import breather

log = logging.get(__name__)
PREFETCH = 250
PARTITIONS = 8
FOLDING_PARTITIONS = 2  # a read model takes in together what has come: the fewer share it, the more that is
LONGEST_BACK_OFF = 30.0
LONGEST_LOOK = 2.5
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
        self._stopped = threading.Event()
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
        self._listener = Listener(
            self._connect, name=self.handler, prepare=self._prepare, take=self._take, prefetch=PREFETCH
        )

    def start(self) -> None:
        """Begin to consume."""
        for partition in self._partitions:
            self._threads.append(self.container.spawn_managed_thread(lambda p=partition: self._work(p)))
        self._threads.append(self.container.spawn_managed_thread(self._listener.run))
        self._threads.append(self.container.spawn_managed_thread(self._mind_the_shelf))

    def stop(self) -> None:
        """Finish what is in hand; the broker redelivers the rest."""
        self.kill()
        for thread in self._threads:
            thread.wait()

    def kill(self) -> None:
        """End at once."""
        self._stopped.set()
        self._listener.stop()
        for partition in self._partitions:
            partition.put(None)

    def _inbox(self) -> Inbox:
        handler = of_subscription(self.subscription, self._platform)
        if handler.name not in self._inboxes:
            # A rebuilt read model has its own cursors; the former generation's inbox is not needed any more.
            self._inboxes = {handler.name: Inbox(self._platform.db, handler, self._platform.clock)}
        return self._inboxes[handler.name]

    def _connect(self) -> Connection:
        url = self._platform.settings.amqp_url.get_secret_value()
        return connect(url, f"subscription.{self.handler}")

    def _prepare(self, channel: Any) -> Queue:
        queue = self._declare(channel)
        faults.reached("subscription.after_declare_before_request")
        self._ask_for_what_is_due(channel)
        return queue

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

    def _take(self, message: Message) -> None:
        self._partitions[self._partition(body_of(message))].put(message)

    def _partition(self, raw: bytes) -> int:
        # The stream is what must stay in order; its name stands in the body's "subject".
        start = raw.find(b'"subject":"') + 11
        return zlib.crc32(raw[start : raw.find(b'"', start)]) % len(self._partitions)

    def _work(self, partition: LightQueue) -> None:
        while not self._stopped.is_set():
            waiting = [partition.get()]
            while not partition.empty():  # what came meanwhile goes along; the prefetch bounds it
                waiting.append(partition.get_nowait())
            if None in waiting:
                return
            began = time.monotonic()
            if self._handle([body_of(message) for message in waiting]):
                self._listener.settled(waiting)
                # As in the worker: those who fold rest, those who react do not.
                if self.subscription.into is not None and partition.qsize() < PREFETCH / len(self._partitions):
                    self._stopped.wait(breather(time.monotonic() - began))

    def _handle(self, bodies: Sequence[bytes]) -> bool:
        """Bring messages to a durable outcome; False only when the process stops before that."""
        pause = 0.05
        while not self._stopped.is_set():
            try:
                error = self._fire(Delivery(self._inbox(), bodies))
            except Exception as away:  # which generation is live stands in the database, too
                error = away
            if error is None:
                return True
            # Transient, or the inbox would have parked it: wait here, the prefetch holds the rest back.
            log.warning("subscription.waits", handler=self.handler, why=repr(error), retry_in=pause)
            self._stopped.wait(pause)
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

    def _mind_the_shelf(self) -> None:
        """Ask the producer again for facts that others have waited for too long."""
        after = self._platform.settings.parked_after_seconds
        asked: dict[tuple[str, int], float] = {}
        while not self._stopped.wait(min(after / 2, LONGEST_LOOK)):
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
