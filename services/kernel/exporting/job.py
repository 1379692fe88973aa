"""An export: tables are written part by part into one file, which can be fetched for a while and then goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, assert_never

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData

Format = Literal["csv", "xlsx"]
Language = Literal["es", "en"]
Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z_]{0,39}$")]


class Value(BaseModel):
    """A value inside events and commands: compared by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Sheet(Value):
    """A table as it will be written: its name and the headings of its columns."""

    name: str
    headings: tuple[str, ...]


class Piece(Value):
    """What one part adds to one file of the package.

    `table` and `book` name the file (a table that outgrows a sheet goes on in the next book); `crc` is the
    checksum of that file's content up to and including this piece, `size` and `packed` are this piece's bytes
    before and after compression, `digest` is the SHA-256 of the packed bytes as they lie in the object store.
    """

    table: int
    book: int
    rows: int
    crc: int
    size: int
    packed: int
    digest: str


class TableCount(Value):
    """How many rows of a table are in the file, and how many cells had to be cut to fit."""

    rows: int
    cut: int


class ExportRequested(Event):
    """Somebody asked for a file. It will hold what this person may see."""

    export_id: str
    kind: str
    format: Format
    language: Language
    time_zone: str
    filters: Annotated[dict[str, Any] | Erased, TenantData()]
    requested_by: str
    role: str


class ExportStarted(Event):
    """What is to be written is settled: the tables, which rows, and how many there were when it began."""

    export_id: str
    began_at: AwareDatetime
    total: int
    sheets: Annotated[tuple[Sheet, ...] | Erased, TenantData()]
    scope: Annotated[dict[str, Any] | Erased, TenantData()]


class ExportRowsWritten(Event):
    """One more part lies in the store; it ends with the thing `upto`. After the last one nothing is missing."""

    export_id: str
    part: int
    upto: str
    things: int
    pieces: tuple[Piece, ...]
    cut: tuple[int, ...]
    last: bool


class ExportReady(Event):
    """The file can be fetched until it expires; digest and counts prove that it is complete."""

    export_id: str
    things: int
    size: int
    sha256: str
    tables: tuple[TableCount, ...]
    expires_at: AwareDatetime


class ExportFailed(Event):
    """No file will come of it."""

    export_id: str
    code: str


class ExportDeleted(Event):
    """Nobody wants it any more; the file goes."""

    export_id: str


class ExportExpired(Event):
    """Its time is over; the file goes."""

    export_id: str


ExportEvent = (
    ExportRequested | ExportStarted | ExportRowsWritten | ExportReady | ExportFailed | ExportDeleted | ExportExpired
)


class RequestExport(Command):
    """Ask for a file."""

    export_id: Id
    kind: Word
    format: Format = "xlsx"
    language: Language = "es"
    time_zone: str
    filters: dict[str, Any]
    role: str


class StartExport(Command):
    """Settle what is to be written."""

    export_id: Id
    total: Annotated[int, Field(ge=0)]
    sheets: tuple[Sheet, ...]
    scope: dict[str, Any]


class RecordRows(Command):
    """A part has been stored."""

    export_id: Id
    part: int
    upto: str
    things: int
    pieces: tuple[Piece, ...]
    cut: tuple[int, ...]
    last: bool


class FinishExport(Command):
    """The file has been put together."""

    export_id: Id
    size: int
    sha256: str
    expires_at: AwareDatetime


class FailExport(Command):
    """Give up, and say why."""

    export_id: Id
    code: str


class DeleteExport(Command):
    """Take the file away, or stop writing it."""

    export_id: Id


class ExpireExport(Command):
    """Take the file away because its time is over."""

    export_id: Id


ExportCommand = RequestExport | StartExport | RecordRows | FinishExport | FailExport | DeleteExport | ExpireExport
Status = Literal["none", "requested", "writing", "ready", "failed", "deleted", "expired"]
ENDED = frozenset({"failed", "deleted", "expired"})


@dataclass(frozen=True, slots=True)
class Member:
    """One file of the package as far as it is written; `pieces` are its parts by their number, in order."""

    rows: int = 0
    crc: int = 0
    size: int = 0
    packed: int = 0
    pieces: tuple[tuple[int, Piece], ...] = ()

    def plus(self, part: int, piece: Piece) -> Member:
        """With one more piece."""
        return Member(
            rows=self.rows + piece.rows,
            crc=piece.crc,
            size=self.size + piece.size,
            packed=self.packed + piece.packed,
            pieces=(*self.pieces, (part, piece)),
        )


