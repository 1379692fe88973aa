"""The service's log in MongoDB: commits at positions 1, 2, 3, … without gaps; store, outbox and idempotency in one."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from bson.int64 import Int64
from pymongo import ASCENDING, MongoClient
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from services.kernel.appender import Appender, Taken, Unknown
from services.kernel.commit import Commit, NotStorable, StoreUnavailable, VersionConflict, storable
from services.kernel.together import Together

Document = dict[str, Any]
READERS = 2
"""Questions for streams that one process has under way at once; who comes meanwhile shares the next."""


class CommitStore(Protocol):
    """What every store of commits promises; one contract suite holds all of them to it."""

    def append(self, commit: Commit) -> Commit:
        """Store at the next position and answer the placed commit, durably and atomically.

        A commit id that is already stored answers the *stored* commit and adds nothing. Raises
        VersionConflict when the stream has moved on, StoreUnavailable when the deadline passes,
        NotStorable for content that no store could hold.
        """

    def load(self, stream: str) -> list[Commit]:
        """The stream's commits, oldest first."""

    def last(self, stream: str, up_to: int | None = None) -> Commit | None:
        """The stream's latest commit, or the latest that is no further on in the log than `up_to`."""

    def find(self, commit_id: str) -> Commit | None:
        """The durable commit of that id."""

    def after(self, position: int, limit: int) -> list[Commit]:
        """Up to `limit` durable commits that follow `position`, in order, contiguous."""

    def head(self) -> int:
        """The last durable position; 0 in an empty log."""


class GapInLog(Exception):
    """Positions were not contiguous: a bug, never a reason to wait."""


def contiguous(commits: Sequence[Commit], after: int) -> Sequence[Commit]:
    """The same commits, proven to be after+1, after+2, …; raises GapInLog otherwise.

    Every reader checks this. Ids that merely ascend hide commits that became visible late, and a
    final scan of the log would never show what a tailing reader skipped.
    """
    for expected, commit in enumerate(commits, start=after + 1):
        if commit.position != expected:
            raise GapInLog(f"expected position {expected}, read {commit.position}")
    return commits


