"""Saved filters: the choices of tasks that somebody comes back to."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import EXAMPLE_ID, Body, Id, Listed, Name, PathId, Receipt, given
from gateway.routes.tasks import TaskChoice

router = resource("saved-filters")

SERVICE = "tasks"
READ = "tasks:read"

Screen = Literal["board", "agenda", "map"]


class SavedFilter(Body):
    """A choice under a name."""

    name: Name = Field(examples=["Urgent, north team"])
    screen: Screen = "board"
    chosen: TaskChoice = Field(examples=[{"priority": "urgent", "team_id": EXAMPLE_ID}])

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
    return await call.command(SERVICE, "change_filter", body.saved(str(filter_id)))


@router.delete("/saved-filters/{filter_id}", summary="Remove a saved filter", response_model=Receipt, **needs(READ))
async def remove_filter(filter_id: PathId, call: CallDep) -> Response:
    """Its tasks stay where they are."""
    return await call.command(SERVICE, "remove_filter", {"filter_id": str(filter_id)})
