"""Facts as they happen, to those who listen over HTTP: each account its own, in order, with a short memory."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from gateway.caches import LruCache
from gateway.frames import Frame, Memory, frame_of
from gateway.principals import Principal
from services.kernel import logging
from services.kernel.broker import EVENTS, AsyncBroker, BrokerLost

REMEMBERED_TENANTS = 1_000
WAITING_EVENTS = 256
LINGER_SECONDS = 120.0
STREAMS_PER_ACTOR = 8

log = logging.get(__name__)


class Listener:
    """One open stream. A reader too slow for the facts is dropped: it resumes from its last id, or starts over."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self.is_lost = False
        self._waiting: asyncio.Queue[Frame] = asyncio.Queue(WAITING_EVENTS)

    def offer(self, frame: Frame) -> None:
        """Queue the fact, if this reader may see it."""
        if frame.permission not in self.principal.permissions:
            return
        try:
            self._waiting.put_nowait(frame)
        except asyncio.QueueFull:
            self.is_lost = True

    async def next(self, timeout: float) -> Frame | None:
        """The next fact, or None after `timeout` seconds without one."""
        try:
            return self._waiting.get_nowait()
        except asyncio.QueueEmpty:
            pass
        try:
            return await asyncio.wait_for(self._waiting.get(), timeout)
        except TimeoutError:
            return None


class LiveFeed:
    """Hands each tenant's facts to that tenant's listeners.

    The broker is asked for facts only while somebody listens, and a little longer, so that a reader
    who reconnects can resume. After a gap (the connection broke) nothing is remembered, and every
    stream is ended: its reader comes back, is told to start over, and misses nothing unknowingly.
    """

    def __init__(self) -> None:
        self._listeners: dict[str, set[Listener]] = {}
        self._memory: LruCache[str, Memory] = LruCache(REMEMBERED_TENANTS)
        self._broker: AsyncBroker | None = None
        self._consumer: str | None = None
        self._starting = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None

    async def connected(self, broker: AsyncBroker) -> None:
        """Facts can be had; consuming starts with the first listener."""
        self._broker = broker

    def disconnected(self) -> None:
        """End every stream and forget: what passes now is not seen here."""
        self._broker, self._consumer = None, None
        self._memory = LruCache(REMEMBERED_TENANTS)
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.is_lost = True

    def streams_of(self, principal: Principal) -> int:
        """How many streams this person has open here."""
        return sum(
            listener.principal.actor == principal.actor for listener in self._listeners.get(principal.tenant, ())
        )

    async def join(self, principal: Principal, last_id: str | None) -> tuple[Listener, list[Frame] | None]:
        """Listen from now on. With it comes what was missed since `last_id`, or None when that is not known.

        Raises BrokerLost when facts cannot be had now.
        """
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        async with self._starting:
            if self._consumer is None:
                await self._consume()
        memory = self._memory.get(principal.tenant)
        if memory is None:
            memory = Memory()
            self._memory.put(principal.tenant, memory)
        missed = memory.after(last_id) if last_id else []
        listener = Listener(principal)
        self._listeners.setdefault(principal.tenant, set()).add(listener)
        if missed is not None:
            missed = [frame for frame in missed if frame.permission in principal.permissions]
        return listener, missed

    def leave(self, listener: Listener) -> None:
        """Stop listening."""
        tenant = listener.principal.tenant
        listeners = self._listeners.get(tenant, set())
        listeners.discard(listener)
        if not listeners:
            self._listeners.pop(tenant, None)
        if not self._listeners and self._idle is None:
            self._idle = asyncio.get_running_loop().call_later(LINGER_SECONDS, self._stop)

    async def _consume(self) -> None:
        broker = self._broker
        if broker is None:
            raise BrokerLost("not connected")
        channel = broker.channel
        declared = await broker.call(
            channel.queue_declare,
            queue="",
            exclusive=True,
            auto_delete=True,
            arguments={"x-max-length": 20_000, "x-overflow": "drop-head"},
        )
        queue = declared.method.queue
        await broker.call(channel.queue_bind, queue=queue, exchange=EVENTS, routing_key="#")
        consuming = await broker.call(
            channel.basic_consume, queue=queue, on_message_callback=self._on_message, auto_ack=True, exclusive=True
        )
        self._consumer = consuming.method.consumer_tag

    def _stop(self) -> None:
        self._idle = None
        if self._listeners or self._broker is None or self._consumer is None:
            return
        consumer, self._consumer = self._consumer, None
        self._memory = LruCache(REMEMBERED_TENANTS)
        try:
            self._broker.channel.basic_cancel(consumer)
        except BrokerLost:
            return

    def _on_message(self, _channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        try:
            message = orjson.loads(body)
            memory = self._memory.get(message["tenant"])
            if memory is None:
                return
            frame = frame_of(method.routing_key.rpartition(".")[0], message)
        except (ValueError, KeyError, IndexError, TypeError) as why:
            log.error("fact_unreadable", key=method.routing_key, why=repr(why))
            return
        if memory.add(frame):
            for listener in self._listeners.get(message["tenant"], ()):
                listener.offer(frame)
