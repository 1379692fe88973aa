"""The formats of an export: how each writes a table, and what its file is."""

from __future__ import annotations

from datetime import tzinfo
from typing import Protocol

from services.kernel.exporting.delimited import CsvText
from services.kernel.exporting.job import Format, Language, Sheet
from services.kernel.exporting.kinds import Row
from services.kernel.exporting.workbook import SheetXml

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Texts(Protocol):
    """How a format writes one table: what it begins with, its rows, and what it ends with."""

    rows_per_book: int | None

    def head(self, sheet: Sheet) -> str:
        """The beginning, with the headings."""

    def row(self, number: int, row: Row) -> tuple[str, int]:
        """The n-th row, and how many of its cells were cut."""

    def tail(self) -> str:
        """The end."""


def texts_of(format: Format, zone: tzinfo, language: Language) -> Texts:
    """How tables are written in this format."""
    return SheetXml(zone, language) if format == "xlsx" else CsvText(zone)


def zipped(format: str, tables: int) -> bool:
    """Whether the file is a ZIP: a workbook is, and so is CSV with more than one table."""
    return format == "xlsx" or tables > 1


def ending(format: str, tables: int) -> str:
    """What the file's name ends with."""
    return "xlsx" if format == "xlsx" else "zip" if zipped(format, tables) else "csv"


def content_type(format: str, tables: int) -> str:
    """What the file is, as HTTP says it."""
    return {"xlsx": XLSX, "zip": "application/zip", "csv": "text/csv; charset=utf-8"}[ending(format, tables)]
