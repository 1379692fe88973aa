"""Exports of media as those who asked for them see them: in the form of all exports, so that they stand in one list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel.application import Answers, Ask
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.exporting.asking import READ, SEES_ALL, demand, may_have
from services.kernel.exporting.showing import ExportQuery, ExportsQuery
from services.kernel.paging import cursor_of, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp
from services.media.domain.media_export import (
    MediaExport,
    MediaExportDeleted,
    MediaExportExpired,
    MediaExportFailed,
    MediaExportReady,
    MediaExportRequested,
    MediaExportStarted,
    media_export,
)

Document = dict[str, Any]
KIND = "media"
MODEL = "media_exports"
NEWEST_FIRST = [("requested_at", -1)]
KEPT_FOR = timedelta(days=7)
FILE_NAMES = {"es": "evidencias", "en": "evidence"}


class MediaExports(ReadModel):
    """One document per export."""

    name = MODEL
    categories = ("media_export",)
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
        if isinstance(fact.event, MediaExportRequested):
            doc = _requested(fact.event, stamp(fact.at))
        if doc is None:
            return None
        return {**doc, **_changes(fact), "version": fact.version, "updated_at": stamp(fact.at)}


def _requested(event: MediaExportRequested, at: str) -> Document:
    return {
        **event.model_dump(include={"language", "time_zone", "requested_by"}),
        "filters": shown(event.filters),
        "requested_at": at,
        "status": "requested",
        "kind": KIND,
        "format": "zip",
        "written": 0,
        "lost": 0,
        "tables": [],
        **dict.fromkeys(("total", "size", "sha256", "expires_at", "failed")),
    }


def _changes(fact: Recorded) -> Document:
    match fact.event:
        case MediaExportStarted(files=files):
            return {"status": "writing", "total": files}
        case MediaExportReady() as event:
            return {
                "status": "ready",
                "written": event.files,
                "lost": event.lost,
                "size": event.bytes,
                "sha256": event.sha256,
                "expires_at": stamp(event.expires_at),
            }
        case MediaExportFailed(code=code):
            return {"status": "failed", "failed": code}
        case MediaExportDeleted():
            return {"status": "deleted"}
        case MediaExportExpired():
            return {"status": "expired"}
        case _:
            return {}


def find_exports(query: ExportsQuery, ask: Ask) -> Mapping[str, Any]:
    """A page, newest first; each line with the cursor of what follows it, so that pages of several services join."""
    demand(ask, READ)
    wanted: Document = {} if query.kind is None else {"kind": query.kind}
    if ask.caller.role not in SEES_ALL:
        wanted["requested_by"] = ask.caller.actor
    rows, following = page(ask, MODEL, wanted, query, by=NEWEST_FIRST)
    items = [{**row, "cursor": cursor_of(ask, row, by=NEWEST_FIRST)} for row in rows]
    return {"items": items, "next": following}


def find_export(query: ExportQuery, ask: Ask) -> Mapping[str, Any]:
    """One export. Raises Rejected("export-unknown")."""
    demand(ask, READ)
    row: Document | None = ask.reads[MODEL].one(query.export_id)
    if row is None or not may_have(ask, row["requested_by"]):
        raise Rejected("export-unknown", export_id=query.export_id)
    return row


def find_file(query: ExportQuery, ask: Ask) -> Mapping[str, Any]:
    """The ticket of the package. Raises Rejected when it is not there (yet, or any more)."""
    demand(ask, READ)
    known: MediaExport = ask.state(media_export, query.export_id)
    if known.requested is None or not may_have(ask, known.requested.requested_by):
        raise Rejected("export-unknown", export_id=query.export_id)
    if known.under_way:
        raise Rejected("export-not-ready", status=known.status)
    if known.ready is None:
        raise Rejected("export-gone", status=known.status)
    if isinstance(known.ready.key, Erased):
        raise Rejected("erased")
    day = (known.ready.expires_at - KEPT_FOR).astimezone(ZoneInfo(known.requested.time_zone)).date()
    return {
        "bucket": ask.settings.s3_media_bucket,
        "object": known.ready.object,
        "key": known.ready.key,
        "bytes": known.ready.bytes,
        "type": "application/zip",
        "sha256": known.ready.sha256,
        "file_name": f"{FILE_NAMES[known.requested.language]}-{day}.zip",
    }


QUERIES: Mapping[str, Answers] = {
    "exports": (ExportsQuery, find_exports),
    "export": (ExportQuery, find_export),
    "export_file": (ExportQuery, find_file),
}
