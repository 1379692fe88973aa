"""The wire format of calls to a service and of its replies: what is asked at the same moment shares a message."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import uuid_utils

CONTENT_TYPE = "application/json"

EXECUTE = "execute"
QUERY = "query"
"""The only two methods a service has."""


class Malformed(Exception):
    """The bytes are not what the wire format allows; the peer speaks another dialect."""


class RemoteError(Exception):
    """What a service raised instead of answering: the exception's name and its arguments."""

    def __init__(self, exc_type: str, arguments: tuple[Any, ...] = (), value: str = "") -> None:
        super().__init__(exc_type, value)
        self.exc_type = exc_type
        self.arguments = arguments
        self.value = value

    @property
    def rejection(self) -> tuple[str, dict[str, Any]] | None:
        """Code and facts, when a rule of the domain refused; None for every other error."""
        if self.exc_type != "Rejected" or not self.arguments or not isinstance(self.arguments[0], str):
            return None
        facts = self.arguments[1] if len(self.arguments) > 1 else None
        return self.arguments[0], dict(facts) if isinstance(facts, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Call:
    """One request as the service sees it: its id, the method, and the method's named arguments."""

    id: str
    method: str
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    traceparent: str = ""
    """The W3C trace context of whoever asked, for the log."""


@dataclass(frozen=True, slots=True)
class Reply:
    """The answer to one call, not yet opened."""

    id: str
    result: Any
    error: Mapping[str, Any] | None

    def answer(self) -> Any:
        """What the service answered. Raises RemoteError with what it raised."""
        if self.error is None:
            return self.result
        raise RemoteError(str(self.error["type"]), tuple(self.error["args"]), str(self.error["value"]))


def call_queue(service: str) -> str:
    """The queue from which all copies of a service take their calls; published to by its name."""
    return f"calls.{service}"


def reply_queue(client: str, id: str) -> str:
    """A queue for the replies to one connection of a client."""
    return f"replies.{client}.{id}"


def new_call_id() -> str:
    """An id that ties a reply to its call."""
    return uuid_utils.uuid4().hex


def encode_call(call: Call) -> bytes:
    """One call of a message. Raises TypeError on what JSON cannot carry."""
    return orjson.dumps(call)


def encode_calls(calls: Iterable[bytes]) -> bytes:
    """The body of a message with calls that were encoded one by one."""
    return b'{"calls":[%s]}' % b",".join(calls)


def decode_calls(body: bytes) -> list[Call]:
    """The calls in a message. Raises Malformed."""
    try:
        return [
            Call(str(one["id"]), str(one["method"]), dict(one["kwargs"]), str(one.get("traceparent", "")))
            for one in orjson.loads(body)["calls"]
        ]
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as problem:
        raise Malformed(repr(problem)) from problem


def encode_result(id: str, result: Any) -> bytes:
    """One reply that carries an answer. Raises TypeError on what JSON cannot carry."""
    return orjson.dumps({"id": id, "result": result, "error": None}, default=str)


def encode_error(id: str, error: Exception) -> bytes:
    """One reply that carries an exception: its name, its arguments where JSON can carry them, its text."""
    told = {"type": type(error).__name__, "args": error.args, "value": str(error)}
    if isinstance(error, RemoteError):
        told |= {"type": error.exc_type, "args": error.arguments}
    try:
        return orjson.dumps({"id": id, "result": None, "error": told}, default=str)
    except TypeError:  # text that is none; whoever waits is to hear at least what it was
        return orjson.dumps({"id": id, "result": None, "error": {"type": told["type"], "args": [], "value": ""}})


def encode_replies(replies: Iterable[bytes]) -> bytes:
    """The body of a message with replies that were encoded one by one."""
    return b'{"replies":[%s]}' % b",".join(replies)


def decode_replies(body: bytes) -> list[Reply]:
    """The replies in a message. Raises Malformed."""
    try:
        return [_reply(one) for one in orjson.loads(body)["replies"]]
    except (orjson.JSONDecodeError, KeyError, TypeError) as problem:
        raise Malformed(repr(problem)) from problem


def _reply(one: Mapping[str, Any]) -> Reply:
    error = one["error"]
    if error is not None and not (isinstance(error["args"], list) and "type" in error and "value" in error):
        raise TypeError("an error without name, arguments or text")
    return Reply(str(one["id"]), one["result"], error)
