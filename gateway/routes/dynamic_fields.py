"""Dynamic fields: what an account asks about its customers, processes, users and tasks beyond the usual."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import Body, FieldKey, Line, Listed, Name, Receipt, given

router = resource("dynamic-fields")

SERVICE = "tasks"
READ, EDIT = "processes:read", "processes:edit"

Entity = Literal["customer", "process", "subprocess", "user", "task"]
PathEntity = Annotated[Entity, Path(examples=["task"])]
PathKey = Annotated[FieldKey, Path(examples=["meter"])]
Length = Annotated[int, Field(ge=0, le=4_000)]


class Rules(Body):
    """What values the field takes; e-mail, phone, numbers only and lengths are for text."""

    type: Literal["text", "long_text", "checkbox", "single_selection", "dropdown", "date", "tags"] = Field(
        examples=["dropdown"]
    )
    required: bool = False
    email: bool = False
    phone: bool = False
    numeric: bool = False
    min_chars: Length | None = None
    max_chars: Length | None = None


class DynamicField(Body):
    """A field as people see it; its type cannot be changed later."""

    label: Name = Field(examples=["Meter brand"])
    rules: Rules = Field(examples=[{"type": "dropdown", "required": True}])
    options: Annotated[list[Line], Field(max_length=500)] = Field(default_factory=list, examples=[["Itron", "Elster"]])


class NewDynamicField(DynamicField):
    """A new field; its values are kept under the key."""

    key: FieldKey = Field(examples=["meter_brand"])


class Section(Body):
    """Fields that stand together, in order."""

    section_id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = Field(examples=["meter"])
    name: Name = Field(examples=["Meter"])
    keys: Annotated[list[FieldKey], Field(max_length=100)] = Field(examples=[["meter_brand"]])


class Arrangement(Body):
    """All sections in order; fields that are in none come last."""

    sections: Annotated[list[Section], Field(max_length=50)]


@router.get("/dynamic-fields", summary="All dynamic fields", response_model=Listed, **needs(READ))
async def dynamic_fields(call: CallDep, entity: Entity | None = None) -> Response:
    """Section by section."""
    return await call.query(SERVICE, "dynamic_fields", given(entity=entity))


@router.post(
    "/dynamic-fields/{entity}/fields",
    status_code=201,
    summary="Define a field",
    response_model=Receipt,
    **needs(EDIT),
)
async def define_field(entity: PathEntity, body: NewDynamicField, call: CallDep) -> Response:
    """From now on it is asked for."""
    data = body.data()
    key = data.pop("key")
    answer = await call.execute(SERVICE, "define_field", {"entity": entity, "key": key, "field": data})
    return call.receipt(answer, created=f"/v1/dynamic-fields?entity={entity}")


@router.put("/dynamic-fields/{entity}/fields/{key}", summary="Change a field", response_model=Receipt, **needs(EDIT))
async def change_field(entity: PathEntity, key: PathKey, body: DynamicField, call: CallDep) -> Response:
    """What was captured before stays as it is."""
    return await call.command(SERVICE, "change_field", {"entity": entity, "key": key, "field": body.data()})


@router.post(
    "/dynamic-fields/{entity}/fields/{key}/deactivate",
    summary="Deactivate a field",
    response_model=Receipt,
    **needs(EDIT),
)
async def deactivate_field(entity: PathEntity, key: PathKey, call: CallDep) -> Response:
    """It is no longer asked for; what was captured stays."""
    return await call.command(SERVICE, "deactivate_field", {"entity": entity, "key": key})


@router.post(
    "/dynamic-fields/{entity}/fields/{key}/activate",
    summary="Activate a field",
    response_model=Receipt,
    **needs(EDIT),
)
async def activate_field(entity: PathEntity, key: PathKey, call: CallDep) -> Response:
    """It is asked for again."""
    return await call.command(SERVICE, "activate_field", {"entity": entity, "key": key})


@router.put("/dynamic-fields/{entity}/sections", summary="Arrange the fields", response_model=Receipt, **needs(EDIT))
async def arrange_fields(entity: PathEntity, body: Arrangement, call: CallDep) -> Response:
    """All sections at once, with their fields in order."""
    return await call.command(SERVICE, "arrange_fields", {**body.data(), "entity": entity})
