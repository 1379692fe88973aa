"""Promises to do something later, kept across restarts: a durable timer runs one command when it is due."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from services.kernel import faults, logging
from services.kernel.clock import Clock
from services.kernel.commit import PLATFORM

log = logging.get(__name__)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One of this service's own commands, to be carried out by the system in the tenant of its cause."""

    command: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class At:
    """Run `dispatch` once `due` (UTC) has come. The id makes setting it twice the same timer."""

    due: datetime
    timer_id: str
    dispatch: Dispatch


@dataclass(frozen=True, slots=True)
class Every:
    """Run `dispatch` on behalf of the platform once in every period, the first time as soon as it is known.

    A period that passed while no worker ran is not made up for: the next run does what is due by then.
    """

    timer_id: str
    period: timedelta
    dispatch: Dispatch


class Timers:
    """The timers of one service. A timer fires at least once; its command id makes the effect single."""

    def __init__(self, db: Database[dict[str, Any]], clock: Clock) -> None:
        self._rows = db.get_collection("timers", write_concern=WriteConcern(w="majority", j=True))
        self._clock = clock

    def ensure_indexes(self) -> None:
        """Create what finding due timers rests on; safe to repeat."""
        self._rows.create_index([("due", ASCENDING)])
        self._rows.create_index([("failed", ASCENDING)], sparse=True)

    def set(self, timer: At, tenant: str, cause: str) -> None:
        """Set, or move to another time."""
        self._rows.update_one(
            {"_id": timer.timer_id},
            {
                "$set": {
                    "due": timer.due,
                    "tenant": tenant,
                    "cause": cause,
                    "command": timer.dispatch.command,
                    "data": timer.dispatch.data,
                }
            },
            upsert=True,
        )

    def keep(self, clock: Every) -> None:
        """Let it run from now on; safe to repeat, a clock that runs already goes on."""
        self._rows.update_one(
            {"_id": clock.timer_id},
            {
                "$setOnInsert": {"due": self._clock.now(), "tenant": PLATFORM},
                "$set": {
                    "seconds": clock.period.total_seconds(),
                    "command": clock.dispatch.command,
                    "data": clock.dispatch.data,
                },
            },
            upsert=True,
        )

    def fire(self, run: Callable[[str, str, str, Dispatch], None], limit: int = 100) -> int:
        """Run what is due: `run(timer id, tenant, cause, dispatch)`; a timer goes only after its command landed.

        One that cannot be carried out is tried again later and later, and holds up no other.
        """
        due = list(self._rows.find({"due": {"$lte": self._clock.now()}}).sort("due", ASCENDING).limit(limit))
        for row in due:
            # Whatever is changed is only the form that was run: a timer moved meanwhile stays as it is.
            same = {"_id": row["_id"], "due": row["due"]}
            period = row.get("seconds")
            cause = row["cause"] if period is None else row["due"].isoformat()
            try:
                run(row["_id"], row["tenant"], cause, Dispatch(row["command"], row["data"]))
            except Exception as failed:
                times = row.get("failed", 0) + 1
                later = self._clock.now() + min(timedelta(seconds=2**times), LONGEST_PAUSE)
                log.warning("timer.failed", timer=row["_id"], times=times, why=repr(failed), again_at=later.isoformat())
                self._rows.update_one(same, {"$set": {"due": later, "failed": times, "why": repr(failed)[:300]}})
            else:
                faults.reached("timers.after_command_before_delete")
                if period is None:
                    self._rows.delete_one(same)
                else:
                    again = {"due": self._clock.now() + timedelta(seconds=period)}
                    self._rows.update_one(same, {"$set": again, "$unset": {"failed": "", "why": ""}})
        return len(due)

    def overdue(self) -> int:
        """How many are due and have not been carried out: the worker is away, or their commands fail."""
        return self._rows.count_documents({"$or": [{"due": {"$lte": self._clock.now()}}, {"failed": {"$gt": 0}}]})

    def waiting(self) -> int:
        """How many have not fired yet."""
        return self._rows.count_documents({})
