"""A commit: the facts that one request added to one stream, stored as one document, for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import bson
import bson.errors
from bson.int64 import Int64

LARGEST_COMMIT = 8 * 1024 * 1024
PLATFORM = "platform"
"""The tenant of what belongs to no account yet: log-in names, anonymous callers."""


class VersionConflict(Exception):
    """Somebody else wrote to this stream after it was read: read again and decide again."""


class StoreUnavailable(Exception):
    """The database could not be reached in time; whether the commit landed is decided by its commit id."""


class NotStorable(ValueError):
    """The content is nothing a document can hold: a number beyond 64 bits, a name with a NUL, too much of it."""


def stream_of(category: str, tenant: str, id: str) -> str:
    """The name of one aggregate's stream; the category stands before the first dash."""
    return f"{category}-{tenant}-{id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, on whose behalf, and by which request; made by the gateway from a verified token."""

    tenant: str
    actor: str
    role: str = ""
    permissions: frozenset[str] = frozenset()
    session: str | None = None
    origin: str | None = None
    correlation_id: str = ""
    causation_id: str = ""

    def to_wire(self) -> dict[str, Any]:
        """The JSON form that travels with an RPC."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "permissions"} | {
            "permissions": sorted(self.permissions)
        }

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any]) -> Caller:
        """Read back what `to_wire` wrote; unknown fields are ignored. Raises KeyError without tenant or actor."""
        known = {name: wire[name] for name in cls.__slots__ if wire.get(name) is not None}
        known |= {"tenant": wire["tenant"], "actor": wire["actor"]}
        return cls(**known | {"permissions": frozenset(wire.get("permissions") or ())})


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One fact as it lies in the store: open fields in `data`, personal ones in `sealed` envelopes."""

    type: str
    v: int
    data: Mapping[str, Any]
    sealed: Sequence[Mapping[str, Any]] = ()

    def to_document(self) -> dict[str, Any]:
        """The MongoDB form."""
        document: dict[str, Any] = {"type": self.type, "v": self.v, "data": dict(self.data)}
        if self.sealed:
            document["sealed"] = [dict(envelope) for envelope in self.sealed]
        return document


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Facts added to `stream` from `version` on. `position` is 0 until the store has given it a place.

    `commit_id` names the request (a command, or a handler's reaction to an event): the store accepts
    it once. `digest` fingerprints the request's content so that the same id with other content is noticed.
    `at` is information for people; order comes from `position` alone.
    """

    stream: str
    category: str
    version: int
    commit_id: str
    tenant: str
    actor: str
    at: datetime
    events: tuple[StoredEvent, ...]
    digest: str = ""
    origin: str | None = None
    correlation_id: str = ""
    causation_id: str = ""
    position: int = 0

    @property
    def last_version(self) -> int:
        """The version of the last fact in this commit."""
        return self.version + len(self.events) - 1

    def placed(self, position: int) -> Commit:
        """The same commit with its place in the service's log."""
        return replace(self, position=position)

    def to_document(self) -> dict[str, Any]:
        """The MongoDB form; `_id` is the position."""
        return {
            "_id": Int64(self.position),
            "stream": self.stream,
            "category": self.category,
            "version": self.version,
            "next": self.last_version + 1,
            "commit_id": self.commit_id,
            "digest": self.digest,
            "tenant": self.tenant,
            "actor": self.actor,
            "origin": self.origin,
            "at": self.at,
            "correlation_id": self.correlation_id,
            "causation_id": self.causation_id,
            "events": [event.to_document() for event in self.events],
        }

    @classmethod
    def from_document(cls, doc: Mapping[str, Any]) -> Commit:
        """Read back what `to_document` wrote."""
        at = doc["at"]
        return cls(
            position=int(doc["_id"]),
            stream=doc["stream"],
            category=doc["category"],
            version=doc["version"],
            commit_id=doc["commit_id"],
            digest=doc["digest"],
            tenant=doc["tenant"],
            actor=doc["actor"],
            origin=doc["origin"],
            at=at if at.tzinfo else at.replace(tzinfo=UTC),
            correlation_id=doc["correlation_id"],
            causation_id=doc["causation_id"],
            events=tuple(StoredEvent(e["type"], e["v"], e["data"], tuple(e.get("sealed", ()))) for e in doc["events"]),
        )


def storable(commit: Commit) -> Commit:
    """The same commit, proven to fit into a document; raises NotStorable otherwise.

    Found out only at the insert, it would take the other commits of its batch down with it.
    """
    try:
        size = len(bson.encode(commit.to_document()))
    except (bson.errors.BSONError, OverflowError, UnicodeError) as unfit:
        raise NotStorable(str(unfit)[:200]) from unfit
    if size > LARGEST_COMMIT:
        raise NotStorable(f"{size} bytes in one commit")
    return commit


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One fact with its place and circumstances, as handlers and read models receive it.

    `event` is the typed own event, or for another service's fact the tolerant model of `incoming.py`
    (None where that service's type is of no interest here). `data` holds the open fields only.
    """

    service: str
    position: int
    index: int
    stream: str
    category: str
    version: int
    tenant: str
    actor: str
    at: datetime
    type: str
    v: int
    commit_id: str = ""
    origin: str | None = None
    correlation_id: str = ""
    causation_id: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    event: Any = None

    @property
    def id(self) -> str:
        """The fact's name across the platform: service, position, place in its commit."""
        return f"{self.service}:{self.position}:{self.index}"
