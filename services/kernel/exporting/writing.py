"""Exports at work: settles what is written, writes it a part at a time, and puts the parts together.

Every step is decided by the log and leaves a fact. Its outcome in the object store is named after its own
content, so a step that is done twice, or by two workers at once, neither doubles nor mixes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from services.kernel import logging, objects
from services.kernel.application import Ask, Do
from services.kernel.domain import Erased, Rejected
from services.kernel.exporting.delimited import CsvText
from services.kernel.exporting.job import (
    ExportJob,
    FailExport,
    FinishExport,
    Piece,
    RecordRows,
    Sheet,
    StartExport,
    export_job,
)
from services.kernel.exporting.kinds import ExportKind, Row, Thing, Wanted
from services.kernel.exporting.package import Packed, Press, length, package, whole
from services.kernel.exporting.workbook import MAX_COLUMNS, SheetXml, sheet_names, sheet_path, workbook
from services.kernel.inbox import transient
from services.kernel.shown import shown

log = logging.get(__name__)
THINGS_PER_PART = 1_000
BYTES_PER_PART = 16 * 1024 * 1024
KEPT_FOR = timedelta(days=7)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SUMMARY = {
    "es": Sheet(name="Resumen", headings=("Tabla", "Filas", "Celdas cortadas")),
    "en": Sheet(name="Summary", headings=("Table", "Rows", "Cells cut")),
}


def continue_export(kinds: Mapping[str, ExportKind]) -> Do:
    """The command that takes an export one step further."""

    def run(ask: Ask) -> Mapping[str, Any]:
        if ask.caller.role != "system":
            raise Rejected("forbidden")
        export_id = str(ask.data.get("export_id"))
        job: ExportJob = ask.state(export_job, export_id)
        if not job.under_way:
            return {}
        try:
            return _Step(ask, export_id, job, kinds).take()
        except Exception as why:
            if transient(why):
                raise
            failed = ask.make(FailExport, {"export_id": export_id, "code": _refusal(why).code})
            return ask.handle(export_job, export_id, failed, part="fail").to_wire()

    return Do(run)


def _refusal(why: Exception) -> Rejected:
    """What the requester is told."""
    match why:
        case Rejected():
            return why
        case objects.ObjectLost():
            return Rejected("export-parts-lost")
        case _:
            log.error("export.failed", exc_info=why)
            return Rejected("export-failed")


def folder_of(tenant: str, export_id: str) -> str:
    """Where everything of an export lies in the object store."""
    return f"{tenant}/exports/{export_id}"


def file_of(tenant: str, export_id: str) -> str:
    """Where the finished file lies."""
    return f"{folder_of(tenant, export_id)}/file"


def zipped(format: str, tables: int) -> bool:
    """Whether the file is a ZIP: a workbook is, and so is CSV with more than one table."""
    return format == "xlsx" or tables > 1


class Texts(Protocol):
    """How a format writes one table: what it begins with, its rows, and what it ends with."""

    rows_per_book: int | None

    def head(self, sheet: Sheet) -> str:
        """The beginning, with the headings."""

    def row(self, number: int, row: Row) -> tuple[str, int]:
        """The n-th row, and how many of its cells were cut."""

    def tail(self) -> str:
        """The end."""


class _Step:
    """The next step of one export."""

    def __init__(self, ask: Ask, export_id: str, job: ExportJob, kinds: Mapping[str, ExportKind]) -> None:
        requested = job.requested
        assert requested is not None
        if requested.kind not in kinds:
            raise Rejected("export-kind-unknown")
        if isinstance(requested.filters, Erased) or (job.started and isinstance(job.started.sheets, Erased)):
            raise Rejected("erased")
        self._ask = ask
        self._id = export_id
        self._job = job
        self._kind = kinds[requested.kind]
        self._requested = requested
        self._zone = ZoneInfo(requested.time_zone)
        self._wanted = Wanted(
            filters=requested.filters,
            language=requested.language,
            time_zone=requested.time_zone,
            ask=ask.on_behalf_of(requested.requested_by, requested.role, self._kind.permission),
        )
        self._texts: Texts = (
            SheetXml(self._zone, requested.language) if requested.format == "xlsx" else CsvText(self._zone)
        )
        self._folder = folder_of(ask.caller.tenant, export_id)

    def take(self) -> Mapping[str, Any]:
        """Whichever step is next."""
        if self._job.status == "requested":
            return self._start()
        return self._put_together() if self._job.complete else self._write()

    @property
    def _sheets(self) -> Sequence[Sheet]:
        started = self._job.started
        assert started is not None
        return shown(started.sheets) or ()

    def _start(self) -> Mapping[str, Any]:
        try:
            # Whatever was acknowledged before the export was asked for is in it.
            self._ask.await_reads(export_job, self._id)
        except Rejected as behind:
            raise TimeoutError(behind.code) from behind
        plan = self._kind.plan(self._wanted)
        if self._requested.format == "xlsx" and any(len(table.headings) > MAX_COLUMNS for table in plan.tables):
            raise Rejected("export-too-wide")
        fields = {"export_id": self._id, "total": plan.total, "sheets": plan.tables, "scope": plan.scope}
        return self._recorded(self._ask.make(StartExport, fields), "start")

    def _write(self) -> Mapping[str, Any]:
        job, started = self._job, self._job.started
        assert started is not None
        things = self._kind.rows(self._wanted, shown(started.scope) or {}, job.upto)
        part = _Part(self._texts, job, self._sheets, pressed=zipped(self._requested.format, len(self._sheets)))
        last = part.take(things)
        pieces = []
        for table, book, rows, press in part.closed():
            packed = press.end()
            piece = Piece(
                table=table,
                book=book,
                rows=rows,
                crc=press.crc,
                size=press.size,
                packed=len(packed),
                digest=sha256(packed).hexdigest(),
            )
            self._store(self._key(job.part, piece), packed)
            pieces.append(piece)
        fields = {
            "export_id": self._id,
            "part": job.part,
            "upto": part.upto,
            "things": part.things,
            "pieces": pieces,
            "cut": part.cut,
            "last": last,
        }
        return self._recorded(self._ask.make(RecordRows, fields), f"rows/{job.part}")

    def _put_together(self) -> Mapping[str, Any]:
        assert self._job.started is not None
        if zipped(self._requested.format, len(self._sheets)):
            files = list(self._files())
            size, content = length(files), package(files, self._job.started.began_at.astimezone(self._zone))
        else:
            file = self._member("", 0, 1, self._sheets[0])
            size, content = file.packed, iter(file.content())
        whole_file = sha256()

        def passing() -> Iterator[bytes]:
            for chunk in content:
                whole_file.update(chunk)
                yield chunk

        key = file_of(self._ask.caller.tenant, self._id)
        port, bucket = self._ask.ports["objects"](), self._ask.settings.s3_bucket
        objects.store_long(port, bucket, key, passing(), size, self.content_type)
        fields = {
            "export_id": self._id,
            "size": size,
            "sha256": whole_file.hexdigest(),
            "expires_at": self._ask.now + KEPT_FOR,
        }
        return self._recorded(self._ask.make(FinishExport, fields), "ready")

    @property
    def content_type(self) -> str:
        """What the file is."""
        return content_type(self._requested.format, len(self._sheets))

    def _files(self) -> Iterable[Packed]:
        books = [
            (table, book, sheet)
            for table, sheet in enumerate(self._sheets)
            for book in range(1, self._job.book(table)[0] + 1)
        ]
        summary = SUMMARY[self._requested.language]
        names = sheet_names([*(sheet.name for _, _, sheet in books), summary.name])
        if self._requested.format == "xlsx":
            for path, content in workbook(names).items():
                yield whole(path, content.encode())
            names = [sheet_path(number) for number in range(1, len(names) + 1)]
        else:
            names = [f"{name}.csv" for name in names]
        for name, (table, book, sheet) in zip(names, books, strict=False):
            yield self._member(name, table, book, sheet)
        yield whole(names[-1], self._summary(summary).encode())

    def _summary(self, sheet: Sheet) -> str:
        """How many rows of each table there must be in the file."""
        counts = enumerate(self._sheets)
        lines = [(known.name, self._job.rows(table), self._job.cut[table]) for table, known in counts]
        rows = (self._texts.row(number, line)[0] for number, line in enumerate(lines, start=1))
        return "".join([self._texts.head(sheet), *rows, self._texts.tail()])

    def _member(self, name: str, table: int, book: int, sheet: Sheet) -> Packed:
        """One file of the package: its pieces as they lie in the store, and what closes it."""
        member = self._job.members.get((table, book))
        pressed = zipped(self._requested.format, len(self._sheets))
        press = Press(member.crc if member else 0, pressed=pressed)
        press.write((("" if member else self._texts.head(sheet)) + self._texts.tail()).encode())
        end = press.end(final=True)
        pieces = member.pieces if member else ()

        def content() -> Iterator[bytes]:
            for part, piece in pieces:
                yield from self._piece(part, piece)
            yield end

        before = (member.size, member.packed) if member else (0, 0)
        return Packed(name, press.crc, before[0] + press.size, before[1] + len(end), content)

    def _piece(self, part: int, piece: Piece) -> Iterator[bytes]:
        port, bucket = self._ask.ports["objects"](), self._ask.settings.s3_bucket
        digest = sha256()
        for chunk in objects.chunks(port, bucket, self._key(part, piece)):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != piece.digest:
            raise objects.ObjectLost(f"part {part} of export {self._id} is not what was stored")

    def _key(self, part: int, piece: Piece) -> str:
        return f"{self._folder}/{part:06}-{piece.table}-{piece.book}-{piece.digest[:24]}"

    def _store(self, key: str, data: bytes) -> None:
        port, bucket = self._ask.ports["objects"](), self._ask.settings.s3_bucket
        objects.store(port, bucket, key, data, "application/octet-stream")

    def _recorded(self, command: Any, part: str) -> Mapping[str, Any]:
        answer = self._ask.handle(export_job, self._id, command, part=part).to_wire()
        if self._ask.state(export_job, self._id).status in ("failed", "deleted", "expired"):
            # It ended while this step was taken, and what was cleared away then did not have this step's file.
            objects.remove_below(self._ask.ports["objects"](), self._ask.settings.s3_bucket, self._folder)
        return answer


def content_type(format: str, tables: int) -> str:
    """What the file is, as HTTP says it."""
    if format == "xlsx":
        return XLSX
    return "application/zip" if zipped(format, tables) else "text/csv; charset=utf-8"


@dataclass(slots=True)
class _Open:
    """The file that the rows of one table go into now."""

    book: int
    rows_before: int
    press: Press
    rows: int = 0


class _Part:
    """One part while it is written: as many things as make a part, each table into its own file."""

    def __init__(self, texts: Texts, job: ExportJob, sheets: Sequence[Sheet], *, pressed: bool) -> None:
        self._texts = texts
        self._job = job
        self._sheets = sheets
        self._pressed = pressed
        self._open: dict[int, _Open] = {}
        self._closed: list[tuple[int, int, int, Press]] = []
        self._size = 0
        self.upto = job.upto
        self.things = 0
        self.cut = [0] * len(sheets)

    def take(self, things: Iterator[Thing]) -> bool:
        """Write things until the part is full; answers whether these were the last."""
        for thing in things:
            if self.things >= THINGS_PER_PART or self._size >= BYTES_PER_PART:
                return False
            for table, row in thing.rows:
                self._row(table, row)
            self.upto = thing.key
            self.things += 1
        return True

    def closed(self) -> Iterator[tuple[int, int, int, Press]]:
        """(table, book, rows, what was written), of every file that got something."""
        yield from self._closed
        for table, at in sorted(self._open.items()):
            yield table, at.book, at.rows, at.press

    def _row(self, table: int, row: Row) -> None:
        at = self._open.get(table) or self._continue(table)
        limit = self._texts.rows_per_book
        if limit is not None and at.rows_before + at.rows >= limit:
            self._closed.append((table, at.book, at.rows, at.press))
            at = self._begin(table, at.book + 1)
        text, cut = self._texts.row(at.rows_before + at.rows + 1, row)
        self._write(at, text)
        at.rows += 1
        self.cut[table] += cut

    def _continue(self, table: int) -> _Open:
        book, member = self._job.book(table)
        if not member.pieces:
            return self._begin(table, book)
        at = self._open[table] = _Open(book, member.rows, Press(member.crc, pressed=self._pressed))
        return at

    def _begin(self, table: int, book: int) -> _Open:
        at = self._open[table] = _Open(book, 0, Press(pressed=self._pressed))
        self._write(at, self._texts.head(self._sheets[table]))
        return at

    def _write(self, at: _Open, text: str) -> None:
        data = text.encode()
        at.press.write(data)
        self._size += len(data)
