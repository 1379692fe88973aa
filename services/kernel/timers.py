"""Promises to do something later, kept across restarts: a durable timer runs one command when it is due.

Any number of threads and workers run timers side by side. Whoever runs one has claimed it first, by moving it on by a
lease that is renewed while he is at it; when he dies, it is due again when the lease is over.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo import ASCENDING, ReturnDocument
from pymongo.database import Database
from pymongo.write_concern import WriteConcern

from services.kernel import faults, logging
from services.kernel.clock import Clock
from services.kernel.commit import PLATFORM

log = logging.get(__name__)
LONGEST_PAUSE = timedelta(hours=1)
LEASE = timedelta(seconds=30)


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

    def __init__(self, db: Database[dict[str, Any]], clock: Clock, lease: timedelta = LEASE) -> None:
        self._rows = db.get_collection("timers", write_concern=WriteConcern(w="majority", j=True))
        self._clock = clock
        self.lease = lease
        self._held: dict[str, str] = {}
        self._stirred = threading.Condition()
        self._times_stirred = 0

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
                },
                # Whoever is running what it was before leaves it alone afterwards.
                "$unset": {"hand": "", "was": ""},
            },
            upsert=True,
        )
        if timer.due <= self._clock.now():
            self.stir()

    def wait(self, seen: int, seconds: float) -> int:
        """Until there is reason to look, or for so long; answers how many reasons there have been until now.

        This process has set a timer that is due, or another of its threads has found one, behind which there
        may be more. `seen` is the answer before: a reason since then does not wait.
        """
        with self._stirred:
            self._stirred.wait_for(lambda: self._times_stirred != seen, seconds)
            return self._times_stirred

    def stir(self) -> None:
        """Give every thread of this process a reason to look."""
        with self._stirred:
            self._times_stirred += 1
            self._stirred.notify_all()

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
        for fired in range(limit):
            row = self._claim()
            if row is None:
                return fired
            if fired == 0:
                self.stir()
            try:
                self._run(row, run)
            finally:
                del self._held[row["hand"]]
        return limit

    def _claim(self) -> Mapping[str, Any] | None:
        now, hand = self._clock.now(), secrets.token_hex(8)
        row = self._rows.find_one_and_update(
            {"due": {"$lte": now}},
            [{"$set": {"was": {"$ifNull": ["$was", "$due"]}, "due": now + self.lease, "hand": hand}}],
            sort=[("due", ASCENDING)],
            return_document=ReturnDocument.AFTER,
        )
        if row is not None:
            self._held[hand] = row["_id"]
        return row

    def renew(self) -> None:
        """Hold on to what this process is running; to be called a few times in every lease."""
        for hand, timer_id in list(self._held.items()):
            self._rows.update_one({"_id": timer_id, "hand": hand}, {"$set": {"due": self._clock.now() + self.lease}})

    def _run(self, row: Mapping[str, Any], run: Callable[[str, str, str, Dispatch], None]) -> None:
        # Whatever is changed is only the form that was claimed: a timer moved meanwhile stays as it is.
        mine = {"_id": row["_id"], "hand": row["hand"]}
        period = row.get("seconds")
        cause = row["cause"] if period is None else row["was"].isoformat()
        let_go = {"hand": "", "was": ""}
        try:
            run(row["_id"], row["tenant"], cause, Dispatch(row["command"], row["data"]))
        except Exception as failed:
            times = row.get("failed", 0) + 1
            later = self._clock.now() + min(timedelta(seconds=2**times), LONGEST_PAUSE)
            log.warning("timer.failed", timer=row["_id"], times=times, why=repr(failed), again_at=later.isoformat())
            noted = {"due": later, "failed": times, "why": repr(failed)[:300]}
            self._rows.update_one(mine, {"$set": noted, "$unset": let_go})
        else:
            faults.reached("timers.after_command_before_delete")
            if period is None:
                self._rows.delete_one(mine)
            else:
                again = {"due": self._clock.now() + timedelta(seconds=period)}
                self._rows.update_one(mine, {"$set": again, "$unset": {**let_go, "failed": "", "why": ""}})

    def overdue(self) -> int:
        """How many are due and have not been carried out: the worker is away, or their commands fail."""
        return self._rows.count_documents({"$or": [{"due": {"$lte": self._clock.now()}}, {"failed": {"$gt": 0}}]})

    def waiting(self) -> int:
        """How many have not fired yet."""
        return self._rows.count_documents({})
