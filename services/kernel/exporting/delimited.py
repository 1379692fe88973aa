"""Rows as CSV (RFC 4180) in UTF-8, with the mark at the beginning by which spreadsheets know the encoding."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import tzinfo

from services.kernel.exporting.cells import digits, harmless, plain, printable
from services.kernel.exporting.job import Sheet
from services.kernel.exporting.kinds import Cell, Row

BYTE_ORDER_MARK = "\ufeff"


class CsvText:
    """One table as lines of text; nothing is ever cut."""

    rows_per_book: int | None = None

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone

    def head(self, sheet: Sheet) -> str:
        """The line of headings."""
        return BYTE_ORDER_MARK + _lines([[harmless(printable(heading)) for heading in sheet.headings]])

    def row(self, number: int, row: Row) -> tuple[str, int]:
        """One line, and that no cell had to be cut; the number is nothing to CSV."""
        return _lines([[self._text(cell) for cell in row]]), 0

    def tail(self) -> str:
        """Nothing follows the last line."""
        return ""

    def _text(self, cell: Cell) -> str:
        match value := plain(cell, self._zone):
            case None:
                return ""
            case str():
                return harmless(printable(value))
            case bool():
                return "true" if value else "false"
            case _:
                return digits(value)


def _lines(rows: Iterable[Iterable[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
