"""Requests to the services over the broker: many at once on one connection, each with its own deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pika
import uuid_utils
from pika.channel import Channel
from pika.spec import Basic

from gateway.lines import Line, Waiting
from services.kernel import logging, rpc
from services.kernel.broker import AsyncBroker

log = logging.get(__name__)


class ServiceUnavailable(Exception):
    """Nobody can take the request now: no connection, or no such service is running."""


class ServiceTimeout(Exception):
    """No answer within the deadline. Whether the request took effect is unknown."""


class Overloaded(Exception):
    """Too many requests to this service are under way already."""


class _Peer:
    """One service: so many calls may be under way to it, and they travel together."""

    def __init__(self, in_flight: int, line: Line) -> None:
        self.places = asyncio.Semaphore(in_flight)
        self.line = line


class _Message:
    """Calls that were sent together; their line is told of the first that needs no answer any more."""

    def __init__(self, line: Line) -> None:
        self._line: Line | None = line

    def answered(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.answered()


class _Asked:
    """A call without an answer yet."""

    def __init__(self) -> None:
        self.reply: asyncio.Future[rpc.Reply] = asyncio.get_running_loop().create_future()
        self.message: _Message | None = None

    def settle(self, reply: rpc.Reply) -> None:
        if not self.reply.done():
            self.reply.set_result(reply)

    def fail(self, why: Exception) -> None:
        if not self.reply.done():
            self.reply.set_exception(why)

    def over(self) -> None:
        """Nobody waits any more, whether an answer came or not."""
        if self.message is not None:
            self.message.answered()


class RpcClient:
    """Calls the services in the platform's wire format.

    One reply queue serves all calls; a reply finds its waiting future by the call's id. A message is
    published `mandatory`, so that a missing service is known at once, and expires in the queue with its
    callers' patience. When the connection breaks, every waiting call fails immediately: the answer could
    only come on a queue that no longer exists. Each service has its own bound on calls under way, so that
    one that hangs cannot hold up the others.
    """

    def __init__(self, *, timeout: float, in_flight: int, wait: float) -> None:
        self._timeout = timeout
        self._in_flight = in_flight
        self._wait = wait
        self._peers: dict[str, _Peer] = {}
        self._asked: dict[str, _Asked] = {}
        self._channel: Channel | None = None
        self._reply_to = ""
        self._blocked = False

    async def connected(self, broker: AsyncBroker) -> None:
        """Open the reply queue of this connection."""
        channel = broker.channel
        queue = rpc.reply_queue("gateway", uuid_utils.uuid4().hex)
        await broker.call(channel.queue_declare, queue=queue, exclusive=True, auto_delete=True)
        await broker.call(
            channel.basic_consume, queue=queue, on_message_callback=self._on_replies, auto_ack=True, exclusive=True
        )
        channel.add_on_return_callback(self._on_returned)
        channel.connection.add_on_connection_blocked_callback(self._on_blocked)
        channel.connection.add_on_connection_unblocked_callback(self._on_unblocked)
        self._channel, self._reply_to, self._blocked = channel, queue, False

    def disconnected(self) -> None:
        """Fail every call under way."""
        self._channel = None
        asked, self._asked = self._asked, {}
        for one in asked.values():
            one.fail(ServiceUnavailable("connection lost"))
        for peer in self._peers.values():
            peer.line.drop()

    async def call(
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, Any],
        *,
        timeout: float | None = None,
        traceparent: str = "",
    ) -> Any:
        """The service's answer.

        Raises RemoteError with what the service raised; ServiceUnavailable, Overloaded (certainly without
        effect, except when the connection broke on the way) or ServiceTimeout (effect unknown).
        """
        peer = self._peers.get(service)
        if peer is None:
            peer = self._peers[service] = _Peer(self._in_flight, Line(partial(self._send, service)))
        if peer.places.locked():
            try:
                await asyncio.wait_for(peer.places.acquire(), self._wait)
            except TimeoutError:
                raise Overloaded(service) from None
        else:
            await peer.places.acquire()
        try:
            reply = await self._ask(service, peer.line, method, kwargs, timeout or self._timeout, traceparent)
        finally:
            peer.places.release()
        return reply.answer()

    async def _ask(
        self, service: str, line: Line, method: str, kwargs: Mapping[str, Any], patience: float, traceparent: str
    ) -> rpc.Reply:
        self._open_channel()
        call = rpc.Call(rpc.new_call_id(), method, kwargs, traceparent)
        waiting = Waiting(call.id, rpc.encode_call(call), patience)
        asked = self._asked[call.id] = _Asked()
        deadline = asyncio.get_running_loop().call_later(patience, asked.fail, ServiceTimeout(service))
        try:
            line.put(waiting)
            return await asked.reply
        finally:
            deadline.cancel()
            self._asked.pop(call.id, None)
            asked.over()

    def _open_channel(self) -> Channel:
        if self._channel is None or self._blocked or not self._channel.is_open:
            raise ServiceUnavailable("no connection to the broker")
        return self._channel

    def _send(self, service: str, calls: Sequence[Waiting]) -> None:
        message = _Message(self._peers[service].line)
        wanted = [(call, asked) for call in calls if (asked := self._asked.get(call.id)) is not None]
        for _, asked in wanted:
            asked.message = message
        try:
            channel = self._open_channel()
            if not wanted:
                raise ServiceUnavailable("nobody waits for it")
        except ServiceUnavailable as gone:
            message.answered()
            for _, asked in wanted:
                asked.fail(gone)
            return
        channel.basic_publish(
            "",
            rpc.call_queue(service),
            rpc.encode_calls(call.encoded for call, _ in wanted),
            pika.BasicProperties(
                content_type=rpc.CONTENT_TYPE,
                delivery_mode=1,
                reply_to=self._reply_to,
                expiration=str(int(max(call.patience for call, _ in wanted) * 1000)),
            ),
            mandatory=True,
        )

    def _on_replies(self, _channel: Channel, _method: Any, _properties: pika.BasicProperties, body: bytes) -> None:
        try:
            replies = rpc.decode_replies(body)
        except rpc.Malformed as unreadable:
            log.error("replies_unreadable", why=str(unreadable))
            return
        for reply in replies:
            if (asked := self._asked.get(reply.id)) is not None:
                asked.settle(reply)

    def _on_returned(
        self, _channel: Channel, method: Basic.Return, _properties: pika.BasicProperties, body: bytes
    ) -> None:
        for call in rpc.decode_calls(body):
            if (asked := self._asked.get(call.id)) is not None:
                asked.fail(ServiceUnavailable(f"nobody serves {method.routing_key}"))

    def _on_blocked(self, _connection: Any, method: Any) -> None:
        # The broker is short of memory or disk: what is published now would wait unseen until it expires.
        self._blocked = True
        log.warning("broker_blocked", why=str(getattr(method.method, "reason", "")))

    def _on_unblocked(self, _connection: Any, _method: Any) -> None:
        self._blocked = False
        log.info("broker_unblocked")
