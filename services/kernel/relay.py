"""Tells the world what the log says: reads on from its checkpoint, publishes, moves it after the confirms."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from datetime import datetime
from typing import Any

import orjson
import pika
from pymongo.database import Database
from pymongo.read_concern import ReadConcern

from services.kernel import broker, faults, logging, message
from services.kernel.clock import Clock
from services.kernel.commit import Commit
from services.kernel.store import MongoCommitStore
from services.kernel.tail import Pace

BATCH = 500
MOST_UNCONFIRMED = 2_000
CHECKPOINT_SECONDS = 0.05
GATHERING = 0.004
LONGEST_GATHERING = 0.025
log = logging.get(__name__)


class Checkpoint:
    """How far this service's log has been told; only ever moves forward."""

    def __init__(self, db: Database[dict[str, Any]]) -> None:
        self._rows = db.get_collection("checkpoints", read_concern=ReadConcern("majority"))

    def read(self) -> int:
        """The last position known to be published."""
        row = self._rows.find_one({"_id": "relay"})
        return int(row["position"]) if row else 0

    def move(self, position: int, at: datetime) -> None:
        """Everything up to `position` is confirmed. Two relays at once cannot move it back."""
        self._rows.update_one({"_id": "relay"}, {"$max": {"position": position}, "$set": {"at": at}}, upsert=True)


