"""The account's equipment, found by the place where it stands or by the beginning of what stands on it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.paging import Paged, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import searchable, stamp, without
from services.tasks.domain.equipment import (
    EquipmentEdited,
    EquipmentInstalled,
    EquipmentMoved,
    EquipmentRetired,
    EquipmentReturned,
    Plate,
)
from services.tasks.standing import demand

Document = dict[str, Any]


class EquipmentRegister(ReadModel):
    """One document per piece of equipment."""

    name = "equipment"
    categories = ("equipment",)
    indexes = (
        [("tenant", 1), ("sort", 1), ("_id", 1)],
        [("tenant", 1), ("terms", 1), ("sort", 1), ("_id", 1)],
        [("tenant", 1), ("customer_id", 1), ("sort", 1), ("_id", 1)],
        [("tenant", 1), ("location_id", 1), ("sort", 1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The piece of equipment."""
        return [fact.event.equipment_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The piece as it is now."""
        if isinstance(fact.event, EquipmentInstalled):
            doc = {"active": True, "installed_at": stamp(fact.at)}
        if doc is None:
            return None
        return {**doc, **_changes(fact.event), "version": fact.version}


def _changes(event: Any) -> Document:
    match event:
        case EquipmentInstalled(customer_id=customer_id, location_id=location_id, plate=plate):
            return {"customer_id": customer_id, "location_id": location_id, **_plate(plate)}
        case EquipmentEdited(plate=plate):
            return _plate(plate)
        case EquipmentMoved(customer_id=customer_id, location_id=location_id):
            return {"customer_id": customer_id, "location_id": location_id}
        case EquipmentRetired():
            return {"active": False}
        case EquipmentReturned():
            return {"active": True}
        case _:
            return {}


def _plate(plate: Plate | Erased) -> Document:
    if isinstance(plate, Erased):
        return {**dict.fromkeys(Plate.model_fields), "sort": "", "terms": []}
    marks = (plate.name, plate.code, plate.serial, plate.model)
    terms = {searchable(mark) for mark in marks if mark} | set(searchable(plate.name).split(" "))
    return {**plate.model_dump(mode="json"), "sort": searchable(plate.name), "terms": sorted(terms)}


class EquipmentListQuery(Paged):
    """Equipment by name; with `text`, that of which name, code, serial or model begins so."""

    text: Annotated[str, Field(max_length=100)] | None = None
    customer_id: str | None = None
    location_id: str | None = None
    active: bool | None = None


class EquipmentQuery(Query):
    """One piece of equipment."""

    equipment_id: str


def find_list(query: EquipmentListQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of equipment."""
    demand(ask.caller, "customers:read")
    names = ("customer_id", "location_id", "active")
    wanted = {name: value for name in names if (value := getattr(query, name)) is not None}
    if text := searchable(query.text or ""):
        wanted["terms"] = {"$regex": f"^{re.escape(text)}"}
    rows, following = page(ask, "equipment", wanted, query, by=[("sort", 1)])
    return {"items": [without(row, "sort", "terms") for row in rows], "next": following}


def find_one(query: EquipmentQuery, ask: Ask) -> Mapping[str, Any]:
    """One piece. Raises Rejected("equipment-unknown")."""
    demand(ask.caller, "customers:read")
    row = ask.reads["equipment"].one(query.equipment_id)
    if row is None:
        raise Rejected("equipment-unknown", equipment_id=query.equipment_id)
    return without(row, "sort", "terms")


QUERIES: Mapping[str, Answers] = {
    "equipment_list": (EquipmentListQuery, find_list),
    "equipment": (EquipmentQuery, find_one),
}