class MongoCommitStore:
    """Commits in one MongoDB collection, one document each; `_id` is the position.

    Position n+1 can only be inserted after n was durable, and the unique `_id` turns every race into a
    retry, so there is no gap to wait for. One insert is atomic: no transaction is needed. Whatever is
    read here is read with concern `majority`: a number learned from a write that a failover takes back
    would leave a hole.
    """

    def __init__(self, db: Database[Document], *, deadline: float = 20.0) -> None:
        majority = ReadConcern("majority")
        self._written: Collection[Document] = db.get_collection(
            "events", write_concern=WriteConcern(w="majority", j=True), read_preference=ReadPreference.PRIMARY
        )
        self._durable = self._written.with_options(read_concern=majority)
        self._deadline = deadline
        self._next: int | None = None
        self._appender = Appender(self._insert)
        self._loads: Together[str, list[Commit]] = Together(self._load_together, hands=READERS)

    def ensure_indexes(self) -> None:
        """Create what the guarantees rest on; safe to repeat."""
        self._written.create_index([("stream", ASCENDING), ("version", ASCENDING)], unique=True)
        self._written.create_index([("commit_id", ASCENDING)], unique=True)
        self._written.create_index([("category", ASCENDING), ("_id", ASCENDING)])

    def append(self, commit: Commit) -> Commit:
        """See `CommitStore.append`; concurrent writers of this process share one group commit."""
        return self._appender.append(storable(commit))

    def load(self, stream: str) -> list[Commit]:
        """See `CommitStore.load`.

        Staleness is harmless: the unique index catches it at the append. What may still be rolled back
        is not: a commit that follows a version which a failover took away would leave a hole for ever.
        Readers of this process that come at the same moment share one question.
        """
        return self._loads.ask(stream)

    def _load_together(self, streams: Sequence[str]) -> list[list[Commit]]:
        if len(streams) == 1:
            wanted: Any = streams[0]
        else:
            wanted = {"$in": list(set(streams))}
        rows = self._durable.find({"stream": wanted}).sort([("stream", ASCENDING), ("version", ASCENDING)])
        found: dict[str, list[Commit]] = defaultdict(list)
        for row in rows:
            found[row["stream"]].append(Commit.from_document(row))
        return [list(found[stream]) for stream in streams]

    def last(self, stream: str, up_to: int | None = None) -> Commit | None:
        """See `CommitStore.last`."""
        place = {} if up_to is None else {"_id": {"$lte": Int64(up_to)}}
        row = self._durable.find_one({"stream": stream, **place}, sort=[("version", -1)])
        return None if row is None else Commit.from_document(row)

    def find(self, commit_id: str) -> Commit | None:
        """See `CommitStore.find`."""
        row = self._durable.find_one({"commit_id": commit_id})
        return None if row is None else Commit.from_document(row)

    def after(self, position: int, limit: int) -> list[Commit]:
        """See `CommitStore.after`: primary, read concern majority, so nothing read can roll back."""
        commits = [Commit.from_document(row) for row in self._tail(position, limit)]
        contiguous(commits, position)
        return commits

    def head(self) -> int:
        """See `CommitStore.head`."""
        row = self._durable.find_one(sort=[("_id", -1)], projection={"_id": 1})
        return int(row["_id"]) if row else 0

    def of_streams(self, stream: str, version: int) -> list[Commit]:
        """The stream's durable commits that hold `version` or later, for a replay to one consumer."""
        rows = self._durable.find({"stream": stream, "next": {"$gt": version}}).sort("version", ASCENDING)
        return [Commit.from_document(row) for row in rows]

    def _tail(self, position: int, limit: int) -> Iterator[Document]:
        rows = self._durable.find({"_id": {"$gt": Int64(position)}}).sort("_id", ASCENDING)
        return iter(rows.limit(limit).batch_size(limit))  # else the first hundred are a round trip of their own

    def _insert(self, commits: Sequence[Commit]) -> list[Commit | Taken | Unknown]:
        """Number and insert a batch in order; says of each commit what became of it.

        A race for the position or a lost connection is retried here until the deadline. A commit
        whose (stream, version) or id is taken is settled by itself, and the rest goes on.
        """
        outcome: list[Commit | Taken | Unknown] = []
        rest = list(commits)
        until = time.monotonic() + self._deadline
        doubtful = False
        while rest:
            try:
                if doubtful and (stored := self.find(rest[0].commit_id)):
                    outcome.append(stored)
                    rest.pop(0)
                    continue
                start = self._next or self.head() + 1
                placed = [commit.placed(start + i) for i, commit in enumerate(rest)]
                written, clash = self._insert_ordered(placed)
                outcome += placed[:written]
                rest = rest[written:]
                self._next = start + written
                if clash is None:
                    continue
                if "_id" in clash:
                    # Another process took this position first: look where the log ends now.
                    self._next = None
                    time.sleep(random.uniform(0, 0.004))  # noqa: S311  # jitter, not a secret
                else:
                    # The server names only one of the indexes that fired, and after a lost answer both
                    # would: the commit id decides, whichever was named.
                    taken = rest.pop(0)
                    outcome.append(self.find(taken.commit_id) or Taken())
                doubtful = False
            except PyMongoError as lost:
                # Whether the batch landed is unknown: ask for every commit id before writing it again.
                self._next = None
                doubtful = True
                if time.monotonic() > until:
                    return outcome + [Unknown(lost)] * len(rest)
                time.sleep(random.uniform(0.05, 0.25))  # noqa: S311
        return outcome

    def _insert_ordered(self, placed: Sequence[Commit]) -> tuple[int, dict[str, Any] | None]:
        try:
            if len(placed) == 1:
                self._written.insert_one(placed[0].to_document())
            else:
                self._written.insert_many([commit.to_document() for commit in placed], ordered=True)
        except DuplicateKeyError as clash:
            return 0, (clash.details or {}).get("keyPattern", {})
        except BulkWriteError as bulk:
            error = bulk.details["writeErrors"][0] if bulk.details.get("writeErrors") else None
            if error is None or error["code"] != 11000 or bulk.details.get("writeConcernErrors"):
                raise  # what was written is perhaps not durable yet
            return error["index"], error.get("keyPattern", {})
        return len(placed), None


def connect(url: str) -> MongoClient[Document]:
    """A client whose writes are durable by default. Raises ValueError when the address weakens that.

    `w=majority` and `journal` are asserted, not assumed: below majority an acknowledged commit can be
    rolled back after the relay has already told the world about it.
    """
    client: MongoClient[Document] = MongoClient(
        url, tz_aware=True, serverSelectionTimeoutMS=8_000, maxPoolSize=120, appname="checkop"
    )
    concern = client.write_concern.document
    if concern.get("w") != "majority" or not concern.get("j"):
        client.close()
        raise ValueError("the MongoDB address must ask for w=majority and journal=true")
    return client


__all__ = [
    "CommitStore",
    "GapInLog",
    "MongoCommitStore",
    "NotStorable",
    "StoreUnavailable",
    "VersionConflict",
    "connect",
    "contiguous",
]
