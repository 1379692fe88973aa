"""The exports of an account: how far each is, what is in its file, and where that lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.exporting.asking import READ, SEES_ALL, demand, kind_named, may_have
from services.kernel.exporting.folder import file_of
from services.kernel.exporting.formats import content_type, ending
from services.kernel.exporting.job import (
    ExportDeleted,
    ExportExpired,
    ExportFailed,
    ExportReady,
    ExportRequested,
    ExportRowsWritten,
    ExportStarted,
    export_job,
)
from services.kernel.exporting.kinds import ExportKind
from services.kernel.exporting.workbook import sheet_names
from services.kernel.paging import Paged, cursor_of, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp, without

Document = dict[str, Any]
NEWEST_FIRST = [("requested_at", -1)]


class Exports(ReadModel):
    """One document per export."""

    name = "exports"
    categories = (export_job.category,)
    indexes = (
        [("tenant", 1), ("requested_at", -1), ("_id", 1)],
        [("tenant", 1), ("requested_by", 1), ("requested_at", -1), ("_id", 1)],
        [("tenant", 1), ("status", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The export."""
        return [fact.event.export_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The export as it stands now."""
        if isinstance(fact.event, ExportRequested):
            doc = _requested(fact.event, stamp(fact.at))
        if doc is None:
            return None
        return {**doc, **_changes(doc, fact), "version": fact.version, "updated_at": stamp(fact.at)}


def _requested(event: ExportRequested, at: str) -> Document:
    return {
        "status": "requested",
        "kind": event.kind,
        "format": event.format,
        "language": event.language,
        "time_zone": event.time_zone,
        "filters": shown(event.filters),
        "requested_by": event.requested_by,
        "requested_at": at,
        "written": 0,
        "total": None,
        "tables": [],
        "size": None,
        "sha256": None,
        "expires_at": None,
        "failed": None,
    }


def _changes(doc: Document, fact: Recorded) -> Document:
    match fact.event:
        case ExportStarted(total=total, sheets=sheets, began_at=began_at):
            tables = [{"name": sheet.name, "rows": 0, "cut": 0} for sheet in shown(sheets) or ()]
            return {"status": "writing", "total": total, "tables": tables, "began_at": stamp(began_at)}
        case ExportRowsWritten(things=things, pieces=pieces, cut=cut):
            added = [sum(piece.rows for piece in pieces if piece.table == n) for n in range(len(doc["tables"]))]
            tables = [
                {**table, "rows": table["rows"] + rows, "cut": table["cut"] + more}
                for table, rows, more in zip(doc["tables"], added, cut, strict=False)
            ]
            return {"written": doc["written"] + things, "tables": tables}
        case ExportReady(size=size, sha256=sha256, expires_at=expires_at):
            return {"status": "ready", "size": size, "sha256": sha256, "expires_at": stamp(expires_at)}
        case ExportFailed(code=code):
            return {"status": "failed", "failed": code}
        case ExportDeleted():
            return {"status": "deleted"}
        case ExportExpired():
            return {"status": "expired"}
        case _:
            return {}


class ExportsQuery(Paged):
    """Exports, newest first."""

    kind: str | None = None


class ExportQuery(Query):
    """One export."""

    export_id: str


def queries(kinds: Mapping[str, ExportKind]) -> Mapping[str, Answers]:
    """What can be asked about the exports of a service that has these kinds."""

    def find_exports(query: ExportsQuery, ask: Ask) -> Mapping[str, Any]:
        """A page; each line with the cursor of what follows it, so that pages of several services can be joined."""
        demand(ask, READ)
        wanted: Document = {} if query.kind is None else {"kind": query.kind}
        if ask.caller.role not in SEES_ALL:
            wanted["requested_by"] = ask.caller.actor
        rows, following = page(ask, "exports", wanted, query, by=NEWEST_FIRST)
        items = [{**_shown(row), "cursor": cursor_of(ask, row, by=NEWEST_FIRST)} for row in rows]
        return {"items": items, "next": following}

    def find_export(query: ExportQuery, ask: Ask) -> Mapping[str, Any]:
        """One export. Raises Rejected("export-unknown")."""
        return _shown(_one(query, ask))

    def find_file(query: ExportQuery, ask: Ask) -> Mapping[str, Any]:
        """Where the file of an export lies. Raises Rejected when it is not there (yet, or any more)."""
        row = _one(query, ask)
        kind = kind_named(kinds, row["kind"])
        demand(ask, kind.permission)
        if row["status"] in ("deleted", "expired", "failed"):
            raise Rejected("export-gone", status=row["status"])
        if row["status"] != "ready":
            raise Rejected("export-not-ready", status=row["status"])
        tables = len(row["tables"])
        day = datetime.fromisoformat(row["began_at"]).astimezone(ZoneInfo(row["time_zone"])).date()
        return {
            "object_key": file_of(ask.caller.tenant, query.export_id),
            "file_name": f"{kind.titles[row['language']]}-{day}.{ending(row['format'], tables)}",
            "content_type": content_type(row["format"], tables),
            "size": row["size"],
            "sha256": row["sha256"],
        }

    return {
        "exports": (ExportsQuery, find_exports),
        "export": (ExportQuery, find_export),
        "export_file": (ExportQuery, find_file),
    }


def _one(query: ExportQuery, ask: Ask) -> Document:
    demand(ask, READ)
    row: Document | None = ask.reads["exports"].one(query.export_id)
    if row is None or not may_have(ask, row["requested_by"]):
        raise Rejected("export-unknown", export_id=query.export_id)
    return row


def _shown(row: Document) -> Document:
    # The sheets of a workbook may have to be called a little differently than their tables.
    names = sheet_names([table["name"] for table in row["tables"]])
    tables = [{**table, "name": name} for table, name in zip(row["tables"], names, strict=True)]
    return {**without(row, "began_at"), "tables": tables}
