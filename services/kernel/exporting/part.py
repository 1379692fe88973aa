"""One part of an export while it is written: as many things as make a part, each table into its own file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from services.kernel.exporting.formats import Texts
from services.kernel.exporting.job import ExportJob, Piece, Sheet
from services.kernel.exporting.kinds import Row, Thing
from services.kernel.exporting.package import Press

THINGS_PER_PART = 1_000
BYTES_PER_PART = 16 * 1024 * 1024


@dataclass(slots=True)
class _Open:
    """The file that the rows of one table go into now."""

    book: int
    rows_before: int
    press: Press
    rows: int = 0


class Part:
    """The next part of an export: give it things until it is full, then take its pieces."""

    def __init__(self, texts: Texts, job: ExportJob, sheets: Sequence[Sheet], *, pressed: bool) -> None:
        self._texts = texts
        self._job = job
        self._sheets = sheets
        self._pressed = pressed
        self._open: dict[int, _Open] = {}
        self._full: list[tuple[int, _Open]] = []
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

    def pieces(self) -> Iterator[tuple[Piece, bytes]]:
        """What every file got that got something."""
        for table, at in [*self._full, *sorted(self._open.items())]:
            packed = at.press.end()
            yield (
                Piece(
                    table=table,
                    book=at.book,
                    rows=at.rows,
                    crc=at.press.crc,
                    size=at.press.size,
                    packed=len(packed),
                    digest=sha256(packed).hexdigest(),
                ),
                packed,
            )

    def _row(self, table: int, row: Row) -> None:
        at = self._open.get(table) or self._continue(table)
        limit = self._texts.rows_per_book
        if limit is not None and at.rows_before + at.rows >= limit:
            self._full.append((table, at))
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
