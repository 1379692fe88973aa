"""The filters that somebody saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.readmodel import ReadModel
from services.kernel.shown import searchable, shown
from services.tasks.domain.saved_filters import FilterRemoved, FilterSaved, Screen
from services.tasks.standing import demand

Document = dict[str, Any]


class Filters(ReadModel):
    """One document per person."""

    name = "filters"
    categories = ("saved_filters",)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The person."""
        return [fact.event.user_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """All filters by name."""
        known = doc["filters"] if doc else []
        match fact.event:
            case FilterSaved(filter_id=id, screen=screen, name=name, chosen=chosen):
                saved = {"id": id, "screen": screen, "name": shown(name), "chosen": shown(chosen) or {}}
                filters = [*_others(known, id), saved]
            case FilterRemoved(filter_id=id):
                filters = _others(known, id)
            case _:
                filters = known
        return {"filters": sorted(filters, key=lambda saved: (searchable(saved["name"] or ""), saved["id"]))}


def _others(filters: list[Document], id: str) -> list[Document]:
    return [saved for saved in filters if saved["id"] != id]


class SavedFiltersQuery(Query):
    """One's own filters, for one screen or all."""

    screen: Screen | None = None


def find_filters(query: SavedFiltersQuery, ask: Ask) -> Mapping[str, Any]:
    """By name."""
    demand(ask.caller, "tasks:read")
    doc = ask.reads["filters"].one(ask.caller.actor)
    filters = doc["filters"] if doc else []
    return {"items": [saved for saved in filters if query.screen in (None, saved["screen"])]}


QUERIES: Mapping[str, Answers] = {"saved_filters": (SavedFiltersQuery, find_filters)}
