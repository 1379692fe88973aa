"""An import: a file of customers or tasks is checked row by row first, and applied only when somebody says so."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, assert_never

from pydantic import Field, StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.values import Id, Line, Value

Kind = Literal["customers", "tasks"]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
MAX_BYTES = 10 * 1024 * 1024


class RowError(Value):
    """What is wrong in which cell; `row` counts as the spreadsheet does, the header being row 1."""

    row: int
    column: str
    code: str


class ImportRequested(Event):
    """A file was uploaded to be checked."""

    import_id: str
    kind: Kind
    object_key: str
    sha256: str
    size: int
    file_name: Annotated[str | Erased, TenantData()]
    requested_by: str


class ImportRejected(Event):
    """The file as a whole cannot be used."""

    import_id: str
    code: str
    columns: tuple[str, ...] = ()


class ImportChecked(Event):
    """The dry run. `values` holds the offending cells by "row:column"; `unlisted` errors came on top."""

    import_id: str
    rows: int
    good: int
    bad: int
    errors: tuple[RowError, ...]
    unlisted: int
    values: Annotated[dict[str, str] | Erased, TenantData()]
    ignored_columns: Annotated[tuple[str, ...] | Erased, TenantData()]


class ImportApplied(Event):
    """Somebody said: do it. Row by row follows."""

    import_id: str
    skip_bad_rows: bool
    applied_by: str


class ImportRowsApplied(Event):
    """Rows up to `upto` are done; `refused` were good in the dry run and no longer are."""

    import_id: str
    upto: int
    applied: int
    skipped: int
    refused: tuple[RowError, ...]


class ImportFinished(Event):
    """Every row was carried out, skipped or refused."""

    import_id: str
    applied: int
    skipped: int
    refused: int


class ImportDiscarded(Event):
    """The import will not be applied."""

    import_id: str


ImportEvent = (
    ImportRequested
    | ImportRejected
    | ImportChecked
    | ImportApplied
    | ImportRowsApplied
    | ImportFinished
    | ImportDiscarded
)


class RequestImport(Command):
    """Ask for a dry run of an uploaded file."""

    import_id: Id
    kind: Kind
    object_key: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    sha256: Sha256
    size: Annotated[int, Field(ge=1, le=MAX_BYTES)]
    file_name: Line


class RejectImport(Command):
    """Say why the file is of no use."""

    import_id: Id
    code: str
    columns: tuple[str, ...] = ()


class RecordCheck(Command):
    """Keep what the dry run found."""

    import_id: Id
    rows: int
    good: int
    bad: int
    errors: tuple[RowError, ...]
    unlisted: int
    values: dict[str, str]
    ignored_columns: tuple[str, ...]


class ApplyImport(Command):
    """Carry out the good rows."""

    import_id: Id
    skip_bad_rows: bool = False


class RecordRows(Command):
    """The rows after `after` up to `upto` are done."""

    import_id: Id
    after: int
    upto: int
    applied: int
    skipped: int
    refused: tuple[RowError, ...]
    last: bool


class DiscardImport(Command):
    """Drop the import and its file."""

    import_id: Id


ImportCommand = RequestImport | RejectImport | RecordCheck | ApplyImport | RecordRows | DiscardImport
Status = Literal["none", "requested", "rejected", "checked", "applying", "finished", "discarded"]


@dataclass(frozen=True, slots=True)
class ImportJob:
    """How far the import is; `upto` is the last row that is done."""

    status: Status = "none"
    requested: ImportRequested | None = None
    applied_by: str = ""
    bad: int = 0
    upto: int = 1
    applied: int = 0
    skipped: int = 0
    refused: int = 0


initial_state = ImportJob()


def decide(command: ImportCommand, state: ImportJob) -> list[ImportEvent]:
    import_id = command.import_id
    if isinstance(command, RequestImport):
        return _request(command, state)
    if state.requested is None:
        raise Rejected("import-unknown", import_id=import_id)
    match command:
        case RejectImport(code=code, columns=columns):
            if state.status != "requested":
                return []
            return [ImportRejected(import_id=import_id, code=code, columns=columns)]
        case RecordCheck():
            if state.status != "requested":
                return []
            checked = command.model_dump(exclude={"at", "by"})
            return [ImportChecked(**checked)]
        case ApplyImport(skip_bad_rows=skip):
            if state.status in ("applying", "finished"):
                return []
            if state.status != "checked":
                raise Rejected("import-not-checked", status=state.status)
            if state.bad and not skip:
                raise Rejected("import-has-bad-rows", bad=state.bad)
            return [ImportApplied(import_id=import_id, skip_bad_rows=skip, applied_by=command.by)]
        case RecordRows():
            return _record(command, state)
        case DiscardImport():
            if state.status == "discarded":
                return []
            if state.status in ("applying", "finished"):
                raise Rejected("import-under-way", status=state.status)
            return [ImportDiscarded(import_id=import_id)]
        case _:
            assert_never(command)


def _request(command: RequestImport, state: ImportJob) -> list[ImportEvent]:
    requested = ImportRequested(
        import_id=command.import_id,
        kind=command.kind,
        object_key=command.object_key,
        sha256=command.sha256,
        size=command.size,
        file_name=command.file_name,
        requested_by=command.by,
    )
    if state.requested == requested:
        return []
    if state.requested is not None:
        raise Rejected("import-exists", import_id=command.import_id)
    return [requested]


def _record(command: RecordRows, state: ImportJob) -> list[ImportEvent]:
    if state.status != "applying" or command.after != state.upto:
        return []
    done = ImportRowsApplied(
        import_id=command.import_id,
        upto=command.upto,
        applied=command.applied,
        skipped=command.skipped,
        refused=command.refused,
    )
    if not command.last:
        return [done]
    finished = ImportFinished(
        import_id=command.import_id,
        applied=state.applied + command.applied,
        skipped=state.skipped + command.skipped,
        refused=state.refused + len(command.refused),
    )
    return [done, finished]


def evolve(state: ImportJob, event: ImportEvent) -> ImportJob:
    match event:
        case ImportRequested():
            return replace(state, status="requested", requested=event)
        case ImportRejected():
            return replace(state, status="rejected")
        case ImportChecked(bad=bad):
            return replace(state, status="checked", bad=bad)
        case ImportApplied(applied_by=applied_by):
            return replace(state, status="applying", applied_by=applied_by)
        case ImportRowsApplied(upto=upto, applied=applied, skipped=skipped, refused=refused):
            return replace(
                state,
                upto=upto,
                applied=state.applied + applied,
                skipped=state.skipped + skipped,
                refused=state.refused + len(refused),
            )
        case ImportFinished():
            return replace(state, status="finished")
        case ImportDiscarded():
            return replace(state, status="discarded")
        case _:
            assert_never(event)


import_job: Decider[ImportCommand, ImportJob, ImportEvent] = Decider(
    "import_job",
    initial_state,
    decide,
    evolve,
    events={
        "ImportRequested": ImportRequested,
        "ImportRejected": ImportRejected,
        "ImportChecked": ImportChecked,
        "ImportApplied": ImportApplied,
        "ImportRowsApplied": ImportRowsApplied,
        "ImportFinished": ImportFinished,
        "ImportDiscarded": ImportDiscarded,
    },
)
