"""Imports: how far each is, and what is wrong in which row and column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.paging import Paged, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp, without
from services.tasks.domain.import_job import (
    ImportApplied,
    ImportChecked,
    ImportDiscarded,
    ImportFinished,
    ImportRejected,
    ImportRequested,
    ImportRowsApplied,
    Kind,
)
from services.tasks.standing import demand

Document = dict[str, Any]


class Imports(ReadModel):
    """One document per import."""

    name = "imports"
    categories = ("import_job",)
    indexes = (
        [("tenant", 1), ("requested_at", -1), ("_id", 1)],
        [("tenant", 1), ("kind", 1), ("requested_at", -1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The import."""
        return [fact.event.import_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The import as it stands now."""
        if isinstance(fact.event, ImportRequested):
            doc = _requested(fact.event, stamp(fact.at))
        if doc is None:
            return None
        return {**doc, **_changes(doc, fact.event), "version": fact.version, "updated_at": stamp(fact.at)}


def _requested(event: ImportRequested, at: str) -> Document:
    return {
        "status": "requested",
        "kind": event.kind,
        "file_name": shown(event.file_name),
        "requested_by": event.requested_by,
        "requested_at": at,
        "applied_by": None,
        "rejected": None,
        "rows": None,
        "good": None,
        "bad": None,
        "errors": [],
        "unlisted": 0,
        "ignored_columns": [],
        "upto": 0,
        "applied": 0,
        "skipped": 0,
        "refused": [],
    }


def _changes(doc: Document, event: Any) -> Document:
    match event:
        case ImportRejected(code=code, columns=columns):
            return {"status": "rejected", "rejected": {"code": code, "columns": list(columns)}}
        case ImportChecked():
            return _checked(event)
        case ImportApplied(applied_by=applied_by):
            return {"status": "applying", "applied_by": applied_by}
        case ImportRowsApplied(upto=upto, applied=applied, skipped=skipped, refused=refused):
            return {
                "upto": upto,
                "applied": doc["applied"] + applied,
                "skipped": doc["skipped"] + skipped,
                "refused": [*doc["refused"], *(error.model_dump() for error in refused)],
            }
        case ImportFinished():
            return {"status": "finished"}
        case ImportDiscarded():
            return {"status": "discarded"}
        case _:
            return {}


def _checked(event: ImportChecked) -> Document:
    values = {} if isinstance(event.values, Erased) else event.values
    return {
        "status": "checked",
        "rows": event.rows,
        "good": event.good,
        "bad": event.bad,
        "errors": [
            {**error.model_dump(), "value": values.get(f"{error.row}:{error.column}")} for error in event.errors
        ],
        "unlisted": event.unlisted,
        "ignored_columns": list(shown(event.ignored_columns) or ()),
    }


class ImportsQuery(Paged):
    """Imports, newest first."""

    kind: Kind | None = None


class ImportQuery(Query):
    """One import with its errors."""

    import_id: str


def find_imports(query: ImportsQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of imports, without their rows' errors."""
    demand(ask.caller, "imports:read")
    wanted = {} if query.kind is None else {"kind": query.kind}
    rows, following = page(ask, "imports", wanted, query, by=[("requested_at", -1)])
    return {"items": [without(row, "errors", "refused") for row in rows], "next": following}


def find_import(query: ImportQuery, ask: Ask) -> Mapping[str, Any]:
    """One import. Raises Rejected("import-unknown")."""
    demand(ask.caller, "imports:read")
    row = ask.reads["imports"].one(query.import_id)
    if row is None:
        raise Rejected("import-unknown", import_id=query.import_id)
    return row  # type: ignore[no-any-return]


QUERIES: Mapping[str, Answers] = {"imports": (ImportsQuery, find_imports), "import": (ImportQuery, find_import)}
