"""A report: a task or a submission on paper, set anew in the next edition whenever what it shows has changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, assert_never

from pydantic import Field, StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.media.domain.values import Id, Stored

Kind = Literal["task", "submission"]
Language = Literal["es", "en"]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Basis = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32,64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]{0,59}$")]


class ReportRequested(Event):
    """Somebody wants it, and may have it from now on in every edition."""

    report_id: str
    kind: Kind
    subject_id: str
    language: Language
    requested_by: str


class ReportRendered(Event):
    """An edition lies ready. `basis` is a keyed hash of what it shows; `replaces` names the object of the one before.

    `key` opens the object: it goes with the account's key, and the report with it.
    """

    report_id: str
    edition: int
    basis: str
    pages: int
    bytes: int
    sha256: str
    object: str
    replaces: str | None
    key: Annotated[str | Erased, TenantData()]


class ReportFailed(Event):
    """No (further) edition came of it; the one before stays."""

    report_id: str
    code: str


class ReportDeleted(Event):
    """Nobody wants it any more; this object goes."""

    report_id: str
    object: str | None


ReportEvent = ReportRequested | ReportRendered | ReportFailed | ReportDeleted


class RequestReport(Command):
    """Ask for the report, in one language."""

    report_id: Id
    kind: Kind
    subject_id: Id
    language: Language


class RecordEdition(Command):
    """A report has been set and stored."""

    report_id: Id
    basis: Basis
    pages: Annotated[int, Field(ge=1)]
    sha256: Digest
    stored: Stored
    key: str


class FailReport(Command):
    """Give up until it changes or somebody asks again."""

    report_id: Id
    code: Code


class DeleteReport(Command):
    """Keep no edition."""

    report_id: Id


ReportCommand = RequestReport | RecordEdition | FailReport | DeleteReport
Status = Literal["none", "requested", "ready", "failed", "deleted"]


@dataclass(frozen=True, slots=True)
class Report:
    """How it stands; `latest` is the edition that can be fetched, `readers` are those who asked for it."""

    status: Status = "none"
    requested: ReportRequested | None = None
    readers: frozenset[str] = frozenset()
    edition: int = 0
    latest: ReportRendered | None = None
    failed: str = ""

    @property
    def wanted(self) -> bool:
        """Whether it is to be kept up to date."""
        return self.status not in ("none", "deleted")

    @property
    def objects(self) -> tuple[str, ...]:
        """The keys of everything that is kept of it."""
        return (self.latest.object,) if self.latest else ()


initial_state = Report()


def decide(command: ReportCommand, state: Report) -> list[ReportEvent]:
    report_id = command.report_id
    match command:
        case RequestReport():
            return _request(command, state)
        case RecordEdition():
            return _record(command, state)
        case FailReport(code=code):
            if not state.wanted or state.failed == code:
                return []
            return [ReportFailed(report_id=report_id, code=code)]
        case DeleteReport():
            if state.status == "none":
                raise Rejected("report-unknown", report_id=report_id)
            if state.status == "deleted":
                return []
            return [ReportDeleted(report_id=report_id, object=state.latest.object if state.latest else None)]
        case _:
            assert_never(command)


def _request(command: RequestReport, state: Report) -> list[ReportEvent]:
    if state.wanted and not state.failed and command.by in state.readers:
        return []
    return [
        ReportRequested(
            report_id=command.report_id,
            kind=command.kind,
            subject_id=command.subject_id,
            language=command.language,
            requested_by=command.by,
        )
    ]


def _record(command: RecordEdition, state: Report) -> list[ReportEvent]:
    # Somebody else may have set the same meanwhile, or nobody wants it any more: nothing names the object, and it goes.
    if not state.wanted or (state.latest is not None and state.latest.basis == command.basis):
        return []
    return [
        ReportRendered(
            report_id=command.report_id,
            edition=state.edition + 1,
            basis=command.basis,
            pages=command.pages,
            bytes=command.stored.bytes,
            sha256=command.sha256,
            object=command.stored.object,
            replaces=state.latest.object if state.latest else None,
            key=command.key,
        )
    ]


def evolve(state: Report, event: ReportEvent) -> Report:
    match event:
        case ReportRequested():
            return replace(
                state,
                status="ready" if state.latest else "requested",
                requested=event,
                readers=state.readers | {event.requested_by},
                failed="",
            )
        case ReportRendered():
            return replace(state, status="ready", edition=event.edition, latest=event, failed="")
        case ReportFailed(code=code):
            return replace(state, status="ready" if state.latest else "failed", failed=code)
        case ReportDeleted():
            return replace(state, status="deleted", readers=frozenset(), latest=None, failed="")
        case _:
            assert_never(event)


report: Decider[ReportCommand, Report, ReportEvent] = Decider(
    "report",
    initial_state,
    decide,
    evolve,
    events={
        "ReportRequested": ReportRequested,
        "ReportRendered": ReportRendered,
        "ReportFailed": ReportFailed,
        "ReportDeleted": ReportDeleted,
    },
)
