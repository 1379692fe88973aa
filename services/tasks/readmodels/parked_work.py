"""The supervisor's queue: what technicians did in the field that could not take effect by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.paging import Paged, every, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp
from services.tasks.domain.field_command import CommandAnswered, ParkedWorkDiscarded, ParkedWorkReleased
from services.tasks.domain.values import Id
from services.tasks.standing import demand, view

Document = dict[str, Any]


class ParkedWork(ReadModel):
    """One document per command that was ever parked."""

    name = "parked_work"
    categories = ("field_command",)
    indexes = (
        [("tenant", 1), ("state", 1), ("parked_at", 1), ("_id", 1)],
        [("tenant", 1), ("user_id", 1), ("parked_at", 1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The command, if it is one that a supervisor is to see."""
        if isinstance(fact.event, CommandAnswered) and (fact.event.status != "parked" or fact.event.evidence is None):
            return []
        return [fact.event.work_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The command as it stands now."""
        match fact.event:
            case CommandAnswered() as answered:
                return {
                    "state": "waiting",
                    "parked_at": stamp(fact.at),
                    **answered.model_dump(mode="json", exclude={"work_id", "status", "facts", "evidence"}),
                    "facts": shown(answered.facts) or {},
                    "evidence": shown(answered.evidence),
                }
            case ParkedWorkReleased() if doc is not None:
                return {**doc, "state": "released", "decided_by": fact.actor, "decided_at": stamp(fact.at)}
            case ParkedWorkDiscarded(reason=reason) if doc is not None:
                decided = {"decided_by": fact.actor, "decided_at": stamp(fact.at), "reason": shown(reason)}
                return {**doc, "state": "discarded", **decided}
            case _:
                return doc


class ParkedQuery(Paged):
    """The oldest first."""

    state: Literal["waiting", "released", "discarded"] = "waiting"
    user_id: Annotated[Id | None, Field()] = None


class OneParkedQuery(Query):
    """One of them."""

    work_id: Id


def find_parked(query: ParkedQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of the queue."""
    demand(ask.caller, "tasks:edit")
    wanted = every({"state": query.state}, {"user_id": query.user_id} if query.user_id else {}, _in_view(ask))
    rows, following = page(ask, "parked_work", wanted, query, by=[("parked_at", 1)])
    return {"items": rows, "next": following}


def find_one_parked(query: OneParkedQuery, ask: Ask) -> Mapping[str, Any]:
    """With the evidence. Raises Rejected("parked-work-unknown")."""
    demand(ask.caller, "tasks:edit")
    row: Document | None = ask.reads["parked_work"].one(query.work_id)
    if row is None or not _shows(ask, row):
        raise Rejected("parked-work-unknown", work_id=query.work_id)
    return row


def _in_view(ask: Ask) -> Document:
    """A supervisor decides over the work of the people of the teams below."""
    seen = view(ask)
    return {} if seen.everything else {"user_id": {"$in": sorted({seen.user_id, *seen.people})}}


def _shows(ask: Ask, row: Document) -> bool:
    seen = view(ask)
    return seen.everything or row["user_id"] in {seen.user_id, *seen.people}


QUERIES: Mapping[str, Answers] = {
    "parked_work": (ParkedQuery, find_parked),
    "one_parked_work": (OneParkedQuery, find_one_parked),
}
