"""A worker's questions to other services: for what only they may keep, at the moment when it is needed.

Never a command, and never on the hub: whoever asks waits, and can come again later.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pika
import pika.exceptions

from services.kernel import rpc
from services.kernel.commit import Caller
from services.kernel.domain import Rejected

PATIENCE = 10.0
_LOST = (pika.exceptions.AMQPError, OSError)


class PeerAway(OSError):
    """There was no answer: the broker or the service is away, or takes too long."""


class Peers:
    """Asks in the services' own wire format; each question has a connection and a queue of its own."""

    def __init__(self, amqp_url: str, patience: float = PATIENCE) -> None:
        self._parameters = pika.URLParameters(amqp_url)
        self._parameters.socket_timeout = self._parameters.blocked_connection_timeout = patience
        self._patience = patience

    def query(self, service: str, query: str, params: Mapping[str, Any], *, tenant: str, by: str) -> dict[str, Any]:
        """The service's answer. Raises PeerAway, which is worth another attempt, or Rejected."""
        caller = Caller(tenant=tenant, actor=f"system:{by}", role="system")
        asked = {"query": query, "params": params, "caller": caller.to_wire(), "at_least": None}
        try:
            reply = self._ask(service, rpc.Call(rpc.new_call_id(), rpc.QUERY, asked))
        except _LOST as lost:
            raise PeerAway(f"{service} was not asked: {lost!r}") from lost
        try:
            answer: dict[str, Any] = reply.answer()
        except rpc.RemoteError as raised:
            if raised.rejection is None:
                raise PeerAway(f"{service} could not answer: {raised.exc_type}") from raised
            code, facts = raised.rejection
            raise Rejected(code, **facts) from raised
        return answer

    def _ask(self, service: str, call: rpc.Call) -> rpc.Reply:
        with pika.BlockingConnection(self._parameters) as connection:
            channel = connection.channel()
            channel.confirm_delivery()  # so that a service that is not there is known at once
            queue = rpc.reply_queue("worker", call.id)
            channel.queue_declare(queue, exclusive=True, auto_delete=True)
            properties = pika.BasicProperties(
                content_type=rpc.CONTENT_TYPE, reply_to=queue, expiration=str(int(self._patience * 1000))
            )
            body = rpc.encode_calls([rpc.encode_call(call)])
            channel.basic_publish("", rpc.call_queue(service), body, properties, mandatory=True)
            for _, _, replies in channel.consume(queue, auto_ack=True, inactivity_timeout=self._patience):
                if replies is None:
                    break
                (reply,) = rpc.decode_replies(bytes(replies))
                return reply
        raise PeerAway(f"{service} did not answer in time")
