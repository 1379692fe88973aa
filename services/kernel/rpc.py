"""The wire format of a request to a service and of its reply, as nameko 2.14 writes and reads them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

EXCHANGE = "nameko-rpc"
EXCHANGE_TYPE = "topic"
"""Requests and replies share one durable exchange."""

CONTENT_TYPE = "application/json"
CONTENT_ENCODING = "utf-8"

EXECUTE = "execute"
QUERY = "query"
"""The only two methods a service has."""


class MalformedReply(Exception):
    """The answer is not what the wire format allows; the peer speaks another dialect."""


class RemoteError(Exception):
    """What a service raised instead of answering: the exception's name and its arguments."""

    def __init__(self, exc_type: str, arguments: tuple[Any, ...] = (), value: str = "", path: str = "") -> None:
        super().__init__(exc_type, value)
        self.exc_type = exc_type
        self.arguments = arguments
        self.value = value
        self.path = path

    @property
    def rejection(self) -> tuple[str, dict[str, Any]] | None:
        """Code and facts, when a rule of the domain refused; None for every other error."""
        if self.exc_type != "Rejected" or not self.arguments or not isinstance(self.arguments[0], str):
            return None
        return self.arguments[0], _facts(self.arguments[1] if len(self.arguments) > 1 else None)


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the service sees it: the method's arguments and the caller's context."""

    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)


def request_queue(service: str) -> str:
    """The queue from which all copies of a service take their requests."""
    return f"rpc-{service}"


def request_binding(service: str) -> str:
    """What that queue is bound with."""
    return f"{service}.*"


def routing_key(service: str, method: str) -> str:
    """Where a request to this method goes."""
    return f"{service}.{method}"


def reply_queue(client: str, id: str) -> str:
    """A queue for the replies to one client process; its routing key is `id`."""
    return f"rpc.reply-{client}-{id}"


def headers(call_id: str, **context: str) -> dict[str, Any]:
    """Message headers: the call's own id, and context that the service finds without its prefix."""
    made: dict[str, Any] = {"nameko.call_id_stack": [call_id]}
    for name, value in context.items():
        if value:
            made[f"nameko.{name}"] = value
    return made


def encode_request(kwargs: Mapping[str, Any]) -> bytes:
    """The body of a request with named arguments. Raises TypeError on what JSON cannot carry."""
    return orjson.dumps({"args": (), "kwargs": kwargs})


def decode_request(body: bytes) -> Request:
    """Read back what `encode_request` wrote."""
    message = orjson.loads(body)
    return Request(tuple(message["args"]), message["kwargs"])


def encode_result(result: Any) -> bytes:
    """The body of a reply that carries an answer."""
    return orjson.dumps({"result": result, "error": None})


def encode_error(error: RemoteError) -> bytes:
    """The body of a reply that carries an exception."""
    return orjson.dumps(
        {
            "result": None,
            "error": {
                "exc_type": error.exc_type,
                "exc_path": error.path,
                "exc_args": list(error.arguments),
                "value": error.value,
            },
        }
    )


def decode_reply(body: bytes) -> Any:
    """The answer in a reply. Raises RemoteError with what the service raised, MalformedReply on nonsense."""
    try:
        reply = orjson.loads(body)
        error = reply["error"]
        if error is None:
            return reply["result"]
        raised = RemoteError(
            str(error["exc_type"]),
            tuple(error.get("exc_args") or ()),
            str(error.get("value") or ""),
            str(error.get("exc_path") or ""),
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as problem:
        raise MalformedReply(str(problem)) from problem
    raise raised


def new_call_id() -> str:
    """An id that ties a reply to its request."""
    return uuid.uuid4().hex


def _facts(details: Any) -> dict[str, Any]:
    # nameko turns every leaf of an exception's arguments into a string; facts sent as one JSON
    # string keep their types.
    if isinstance(details, str):
        try:
            details = orjson.loads(details)
        except orjson.JSONDecodeError:
            return {}
    return dict(details) if isinstance(details, Mapping) else {}
