"""A client as the gateway is one: it asks over the broker, and asks the same again when no answer comes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pika
import pika.exceptions

from services.kernel import rpc
from services.kernel.clock import new_id
from services.kernel.commit import Caller

Answer = dict[str, Any]
LOST = (pika.exceptions.AMQPError, OSError, AssertionError)


class NoAnswer(Exception):
    """Nothing came in time, or the connection is gone."""


@dataclass
class Client:
    """Asks one service; `ledger` holds what was acknowledged, outside of the system that is tried."""

    amqp_url: str
    service: str
    caller: Caller
    ledger: dict[str, Answer] = field(default_factory=dict)
    timeout: float = 3.0
    _connection: Any = None
    _channel: Any = None
    _queue: str = ""

    def execute(self, command: str, data: Mapping[str, Any], command_id: str, patience: float = 60.0) -> Answer:
        """Ask until there is an answer, always under the same id; answers it and notes it in the ledger."""
        until = time.monotonic() + patience
        while True:
            try:
                answer: Answer = self.ask(
                    rpc.EXECUTE, command=command, data=data, caller=self.caller.to_wire(), command_id=command_id
                )
                self.ledger[command_id] = answer
                return answer
            except rpc.RemoteError as raised:
                if raised.rejection is not None:
                    return {"rejected": raised.rejection[0]}
                trouble: Exception = raised
            except NoAnswer as nothing:
                trouble = nothing
            if time.monotonic() > until:
                raise trouble
            time.sleep(0.05)

    def ask(self, method: str, **arguments: Any) -> Any:
        """Once; raises NoAnswer or RemoteError."""
        try:
            channel = self._open()
            call = rpc.Call(new_id(), method, arguments)
            channel.basic_publish(
                "",
                rpc.call_queue(self.service),
                rpc.encode_calls([rpc.encode_call(call)]),
                pika.BasicProperties(
                    content_type=rpc.CONTENT_TYPE,
                    reply_to=self._queue,
                    expiration=str(int(self.timeout * 1000)),
                ),
            )
            for _, _, body in channel.consume(self._queue, auto_ack=True, inactivity_timeout=self.timeout):
                if body is None:
                    raise NoAnswer(self.service)
                for reply in rpc.decode_replies(body):
                    if reply.id == call.id:
                        return reply.answer()
        except LOST as lost:
            self.close()
            raise NoAnswer(repr(lost)) from lost
        raise NoAnswer(self.service)

    def close(self) -> None:
        """Let go of the connection, whatever state it is in."""
        connection, self._connection, self._channel = self._connection, None, None
        try:
            if connection is not None:
                connection.close()
        except LOST:
            pass

    def _open(self) -> Any:
        if self._channel is None:
            parameters = pika.URLParameters(self.amqp_url)
            parameters.socket_timeout = parameters.blocked_connection_timeout = 5
            self._connection = pika.BlockingConnection(parameters)
            self._channel = self._connection.channel()
            self._queue = f"test.reply.{new_id()}"
            self._channel.queue_declare(self._queue, exclusive=True, auto_delete=True)
        return self._channel
