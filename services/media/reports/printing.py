"""Reports at work: asked for, set in a process of their own, sealed and kept; an edition whenever something changed."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from services.kernel import faults, logging, objects
from services.kernel.application import Ask, Query
from services.kernel.domain import Rejected
from services.kernel.inbox import transient
from services.media.asking import checked
from services.media.domain.evidence_settings import EvidenceSettings, evidence_settings
from services.media.domain.report import FailReport, Kind, Language, RecordEdition, Report, report
from services.media.domain.values import Id
from services.media.keeping import keep
from services.media.reports.gathering import gather
from services.media.reports.press import pressed
from services.media.reports.showing import may_read
from services.media.standing import READ, demand, demand_system

log = logging.get(__name__)
EDIT = "exports:edit"

Fields = Mapping[str, Any]


class Wanted(Query):
    """What a report is to be about, and in which language; the account's own, where nothing is said."""

    kind: Kind
    subject_id: Id
    language: Language | None = None


def report_id_of(tenant: str, kind: Kind, subject_id: str, language: Language) -> str:
    """The one report of this task or submission in this language: whoever asks, finds the same."""
    return str(uuid.uuid5(uuid.UUID(tenant), f"report/{kind}/{subject_id}/{language}"))


def requesting(ask: Ask) -> Fields:
    """Who may ask: whoever may take things out. That he sees the task or the submission, the door has made sure of."""
    demand(ask.caller, EDIT)
    demand(ask.caller, READ)
    wanted = checked(Wanted, ask.data)
    language = wanted.language or _settled(ask)
    id = report_id_of(ask.caller.tenant, wanted.kind, wanted.subject_id, language)
    return {"report_id": id, "kind": wanted.kind, "subject_id": wanted.subject_id, "language": language}


def deleting(ask: Ask) -> Fields:
    """Who may take it away: who may have it."""
    demand(ask.caller, EDIT)
    known: Report = ask.state(report, str(ask.data.get("report_id")))
    if not may_read(ask, known.readers) and known.status != "deleted":
        raise Rejected("report-unknown", report_id=ask.data.get("report_id"))
    return ask.data


def render_report(ask: Ask) -> Fields:
    """Put it on paper as it is now; nothing happens where that is what the latest edition shows.

    Raises what is worth another attempt: PeerAway, or OSError of the object store.
    """
    demand_system(ask.caller)
    id = str(ask.data["report_id"])
    known: Report = ask.state(report, id)
    if not known.wanted or known.requested is None:
        return {}
    try:
        return _render(ask, id, known)
    except Exception as why:
        if transient(why):
            raise
        code = _refusal(why).code
        log.error("report.failed", report_id=id, code=code, exc_info=why)
        return ask.handle(report, id, ask.make(FailReport, {"report_id": id, "code": code}), part="failed").to_wire()


def _refusal(why: Exception) -> Rejected:
    """What is told to whoever asked."""
    if isinstance(why, Rejected) and why.code in ("task-unknown", "submission-unknown"):
        return Rejected("report-subject-gone")
    return Rejected("report-failed")


def _render(ask: Ask, id: str, known: Report) -> Fields:
    assert known.requested is not None
    gathered = gather(ask, id, known.requested)
    paper = gathered.paper
    # Under a key: a plain hash of few and likely words would tell them to whoever follows the facts.
    basis = ask.secrets.fingerprint("report", paper.basis)
    if known.latest is not None and known.latest.basis == basis:
        return {}
    store, bucket = ask.ports["objects"](), ask.settings.s3_media_bucket
    images = gathered.evidence.images(paper.images)
    edition = known.edition + 1
    with pressed(paper, images, edition=edition, at=ask.now, time_zone=gathered.time_zone) as made:
        stored, key = keep(store, bucket, ask.caller.tenant, f"report/{id}", made.chunks(), made.length)
    faults.reached("report.after_edition_before_event")
    fields = {
        "report_id": id,
        "basis": basis,
        "pages": made.pages,
        "sha256": made.sha256,
        "stored": stored,
        "key": key,
    }
    answer = ask.handle(report, id, ask.make(RecordEdition, fields), part=f"edition/{basis}").to_wire()
    now: Report = ask.state(report, id)
    if now.latest is None or now.latest.object != stored.object:
        # Somebody else was first, or nobody wants it any more: nothing names this one.
        objects.remove(store, bucket, stored.object)
    return answer


def _settled(ask: Ask) -> Language:
    settled: EvidenceSettings = ask.state(evidence_settings, ask.caller.tenant)
    return settled.language