@dataclass(frozen=True, slots=True)
class ExportJob:
    """How far the export is: `part` is the number of the next part, `upto` the last thing that is written.

    `members` are the files of the package by table and book; a table without rows has none yet.
    """

    status: Status = "none"
    requested: ExportRequested | None = None
    started: ExportStarted | None = None
    part: int = 0
    upto: str = ""
    things: int = 0
    complete: bool = False
    members: Mapping[tuple[int, int], Member] = field(default_factory=dict)
    cut: tuple[int, ...] = ()

    @property
    def under_way(self) -> bool:
        """Whether there is something left to do."""
        return self.status in ("requested", "writing")

    def book(self, table: int) -> tuple[int, Member]:
        """The file that the next row of this table goes into, as far as it is written."""
        last = max((book for at, book in self.members if at == table), default=1)
        return last, self.members.get((table, last), Member())

    def rows(self, table: int) -> int:
        """How many rows of this table are written."""
        return sum(member.rows for (at, _), member in self.members.items() if at == table)


initial_state = ExportJob()


def decide(command: ExportCommand, state: ExportJob) -> list[ExportEvent]:
    export_id = command.export_id
    if isinstance(command, RequestExport):
        return _request(command, state)
    if state.requested is None:
        raise Rejected("export-unknown", export_id=export_id)
    match command:
        case StartExport(total=total, sheets=sheets, scope=scope):
            if state.status != "requested":
                return []
            settled = {"total": total, "sheets": sheets, "scope": scope}
            return [ExportStarted(export_id=export_id, began_at=command.at, **settled)]
        case RecordRows():
            if state.status != "writing" or state.complete or command.part != state.part:
                return []
            return [ExportRowsWritten(**command.model_dump(exclude={"at", "by"}))]
        case FinishExport():
            return _finish(command, state)
        case FailExport(code=code):
            return [ExportFailed(export_id=export_id, code=code)] if state.under_way else []
        case DeleteExport():
            return [] if state.status in ENDED else [ExportDeleted(export_id=export_id)]
        case ExpireExport():
            return [] if state.status in ENDED else [ExportExpired(export_id=export_id)]
        case _:
            assert_never(command)


def _request(command: RequestExport, state: ExportJob) -> list[ExportEvent]:
    requested = ExportRequested(
        export_id=command.export_id,
        kind=command.kind,
        format=command.format,
        language=command.language,
        time_zone=command.time_zone,
        filters=command.filters,
        requested_by=command.by,
        role=command.role,
    )
    if state.requested is None:
        return [requested]
    if state.requested == requested:
        return []
    raise Rejected("export-exists", export_id=command.export_id)


def _finish(command: FinishExport, state: ExportJob) -> list[ExportEvent]:
    if state.status != "writing" or not state.complete:
        return []
    return [
        ExportReady(
            export_id=command.export_id,
            things=state.things,
            size=command.size,
            sha256=command.sha256,
            tables=tuple(TableCount(rows=state.rows(table), cut=cut) for table, cut in enumerate(state.cut)),
            expires_at=command.expires_at,
        )
    ]


def evolve(state: ExportJob, event: ExportEvent) -> ExportJob:
    match event:
        case ExportRequested():
            return replace(state, status="requested", requested=event)
        case ExportStarted(sheets=sheets):
            tables = 0 if isinstance(sheets, Erased) else len(sheets)
            return replace(state, status="writing", started=event, cut=(0,) * tables)
        case ExportRowsWritten():
            return _written(state, event)
        case ExportReady():
            return replace(state, status="ready")
        case ExportFailed():
            return replace(state, status="failed")
        case ExportDeleted():
            return replace(state, status="deleted")
        case ExportExpired():
            return replace(state, status="expired")
        case _:
            assert_never(event)


def _written(state: ExportJob, event: ExportRowsWritten) -> ExportJob:
    members = dict(state.members)
    for piece in event.pieces:
        file = (piece.table, piece.book)
        members[file] = members.get(file, Member()).plus(event.part, piece)
    return replace(
        state,
        part=event.part + 1,
        upto=event.upto,
        things=state.things + event.things,
        complete=event.last,
        members=members,
        cut=tuple(before + more for before, more in zip(state.cut, event.cut, strict=False)),
    )


export_job: Decider[ExportCommand, ExportJob, ExportEvent] = Decider(
    "export",
    initial_state,
    decide,
    evolve,
    events={
        "ExportRequested": ExportRequested,
        "ExportStarted": ExportStarted,
        "ExportRowsWritten": ExportRowsWritten,
        "ExportReady": ExportReady,
        "ExportFailed": ExportFailed,
        "ExportDeleted": ExportDeleted,
        "ExportExpired": ExportExpired,
    },
)
