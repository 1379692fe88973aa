"""Tasks as tables: one row a task as it is now, and one row for everything that ever happened to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from pydantic import AwareDatetime

from services.kernel.exporting.columns import Column, Document, batches, cells, field, headings, moment
from services.kernel.exporting.job import Language, Sheet
from services.kernel.exporting.kinds import Cell, ExportKind, Plan, Thing, Wanted
from services.kernel.exporting.people import People
from services.kernel.shown import stamp
from services.tasks.exports.happenings import called
from services.tasks.exports.own_columns import own_cells, own_headings, own_keys
from services.tasks.readmodels.task_board import Chosen, named, narrowed

MODEL = "task_detail"
ENTITY = "task"

STATUSES = {
    "pending": ("Pendiente", "Pending"),
    "in_progress": ("En progreso", "In progress"),
    "completed": ("Completada", "Completed"),
    "cancelled": ("Cancelada", "Cancelled"),
}
PRIORITIES = {
    "low": ("Baja", "Low"),
    "normal": ("Normal", "Normal"),
    "high": ("Alta", "High"),
    "urgent": ("Urgente", "Urgent"),
}


class TaskFilters(Chosen):
    """Which tasks; `since` is included, `until` is not, both for when they were opened."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


def _columns(language: Language, people: People) -> list[Column]:
    def person(name: str) -> Any:
        return lambda doc: people.called(doc[name])

    def word(name: str, words: Mapping[str, tuple[str, str]]) -> Any:
        return lambda doc: words.get(doc[name], (doc[name],) * 2)[language == "en"]

    return [
        ("Id", "Id", field("id")),
        ("Título", "Title", field("title")),
        ("Descripción", "Description", field("description")),
        ("Proceso", "Process", field("process_name")),
        ("Subproceso", "Subprocess", field("subprocess_name")),
        ("Estado", "Status", word("status", STATUSES)),
        ("Etapa", "Stage", field("stage_name")),
        ("Prioridad", "Priority", word("priority", PRIORITIES)),
        ("Vencida", "Overdue", field("overdue")),
        ("Código del cliente", "Customer code", field("customer", "code")),
        ("Cliente", "Customer", field("customer", "name")),
        ("Ubicación", "Location", field("location", "name")),
        ("Dirección", "Address", field("location", "address")),
        ("Equipo", "Equipment", field("equipment_name")),
        ("Responsable", "Assignee", person("user_id")),
        ("Equipo de trabajo", "Team", person("team_id")),
        ("Inicio", "Start", moment("window", "start")),
        ("Fin", "End", moment("window", "end")),
        ("Creada", "Opened", moment("opened_at")),
        ("Creada por", "Opened by", person("opened_by")),
        ("Completada", "Completed", moment("completed_at")),
        ("Última novedad", "Last change", moment("updated_at")),
        ("Tarea principal", "Parent task", field("parent_id")),
        ("Id del responsable", "Assignee id", field("user_id")),
        ("Id del equipo de trabajo", "Team id", field("team_id")),
    ]


def _history(language: Language, people: People) -> list[Column]:
    return [
        ("Tarea", "Task", field("task_id")),
        ("N.º", "No.", field("version")),
        ("Fecha", "Time", moment("at")),
        ("Quién", "Who", lambda doc: people.called(doc["by"])),
        ("Qué", "What", lambda doc: called(doc["what"], language)),
        ("Antes", "Before", lambda doc: _told(doc["from"])),
        ("Después", "After", lambda doc: _told(doc["to"])),
        ("Código", "Code", field("what")),
    ]


def _told(facts: Mapping[str, Any]) -> Cell:
    return orjson.dumps(facts).decode() if facts else None


def _plan(wanted: Wanted) -> Plan:
    filters = TaskFilters.model_validate(wanted.filters)
    # A document without a process waits for its task to be opened.
    parts: list[Mapping[str, Any]] = [narrowed(filters, wanted.ask), {"process_id": {"$exists": True}}]
    if filters.since:
        parts.append({"opened_at": {"$gte": stamp(filters.since)}})
    if filters.until:
        parts.append({"opened_at": {"$lt": stamp(filters.until)}})
    filter = {"$and": [part for part in parts if part]}
    keys = own_keys(wanted.ask, MODEL, filter, ENTITY)
    people = People(wanted.ask)
    usual = headings(_columns(wanted.language, people), wanted.language)
    own = own_headings(wanted.ask, keys, ENTITY, usual)
    names = ("Tareas", "Historia") if wanted.language == "es" else ("Tasks", "Task history")
    sheets = (
        Sheet(name=names[0], headings=(*usual, *own)),
        Sheet(name=names[1], headings=tuple(headings(_history(wanted.language, people), wanted.language))),
    )
    return Plan(sheets, wanted.ask.reads[MODEL].count(filter), {"filter": filter, "keys": keys})


def _rows(wanted: Wanted, scope: Mapping[str, Any], after: str) -> Iterator[Thing]:
    people, keys = People(wanted.ask), scope["keys"]
    columns, past = _columns(wanted.language, people), _history(wanted.language, people)
    for docs in batches(wanted.ask.reads[MODEL].walk(scope["filter"], after=after)):
        customers = _customers(wanted, {doc["customer_id"] for doc in docs})
        actors = {entry["by"] for doc in docs for entry in doc["history"]}
        people.learn({*actors, *(doc[name] for doc in docs for name in ("user_id", "opened_by"))}, _teams(docs))
        for doc, shown in zip(docs, named(wanted.ask, docs), strict=True):
            customer = customers.get(doc["customer_id"])
            places = {place["location_id"]: place for place in (customer or {}).get("locations", ())}
            task = {**shown, "customer": customer, "location": places.get(doc["location_id"])}
            history = ({**entry, "task_id": doc["id"]} for entry in doc["history"])
            yield Thing(
                doc["id"],
                [
                    (0, [*cells(columns, task), *own_cells(doc, keys)]),
                    *((1, cells(past, entry)) for entry in history),
                ],
            )


def _teams(docs: Sequence[Document]) -> set[str | None]:
    return {doc["team_id"] for doc in docs}


def _customers(wanted: Wanted, ids: set[str | None]) -> dict[str | None, Document]:
    tenant = wanted.ask.caller.tenant
    keys = [f"{tenant}:{id}" for id in sorted(filter(None, ids))]
    return {row["id"]: row for row in wanted.ask.reads["customers"].find({"_id": {"$in": keys}})} if keys else {}


tasks = ExportKind(
    name="tasks",
    permission="tasks:read",
    titles={"es": "tareas", "en": "tasks"},
    filters=TaskFilters,
    plan=_plan,
    rows=_rows,
)
