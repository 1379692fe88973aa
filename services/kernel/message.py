"""The form in which a fact travels to other services: a CloudEvents 1.0 message of ids and open facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from services.kernel.commit import Commit, Recorded

CONTENT_TYPE = "application/cloudevents+json"
_PREFIX = "co.checkop"


class Incoming(BaseModel):
    """Another service's fact as this service reads it: only the fields it needs, everything else ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Unreadable(Exception):
    """The bytes are no message of ours."""


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
    """The fact in a message; `event` is read with its model in `models` ("*": any type), or None without.

    Raises Unreadable when the bytes are not such a message or a model does not accept its data.
    """
    try:
        message: dict[str, Any] = orjson.loads(body)
        prefix, service, name, v = message["type"].rsplit(".", 3)
        _, position, index = message["id"].split(":")
        if prefix != _PREFIX:
            raise Unreadable(message["type"])
        model = (models or {}).get(name) or (models or {}).get("*")
        return Recorded(
            service=service,
            position=int(position),
            index=int(index),
            stream=message["subject"],
            category=message["category"],
            version=message["streamversion"],
            tenant=message["tenant"],
            actor=message["actor"],
            at=datetime.fromisoformat(message["time"]),
            type=name,
            v=int(v.removeprefix("v")),
            origin=message["origin"],
            correlation_id=message["correlationid"],
            causation_id=message["causationid"],
            data=message["data"],
            event=model.model_validate(message["data"]) if model else None,
        )
    except Unreadable:
        raise
    except Exception as broken:
        raise Unreadable(str(broken)) from broken
