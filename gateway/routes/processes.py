"""Kinds of work: processes and their subprocesses."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import (
    EXAMPLE_ID,
    Body,
    Cursor,
    DynamicFields,
    Found,
    Id,
    Limit,
    Listed,
    Name,
    PathId,
    Receipt,
    given,
)

router = resource("processes")

SERVICE = "tasks"
READ, EDIT = "processes:read", "processes:edit"


class NewNamed(Body):
    """Something new with a name."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    name: Name = Field(examples=["Maintenance"])


class Named(Body):
    """A name."""

    name: Name = Field(examples=["Preventive maintenance"])


class AttachStatusList(Body):
    """Tasks opened from now on walk through this list; null: through the three generic states."""

    list_id: Id | None = Field(examples=[EXAMPLE_ID])


class LinkTeams(Body):
    """All teams of the process, as they are from now on."""

    team_ids: Annotated[list[Id], Field(max_length=200)] = Field(examples=[[EXAMPLE_ID]])


class OwnFields(Body):
    """All values of the account's own fields."""

    fields: DynamicFields = Field(examples=[{"cost_centre": "CC-104"}])


@router.post("/processes", status_code=201, summary="Create a process", response_model=Receipt, **needs(EDIT))
async def create_process(body: NewNamed, call: CallDep) -> Response:
    """A broad kind of work."""
    data = {"process_id": str(body.id) if body.id else call.new_id(), "name": body.name}
    return await call.command(SERVICE, "create_process", data, created="/v1/processes/{id}")


@router.get("/processes", summary="All processes", response_model=Listed, **needs(READ))
async def processes(call: CallDep, active: bool | None = None, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """With their subprocesses."""
    return await call.query(SERVICE, "processes", given(active=active, limit=limit, cursor=cursor))


@router.get("/processes/{process_id}", summary="A process", response_model=Found, **needs(READ))
async def process(process_id: PathId, call: CallDep) -> Response:
    """With its subprocesses."""
    return await call.query(SERVICE, "process", {"process_id": str(process_id)})


@router.patch("/processes/{process_id}", summary="Rename a process", response_model=Receipt, **needs(EDIT))
async def rename_process(process_id: PathId, body: Named, call: CallDep) -> Response:
    """Its tasks stay where they are."""
    data = {"process_id": str(process_id), "name": body.name}
    return await call.command(SERVICE, "rename_process", data)


@router.put(
    "/processes/{process_id}/status-list",
    summary="Attach a status list",
    response_model=Receipt,
    **needs(EDIT),
)
async def attach_status_list(process_id: PathId, body: AttachStatusList, call: CallDep) -> Response:
    """For tasks opened from now on."""
    data = {"process_id": str(process_id), "list_id": str(body.list_id) if body.list_id else None}
    return await call.command(SERVICE, "attach_status_list", data)


@router.put(
    "/processes/{process_id}/fields", summary="Set a process's own fields", response_model=Receipt, **needs(EDIT)
)
async def set_process_fields(process_id: PathId, body: OwnFields, call: CallDep) -> Response:
    """All values at once; fields that are switched off keep theirs."""
    return await call.command(SERVICE, "set_process_fields", {**body.data(), "process_id": str(process_id)})


@router.put(
    "/processes/{process_id}/subprocesses/{subprocess_id}/fields",
    summary="Set a subprocess's own fields",
    response_model=Receipt,
    **needs(EDIT),
)
async def set_subprocess_fields(process_id: PathId, subprocess_id: PathId, body: OwnFields, call: CallDep) -> Response:
    """All values at once; fields that are switched off keep theirs."""
    data = {**body.data(), "process_id": str(process_id), "subprocess_id": str(subprocess_id)}
    return await call.command(SERVICE, "set_process_fields", data)


@router.put("/processes/{process_id}/teams", summary="Link teams", response_model=Receipt, **needs(EDIT))
async def link_teams(process_id: PathId, body: LinkTeams, call: CallDep) -> Response:
    """Tasks of this process can belong to these teams."""
    return await call.command(SERVICE, "link_teams", {**body.data(), "process_id": str(process_id)})


@router.post(
    "/processes/{process_id}/subprocesses",
    status_code=201,
    summary="Add a subprocess",
    response_model=Receipt,
    **needs(EDIT),
)
async def add_subprocess(process_id: PathId, body: NewNamed, call: CallDep) -> Response:
    """A concrete kind of work: tasks belong to exactly one. Its id comes back as `subprocess_id`."""
    subprocess_id = str(body.id) if body.id else call.new_id()
    data = {"process_id": str(process_id), "subprocess_id": subprocess_id, "name": body.name}
    answer = await call.execute(SERVICE, "add_subprocess", data)
    return call.receipt(answer | {"subprocess_id": subprocess_id}, created=f"/v1/processes/{process_id}")


@router.patch(
    "/processes/{process_id}/subprocesses/{subprocess_id}",
    summary="Rename a subprocess",
    response_model=Receipt,
    **needs(EDIT),
)
async def rename_subprocess(process_id: PathId, subprocess_id: PathId, body: Named, call: CallDep) -> Response:
    """Its tasks stay where they are."""
    data = {"process_id": str(process_id), "subprocess_id": str(subprocess_id), "name": body.name}
    return await call.command(SERVICE, "rename_subprocess", data)


@router.post(
    "/processes/{process_id}/deactivate",
    summary="Deactivate a process",
    response_model=Receipt,
    **needs(EDIT),
)
async def deactivate_process(process_id: PathId, call: CallDep) -> Response:
    """No new tasks; those that exist go on."""
    data = {"process_id": str(process_id)}
    return await call.command(SERVICE, "deactivate_process", data)


@router.post(
    "/processes/{process_id}/activate",
    summary="Activate a process",
    response_model=Receipt,
    **needs(EDIT),
)
async def activate_process(process_id: PathId, call: CallDep) -> Response:
    """New tasks can be opened again."""
    data = {"process_id": str(process_id)}
    return await call.command(SERVICE, "activate_process", data)


@router.post(
    "/processes/{process_id}/subprocesses/{subprocess_id}/deactivate",
    summary="Deactivate a subprocess",
    response_model=Receipt,
    **needs(EDIT),
)
async def deactivate_subprocess(process_id: PathId, subprocess_id: PathId, call: CallDep) -> Response:
    """No new tasks; those that exist go on."""
    data = {"process_id": str(process_id), "subprocess_id": str(subprocess_id)}
    return await call.command(SERVICE, "deactivate_subprocess", data)


@router.post(
    "/processes/{process_id}/subprocesses/{subprocess_id}/activate",
    summary="Activate a subprocess",
    response_model=Receipt,
    **needs(EDIT),
)
async def activate_subprocess(process_id: PathId, subprocess_id: PathId, call: CallDep) -> Response:
    """New tasks can be opened again."""
    data = {"process_id": str(process_id), "subprocess_id": str(subprocess_id)}
    return await call.command(SERVICE, "activate_subprocess", data)
