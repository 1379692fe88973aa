"""The reports of an account: what each is about, how it stands, and the way to its latest edition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.paging import Paged, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import stamp, without
from services.media.domain.report import (
    Kind,
    Language,
    Report,
    ReportDeleted,
    ReportFailed,
    ReportRendered,
    ReportRequested,
    report,
)
from services.media.domain.values import Id
from services.media.standing import READ, SEES_ALL, demand

Document = dict[str, Any]
FILE_NAMES: Mapping[Language, Mapping[Kind, str]] = {
    "es": {"task": "informe-tarea", "submission": "informe-formulario"},
    "en": {"task": "report-task", "submission": "report-form"},
}
MOST_OF_ONE = 100


class Reports(ReadModel):
    """One document per report."""

    name = "reports"
    categories = ("report",)
    indexes = (
        [("tenant", 1), ("requested_at", -1), ("_id", 1)],
        [("tenant", 1), ("readers", 1), ("requested_at", -1), ("_id", 1)],
        [("tenant", 1), ("subject_id", 1), ("requested_at", -1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The report."""
        return [fact.event.report_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The report as it stands now; of a deleted one there is none."""
        if isinstance(fact.event, ReportRequested) and doc is None:
            doc = _requested(fact.event, stamp(fact.at))
        if doc is None or isinstance(fact.event, ReportDeleted):
            return None
        return {**doc, **_changes(doc, fact), "version": fact.version, "updated_at": stamp(fact.at)}


def _changes(doc: Document, fact: Recorded) -> Document:
    match fact.event:
        case ReportRequested(requested_by=reader):
            readers = sorted({*doc["readers"], reader})
            return {"readers": readers, "failed": None, "status": "ready" if doc["edition"] else "requested"}
        case ReportRendered() as event:
            made = {"edition": event.edition, "pages": event.pages, "bytes": event.bytes, "sha256": event.sha256}
            return {**made, "rendered_at": stamp(fact.at), "failed": None, "status": "ready"}
        case ReportFailed(code=code):
            return {"failed": code, "status": "ready" if doc["edition"] else "failed"}
        case _:
            return {}


def _requested(event: ReportRequested, at: str) -> Document:
    return {
        "kind": event.kind,
        "subject_id": event.subject_id,
        "language": event.language,
        "requested_by": event.requested_by,
        "requested_at": at,
        "readers": [],
        "edition": 0,
        "pages": None,
        "bytes": None,
        "sha256": None,
        "rendered_at": None,
    }


class ReportsQuery(Paged):
    """Reports, those asked for last first; with a subject, those of that task or submission."""

    subject_id: Id | None = None


class ReportQuery(Query):
    """One report."""

    report_id: Id


def may_read(ask: Ask, readers: Sequence[str] | frozenset[str]) -> bool:
    """Whether the caller may have a report that these people asked for.

    Whoever asks must see the task or the submission at that moment; others may see less than he does.
    """
    return ask.caller.role in SEES_ALL or ask.caller.actor in readers


def find_reports(query: ReportsQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of reports that the caller may have."""
    demand(ask.caller, READ)
    wanted: Document = {}
    if ask.caller.role not in SEES_ALL:
        wanted["readers"] = ask.caller.actor
    if query.subject_id is not None:
        wanted["subject_id"] = query.subject_id
    rows, following = page(ask, "reports", wanted, query, by=[("requested_at", -1)])
    return {"items": [_shown(row) for row in rows], "next": following}


def find_report(query: ReportQuery, ask: Ask) -> Mapping[str, Any]:
    """One report. Raises Rejected("report-unknown")."""
    demand(ask.caller, READ)
    row: Document | None = ask.reads["reports"].one(query.report_id)
    if row is None or not may_read(ask, row["readers"]):
        raise Rejected("report-unknown", report_id=query.report_id)
    return _shown(row)


def find_file(query: ReportQuery, ask: Ask) -> Mapping[str, Any]:
    """The ticket of the latest edition. Raises Rejected when there is none (yet)."""
    demand(ask.caller, READ)
    known: Report = ask.state(report, query.report_id)
    if not known.wanted or not may_read(ask, known.readers):
        raise Rejected("report-unknown", report_id=query.report_id)
    return report_ticket(ask, query.report_id, ask.caller.tenant)


def report_ticket(ask: Ask, report_id: str, tenant: str) -> Mapping[str, Any]:
    """What it takes to read the latest edition of a report of that account, and nothing else.

    Raises Rejected: "report-unknown", "report-failed" with the reason, "report-not-ready", or "erased".
    """
    known: Report = ask.state(report, report_id, tenant=tenant)
    if not known.wanted or known.requested is None:
        raise Rejected("report-unknown", report_id=report_id)
    if known.latest is None:
        if known.failed:
            raise Rejected("report-failed")
        raise Rejected("report-not-ready")
    if isinstance(known.latest.key, Erased):
        raise Rejected("erased")
    named = FILE_NAMES[known.requested.language][known.requested.kind]
    return {
        "bucket": ask.settings.s3_media_bucket,
        "object": known.latest.object,
        "key": known.latest.key,
        "bytes": known.latest.bytes,
        "type": "application/pdf",
        "sha256": known.latest.sha256,
        "file_name": f"{named}-{known.requested.subject_id[-8:]}.pdf",
    }


def about(reads: Any, subject_ids: Sequence[str | None]) -> list[str]:
    """The reports of an account, by its read models, that show any of these tasks and submissions."""
    wanted = {"subject_id": {"$in": [id for id in subject_ids if id]}}
    return [row["id"] for row in reads["reports"].find(wanted, limit=MOST_OF_ONE)]


def _shown(row: Document) -> Document:
    return without(row, "readers")


QUERIES: Mapping[str, Answers] = {
    "reports": (ReportsQuery, find_reports),
    "report": (ReportQuery, find_report),
    "report_file": (ReportQuery, find_file),
}
