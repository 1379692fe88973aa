"""Customers and their locations."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import (
    PRINTABLE,
    Body,
    Cursor,
    DynamicFields,
    Email,
    Found,
    Id,
    Limit,
    Line,
    Listed,
    Name,
    PathId,
    Position,
    Receipt,
    given,
)

router = resource("customers")

SERVICE = "tasks"
READ, EDIT = "customers:read", "customers:edit"

CustomerCode = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60, pattern=PRINTABLE)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9 ()./x-]{5,30}$")]


class Details(Body):
    """What can be said about a customer besides code and name."""

    country: Name | None = Field(default=None, examples=["Colombia"])
    department: Name | None = Field(default=None, examples=["Cundinamarca"])
    city: Name | None = Field(default=None, examples=["Bogotá"])
    address: Line | None = Field(default=None, examples=["Carrera 7 # 71-21"])
    phone: Phone | None = Field(default=None, examples=["+57 601 5550100"])
    email: Email | None = Field(default=None, examples=["compras@example.com"])
    fields: DynamicFields = Field(default_factory=dict)


class CreateCustomer(Details):
    """A new customer; its code is its own within the account."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    code: CustomerCode = Field(examples=["900123456-7"])
    name: Line = Field(examples=["Comercializadora Andina S.A.S."])


class EditCustomer(Details):
    """Only what is given changes."""

    code: CustomerCode | None = None
    name: Line | None = Field(default=None, examples=["Comercializadora Andina"])


class AddLocation(Body):
    """A place of this customer where work is done."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    name: Name = Field(examples=["North plant"])
    address: Line | None = Field(default=None, examples=["Calle 170 # 45-30"])
    position: Position | None = None


class EditLocation(Body):
    """Only what is given changes."""

    name: Name | None = Field(default=None, examples=["North plant, gate 2"])
    address: Line | None = None
    position: Position | None = None


@router.post("/customers", status_code=201, summary="Create a customer", response_model=Receipt, **needs(EDIT))
async def create_customer(body: CreateCustomer, call: CallDep) -> Response:
    """Refused when another customer has the code."""
    data = body.data()
    data["customer_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "create_customer", data, created="/v1/customers/{id}")


@router.get("/customers", summary="All customers", response_model=Listed, **needs(READ))
async def customers(
    call: CallDep,
    text: Annotated[
        str | None, Query(max_length=100, pattern=PRINTABLE, description="How the code or a word of the name begins.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """By name."""
    return await call.query(SERVICE, "customers", given(text=text, limit=limit, cursor=cursor))


@router.get("/customers/{customer_id}", summary="A customer", response_model=Found, **needs(READ))
async def customer(customer_id: PathId, call: CallDep) -> Response:
    """With its locations."""
    return await call.query(SERVICE, "customer", {"customer_id": str(customer_id)})


@router.patch("/customers/{customer_id}", summary="Edit a customer", response_model=Receipt, **needs(EDIT))
async def edit_customer(customer_id: PathId, body: EditCustomer, call: CallDep) -> Response:
    """Null empties a field, except code and name."""
    data = {**body.data(), "customer_id": str(customer_id)}
    return await call.command(SERVICE, "edit_customer", data)


@router.post(
    "/customers/{customer_id}/locations",
    status_code=201,
    summary="Add a location",
    response_model=Receipt,
    **needs(EDIT),
)
async def add_location(customer_id: PathId, body: AddLocation, call: CallDep) -> Response:
    """Its id comes back as `location_id`."""
    data = body.data()
    location_id = data.pop("id", None) or call.new_id()
    answer = await call.execute(
        SERVICE, "add_location", {**data, "customer_id": str(customer_id), "location_id": location_id}
    )
    return call.receipt(answer | {"location_id": location_id}, created=f"/v1/customers/{customer_id}")


@router.patch(
    "/customers/{customer_id}/locations/{location_id}",
    summary="Edit a location",
    response_model=Receipt,
    **needs(EDIT),
)
async def edit_location(customer_id: PathId, location_id: PathId, body: EditLocation, call: CallDep) -> Response:
    """Null empties address or position."""
    data = {**body.data(), "customer_id": str(customer_id), "location_id": str(location_id)}
    return await call.command(SERVICE, "edit_location", data)


@router.delete(
    "/customers/{customer_id}/locations/{location_id}",
    summary="Remove a location",
    response_model=Receipt,
    **needs(EDIT),
)
async def remove_location(customer_id: PathId, location_id: PathId, call: CallDep) -> Response:
    """Tasks that name it keep doing so."""
    data = {"customer_id": str(customer_id), "location_id": str(location_id)}
    return await call.command(SERVICE, "remove_location", data)
