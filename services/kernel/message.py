"""The form in which a fact travels to other services: a CloudEvents 1.0 message of ids and open facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, PositiveInt

from services.kernel.commit import Commit, Recorded

CONTENT_TYPE = "application/cloudevents+json"
_PREFIX = "co.checkop"


class Incoming(BaseModel):
    """Another service's fact as this service reads it: only the fields it needs, everything else ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Unreadable(Exception):
    """The bytes are no message of ours."""


class _Message(BaseModel):
    """The fields of a message that are read, with their types; whoever follows relies on them."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    id: str
    type: str
    subject: str
    time: AwareDatetime
    data: dict[str, Any]
    tenant: str
    category: str
    streamversion: PositiveInt
    actor: str
    origin: str | None
    correlationid: str
    causationid: str


def type_of(service: str, event: str, version: int) -> str:
    """The CloudEvents type of an event: reverse-DNS, with the version of its form."""
    return f"{_PREFIX}.{service}.{event}.v{version}"


def outgoing(service: str, commit: Commit) -> Iterable[tuple[str, str, bytes]]:
    """Routing key, message id and body of every fact of a commit. Sealed fields stay at home."""
    for index, stored in enumerate(commit.events):
        message_id = f"{service}:{commit.position}:{index}"
        body = orjson.dumps(
            {
                "specversion": "1.0",
                "id": message_id,
                "source": f"checkop/{service}",
                "type": type_of(service, stored.type, stored.v),
                "subject": commit.stream,
                "time": commit.at,
                "datacontenttype": "application/json",
                "data": stored.data,
                "tenant": commit.tenant,
                "category": commit.category,
                "streamversion": commit.version + index,
                "position": commit.position,
                "actor": commit.actor,
                "origin": commit.origin,
                "correlationid": commit.correlation_id,
                "causationid": commit.causation_id,
            }
        )
        yield f"{service}.{commit.category}.{stored.type}", message_id, body


def incoming(body: bytes, models: Mapping[str, type[Incoming]] | None = None) -> Recorded:
    """The fact in a message; with `models`, its `event` as `typed` gives it.

    Raises Unreadable when the bytes are not such a message or a model does not accept its data.
    """
    try:
        message = _Message.model_validate_json(body)
        prefix, service, name, v = message.type.rsplit(".", 3)
        _, position, index = message.id.split(":")
        if prefix != _PREFIX:
            raise Unreadable(message.type)
        fact = Recorded(
            service=service,
            position=int(position),
            index=int(index),
            stream=message.subject,
            category=message.category,
            version=message.streamversion,
            tenant=message.tenant,
            actor=message.actor,
            at=message.time,
            type=name,
            v=int(v.removeprefix("v")),
            origin=message.origin,
            correlation_id=message.correlationid,
            causation_id=message.causationid,
            data=message.data,
        )
        return typed(fact, models) if models else fact
    except ValueError as broken:  # pydantic's refusal is one, too
        raise Unreadable(str(broken)) from broken


def typed(fact: Recorded, models: Mapping[str, type[Incoming]]) -> Recorded:
    """The fact with `event` read by its model in `models` ("*": any type); None where the type is of no interest.

    Raises pydantic's ValidationError when the model does not accept the data.
    """
    model = models.get(fact.type) or models.get("*")
    return replace(fact, event=model.model_validate(fact.data) if model else None)
