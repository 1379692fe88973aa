"""Proves a service's log: nothing missing, nothing doubled, every fact readable by the code of today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bson.int64 import Int64
from pydantic import ValidationError
from pymongo.read_concern import ReadConcern

from services.kernel.commit import Commit, StoredEvent, stream_of
from services.kernel.domain import ERASED
from services.kernel.platform import Platform

LISTED = 50
UNIQUE = ([("stream", 1), ("version", 1)], [("commit_id", 1)])


@dataclass(slots=True)
class Findings:
    """What was counted, and the first faults of all that were found."""

    service: str
    head: int = 0
    commits: int = 0
    events: int = 0
    streams: int = 0
    erased: int = 0
    faults: int = 0
    listed: list[str] = field(default_factory=list)

    def fault(self, what: str) -> None:
        """Something is wrong."""
        self.faults += 1
        if len(self.listed) < LISTED:
            self.listed.append(what)

    def to_wire(self) -> dict[str, Any]:
        """The JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


def verify(platform: Platform, tell: Callable[[int, int], None]) -> Findings:
    """Read the whole log up to where it ends now; `tell(position, head)` hears how far it got."""
    found = Findings(platform.definition.name, head=platform.store.head())
    _indexes(platform, found)
    _commits(platform, found, tell)
    _commit_ids(platform, found)
    return found


def _indexes(platform: Platform, found: Findings) -> None:
    if found.head == 0:
        return
    present = [index["key"] for index in platform.db["events"].index_information().values() if index.get("unique")]
    for keys in UNIQUE:
        if keys not in present:
            found.fault(f"the unique index on {', '.join(name for name, _ in keys)} is missing")


def _commits(platform: Platform, found: Findings, tell: Callable[[int, int], None]) -> None:
    log = platform.db.get_collection("events", read_concern=ReadConcern("majority"))
    following: dict[str, int] = {}
    expected = 1
    for row in log.find({"_id": {"$lte": Int64(found.head)}}).sort("_id", 1).batch_size(1000):
        position = int(row["_id"])
        if position != expected:
            found.fault(f"position {expected} is missing: {position} follows {expected - 1}")
        expected = position + 1
        found.commits += 1
        try:
            commit = Commit.from_document(row)
        except (KeyError, TypeError, AttributeError) as broken:
            found.fault(f"position {position} is no commit: {_why(broken)}")
            continue
        _shape(commit, row, found)
        version = following.get(commit.stream, 1)
        if commit.version != version:
            found.fault(
                f"position {position}: {commit.stream} goes on with version {commit.version}, not with {version}"
            )
        following[commit.stream] = commit.last_version + 1
        for index, stored in enumerate(commit.events):
            _fact(platform, commit, index, stored, found)
        if found.commits % 1000 == 0:
            tell(position, found.head)
    if expected <= found.head:
        found.fault(f"positions {expected} to {found.head} are missing")
    found.streams = len(following)
    tell(found.head, found.head)


def _shape(commit: Commit, row: Mapping[str, Any], found: Findings) -> None:
    if not commit.events or row.get("next") != commit.last_version + 1:
        found.fault(f"position {commit.position}: versions and number of facts do not agree")
    if not commit.stream.startswith(stream_of(commit.category, commit.tenant, "")):
        found.fault(f"position {commit.position}: {commit.stream} is not of its category and account")


def _fact(platform: Platform, commit: Commit, index: int, stored: StoredEvent, found: Findings) -> None:
    found.events += 1
    try:
        event = platform.registry.decode(
            stored,
            category=commit.category,
            stream=commit.stream,
            version=commit.version + index,
            tenant=commit.tenant,
            keyring=platform.keyring,
        )
    except Exception as broken:
        found.fault(f"position {commit.position}.{index}: {stored.type} v{stored.v} cannot be read: {_why(broken)}")
        return
    if any(getattr(event, name) is ERASED for name in type(event).model_fields):
        found.erased += 1


def _commit_ids(platform: Platform, found: Findings) -> None:
    # In the order of the index that ought to be unique, a double stands beside its original.
    rows = platform.db["events"].find({"_id": {"$lte": Int64(found.head)}}, {"commit_id": 1, "_id": 1})
    previous = None
    for row in rows.sort("commit_id", 1).allow_disk_use(True):
        if row.get("commit_id") == previous:
            found.fault(f"position {row['_id']}: commit id {previous} is there twice")
        previous = row.get("commit_id")


def _why(broken: Exception) -> str:
    """The kind of error and the fields concerned; never a value, which may be personal."""
    if isinstance(broken, ValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in broken.errors(include_input=False))
    return f"{type(broken).__name__} {broken if isinstance(broken, LookupError) else ''}".strip()
