"""Builds a read model anew beside the live one: own facts from the log, foreign ones by replay from their sources."""

from __future__ import annotations

import queue
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from bson.int64 import Int64
from pika.adapters.blocking_connection import BlockingChannel
from pymongo.read_concern import ReadConcern

from services.kernel import broker
from services.kernel.application import ReadModel, Subscription
from services.kernel.handlers import of_subscription
from services.kernel.inbox import Inbox, transient
from services.kernel.message import Unreadable
from services.kernel.operator_broker import ask_relay
from services.kernel.platform import Platform
from services.kernel.projection import Projector
from services.kernel.relay import replay_request
from services.kernel.shelf import POINTER_SECONDS

Tell = Callable[[str], None]
PARTITIONS = 8
PREFETCH = 400
LOOKED_UP = 1_000
ASKED_AGAIN = 100
ASK_AGAIN_SECONDS = 10.0
PATIENCE_SECONDS = 60.0
LINGER_SECONDS = 2.5 * POINTER_SECONDS
QUEUE_EXPIRES_MS = 300_000


class Stuck(Exception):
    """The sources did not send what their logs hold."""


def rebuild_own(platform: Platform, model: ReadModel, tell: Tell) -> dict[str, Any]:
    """Fold the service's own log into a new generation and make it live."""
    projector = Projector(platform.db, model, platform.store, platform.registry, platform.keyring)
    head = platform.store.head()
    generation, facts = projector.rebuild(
        progress=lambda position, folded: tell(f"position {position} of {max(head, position)}, {folded} facts")
    )
    stopped = projector.shelf.blocked(generation)
    return {
        "generation": generation,
        "facts": facts,
        "blocked": [{"stream": stream, "reason": row["reason"]} for stream, row in sorted(stopped.items())],
    }


def rebuild_foreign(
    platform: Platform, model: ReadModel, source: Callable[[str], Platform], asking: BlockingChannel, tell: Tell
) -> dict[str, Any]:
    """Let the sources send their history into a new generation, and make it live once it has caught up.

    A queue of its own, bound like the real one, brings what happens meanwhile as well. After the switch
    it is kept a little longer: live consumers remember the former generation for a second, and what they
    fold into that one last must not be lacking in the new one.
    """
    shelf = platform.reads.shelf(model.name)
    generation = shelf.next()
    shelf.prepare(generation)
    intakes: list[_Intake] = []
    try:
        for subscription in platform.definition.subscriptions:
            if subscription.into is not None and subscription.into.name == model.name:
                intakes.append(_Intake(platform, subscription, generation, source(subscription.source), asking))
        for intake in intakes:
            intake.begin()
        _until_caught_up(intakes, asking, tell)
        shelf.point_to(generation)
        tell(f"{generation} is live; following for a moment longer")
        _linger(intakes, asking)
    except BaseException:
        if shelf.live() != generation:
            shelf.drop(generation)
        raise
    finally:
        for intake in intakes:
            intake.end()
    return {
        "generation": generation,
        "facts": sum(intake.taken_in for intake in intakes),
        "blocked": [{"stream": s, "reason": why} for intake in intakes for s, why in sorted(intake.blocked().items())],
    }


