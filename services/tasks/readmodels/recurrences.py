"""Recurring work: what is planned, when it comes next, and what came of the latest times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from services.kernel import offload
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.paging import Paged, every, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import stamp, stamped, without
from services.tasks.domain.recurrence import (
    OccurrenceSkipped,
    OccurrencesOpened,
    RecurrenceChanged,
    RecurrenceEnded,
    RecurrenceStarted,
    Timing,
    WallClock,
)
from services.tasks.domain.task_planning import Wording
from services.tasks.recurring import rule
from services.tasks.standing import demand, time_zone, view

Document = dict[str, Any]
LATEST = 60


class Recurrences(ReadModel):
    """One document per recurrence."""

    name = "recurrences"
    categories = ("recurrence",)
    indexes = ([("tenant", 1), ("started_at", -1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The recurrence."""
        return [fact.event.recurrence_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The recurrence as it stands now."""
        if isinstance(fact.event, RecurrenceStarted):
            doc = {
                "opened_by": fact.event.planned_by,
                "started_at": stamp(fact.at),
                "status": "active",
                "following": None,
                "skipped": [],
                "occurrences": [],
            }
        if doc is None:
            return None
        return {**doc, **_changes(doc, fact.event), "version": fact.version}


def _changes(doc: Document, event: Any) -> Document:
    match event:
        case RecurrenceStarted() | RecurrenceChanged():
            wording = event.wording
            words = (
                dict.fromkeys(Wording.model_fields) if isinstance(wording, Erased) else wording.model_dump(mode="json")
            )
            plan = event.timing.model_dump(mode="json") | event.outline.model_dump(mode="json") | words
            return {**plan, "status": "active"}
        case OccurrencesOpened(occurrences=occurrences, following=following, more=more):
            new = [{**one.model_dump(), "start": stamp(one.start)} for one in occurrences]
            again = {one["start"] for one in new}
            known = [one for one in doc["occurrences"] if one["start"] not in again]
            latest = {"occurrences": sorted([*known, *new], key=lambda one: str(one["start"]))[-LATEST:]}
            if doc["status"] == "ended":  # these were under way when the end was decided
                return latest
            over = following is None and not more
            return {**latest, "following": stamped(following), "status": "finished" if over else "active"}
        case OccurrenceSkipped(start=start):
            return {"skipped": sorted({*doc["skipped"], stamp(start)})}
        case RecurrenceEnded():
            return {"status": "ended", "following": None}
        case _:
            return {}


def _words(wording: Wording | Erased) -> Document:
    return dict.fromkeys(Wording.model_fields) if isinstance(wording, Erased) else wording.model_dump(mode="json")


class RecurrencesQuery(Paged):
    """Recurring work, the newest first."""

    status: Literal["active", "finished", "ended"] | None = None
    customer_id: str | None = None
    process_id: str | None = None


class RecurrenceQuery(Query):
    """One recurrence, with the times to come."""

    recurrence_id: str
    upcoming: Annotated[int, Field(ge=0, le=50)] = 10


class PreviewQuery(Query):
    """When a rule would come true, before anybody has planned by it."""

    rule: Annotated[str, Field(min_length=1, max_length=500)]
    starts: WallClock
    zone: Annotated[str, Field(max_length=64)] | None = None
    after: AwareDatetime | None = None
    upcoming: Annotated[int, Field(ge=1, le=50)] = 10


def find_recurrences(query: RecurrencesQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of recurring work in the caller's view."""
    demand(ask.caller, "tasks:edit")
    names = ("status", "customer_id", "process_id")
    wanted = {name: value for name in names if (value := getattr(query, name)) is not None}
    rows, following = page(ask, "recurrences", every(view(ask).filter(), wanted), query, by=[("started_at", -1)])
    return {"items": [without(row, "occurrences", "skipped") for row in rows], "next": following}


def find_recurrence(query: RecurrenceQuery, ask: Ask) -> Mapping[str, Any]:
    """One recurrence. Raises Rejected("recurrence-unknown")."""
    demand(ask.caller, "tasks:edit")
    row = ask.reads["recurrences"].one(query.recurrence_id)
    if row is None or not view(ask).shows(row):
        raise Rejected("recurrence-unknown", recurrence_id=query.recurrence_id)
    timing = Timing(rule=row["rule"], starts=row["starts"], zone=row["zone"], minutes=row["minutes"])
    coming = [] if row["status"] == "ended" else rule.following(timing, ask.now, query.upcoming)
    return {**row, "upcoming": [{"start": stamp(one), "skipped": stamp(one) in row["skipped"]} for one in coming]}


def preview(query: PreviewQuery, ask: Ask) -> Mapping[str, Any]:
    """The first times, or those after a moment. Raises Rejected for a rule that is refused."""
    demand(ask.caller, "tasks:edit")
    timing = Timing(rule=rule.normal(query.rule), starts=query.starts, zone=query.zone or time_zone(ask))
    offload.run(rule.check, timing)
    times = rule.following(timing, query.after, query.upcoming) if query.after else rule.first(timing, query.upcoming)
    return {"upcoming": [stamp(one) for one in times]}


QUERIES: Mapping[str, Answers] = {
    "recurrences": (RecurrencesQuery, find_recurrences),
    "recurrence": (RecurrenceQuery, find_recurrence),
    "preview_recurrence": (PreviewQuery, preview),
}
