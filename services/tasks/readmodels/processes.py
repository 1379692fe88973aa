"""The account's processes with their subprocesses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.paging import Paged, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import searchable, shown, without
from services.tasks.domain.process import (
    ProcessActivated,
    ProcessCreated,
    ProcessDeactivated,
    ProcessFieldsSet,
    ProcessRenamed,
    StatusListAttached,
    SubprocessActivated,
    SubprocessAdded,
    SubprocessDeactivated,
    SubprocessRenamed,
    TeamsLinked,
)
from services.tasks.standing import demand

Document = dict[str, Any]


class Processes(ReadModel):
    """One document per process."""

    name = "processes"
    categories = ("process",)
    indexes = ([("tenant", 1), ("sort", 1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The process."""
        return [fact.event.process_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The process as it is now."""
        if isinstance(fact.event, ProcessCreated):
            doc = {"active": True, "list_id": None, "team_ids": [], "subprocesses": [], "fields": {}}
        if doc is None:
            return None
        return {**doc, **_changes(doc, fact.event), "version": fact.version}


def _changes(doc: Document, event: Any) -> Document:
    match event:
        case ProcessCreated(name=name) | ProcessRenamed(name=name):
            return {"name": shown(name), "sort": searchable(name)}
        case ProcessActivated():
            return {"active": True}
        case ProcessDeactivated():
            return {"active": False}
        case StatusListAttached(list_id=list_id):
            return {"list_id": list_id}
        case TeamsLinked(team_ids=team_ids):
            return {"team_ids": list(team_ids)}
        case SubprocessAdded(subprocess_id=id, name=name):
            added: Document = {"subprocess_id": id, "name": shown(name), "active": True, "fields": {}}
            return {"subprocesses": [*doc["subprocesses"], added]}
        case SubprocessRenamed(subprocess_id=id, name=name):
            return _subprocess(doc, id, name=shown(name))
        case ProcessFieldsSet(subprocess_id=of, fields=fields):
            values = shown(fields) or {}
            return {"fields": values} if of is None else _subprocess(doc, of, fields=values)
        case SubprocessActivated(subprocess_id=id):
            return _subprocess(doc, id, active=True)
        case SubprocessDeactivated(subprocess_id=id):
            return _subprocess(doc, id, active=False)
        case _:
            return {}


def _subprocess(doc: Document, subprocess_id: str, **changes: Any) -> Document:
    return {
        "subprocesses": [
            {**sub, **changes} if sub["subprocess_id"] == subprocess_id else sub for sub in doc["subprocesses"]
        ]
    }


class ProcessesQuery(Paged):
    """All processes, by name; those that are switched off too unless `active` says otherwise."""

    active: bool | None = None


class ProcessQuery(Query):
    """One process."""

    process_id: str


def find_processes(query: ProcessesQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of processes."""
    demand(ask.caller, "processes:read")
    wanted = {} if query.active is None else {"active": query.active}
    rows, following = page(ask, "processes", wanted, query, by=[("sort", 1)])
    return {"items": [without(row, "sort") for row in rows], "next": following}


def find_process(query: ProcessQuery, ask: Ask) -> Mapping[str, Any]:
    """One process. Raises Rejected("process-unknown")."""
    demand(ask.caller, "processes:read")
    row = ask.reads["processes"].one(query.process_id)
    if row is None:
        raise Rejected("process-unknown", process_id=query.process_id)
    return without(row, "sort")


QUERIES: Mapping[str, Answers] = {
    "processes": (ProcessesQuery, find_processes),
    "process": (ProcessQuery, find_process),
}
