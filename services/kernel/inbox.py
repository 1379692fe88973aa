"""Order and uniqueness, kept by the consumer: each fact has its effect once, and after the one before it."""

from __future__ import annotations

import hashlib
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from minio.error import S3Error, ServerError
from pymongo import ASCENDING, MongoClient, ReadPreference, UpdateOne
from pymongo.client_session import ClientSession
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern
from urllib3.exceptions import HTTPError

from services.kernel import faults, logging
from services.kernel.clock import Clock
from services.kernel.commit import Recorded, StoreUnavailable, VersionConflict

log = logging.get(__name__)
MAJORITY = WriteConcern(w="majority", j=True)
RAISES_BEFORE_BLOCKED = 3
TOGETHER_SECONDS = 0.1
PASSING_LABELS = ("TransientTransactionError", "UnknownTransactionCommitResult", "RetryableWriteError")
# A lock or snapshot not granted, a time limit, an interruption: about the server's state, not about the content.
PASSING_CODES = frozenset({24, 43, 50, 89, 112, 246, 262, 11600, 11601, 11602})
PASSING_S3_CODES = frozenset({"InternalError", "OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown"})


class Outcome(StrEnum):
    """What became of one delivery; every one of them is durable, so it may be acknowledged."""

    APPLIED = "applied"
    DROPPED = "dropped"
    PARKED = "parked"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Handler:
    """One consumer of facts.

    Either `effect` runs inside the transaction that moves the cursor and may write this service's MongoDB
    through the session; `effects`, where given, does the same for many facts at less cost. Or `reaction`
    runs before the cursor moves and must be idempotent by the fact's id (its commands are, by commit id).
    `read` turns a parked body back into a fact.
    """

    name: str
    read: Callable[[bytes], Recorded]
    effect: Callable[[Recorded, ClientSession], None] | None = None
    effects: Callable[[Sequence[Recorded], ClientSession], None] | None = None
    reaction: Callable[[Recorded], None] | None = None


def transient(error: BaseException) -> bool:
    """Whether trying the same again later may well succeed: an engine was away, or a race was lost."""
    match error:
        case WriteConcernError():
            return True
        case BulkWriteError(details=details) if not details.get("writeErrors"):
            return True
        case PyMongoError() if any(error.has_error_label(label) for label in PASSING_LABELS):
            return True
        case OperationFailure(code=code) if code in PASSING_CODES:
            return True
        case S3Error(code=code):
            return code in PASSING_S3_CODES
    return isinstance(
        error,
        ConnectionFailure
        | OSError
        | HTTPError
        | ServerError
        | StoreUnavailable
        | VersionConflict
        | faults.InjectedFault,
    )


def cursor_id(handler: str, stream: str) -> str:
    """The name of a handler's cursor in one stream."""
    return f"{handler}|{stream}"


class _LostRace(Exception):
    """Another consumer moved this cursor first."""


