"""Tasks: planned, assigned, claimed, executed stage by stage, cancelled, reopened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import (
    EXAMPLE_ID,
    NO_NUL,
    OTHER_ID,
    Body,
    Cursor,
    DynamicFields,
    Found,
    Id,
    Limit,
    Line,
    Listed,
    Moment,
    PathId,
    Position,
    Reason,
    Receipt,
    Text,
    Window,
    given,
)

router = resource("tasks")

SERVICE = "tasks"
LOCATION = "/v1/tasks/{id}"

MaybeId = Id | None
Ids = Annotated[list[Id], Field(max_length=50)]
Priority = Literal["low", "normal", "high", "urgent"]
NoteText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000, pattern=NO_NUL)]
NEUTRAL: Mapping[str, object] = {
    "description": "",
    "form_ids": [],
    "service_ids": [],
    "window": {},
    "priority": "normal",
    "fields": {},
}
StageId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Status = Literal["pending", "in_progress", "completed", "cancelled"]


class Work(Body):
    """What a piece of work is, whenever it is done."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    title: Line = Field(examples=["Preventive maintenance of the cold room"])
    description: Text = ""
    process_id: Id = Field(examples=[EXAMPLE_ID])
    subprocess_id: Id = Field(examples=[OTHER_ID])
    form_ids: Ids = Field(default_factory=list)
    service_ids: Ids = Field(default_factory=list)
    customer_id: Id | None = None
    location_id: Id | None = None
    equipment_id: Id | None = None
    user_id: Id | None = None
    team_id: Id | None = None
    priority: Priority = "normal"
    fields: DynamicFields = Field(default_factory=dict)


class Planned(Work):
    """What a task and a subtask have in common when they are opened."""

    window: Window | None = None


class OpenTask(Planned):
    """A new task; as a subtask when it names a parent."""

    parent_id: Id | None = None
    blocks_parent: bool = False


class OpenSubtask(Planned):
    """A new task below the one in the path."""

    blocks_parent: bool = Field(default=False, description="The parent cannot be completed before it.")


class EditWork(Body):
    """Of a piece of work, what is given changes; process and subprocess go together."""

    title: Line | None = Field(default=None, examples=["Preventive maintenance, cold room 2"])
    description: Text | None = None
    process_id: Id | None = None
    subprocess_id: Id | None = None
    form_ids: Ids | None = None
    service_ids: Ids | None = None
    customer_id: Id | None = None
    location_id: Id | None = None
    equipment_id: Id | None = None
    priority: Priority | None = None
    fields: DynamicFields | None = None

    def cleared(self) -> dict[str, object]:
        """Null clears what can be absent; where work always has a value, null asks for the neutral one."""
        return {name: NEUTRAL.get(name) if value is None else value for name, value in self.data().items()}


class EditTask(EditWork):
    """Only what is given changes; process and subprocess go together."""

    window: Window | None = None


class AssignTask(Body):
    """To a person or to a team; to nobody when both are absent."""

    user_id: Id | None = Field(default=None, examples=[EXAMPLE_ID])
    team_id: Id | None = None


class StartTask(Body):
    """Begin; with the place where it happens when the stage asks for it."""

    position: Position | None = None


class AdvanceTask(Body):
    """Enter the next stage; with the place where it happens when the stage asks for it."""

    to_stage: StageId = Field(examples=["on-the-way"])
    position: Position | None = None


class Because(Body):
    """A reason that people can read later."""

    reason: Reason = Field(examples=["The customer called the visit off."])


class TaskChoice(Body):
    """Which tasks: each filter narrows."""

    status: Annotated[list[Status], Field(max_length=4)] = Field(default_factory=list)
    stage: StageId | None = None
    user_id: MaybeId = None
    team_id: MaybeId = None
    unassigned: bool = False
    process_id: MaybeId = None
    subprocess_id: MaybeId = None
    customer_id: MaybeId = None
    location_id: MaybeId = None
    equipment_id: MaybeId = None
    service_id: MaybeId = None
    parent_id: MaybeId = None
    recurrence_id: MaybeId = None
    priority: Priority | None = None
    overdue: bool = False


