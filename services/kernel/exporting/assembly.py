"""The file of an export, put together from its pieces: a workbook, a ZIP of CSV files, or one CSV file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from services.kernel.exporting.folder import Folder
from services.kernel.exporting.formats import content_type, texts_of, zipped
from services.kernel.exporting.job import ExportJob, ExportRequested, Sheet
from services.kernel.exporting.package import Packed, Press, length, package, whole
from services.kernel.exporting.workbook import sheet_names, sheet_path, workbook

SUMMARY = {
    "es": Sheet(name="Resumen", headings=("Tabla", "Filas", "Celdas cortadas")),
    "en": Sheet(name="Summary", headings=("Table", "Rows", "Cells cut")),
}


class Assembly:
    """A function of the job and its pieces: made twice, it is the same file."""

    def __init__(self, job: ExportJob, requested: ExportRequested, sheets: Sequence[Sheet], folder: Folder) -> None:
        self._job = job
        self._requested = requested
        self._sheets = sheets
        self._folder = folder
        self._zone = ZoneInfo(requested.time_zone)
        self._texts = texts_of(requested.format, self._zone, requested.language)
        self._zipped = zipped(requested.format, len(sheets))
        self._files = list(self._packed()) if self._zipped else [self._member("", 0, 1, sheets[0])]

    @property
    def content_type(self) -> str:
        """What the file is."""
        return content_type(self._requested.format, len(self._sheets))

    @property
    def length(self) -> int:
        """How long it is."""
        return length(self._files) if self._zipped else self._files[0].packed

    def chunks(self) -> Iterator[bytes]:
        """Its bytes, read from the pieces as they are needed. Raises ObjectLost."""
        if not self._zipped:
            yield from self._files[0].content()
            return
        assert self._job.started is not None
        yield from package(self._files, self._job.started.began_at.astimezone(self._zone))

    def _packed(self) -> Iterator[Packed]:
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
        *others, last = names
        for name, (table, book, sheet) in zip(others, books, strict=True):
            yield self._member(name, table, book, sheet)
        yield whole(last, self._summary(summary).encode())

    def _summary(self, sheet: Sheet) -> str:
        """How many rows of each table there must be in the file."""
        lines = [(known.name, self._job.rows(table), self._job.cut[table]) for table, known in enumerate(self._sheets)]
        rows = (self._texts.row(number, line)[0] for number, line in enumerate(lines, start=1))
        return "".join([self._texts.head(sheet), *rows, self._texts.tail()])

    def _member(self, name: str, table: int, book: int, sheet: Sheet) -> Packed:
        """One file of the package: its pieces as they lie in the store, and what closes it."""
        member = self._job.members.get((table, book))
        press = Press(member.crc if member else 0, pressed=self._zipped)
        press.write((("" if member else self._texts.head(sheet)) + self._texts.tail()).encode())
        end = press.end(final=True)
        pieces = member.pieces if member else ()

        def content() -> Iterator[bytes]:
            for part, piece in pieces:
                yield from self._folder.read(part, piece)
            yield end

        size, packed = (member.size, member.packed) if member else (0, 0)
        return Packed(name, press.crc, size + press.size, packed + len(end), content)
