"""Saved filters: the choices of tasks that somebody comes back to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import EXAMPLE_ID, Body, Id, Listed, Name, PathId, Receipt, given
from gateway.routes.tasks import Priority, Status

router = resource("saved-filters")

SERVICE = "tasks"
READ = "tasks:read"

Screen = Literal["board", "agenda", "map"]


class Choice(Body):
    """What the board, the agenda and the map can be narrowed by."""

    status: Annotated[list[Status], Field(max_length=4)] | None = None
    stage: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] | None = None
    user_id: Id | None = None
    team_id: Id | None = None
    unassigned: bool | None = None
    process_id: Id | None = None
    subprocess_id: Id | None = None
    customer_id: Id | None = None
    location_id: Id | None = None
    equipment_id: Id | None = None
    service_id: Id | None = None
    parent_id: Id | None = None
    recurrence_id: Id | None = None
    priority: Priority | None = None
    overdue: bool | None = None


class SavedFilter(Body):
    """A choice under a name."""

    name: Name = Field(examples=["Urgent, north team"])
    screen: Screen = "board"
    chosen: Choice = Field(examples=[{"priority": "urgent", "team_id": EXAMPLE_ID}])

    def saved(self, filter_id: str) -> dict[str, object]:
        """The request; what was given as null was not chosen."""
        chosen = {name: value for name, value in self.chosen.data().items() if value is not None}
        return {"filter_id": filter_id, "name": self.name, "screen": self.screen, "chosen": chosen}


class NewSavedFilter(SavedFilter):
    """A new one."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")


@router.get("/saved-filters", summary="One's saved filters", response_model=Listed, **needs(READ))
async def saved_filters(call: CallDep, screen: Screen | None = None) -> Response:
    """By name."""
    return await call.query(SERVICE, "saved_filters", given(screen=screen))


@router.post("/saved-filters", status_code=201, summary="Save a filter", response_model=Receipt, **needs(READ))
async def save_filter(body: NewSavedFilter, call: CallDep) -> Response:
    """For oneself; its id comes back as `filter_id`."""
    filter_id = str(body.id) if body.id else call.new_id()
    answer = await call.execute(SERVICE, "save_filter", body.saved(filter_id))
    return call.receipt(answer | {"filter_id": filter_id}, created="/v1/saved-filters")


@router.put("/saved-filters/{filter_id}", summary="Change a saved filter", response_model=Receipt, **needs(READ))
async def change_filter(filter_id: PathId, body: SavedFilter, call: CallDep) -> Response:
    """As a whole."""
    return await call.command(SERVICE, "save_filter", body.saved(str(filter_id)))


@router.delete("/saved-filters/{filter_id}", summary="Remove a saved filter", response_model=Receipt, **needs(READ))
async def remove_filter(filter_id: PathId, call: CallDep) -> Response:
    """Its tasks stay where they are."""
    return await call.command(SERVICE, "remove_filter", {"filter_id": str(filter_id)})
