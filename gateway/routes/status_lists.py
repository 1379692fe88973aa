"""Status lists: the stages that the tasks of a process walk through."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import Body, Cursor, Found, Id, Limit, Listed, Name, PathId, Receipt, given

router = resource("status-lists")

SERVICE = "tasks"
READ, EDIT = "processes:read", "processes:edit"


class Demands(Body):
    """What must be proven before a stage is entered."""

    forms: Annotated[list[Id], Field(max_length=20)] = Field(default_factory=list)
    photos: int = Field(default=0, ge=0, le=200)
    signature: bool = False
    complete_evidence: bool = Field(
        default=False, description="Everything that the task's answers announce must have arrived."
    )
    task_forms: bool = Field(default=False, description="The forms that the task itself names must be answered.")
    geolocation_radius_m: int | None = Field(default=None, ge=5, le=100_000)


class Stage(Body):
    """One step of a pipeline."""

    stage_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = Field(examples=["on-the-way"])
    name: Name = Field(examples=["On the way"])
    generic_state: Literal["pending", "in_progress", "completed"] = Field(examples=["in_progress"])
    requires: Demands | None = None


_STAGES = [
    {"stage_id": "pending", "name": "Pending", "generic_state": "pending"},
    {"stage_id": "on-the-way", "name": "On the way", "generic_state": "in_progress"},
    {"stage_id": "completed", "name": "Completed", "generic_state": "completed"},
]


class StatusList(Body):
    """A pipeline: its name and its stages in order."""

    name: Name = Field(examples=["Visits"])
    stages: Annotated[list[Stage], Field(min_length=3, max_length=30)] = Field(examples=[_STAGES])


class NewStatusList(StatusList):
    """A new pipeline."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")


def _list_data(body: StatusList) -> dict[str, object]:
    data = body.data()
    for stage in data["stages"]:
        if stage.get("requires") is None:
            stage.pop("requires", None)
    return data


@router.post(
    "/status-lists",
    status_code=201,
    summary="Define a status list",
    response_model=Receipt,
    **needs(EDIT),
)
async def define_status_list(body: NewStatusList, call: CallDep) -> Response:
    """Its stages go from pending over in progress to completed; each of the three occurs."""
    data = _list_data(body)
    data["list_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "define_status_list", data, created="/v1/status-lists/{id}")


@router.put("/status-lists/{list_id}", summary="Change a status list", response_model=Receipt, **needs(EDIT))
async def change_status_list(list_id: PathId, body: StatusList, call: CallDep) -> Response:
    """Tasks that exist keep the stages they were opened with."""
    return await call.command(SERVICE, "change_status_list", {**_list_data(body), "list_id": str(list_id)})


@router.get("/status-lists", summary="All status lists", response_model=Listed, **needs(READ))
async def status_lists(call: CallDep, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """By name."""
    return await call.query(SERVICE, "status_lists", given(limit=limit, cursor=cursor))


@router.get("/status-lists/{list_id}", summary="A status list", response_model=Found, **needs(READ))
async def status_list(list_id: PathId, call: CallDep) -> Response:
    """With its stages."""
    return await call.query(SERVICE, "status_list", {"list_id": str(list_id)})
