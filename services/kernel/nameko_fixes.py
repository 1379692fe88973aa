"""Four repairs of nameko 2.14.1, the last stable release; each says what happens without it."""

from __future__ import annotations

from typing import Any, ClassVar

import kombu.serialization
import orjson
from kombu.connection import Connection
from kombu.pools import producers
from nameko import constants, exceptions, rpc
from nameko.amqp import publish
from nameko.messaging import QueueConsumer


def apply() -> None:
    """Install the repairs in this process; before any container is made."""
    _survive_acks_on_dead_sockets()
    _private_transport_options()
    _plain_json()
    _light_replies()


def _survive_acks_on_dead_sockets() -> None:
    """An ack or requeue on a connection the broker has closed raises OSError, which nameko lets kill the process.

    Seen with a handler that computes for longer than the heartbeat: `ConnectionResetError` escapes
    `ack_message`, the container dies and the request is carried out twice. The broker delivers an
    unacknowledged message again in any case, so nothing is lost by going on.
    """
    for name in ("ack_message", "requeue_message"):
        original = getattr(QueueConsumer, name)

        def forgiving(self: Any, message: Any, _original: Any = original) -> None:
            try:
                _original(self, message)
            except OSError:
                return

        setattr(QueueConsumer, name, forgiving)


def _private_transport_options() -> None:
    """`Publisher` writes into a dict shared by all publishers of the class (`transport_options`); give each its own."""
    original = publish.Publisher.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        if self.transport_options is not None:
            self.transport_options = dict(self.transport_options)

    publish.Publisher.__init__ = init


def _plain_json() -> None:
    """Kombu's own JSON turns any `{"__type__", "__value__"}` of a client into Python objects, and back.

    Data from outside must stay data, so JSON is read and written by orjson, without extensions.
    """
    kombu.serialization.register(
        "json",
        lambda value: orjson.dumps(value, default=str).decode(),
        orjson.loads,
        content_type="application/json",
        content_encoding="utf-8",
    )
    # Details of a refusal keep their types; the stock version makes strings of numbers and of None.
    exceptions.safe_for_serialization = _jsonable


def _jsonable(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value, default=str))


def _light_replies() -> None:
    """A reply waits for no confirm and touches no disk: its caller has a time-out and asks again.

    Stock replies are persistent and cost one confirm's round trip each, which bounds a process to
    about 800 answers a second. And every one of them describes its connection anew to find the pool
    of open ones, which is a tenth of a short call's computing time; here the pool is remembered.
    """
    rpc.Responder.publisher_cls = _ReplyPublisher


class _ReplyPublisher:
    """Sends replies through one pool of producers for each broker."""

    _pools: ClassVar[dict[str, Any]] = {}

    def __init__(self, amqp_uri: str, ssl: Any = None, login_method: Any = None) -> None:
        if amqp_uri not in self._pools:
            options = {**constants.DEFAULT_TRANSPORT_OPTIONS, "confirm_publish": False}
            self._pools[amqp_uri] = producers[
                Connection(amqp_uri, ssl=ssl, login_method=login_method, transport_options=options)
            ]
        self._pool = self._pools[amqp_uri]

    def publish(self, payload: Any, **where: Any) -> None:
        with self._pool.acquire(block=True) as producer:
            producer.publish(
                payload,
                delivery_mode=constants.NON_PERSISTENT,
                retry=True,
                retry_policy=constants.DEFAULT_RETRY_POLICY,
                **where,
            )
