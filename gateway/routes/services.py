"""The catalogue of services that tasks are found and counted by."""

from __future__ import annotations

from pydantic import Field
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import Body, Cursor, Id, Limit, Listed, Name, PathId, Receipt, given

router = resource("services")

SERVICE = "tasks"
READ, EDIT = "processes:read", "processes:edit"


class Service(Body):
    """An entry's name."""

    name: Name = Field(examples=["Preventive maintenance"])


class NewService(Service):
    """A new entry."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")


@router.post("/services", status_code=201, summary="Add a service", response_model=Receipt, **needs(EDIT))
async def add_service(body: NewService, call: CallDep) -> Response:
    """To the catalogue."""
    data = body.data()
    data["service_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "add_service", data, created="/v1/services")


@router.get("/services", summary="The catalogue", response_model=Listed, **needs(READ))
async def services(call: CallDep, active: bool | None = None, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """By name."""
    return await call.query(SERVICE, "services", given(active=active, limit=limit, cursor=cursor))


@router.patch("/services/{service_id}", summary="Rename a service", response_model=Receipt, **needs(EDIT))
async def rename_service(service_id: PathId, body: Service, call: CallDep) -> Response:
    """Its tasks keep it."""
    return await call.command(SERVICE, "rename_service", {"service_id": str(service_id), "name": body.name})


@router.post("/services/{service_id}/deactivate", summary="Deactivate a service", response_model=Receipt, **needs(EDIT))
async def deactivate_service(service_id: PathId, call: CallDep) -> Response:
    """Not for new tasks; those that exist keep it."""
    return await call.command(SERVICE, "deactivate_service", {"service_id": str(service_id)})


@router.post("/services/{service_id}/activate", summary="Activate a service", response_model=Receipt, **needs(EDIT))
async def activate_service(service_id: PathId, call: CallDep) -> Response:
    """For new tasks again."""
    return await call.command(SERVICE, "activate_service", {"service_id": str(service_id)})
