"""Somebody's saved filters: named choices of tasks, on the board, the agenda or the map, for oneself only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.stages import StageId
from services.tasks.domain.values import Id, Name, Priority, Value

Screen = Literal["board", "agenda", "map"]
MOST_FILTERS = 100


class Choice(Value):
    """Which tasks: what the board can be narrowed by; only what is given counts."""

    status: Annotated[tuple[Literal["pending", "in_progress", "completed", "cancelled"], ...], Field(max_length=4)] = ()
    stage: StageId | None = None
    user_id: Id | None = None
    team_id: Id | None = None
    unassigned: bool = False
    process_id: Id | None = None
    subprocess_id: Id | None = None
    customer_id: Id | None = None
    location_id: Id | None = None
    equipment_id: Id | None = None
    service_id: Id | None = None
    parent_id: Id | None = None
    recurrence_id: Id | None = None
    priority: Priority | None = None
    overdue: bool = False


class FilterSaved(Event):
    """A choice was saved, or another one under the same id."""

    user_id: str
    filter_id: str
    screen: Screen
    name: Annotated[str | Erased, TenantData()]
    chosen: Annotated[dict[str, Any] | Erased, TenantData()]


class FilterRemoved(Event):
    """The choice is no longer offered."""

    user_id: str
    filter_id: str


SavedFiltersEvent = FilterSaved | FilterRemoved


class SaveFilter(Command):
    """Save a choice under a name."""

    user_id: Id
    filter_id: Id
    screen: Screen
    name: Name
    chosen: Choice


class ChangeFilter(Command):
    """Another choice or name under the same id."""

    user_id: Id
    filter_id: Id
    screen: Screen
    name: Name
    chosen: Choice


class RemoveFilter(Command):
    """Offer it no longer."""

    user_id: Id
    filter_id: Id


SavedFiltersCommand = SaveFilter | ChangeFilter | RemoveFilter


@dataclass(frozen=True, slots=True)
class Saved:
    """One choice."""

    screen: Screen
    name: str | Erased
    chosen: Mapping[str, Any] | Erased


@dataclass(frozen=True, slots=True)
class SavedFilters:
    """All choices by their ids."""

    filters: Mapping[str, Saved] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()


initial_state = SavedFilters()


def decide(command: SavedFiltersCommand, state: SavedFilters) -> list[SavedFiltersEvent]:
    match command:
        case SaveFilter(user_id=user_id, filter_id=id) | ChangeFilter(user_id=user_id, filter_id=id):
            chosen = command.chosen.model_dump(mode="json", exclude_unset=True)
            if state.filters.get(id) == Saved(command.screen, command.name, chosen):
                return []
            _check(command, state)
            return [FilterSaved(user_id=user_id, filter_id=id, screen=command.screen, name=command.name, chosen=chosen)]
        case RemoveFilter(user_id=user_id, filter_id=id):
            if id in state.removed:
                return []
            if id not in state.filters:
                raise Rejected("filter-unknown", filter_id=id)
            return [FilterRemoved(user_id=user_id, filter_id=id)]
        case _:
            assert_never(command)


def _check(command: SaveFilter | ChangeFilter, state: SavedFilters) -> None:
    known = command.filter_id in state.filters
    if isinstance(command, ChangeFilter):
        if not known:
            raise Rejected("filter-unknown", filter_id=command.filter_id)
    elif known or command.filter_id in state.removed:
        raise Rejected("filter-exists", filter_id=command.filter_id)
    elif len(state.filters) >= MOST_FILTERS:
        raise Rejected("too-many-filters", most=MOST_FILTERS)


def evolve(state: SavedFilters, event: SavedFiltersEvent) -> SavedFilters:
    match event:
        case FilterSaved(filter_id=id, screen=screen, name=name, chosen=chosen):
            return replace(state, filters={**state.filters, id: Saved(screen, name, chosen)})
        case FilterRemoved(filter_id=id):
            left = {other: saved for other, saved in state.filters.items() if other != id}
            return replace(state, filters=left, removed=state.removed | {id})
        case _:
            assert_never(event)


saved_filters: Decider[SavedFiltersCommand, SavedFilters, SavedFiltersEvent] = Decider(
    "saved_filters",
    initial_state,
    decide,
    evolve,
    events={"FilterSaved": FilterSaved, "FilterRemoved": FilterRemoved},
)