class DecideOverTasks(Body):
    """One decision over many tasks; only what belongs to the action is given."""

    action: Literal["assign", "cancel", "reschedule"] = Field(examples=["assign"])
    task_ids: Annotated[list[Id], Field(min_length=1, max_length=200)] = Field(examples=[[EXAMPLE_ID]])
    user_id: Id | None = Field(default=None, examples=[OTHER_ID])
    team_id: Id | None = None
    reason: Reason | None = None
    window: Window | None = None


class Decided(BaseModel):
    """One result per task: done with its version, or refused with a code."""

    model_config = ConfigDict(extra="allow")
    results: list[dict[str, Any]]
    done: int
    refused: int
    position: int


class NoteTask(Body):
    """Something worth writing down; it cannot be changed afterwards."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    text: NoteText = Field(examples=["The gate is locked; ring at the neighbour's."])


@router.post("/tasks", status_code=201, summary="Open a task", response_model=Receipt, **needs("tasks:read"))
async def open_task(body: OpenTask, call: CallDep) -> Response:
    """Who may not plan for others opens tasks for himself."""
    return await _open(body, call)


@router.post(
    "/tasks/{task_id}/subtasks",
    status_code=201,
    summary="Open a subtask",
    response_model=Receipt,
    **needs("tasks:read"),
)
async def open_subtask(task_id: PathId, body: OpenSubtask, call: CallDep) -> Response:
    """Its life is its own; it may block the completion of its parent."""
    return await _open(body, call, parent_id=str(task_id))


async def _open(body: Planned, call: CallDep, **more: str) -> Response:
    data = {name: value for name, value in body.data().items() if name != "window" or value is not None}
    data["task_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "open_task", {**data, **more}, created=LOCATION)


@router.post("/tasks/bulk", summary="Decide over many tasks", response_model=Decided, **needs("tasks:edit"))
async def decide_over_tasks(body: DecideOverTasks, call: CallDep) -> Response:
    """Assign, cancel or reschedule; broken off, it is resumed by repeating it under its Idempotency-Key."""
    data = {name: value for name, value in body.data().items() if value is not None or name.endswith("_id")}
    return await call.command(SERVICE, "decide_over_tasks", data)


@router.patch("/tasks/{task_id}", summary="Edit a task", response_model=Receipt, **needs("tasks:read"))
async def edit_task(task_id: PathId, body: EditTask, call: CallDep) -> Response:
    """Everything can be edited while the task is pending, by whoever plans and by whoever opened it."""
    return await call.command(SERVICE, "edit_task", {**body.cleared(), "task_id": str(task_id)})


@router.post("/tasks/{task_id}/assign", summary="Assign", response_model=Receipt, **needs("tasks:edit"))
async def assign_task(task_id: PathId, body: AssignTask, call: CallDep) -> Response:
    """While the task is pending or in progress."""
    return await call.command(SERVICE, "assign_task", {**body.data(), "task_id": str(task_id)})


@router.post("/tasks/{task_id}/claim", summary="Claim", response_model=Receipt, **needs("tasks:execute"))
async def claim_task(task_id: PathId, call: CallDep) -> Response:
    """A member of the team it is assigned to takes it; exactly one can."""
    return await call.command(SERVICE, "claim_task", {"task_id": str(task_id)})


@router.post("/tasks/{task_id}/start", summary="Start", response_model=Receipt, **needs("tasks:execute"))
async def start_task(task_id: PathId, call: CallDep, body: StartTask | None = None) -> Response:
    """Enter the first stage in progress, when that is the next one."""
    data = body.data() if body else {}
    return await call.command(SERVICE, "start_task", {**data, "task_id": str(task_id)})


@router.post("/tasks/{task_id}/advance", summary="Advance", response_model=Receipt, **needs("tasks:read"))
async def advance_task(task_id: PathId, body: AdvanceTask, call: CallDep) -> Response:
    """One stage on. Only the assignee, except in what follows completion."""
    return await call.command(SERVICE, "advance_task", {**body.data(), "task_id": str(task_id)})


@router.post("/tasks/{task_id}/cancel", summary="Cancel", response_model=Receipt, **needs("tasks:edit"))
async def cancel_task(task_id: PathId, body: Because, call: CallDep) -> Response:
    """With a reason; the task can be reopened."""
    return await call.command(SERVICE, "cancel_task", {**body.data(), "task_id": str(task_id)})


@router.post("/tasks/{task_id}/reopen", summary="Reopen", response_model=Receipt, **needs("tasks:edit"))
async def reopen_task(task_id: PathId, body: Because, call: CallDep) -> Response:
    """With a reason; a completed task goes back to its last stage in progress."""
    return await call.command(SERVICE, "reopen_task", {**body.data(), "task_id": str(task_id)})


@router.post("/tasks/{task_id}/notes", status_code=201, summary="Note", response_model=Receipt, **needs("tasks:read"))
async def note_task(task_id: PathId, body: NoteTask, call: CallDep) -> Response:
    """By whoever plans or does the task; its id comes back as `note_id`."""
    note_id = str(body.id) if body.id else call.new_id()
    data = {"task_id": str(task_id), "note_id": note_id, "text": body.text}
    answer = await call.execute(SERVICE, "note_task", data)
    return call.receipt(answer | {"note_id": note_id}, created=f"/v1/tasks/{task_id}")


@router.get("/tasks/{task_id}", summary="A task in full", response_model=Found, **needs("tasks:read"))
async def task(task_id: PathId, call: CallDep) -> Response:
    """With its history."""
    return await call.query(SERVICE, "task", {"task_id": str(task_id)})


def _chosen(
    status: Annotated[list[Status] | None, Query(description="Any of these.")] = None,
    stage: Annotated[str | None, Query(max_length=64, pattern=r"^[a-z0-9][a-z0-9-]*$")] = None,
    user_id: Id | None = None,
    team_id: Id | None = None,
    unassigned: bool | None = None,
    process_id: Id | None = None,
    subprocess_id: Id | None = None,
    customer_id: Id | None = None,
    location_id: Id | None = None,
    equipment_id: Id | None = None,
    service_id: Id | None = None,
    parent_id: Id | None = None,
    recurrence_id: Id | None = None,
    priority: Priority | None = None,
    overdue: bool | None = None,
) -> dict[str, Any]:
    return given(
        status=status,
        stage=stage,
        user_id=user_id,
        team_id=team_id,
        unassigned=unassigned,
        process_id=process_id,
        subprocess_id=subprocess_id,
        customer_id=customer_id,
        location_id=location_id,
        equipment_id=equipment_id,
        service_id=service_id,
        parent_id=parent_id,
        recurrence_id=recurrence_id,
        priority=priority,
        overdue=overdue,
    )


Chosen = Annotated[dict[str, Any], Depends(_chosen)]


@router.get("/board", summary="The board", response_model=Listed, **needs("tasks:read"))
async def board(
    call: CallDep,
    chosen: Chosen,
    order: Literal["due", "priority", "newest"] = "due",
    columns: Annotated[
        Literal["status", "stage", "none"], Query(description="What the first page counts; stages need a process.")
    ] = "status",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Technicians see their own tasks and their teams', leaders also those of the teams below."""
    params = chosen | given(order=order, columns=columns, limit=limit, cursor=cursor)
    return await call.query(SERVICE, "task_board", params)


@router.get("/agenda", summary="The agenda", response_model=Listed, **needs("tasks:read"))
async def agenda(
    call: CallDep,
    chosen: Chosen,
    start: Annotated[Moment, Query(alias="from", examples=["2026-12-01T05:00:00Z"])],
    end: Annotated[Moment, Query(alias="to", examples=["2026-12-08T05:00:00Z"])],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Tasks whose window touches the given time, in order of their beginning."""
    params = chosen | given(**{"from": start}, to=end, limit=limit, cursor=cursor)
    return await call.query(SERVICE, "agenda", params)
