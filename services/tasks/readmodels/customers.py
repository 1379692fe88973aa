"""The account's customers with their locations, found by the beginning of a code or of any word of the name."""

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
from services.tasks.domain.customer import (
    CustomerCreated,
    CustomerEdited,
    LocationAdded,
    LocationEdited,
    LocationRemoved,
    Place,
    Profile,
)
from services.tasks.standing import demand

Document = dict[str, Any]
NOTHING_KNOWN: Document = {**dict.fromkeys(Profile.model_fields), "fields": {}}


class Customers(ReadModel):
    """One document per customer."""

    name = "customers"
    categories = ("customer",)
    indexes = (
        [("tenant", 1), ("sort", 1), ("_id", 1)],
        [("tenant", 1), ("terms", 1), ("sort", 1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The customer."""
        return [fact.event.customer_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The customer as it is now."""
        if isinstance(fact.event, CustomerCreated):
            doc = {"locations": [], "created_at": stamp(fact.at)}
        if doc is None:
            return None
        return {**doc, **_changes(doc, fact.event), "version": fact.version}


def _changes(doc: Document, event: Any) -> Document:
    match event:
        case CustomerCreated(profile=profile) | CustomerEdited(profile=profile):
            return _profile(profile)
        case LocationAdded(location_id=id, place=place) | LocationEdited(location_id=id, place=place):
            return {"locations": [*_others(doc, id), {"location_id": id, **_place(place)}]}
        case LocationRemoved(location_id=id):
            return {"locations": _others(doc, id)}
        case _:
            return {}


def _profile(profile: Profile | Erased) -> Document:
    if isinstance(profile, Erased):
        return {**NOTHING_KNOWN, "sort": "", "terms": []}
    name = searchable(profile.name)
    words = name.split(" ")
    terms = {searchable(profile.code), *(" ".join(words[n:]) for n in range(len(words)))}
    return {**profile.model_dump(mode="json"), "sort": name, "terms": sorted(terms)}


def _place(place: Place | Erased) -> Document:
    if isinstance(place, Erased):
        return dict.fromkeys(Place.model_fields)
    return place.model_dump(mode="json")


def _others(doc: Document, location_id: str) -> list[Document]:
    return [known for known in doc["locations"] if known["location_id"] != location_id]


class CustomersQuery(Paged):
    """Customers by name; with `text`, those whose code or a word of whose name begins so."""

    text: Annotated[str, Field(max_length=100)] | None = None


class CustomerQuery(Query):
    """One customer."""

    customer_id: str


def beginning_with(text: str | None) -> Document:
    """Those whose code or a word of whose name begins so, as a filter; without a text, all."""
    wanted = searchable(text or "")
    return {"terms": {"$regex": f"^{re.escape(wanted)}"}} if wanted else {}


def find_customers(query: CustomersQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of customers."""
    demand(ask.caller, "customers:read")
    rows, following = page(ask, "customers", beginning_with(query.text), query, by=[("sort", 1)])
    return {"items": [without(row, "sort", "terms") for row in rows], "next": following}


def find_customer(query: CustomerQuery, ask: Ask) -> Mapping[str, Any]:
    """One customer. Raises Rejected("customer-unknown")."""
    demand(ask.caller, "customers:read")
    row = ask.reads["customers"].one(query.customer_id)
    if row is None:
        raise Rejected("customer-unknown", customer_id=query.customer_id)
    return without(row, "sort", "terms")


QUERIES: Mapping[str, Answers] = {
    "customers": (CustomersQuery, find_customers),
    "customer": (CustomerQuery, find_customer),
}
