"""Requests to the services over the broker: many at once on one connection, each with its own deadline."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping
from typing import Any

import pika
from pika.channel import Channel
from pika.spec import Basic

from services.kernel import logging, rpc
from services.kernel.broker import AsyncBroker

log = logging.get(__name__)


class ServiceUnavailable(Exception):
    """Nobody can take the request now: no connection, or no such service is running."""


class ServiceTimeout(Exception):
    """No answer within the deadline. Whether the request took effect is unknown."""


class Overloaded(Exception):
    """Too many requests to this service are under way already."""


class RpcClient:
    """Calls the services in nameko's wire format.

    One reply queue serves all calls; a reply finds its waiting future by correlation id. A request is
    published `mandatory`, so that a missing service is known at once, and expires in the queue with its
    caller's patience. When the connection breaks, every waiting call fails immediately: the answer could
    only come on a queue that no longer exists. Each service has its own bound on calls under way, so that
    one that hangs cannot hold up the others.
    """

    def __init__(self, *, timeout: float, in_flight: int, wait: float) -> None:
        self._timeout = timeout
        self._in_flight = in_flight
        self._wait = wait
        self._places: dict[str, asyncio.Semaphore] = {}
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._channel: Channel | None = None
        self._reply_to = ""
        self._blocked = False

    async def connected(self, broker: AsyncBroker) -> None:
        """Open the reply queue of this connection."""
        channel = broker.channel
        reply_to = str(uuid.uuid4())
        queue = rpc.reply_queue("gateway", reply_to)
        await broker.call(channel.queue_declare, queue=queue, exclusive=True, auto_delete=True)
        await broker.call(channel.queue_bind, queue=queue, exchange=rpc.EXCHANGE, routing_key=reply_to)
        await broker.call(
            channel.basic_consume, queue=queue, on_message_callback=self._on_reply, auto_ack=True, exclusive=True
        )
        channel.add_on_return_callback(self._on_returned)
        channel.connection.add_on_connection_blocked_callback(self._on_blocked)
        channel.connection.add_on_connection_unblocked_callback(self._on_unblocked)
        self._channel, self._reply_to, self._blocked = channel, reply_to, False

    def disconnected(self) -> None:
        """Fail every call under way."""
        self._channel = None
        waiting, self._waiting = self._waiting, {}
        for future in waiting.values():
            if not future.done():
                future.set_exception(ServiceUnavailable("connection lost"))

    async def call(
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, Any],
        *,
        timeout: float | None = None,
        correlation_id: str = "",
        traceparent: str = "",
    ) -> Any:
        """The service's answer.

        Raises RemoteError with what the service raised; ServiceUnavailable, Overloaded (certainly without
        effect, except when the connection broke on the way) or ServiceTimeout (effect unknown).
        """
        places = self._places.get(service)
        if places is None:
            places = self._places[service] = asyncio.Semaphore(self._in_flight)
        if places.locked():
            try:
                await asyncio.wait_for(places.acquire(), self._wait)
            except TimeoutError:
                raise Overloaded(service) from None
        else:
            await places.acquire()
        try:
            body = await self._ask(service, method, kwargs, timeout or self._timeout, correlation_id, traceparent)
        finally:
            places.release()
        return rpc.decode_reply(body)

    async def _ask(
        self,
        service: str,
        method: str,
        kwargs: Mapping[str, Any],
        timeout: float,
        correlation_id: str,
        traceparent: str,
    ) -> bytes:
        channel = self._channel
        if channel is None or self._blocked or not channel.is_open:
            raise ServiceUnavailable("no connection to the broker")
        loop = asyncio.get_running_loop()
        call_id = rpc.new_call_id()
        answer: asyncio.Future[bytes] = loop.create_future()
        self._waiting[call_id] = answer
        deadline = loop.call_later(timeout, _expire, answer, service)
        try:
            channel.basic_publish(
                rpc.EXCHANGE,
                rpc.routing_key(service, method),
                rpc.encode_request(kwargs),
                pika.BasicProperties(
                    content_type=rpc.CONTENT_TYPE,
                    content_encoding=rpc.CONTENT_ENCODING,
                    headers=rpc.headers(call_id, correlation_id=correlation_id, traceparent=traceparent),
                    delivery_mode=1,
                    correlation_id=call_id,
                    reply_to=self._reply_to,
                    expiration=str(int(timeout * 1000)),
                ),
                mandatory=True,
            )
            return await answer
        finally:
            deadline.cancel()
            self._waiting.pop(call_id, None)

    def _on_reply(self, _channel: Channel, _method: Any, properties: pika.BasicProperties, body: bytes) -> None:
        answer = self._waiting.get(properties.correlation_id or "")
        if answer is not None and not answer.done():
            answer.set_result(body)

    def _on_returned(
        self, _channel: Channel, method: Basic.Return, properties: pika.BasicProperties, _body: bytes
    ) -> None:
        answer = self._waiting.get(properties.correlation_id or "")
        if answer is not None and not answer.done():
            answer.set_exception(ServiceUnavailable(f"nobody serves {method.routing_key}"))

    def _on_blocked(self, _connection: Any, method: Any) -> None:
        # The broker is short of memory or disk: what is published now would wait unseen until it expires.
        self._blocked = True
        log.warning("broker_blocked", why=str(getattr(method.method, "reason", "")))

    def _on_unblocked(self, _connection: Any, _method: Any) -> None:
        self._blocked = False
        log.info("broker_unblocked")


def _expire(answer: asyncio.Future[bytes], service: str) -> None:
    if not answer.done():
        answer.set_exception(ServiceTimeout(service))
