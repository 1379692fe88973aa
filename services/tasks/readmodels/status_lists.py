"""The account's status lists with the names of their stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.paging import Paged, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import searchable, shown, without
from services.tasks.domain.status_list import StatusListChanged, StatusListDefined
from services.tasks.standing import demand

Document = dict[str, Any]


class StatusLists(ReadModel):
    """One document per list."""

    name = "status_lists"
    categories = ("status_list",)
    indexes = ([("tenant", 1), ("sort", 1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The list."""
        return [fact.event.list_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The list as it is now."""
        match fact.event:
            case StatusListDefined() | StatusListChanged():
                event = fact.event
                names = {} if isinstance(event.stage_names, Erased) else event.stage_names
                return {
                    "name": shown(event.name),
                    "sort": searchable(event.name),
                    "stages": [
                        {**stage.model_dump(mode="json"), "name": names.get(stage.stage_id)} for stage in event.stages
                    ],
                    "version": fact.version,
                }
            case _:
                return doc


class StatusListsQuery(Paged):
    """All lists, by name."""


class StatusListQuery(Query):
    """One list."""

    list_id: str


def find_status_lists(query: StatusListsQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of lists."""
    demand(ask.caller, "processes:read")
    rows, following = page(ask, "status_lists", {}, query, by=[("sort", 1)])
    return {"items": [without(row, "sort") for row in rows], "next": following}


def find_status_list(query: StatusListQuery, ask: Ask) -> Mapping[str, Any]:
    """One list. Raises Rejected("status-list-unknown")."""
    demand(ask.caller, "processes:read")
    row = ask.reads["status_lists"].one(query.list_id)
    if row is None:
        raise Rejected("status-list-unknown", list_id=query.list_id)
    return without(row, "sort")


QUERIES: Mapping[str, Answers] = {
    "status_lists": (StatusListsQuery, find_status_lists),
    "status_list": (StatusListQuery, find_status_list),
}
