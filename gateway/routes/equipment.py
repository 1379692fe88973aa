"""Equipment: what stands at the customers' locations and is worked on."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import (
    EXAMPLE_ID,
    NO_NUL,
    OTHER_ID,
    PRINTABLE,
    Body,
    Cursor,
    Found,
    Id,
    Limit,
    Line,
    Listed,
    Name,
    PathId,
    Receipt,
    given,
)

router = resource("equipment")

SERVICE = "tasks"
READ, EDIT = "customers:read", "customers:edit"

Mark = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=PRINTABLE)]
Remark = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=NO_NUL)]


class Standing(Body):
    """Where it stands."""

    customer_id: Id = Field(examples=[EXAMPLE_ID])
    location_id: Id = Field(examples=[OTHER_ID])


class InstallEquipment(Standing):
    """A new piece of equipment at a customer's location."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    name: Line = Field(examples=["Cold room 2"])
    code: Mark | None = Field(default=None, examples=["EQ-0042"])
    serial: Mark | None = Field(default=None, examples=["SN-88231-B"])
    model: Name | None = Field(default=None, examples=["KX-200"])
    manufacturer: Name | None = None
    remarks: Remark = ""


class EditEquipment(Body):
    """Only what is given changes; null empties what can be empty."""

    name: Line | None = Field(default=None, examples=["Cold room 2, north side"])
    code: Mark | None = None
    serial: Mark | None = None
    model: Name | None = None
    manufacturer: Name | None = None
    remarks: Remark | None = None


@router.post("/equipment", status_code=201, summary="Register equipment", response_model=Receipt, **needs(EDIT))
async def install_equipment(body: InstallEquipment, call: CallDep) -> Response:
    """At a location that the customer has."""
    data = body.data()
    data["equipment_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "install_equipment", data, created="/v1/equipment/{id}")


@router.get("/equipment", summary="All equipment", response_model=Listed, **needs(READ))
async def equipment_list(
    call: CallDep,
    text: Annotated[
        str | None,
        Query(max_length=100, pattern=PRINTABLE, description="How name, code, serial or model begins."),
    ] = None,
    customer_id: Id | None = None,
    location_id: Id | None = None,
    active: bool | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """By name."""
    params = given(
        text=text, customer_id=customer_id, location_id=location_id, active=active, limit=limit, cursor=cursor
    )
    return await call.query(SERVICE, "equipment_list", params)


@router.get("/equipment/{equipment_id}", summary="A piece of equipment", response_model=Found, **needs(READ))
async def equipment(equipment_id: PathId, call: CallDep) -> Response:
    """What stands on it and where it stands."""
    return await call.query(SERVICE, "equipment", {"equipment_id": str(equipment_id)})


@router.patch("/equipment/{equipment_id}", summary="Edit equipment", response_model=Receipt, **needs(EDIT))
async def edit_equipment(equipment_id: PathId, body: EditEquipment, call: CallDep) -> Response:
    """The name cannot be emptied."""
    data = body.data()
    if data.get("remarks", "") is None:
        data["remarks"] = ""
    return await call.command(SERVICE, "edit_equipment", {**data, "equipment_id": str(equipment_id)})


@router.put("/equipment/{equipment_id}/location", summary="Move equipment", response_model=Receipt, **needs(EDIT))
async def move_equipment(equipment_id: PathId, body: Standing, call: CallDep) -> Response:
    """Tasks that exist keep the place they have."""
    return await call.command(SERVICE, "move_equipment", {**body.data(), "equipment_id": str(equipment_id)})


@router.post("/equipment/{equipment_id}/retire", summary="Retire equipment", response_model=Receipt, **needs(EDIT))
async def retire_equipment(equipment_id: PathId, call: CallDep) -> Response:
    """No new tasks on it."""
    return await call.command(SERVICE, "retire_equipment", {"equipment_id": str(equipment_id)})


@router.post("/equipment/{equipment_id}/return", summary="Return equipment", response_model=Receipt, **needs(EDIT))
async def return_equipment(equipment_id: PathId, call: CallDep) -> Response:
    """Into service again."""
    return await call.command(SERVICE, "return_equipment", {"equipment_id": str(equipment_id)})
