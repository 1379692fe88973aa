"""Customers as tables: one row a customer, one for each of its locations, one for each piece of equipment there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from services.kernel.application import Query
from services.kernel.exporting.columns import Column, Document, batches, cells, field, headings, moment
from services.kernel.exporting.job import Sheet
from services.kernel.exporting.kinds import ExportKind, Plan, Row, Thing, Wanted
from services.tasks.exports.own_columns import own_cells, own_headings, own_keys
from services.tasks.readmodels.customers import beginning_with

MODEL = "customers"
ENTITY = "customer"

# The headings are those by which an import knows the columns, so that what was exported can be imported again.
CUSTOMERS: list[Column] = [
    ("Código", "Code", field("code")),
    ("Nombre", "Name", field("name")),
    ("País", "Country", field("country")),
    ("Departamento", "Department", field("department")),
    ("Ciudad", "City", field("city")),
    ("Dirección", "Address", field("address")),
    ("Teléfono", "Phone", field("phone")),
    ("Correo electrónico", "E-mail", field("email")),
    ("Creado", "Created", moment("created_at")),
    ("Id", "Id", field("id")),
]
LOCATIONS: list[Column] = [
    ("Código del cliente", "Customer code", field("customer", "code")),
    ("Cliente", "Customer", field("customer", "name")),
    ("Ubicación", "Location", field("name")),
    ("Dirección", "Address", field("address")),
    ("Latitud", "Latitude", field("position", "lat")),
    ("Longitud", "Longitude", field("position", "lon")),
    ("Id del cliente", "Customer id", field("customer", "id")),
    ("Id", "Id", field("location_id")),
]
EQUIPMENT: list[Column] = [
    ("Código del cliente", "Customer code", field("customer", "code")),
    ("Ubicación", "Location", field("location", "name")),
    ("Equipo", "Equipment", field("name")),
    ("Código", "Code", field("code")),
    ("Serial", "Serial", field("serial")),
    ("Modelo", "Model", field("model")),
    ("Fabricante", "Manufacturer", field("manufacturer")),
    ("Observaciones", "Remarks", field("remarks")),
    ("En uso", "In use", field("active")),
    ("Id de la ubicación", "Location id", field("location_id")),
    ("Id", "Id", field("id")),
]


class CustomerFilters(Query):
    """Which customers: all, or those whose code or a word of whose name begins so."""

    text: Annotated[str, Field(max_length=100)] | None = None


def _plan(wanted: Wanted) -> Plan:
    filter = beginning_with(CustomerFilters.model_validate(wanted.filters).text)
    keys = own_keys(wanted.ask, MODEL, filter, ENTITY)
    usual = headings(CUSTOMERS, wanted.language)
    own = own_headings(wanted.ask, keys, ENTITY, usual)
    names = (
        ("Clientes", "Ubicaciones", "Equipos") if wanted.language == "es" else ("Customers", "Locations", "Equipment")
    )
    sheets = (
        Sheet(name=names[0], headings=(*usual, *own)),
        Sheet(name=names[1], headings=tuple(headings(LOCATIONS, wanted.language))),
        Sheet(name=names[2], headings=tuple(headings(EQUIPMENT, wanted.language))),
    )
    return Plan(sheets, wanted.ask.reads[MODEL].count(filter), {"filter": filter, "keys": keys})


def _rows(wanted: Wanted, scope: Mapping[str, Any], after: str) -> Iterator[Thing]:
    for docs in batches(wanted.ask.reads[MODEL].walk(scope["filter"], after=after)):
        equipment = _equipment(wanted, [doc["id"] for doc in docs])
        for doc in docs:
            places = {place["location_id"]: place for place in doc["locations"]}
            rows: list[tuple[int, Row]] = [(0, [*cells(CUSTOMERS, doc), *own_cells(doc, scope["keys"])])]
            rows += [(1, cells(LOCATIONS, {**place, "customer": doc})) for place in places.values()]
            for piece in equipment[doc["id"]]:
                at = {"customer": doc, "location": places.get(piece["location_id"])}
                rows.append((2, cells(EQUIPMENT, {**piece, **at})))
            yield Thing(doc["id"], rows)


def _equipment(wanted: Wanted, customer_ids: Sequence[str]) -> Mapping[str, list[Document]]:
    found: Mapping[str, list[Document]] = defaultdict(list)
    chosen = {"customer_id": {"$in": list(customer_ids)}}
    for row in wanted.ask.reads["equipment"].find(chosen, sort=[("_id", 1)]):
        found[row["customer_id"]].append(row)
    return found


customers = ExportKind(
    name="customers",
    permission="customers:read",
    titles={"es": "clientes", "en": "customers"},
    filters=CustomerFilters,
    plan=_plan,
    rows=_rows,
)