class _Intake:
    """One subscription's way into the new generation: its queue, its inbox, and what is still lacking."""

    def __init__(
        self, platform: Platform, subscription: Subscription, generation: str, source: Platform, asking: BlockingChannel
    ) -> None:
        self._platform = platform
        self._subscription = subscription
        self._source = source
        self._asking = asking
        self._handler = of_subscription(subscription, platform, generation)
        self._inbox = Inbox(platform.db, self._handler, platform.clock)
        self._queue = f"rebuild.{platform.definition.name}.{self._handler.name}"
        self._work: list[queue.Queue[tuple[int, bytes] | None]] = [queue.Queue() for _ in range(PARTITIONS)]
        self._done: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._lacking: dict[str, int] = {}
        self._failed: Exception | None = None
        self.pending = 0
        self.taken_in = 0

    def begin(self) -> None:
        """Bind first, then look where the source's log ends: nothing can fall between."""
        arguments = {"x-queue-type": "quorum", "x-expires": QUEUE_EXPIRES_MS}
        wanted = broker.consumer_queue(self._queue, self._subscription.source, self._subscription.categories)
        for exchange in broker.EXCHANGES:
            self._asking.exchange_declare(
                exchange.name, exchange.type, durable=True, arguments=exchange.arguments or None
            )
        self._asking.queue_declare(self._queue, durable=True, arguments=arguments)
        for exchange_name, key in wanted.bindings:
            self._asking.queue_bind(self._queue, exchange_name, key)
        head = self._source.store.head()
        self._lacking = self._last_versions(head)
        for partition in self._work:
            thread = threading.Thread(target=self._run, args=(partition,), daemon=True)
            self._threads.append(thread)
            thread.start()
        self._asking.basic_qos(prefetch_count=PREFETCH)
        self._asking.basic_consume(self._queue, self._deliver)
        if self._lacking:
            self._ask(replay_request(self._queue, categories=self._subscription.categories, to=head))

    def acknowledge(self) -> None:
        """Tell the broker what has become durable. Raises what stopped a thread."""
        while not self._done.empty():
            self._asking.basic_ack(self._done.get())
            self.pending -= 1
        if self._failed is not None:
            raise self._failed

    def lacking(self) -> int:
        """How many streams are not known to have reached the version they had at the start."""
        return len(self._lacking)

    def look_up(self) -> None:
        """Ask the cursors, in the order in which history is sent, up to the first stream that lacks something."""
        while some := list(islice(self._lacking, LOOKED_UP)):
            ids = [f"{self._handler.name}|{stream}" for stream in some]
            rows = self._platform.db["inbox_cursors"].find({"_id": {"$in": ids}})
            reached = [r["stream"] for r in rows if "blocked" in r or r["version"] >= self._lacking[r["stream"]]]
            for stream in reached:
                del self._lacking[stream]
            if len(reached) < len(some):
                return

    def ask_again(self) -> None:
        """Request the streams that still lack something, one by one."""
        for stream in islice(self._lacking, ASKED_AGAIN):
            self._ask(replay_request(self._queue, stream=stream))

    def unbind(self) -> None:
        """Take no new facts."""
        for category in self._subscription.categories:
            self._asking.queue_unbind(self._queue, broker.EVENTS, f"{self._subscription.source}.{category}.#")

    def is_empty(self) -> bool:
        """Whether nothing waits in the queue or in the threads."""
        waiting = self._asking.queue_declare(self._queue, passive=True).method.message_count
        return self.pending == 0 and not waiting

    def blocked(self) -> dict[str, str]:
        """Streams that stand still in the new generation, and why."""
        rows = self._platform.db["inbox_cursors"].find({"handler": self._handler.name, "blocked.at": {"$exists": True}})
        return {row["stream"]: row["blocked"]["reason"] for row in rows}

    def end(self) -> None:
        """Stop the threads and remove the queue; what had not been taken in is not needed any more."""
        for partition in self._work:
            partition.put(None)
        for thread in self._threads:
            thread.join(timeout=15)
        if self._asking.is_open:
            self._asking.queue_delete(self._queue)

    def _ask(self, request: bytes) -> None:
        ask_relay(self._asking, self._subscription.source, request)

    def _last_versions(self, head: int) -> dict[str, int]:
        log = self._source.db.get_collection("events", read_concern=ReadConcern("majority"))
        match: dict[str, Any] = {"_id": {"$lte": Int64(head)}}
        if "*" not in self._subscription.categories:
            match["category"] = {"$in": list(self._subscription.categories)}
        rows = log.aggregate(
            [
                {"$match": match},
                {"$group": {"_id": "$stream", "next": {"$max": "$next"}, "last": {"$max": "$_id"}}},
                {"$sort": {"last": 1}},
            ],
            allowDiskUse=True,
        )
        return {row["_id"]: row["next"] - 1 for row in rows}

    def _deliver(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        start = body.find(b'"subject":"') + 11
        stream = body[start : body.find(b'"', start)]
        self.pending += 1
        self._work[zlib.crc32(stream) % PARTITIONS].put((method.delivery_tag, body))

    def _run(self, partition: queue.Queue[tuple[int, bytes] | None]) -> None:
        while (first := partition.get()) is not None:
            deliveries = [first]
            while not partition.empty() and (another := partition.get()) is not None:
                deliveries.append(another)
            try:
                self._take_in([body for _, body in deliveries])
            except Exception as broken:
                self._failed = broken
                return
            for tag, _ in deliveries:
                self._done.put(tag)

    def _take_in(self, bodies: list[bytes]) -> None:
        facts = []
        for body in bodies:
            try:
                facts.append((self._inbox.read(body), body))
            except Unreadable as unreadable:
                self._inbox.shelve_unreadable(body, str(unreadable))
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                self._inbox.receive_all(facts)
                break
            except Exception as away:
                if not transient(away) or time.monotonic() > until:
                    raise
                time.sleep(0.2)
        with self._lock:
            self.taken_in += len(facts)


def _until_caught_up(intakes: list[_Intake], asking: BlockingChannel, tell: Tell) -> None:
    before, told, looked = -1, 0.0, 0.0
    since = asked = time.monotonic()
    while lacking := sum(intake.lacking() for intake in intakes):
        _turn(intakes, asking)
        now = time.monotonic()
        if now - told > 1:
            tell(f"{sum(intake.taken_in for intake in intakes)} facts, {lacking} streams still to come")
            told = now
        progress = sum(intake.taken_in for intake in intakes) - lacking
        if progress != before:
            before, since, asked = progress, now, now
        if now - looked > 1:
            looked = now
            for intake in intakes:
                intake.look_up()
        if now - since > PATIENCE_SECONDS:
            raise Stuck(f"{lacking} streams are not sent by their source; does its relay run?")
        if now - asked > ASK_AGAIN_SECONDS:
            asked = now
            for intake in intakes:
                intake.ask_again()


def _linger(intakes: list[_Intake], asking: BlockingChannel) -> None:
    until = time.monotonic() + LINGER_SECONDS
    while time.monotonic() < until:
        _turn(intakes, asking)
    for intake in intakes:
        intake.unbind()
    quiet = 0
    while quiet < 3:  # once is not proof: a delivery may be on its way between broker and threads
        _turn(intakes, asking)
        quiet = quiet + 1 if all(intake.is_empty() for intake in intakes) else 0


def _turn(intakes: Iterable[_Intake], asking: BlockingChannel) -> None:
    asking.connection.process_data_events(time_limit=0.02)
    for intake in intakes:
        intake.acknowledge()