class Inbox:
    """The inbox of one handler: a cursor per stream, a shelf for what came too early, a stop for what is poison.

    The broker's order is not trusted: quorum queues reorder after a nack and whenever a consumer closes
    gracefully, that is, at every deployment. Several inboxes of the same handler may run at once.
    """

    def __init__(self, db: Database[dict[str, Any]], handler: Handler, clock: Clock) -> None:
        self._client: MongoClient[dict[str, Any]] = db.client
        self._cursors = db.get_collection("inbox_cursors", write_concern=MAJORITY)
        self._shelf = db.get_collection("inbox_parked", write_concern=MAJORITY)
        self._handler = handler
        self._clock = clock
        self._raised: dict[str, int] = {}

    def read(self, body: bytes) -> Recorded:
        """The fact in a delivery. Raises Unreadable."""
        return self._handler.read(body)

    def shelve_unreadable(self, body: bytes, reason: str) -> None:
        """Keep a delivery that cannot even be read, for an operator; it names no stream to block."""
        digest = hashlib.sha256(body).hexdigest()[:32]
        log.error("inbox.unreadable", handler=self._handler.name, digest=digest, reason=reason)
        self._shelf.update_one(
            {"_id": f"{self._handler.name}|unreadable|{digest}"},
            {
                "$setOnInsert": {
                    "handler": self._handler.name,
                    "stream": f"unreadable-{digest}",
                    "version": 0,
                    "body": body,
                    "reason": reason[:300],
                    "parked_at": self._clock.now(),
                    "unreadable": True,
                }
            },
            upsert=True,
        )

    def receive(self, fact: Recorded, body: bytes) -> Outcome:
        """Take in one delivery; when this returns, its outcome is durable and it may be acknowledged.

        Raises whatever a transient failure raises (database, broker): the caller backs off and tries the
        same delivery again. A handler that raises three times on one fact blocks that fact's stream for
        this handler: it and its followers are parked until an operator unparks or skips.
        """
        try:
            outcome = self._take(fact, body)
            if outcome is Outcome.APPLIED:
                self._drain_behind({fact.stream: fact.version})
            return outcome
        except _LostRace:
            return self.receive(fact, body)

    def receive_all(self, deliveries: Sequence[tuple[Recorded, bytes]]) -> None:
        """Take in several deliveries in the order of their coming; each has the outcome that `receive` gives it.

        Facts that are simply next in line share one transaction, or one movement of the cursors behind
        their reactions, which is what a backlog needs. The rest, and all of them after any trouble, go
        one by one.
        """
        ready, rest = self._in_line(deliveries) if len(deliveries) > 1 else ([], deliveries)
        settled = self._settle([fact for fact, _ in ready]) if len(ready) > 1 else 0
        for fact, body in (*ready[settled:], *rest):
            with logging.bound(fact=fact.id, tenant=fact.tenant, correlation_id=fact.correlation_id):
                self.receive(fact, body)

    def drain(self, stream: str) -> int:
        """Apply what waits on the shelf as far as it is next in line; answers how many were applied."""
        applied = 0
        while True:
            version, blocked = self._cursor(stream)
            row = None if blocked else self._shelf.find_one({"_id": self._place(stream, version + 1)})
            if row is None:
                return applied
            try:
                fact = self._handler.read(row["body"])
                if self._apply(fact, row["body"], version) is not Outcome.APPLIED:
                    return applied
            except _LostRace:
                continue
            self._shelf.delete_many(self._on_shelf(stream, {"$lte": version + 1}))
            applied += 1

    def overdue(self, older_than: timedelta) -> list[tuple[str, int]]:
        """Streams whose next fact has not come for that long: (stream, version missing), blocked ones left out."""
        missing = []
        rows = self._shelf.aggregate(
            [
                {
                    "$match": {
                        "handler": self._handler.name,
                        "parked_at": {"$lt": self._clock.now() - older_than},
                        "unreadable": None,
                    }
                },
                {"$group": {"_id": "$stream"}},
            ]
        )
        for row in rows:
            stream = row["_id"]
            self.drain(stream)
            version, blocked = self._cursor(stream)
            # Parked although another consumer had just applied it: nothing waits for it any more.
            self._shelf.delete_many(self._on_shelf(stream, {"$lte": version}))
            waiting = self._shelf.find_one(self._on_shelf(stream, {"$gt": version}))
            if waiting and not blocked:
                missing.append((stream, version + 1))
        return missing

    def unpark(self, stream: str, *, skip: bool = False) -> int:
        """Lift the block and apply what waits; with `skip`, pass over the fact that caused it.

        Answers how many were applied since, by this consumer or by another that was quicker.
        """
        version, _ = self._cursor(stream)
        self._raised.pop(stream, None)
        change: dict[str, Any] = {"$unset": {"blocked": ""}}
        if skip:
            change["$set"] = {"version": version + 1}
        # Only from where it stood: another operator may have let it go on, and the cursor must never go back.
        self._cursors.update_one({"_id": self._cursor_id(stream), "version": version}, change)
        if skip:
            self._shelf.delete_many(self._on_shelf(stream, {"$lte": version + 1}))
        self.drain(stream)
        reached, _ = self._cursor(stream)
        return reached - version - int(skip)

    def _in_line(
        self, deliveries: Sequence[tuple[Recorded, bytes]]
    ) -> tuple[list[tuple[Recorded, bytes]], list[tuple[Recorded, bytes]]]:
        """Those that are next in line, one after the other, and those that are not; what was seen is left out."""
        ids = {self._cursor_id(fact.stream) for fact, _ in deliveries}
        rows = self._cursors.find({"_id": {"$in": list(ids)}}, {"stream": 1, "version": 1, "blocked": 1})
        cursors = {row["stream"]: row for row in rows}
        next_in_line: dict[str, int] = {}
        ready, rest = [], []
        for fact, body in deliveries:
            cursor = cursors.get(fact.stream, {"version": 0})
            wanted = next_in_line.get(fact.stream, cursor["version"] + 1)
            if "blocked" in cursor or fact.version > wanted:
                rest.append((fact, body))
            elif fact.version == wanted:
                ready.append((fact, body))
                next_in_line[fact.stream] = wanted + 1
        return ready, rest

    def _settle(self, facts: Sequence[Recorded]) -> int:
        """Settle facts that are next in line together; answers how many, from the first on, that came to."""
        if self._handler.reaction is None:
            return self._settle_part(facts, self._apply_together)
        settled = 0
        while settled < len(facts):
            part = self._settle_part(facts[settled:], self._react_together)
            if part == 0:
                break
            settled += part
        return settled

    def _settle_part(self, facts: Sequence[Recorded], apply: Callable[[Sequence[Recorded]], int]) -> int:
        try:
            settled = apply(facts)
        except Exception as trouble:
            if transient(trouble):
                raise
            return 0  # whoever is to blame will stumble again by himself
        last = {fact.stream: fact.version for fact in facts[:settled]}
        for stream in last:
            self._raised.pop(stream, None)
        self._drain_behind(last)
        return settled

    def _apply_together(self, facts: Sequence[Recorded]) -> int:
        """Apply all facts in one transaction."""

        def all_of_them(session: ClientSession) -> None:
            self._move_cursors(facts, session)
            if self._handler.effects is not None:
                self._handler.effects(facts, session)
            elif self._handler.effect is not None:
                for fact in facts:
                    self._handler.effect(fact, session)

        faults.reached("inbox.before_effect")
        self._in_transaction(all_of_them)
        faults.reached("inbox.after_effect_before_ack")
        return len(facts)

    def _react_together(self, facts: Sequence[Recorded]) -> int:
        """React to one fact after the other, then move their cursors at once; answers how many came that far.

        After a crash the reactions behind which no cursor had moved are repeated: therefore not many of
        them, where they take long. One that raises ends the part before it.
        """
        assert self._handler.reaction is not None
        began, done = time.monotonic(), 0
        for fact in facts:
            with logging.bound(fact=fact.id, tenant=fact.tenant, correlation_id=fact.correlation_id):
                try:
                    self._react(fact, self._handler.reaction)
                except Exception:
                    if done == 0:
                        raise
                    break  # its turn comes again, when those before it are settled
            done += 1
            if time.monotonic() - began > TOGETHER_SECONDS:
                break
        self._move_cursors(facts[:done], None)
        faults.reached("inbox.after_effect_before_ack")
        return done

    def _drain_behind(self, applied: Mapping[str, int]) -> None:
        """Go on with what waits on the shelf behind facts that were just applied."""
        places = [self._place(stream, version + 1) for stream, version in applied.items()]
        for row in list(self._shelf.find({"_id": {"$in": places}}, {"stream": 1})):
            self.drain(row["stream"])

    def _take(self, fact: Recorded, body: bytes) -> Outcome:
        version, blocked = self._cursor(fact.stream)
        if fact.version <= version:
            return Outcome.DROPPED
        if blocked:
            self._park(fact, body)
            return Outcome.BLOCKED
        if fact.version == version + 1:
            return self._apply(fact, body, version)
        self._park(fact, body)
        faults.reached("inbox.after_park")
        # Another consumer may have applied the missing fact between our look at the cursor and the
        # parking, and found an empty shelf: look once more, or nobody would ever come back for it.
        self.drain(fact.stream)
        return Outcome.PARKED

    def _apply(self, fact: Recorded, body: bytes, version: int) -> Outcome:
        try:
            if self._handler.reaction is not None:
                self._react(fact, self._handler.reaction)
                self._move_cursor(fact, version, None)
            else:
                faults.reached("inbox.before_effect")
                self._apply_in_transaction(fact, version)
        except _LostRace:
            raise
        except Exception as poison:
            if transient(poison):
                raise
            return self._raised_again(fact, body, poison)
        faults.reached("inbox.after_effect_before_ack")
        self._raised.pop(fact.stream, None)
        return Outcome.APPLIED

    @staticmethod
    def _react(fact: Recorded, reaction: Callable[[Recorded], None]) -> None:
        faults.reached("inbox.before_effect")
        reaction(fact)
        faults.reached("process.after_append_before_ack")

    def _apply_in_transaction(self, fact: Recorded, version: int) -> None:
        def both(session: ClientSession) -> None:
            self._move_cursor(fact, version, session)
            assert self._handler.effect is not None
            self._handler.effect(fact, session)

        self._in_transaction(both)

    def _in_transaction(self, work: Callable[[ClientSession], None]) -> None:
        with self._client.start_session() as session:
            session.with_transaction(
                work,
                read_concern=ReadConcern("snapshot"),
                write_concern=MAJORITY,
                read_preference=ReadPreference.PRIMARY,
            )

    def _move_cursors(self, facts: Sequence[Recorded], session: ClientSession | None) -> None:
        """Move several cursors at once, each from before its first fact to its last. Raises _LostRace."""
        before: dict[str, int] = {}
        for fact in facts:
            before.setdefault(fact.stream, fact.version - 1)
        moves = [
            UpdateOne(
                {"_id": self._cursor_id(stream), "version": before[stream]},
                {
                    "$set": {"version": last.version, "at": self._clock.now(), "tenant": last.tenant},
                    "$setOnInsert": {"handler": self._handler.name, "stream": stream},
                },
                upsert=before[stream] == 0,
            )
            for stream, last in {fact.stream: fact for fact in facts}.items()
        ]
        moved = self._cursors.bulk_write(moves, ordered=False, session=session)
        if moved.matched_count + moved.upserted_count != len(moves):
            raise _LostRace

    def _move_cursor(self, fact: Recorded, version: int, session: ClientSession | None) -> None:
        where = {"_id": self._cursor_id(fact.stream)}
        move = {"version": fact.version, "at": self._clock.now(), "tenant": fact.tenant}
        try:
            # The first fact of a stream makes its cursor; where one exists at another version, the
            # upsert meets the unique id, which is how a lost race for the first fact shows.
            moved = self._cursors.update_one(
                where | {"version": version},
                {"$set": move, "$setOnInsert": {"handler": self._handler.name, "stream": fact.stream}},
                upsert=version == 0,
                session=session,
            )
        except DuplicateKeyError as lost:
            raise _LostRace from lost
        if moved.matched_count == 0 and moved.upserted_id is None:
            raise _LostRace

    def _raised_again(self, fact: Recorded, body: bytes, poison: Exception) -> Outcome:
        times = self._raised[fact.stream] = self._raised.get(fact.stream, 0) + 1
        log.warning("inbox.raised", handler=self._handler.name, fact=fact.id, times=times, exc_info=poison)
        if times < RAISES_BEFORE_BLOCKED:
            return self._apply(fact, body, fact.version - 1)
        self._raised.pop(fact.stream)
        reason = traceback.format_exception_only(poison)[-1].strip()[:300]
        self._block(fact, reason)
        self._park(fact, body, reason=reason)
        log.error("inbox.blocked", handler=self._handler.name, fact=fact.id, stream=fact.stream)
        return Outcome.BLOCKED

    def _block(self, fact: Recorded, reason: str) -> None:
        # Only where the fact is still the next one: another consumer may have handled it meanwhile.
        try:
            blocked = self._cursors.update_one(
                {"_id": self._cursor_id(fact.stream), "version": fact.version - 1},
                {
                    "$set": {"blocked": {"version": fact.version, "reason": reason, "at": self._clock.now()}},
                    "$setOnInsert": {"handler": self._handler.name, "stream": fact.stream, "tenant": fact.tenant},
                },
                upsert=fact.version == 1,
            )
        except DuplicateKeyError as lost:
            raise _LostRace from lost
        if blocked.matched_count == 0 and blocked.upserted_id is None:
            raise _LostRace

    def _park(self, fact: Recorded, body: bytes, *, reason: str = "") -> None:
        self._shelf.update_one(
            {"_id": self._place(fact.stream, fact.version)},
            {
                "$setOnInsert": {
                    "handler": self._handler.name,
                    "stream": fact.stream,
                    "version": fact.version,
                    "tenant": fact.tenant,
                    "service": fact.service,
                    "fact": fact.id,
                    "type": fact.type,
                    "body": body,
                    "parked_at": self._clock.now(),
                },
                "$set": {"reason": reason},
            },
            upsert=True,
        )

    def _cursor(self, stream: str) -> tuple[int, bool]:
        row = self._cursors.find_one({"_id": self._cursor_id(stream)}, {"version": 1, "blocked": 1})
        return (int(row["version"]), "blocked" in row) if row else (0, False)

    def _cursor_id(self, stream: str) -> str:
        return cursor_id(self._handler.name, stream)

    def _place(self, stream: str, version: int) -> str:
        return f"{self._handler.name}|{stream}@{version}"

    def _on_shelf(self, stream: str, version: dict[str, int]) -> dict[str, Any]:
        return {"handler": self._handler.name, "stream": stream, "version": version}


def ensure_indexes(db: Database[dict[str, Any]]) -> None:
    """Create what the shelf's look-ups rest on; safe to repeat."""
    db["inbox_parked"].create_index(
        [("handler", ASCENDING), ("stream", ASCENDING), ("version", ASCENDING)], unique=True
    )
    db["inbox_parked"].create_index([("handler", ASCENDING), ("parked_at", ASCENDING)])
    db["inbox_cursors"].create_index([("blocked.at", ASCENDING)], sparse=True)