class Relay:
    """Publishes every fact of one service, in order, at least once.

    A crash between confirms and checkpoint repeats messages, which consumers drop; the other order
    would lose them. Several relays at once only repeat, too, so none needs to be elected.
    """

    def __init__(
        self, service: str, store: MongoCommitStore, checkpoint: Checkpoint, amqp_url: str, clock: Clock
    ) -> None:
        self._service = service
        self._store = store
        self._checkpoint = checkpoint
        self._url = amqp_url
        self._clock = clock
        self._stop = threading.Event()

    def stop(self) -> None:
        """End after the batch in hand."""
        self._stop.set()

    async def run(self) -> None:
        """Publish until stopped; a lost broker or database is waited for, with a growing pause."""
        pause = 0.2
        while not self._stop.is_set():
            link = broker.AsyncBroker(self._url, name=f"relay.{self._service}")
            try:
                await link.connect()
                await link.declare(broker.EXCHANGES, (*broker.STRAYS, broker.replay_queue(self._service)))
                replays = ReplayDesk(self._service, self._store, link)
                await replays.open()
                pause = 0.2
                await self._tell(link, replays)
            except Exception as lost:  # whatever broke, the checkpoint tells where to go on
                log.warning("relay.interrupted", service=self._service, why=repr(lost), retry_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            finally:
                link.close()

    async def _tell(self, link: broker.AsyncBroker, replays: ReplayDesk) -> None:
        position = await asyncio.to_thread(self._checkpoint.read)
        ahead = asyncio.create_task(self._read(position))
        told = _Told()
        helpers = [asyncio.create_task(self._follow_up(link, told)), asyncio.create_task(replays.serve())]
        pace, beat_at = Pace(), 0.0
        try:
            while not self._stop.is_set():
                commits = await ahead
                for helper in helpers:
                    if helper.done():
                        helper.result()
                if commits:
                    position = commits[-1].position
                    # The next batch is read while this one is published and confirmed; behind the end of the
                    # log there is none yet, and a moment's rest lets a few gather: the longer, the faster they come.
                    rest = 0.0 if len(commits) == BATCH else min(GATHERING * len(commits), LONGEST_GATHERING)
                    ahead = asyncio.create_task(self._read(position, rest))
                    faults.reached("relay.before_publish")
                    publish(link, self._service, commits)
                    told.add(position, link.published)
                now = asyncio.get_running_loop().time()
                if now >= beat_at:
                    self._beat(link, position)
                    beat_at = now + broker.HEARTBEAT_SECONDS
                await link.settle(link.published - MOST_UNCONFIRMED)
                pause = pace.pause(bool(commits))
                if not commits:
                    await asyncio.sleep(pause)
                    ahead = asyncio.create_task(self._read(position))
            await link.settle()
            await asyncio.to_thread(self._checkpoint.move, position, self._clock.now())
        finally:
            for task in (ahead, *helpers):
                task.cancel()

    async def _follow_up(self, link: broker.AsyncBroker, told: _Told) -> None:
        """Move the checkpoint behind the confirms, in one step over all that have come."""
        while True:
            await link.settle(await told.first())
            position = told.confirmed(link.confirmed)
            faults.reached("relay.after_publish_before_checkpoint")
            await asyncio.to_thread(self._checkpoint.move, position, self._clock.now())
            faults.reached("relay.after_checkpoint")
            # Whoever starts again in between repeats a little, which consumers drop.
            await asyncio.sleep(CHECKPOINT_SECONDS)

    async def _read(self, position: int, rest: float = 0.0) -> list[Commit]:
        await asyncio.sleep(rest)
        return await asyncio.to_thread(self._store.after, position, BATCH)

    def _beat(self, link: broker.AsyncBroker, position: int) -> None:
        """Say "alive, and told up to here", on the same channel, so that order against the facts holds."""
        body = orjson.dumps({"service": self._service, "position": position, "at": self._clock.now()})
        link.publish(broker.HEARTBEATS, self._service, body, pika.BasicProperties(content_type="application/json"))


class _Told:
    """What has been published and is not behind the checkpoint yet: positions, each with its last message."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, int]] = deque()
        self._more = asyncio.Event()

    def add(self, position: int, last_message: int) -> None:
        """Everything up to `position` was published, ending with that message."""
        self._waiting.append((position, last_message))
        self._more.set()

    async def first(self) -> int:
        """The last message of the oldest batch; waits until there is one."""
        while not self._waiting:
            self._more.clear()
            await self._more.wait()
        return self._waiting[0][1]

    def confirmed(self, messages: int) -> int:
        """Take out what that many confirms cover; answers the last position of it."""
        position = 0
        while self._waiting and self._waiting[0][1] <= messages:
            position, _ = self._waiting.popleft()
        return position


class ReplayDesk:
    """Sends parts of the history again, straight to the one queue that asked for it."""

    def __init__(self, service: str, store: MongoCommitStore, link: broker.AsyncBroker) -> None:
        self._service = service
        self._store = store
        self._link = link
        self._asked: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()

    async def open(self) -> None:
        """Listen for requests."""
        await self._link.call(self._link.channel.basic_qos, prefetch_count=10)
        self._link.channel.basic_consume(
            broker.replay_queue(self._service).name,
            lambda _channel, method, _properties, body: self._asked.put_nowait((method.delivery_tag, body)),
        )

    async def serve(self) -> None:
        """Answer requests one after the other, beside the telling of new facts, until cancelled.

        A request is acknowledged after its last message is confirmed; each batch waits for its confirms,
        so that a long history does not crowd out what happens now.
        """
        while True:
            tag, body = await self._asked.get()
            request = _understood(body)
            if request is None:
                log.error("relay.replay_unreadable", service=self._service, bytes=len(body))
                self._link.channel.basic_ack(tag)
                continue
            log.info("relay.replay", service=self._service, **request)
            async for commits in self._history(request):
                publish(self._link, self._service, commits, to_queue=request["queue"])
                await self._link.settle(self._link.published)
            faults.reached("relay.after_replay_before_ack")
            self._link.channel.basic_ack(tag)

    async def _history(self, request: dict[str, Any]) -> Any:
        if stream := request.get("stream"):
            yield await asyncio.to_thread(self._store.of_streams, stream, request["from"])
            return
        position, until = request["from"] - 1, request.get("to")
        while commits := await asyncio.to_thread(self._store.after, position, BATCH):
            position = commits[-1].position
            wanted = [
                c
                for c in commits
                if (until is None or c.position <= until)
                and ("*" in request["categories"] or c.category in request["categories"])
            ]
            if wanted:
                yield wanted
            if until is not None and position >= until:
                return


def publish(link: broker.AsyncBroker, service: str, commits: list[Commit], *, to_queue: str | None = None) -> None:
    """Send every fact of the commits to the exchange of facts, or to one queue only."""
    properties = broker.event_properties("", message.CONTENT_TYPE)
    for commit in commits:
        for key, message_id, body in message.outgoing(service, commit):
            # One object for all: it is written out before the next message needs it.
            properties.message_id = message_id
            if to_queue is None:
                link.publish(broker.EVENTS, key, body, properties)
            else:
                link.publish("", to_queue, body, properties)


def _understood(body: bytes) -> dict[str, Any] | None:
    """What was asked for; None when the bytes are no such request."""
    try:
        asked: dict[str, Any] = orjson.loads(body)
        whole = isinstance(asked["queue"], str) and isinstance(asked["from"], int)
        return asked if whole and isinstance(asked["categories"], list) else None
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return None


def replay_request(
    queue: str, *, categories: tuple[str, ...] = (), stream: str = "", start: int = 1, to: int | None = None
) -> bytes:
    """What a consumer sends to a producer's replay queue: a range of positions, or one stream from a version."""
    return orjson.dumps({"queue": queue, "categories": categories, "stream": stream, "from": start, "to": to})
