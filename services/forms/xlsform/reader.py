"""Opens a workbook that somebody else made, whatever it tries to be, and gives its rows as text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import openpyxl

MAX_UNPACKED = 40 * 1024 * 1024
MAX_PARTS = 500
MAX_ROWS = 10_000
MAX_COLUMNS = 300
SHEETS = ("survey", "choices", "settings")
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class Unreadable(Exception):
    """No workbook that could be an XLSForm. `why` is a stable code."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a sheet that say anything, by heading; `number` counts as the spreadsheet does."""

    headings: Sequence[str] = ()
    rows: Sequence[tuple[int, Mapping[str, str]]] = ()


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets that make an XLSForm, and the names of the others."""

    sheets: Mapping[str, Sheet]
    others: Sequence[str]

    def sheet(self, name: str) -> Sheet:
        """That sheet; an empty one where it is missing."""
        return self.sheets.get(name, Sheet())


def open_workbook(data: bytes) -> Workbook:
    """Raises Unreadable."""
    _guard(data)
    try:
        # Through defusedxml, which is installed with the platform: entities do not expand.
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        named = {str(sheet.title).strip().lower(): sheet for sheet in book.worksheets}
        sheets = {name: _rows(named[name]) for name in SHEETS if name in named}
    except Unreadable:
        raise
    except Exception as broken:  # the library raises whatever a malformed part makes its parser raise
        raise Unreadable("file-unreadable") from broken
    if "survey" not in sheets:
        raise Unreadable("survey-missing")
    return Workbook(sheets, [name for name in named if name not in SHEETS])


def _guard(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            sizes = [part.file_size for part in package.infolist()]
    except (ValueError, OSError, zipfile.BadZipFile) as broken:
        raise Unreadable("file-unreadable") from broken
    # No part is unpacked beyond the size that its directory states.
    if len(sizes) > MAX_PARTS or sum(sizes) > MAX_UNPACKED:
        raise Unreadable("file-unpacks-too-large")


def _rows(sheet: Any) -> Sheet:
    sheet.reset_dimensions()
    headings: list[str] | None = None
    found: list[tuple[int, Mapping[str, str]]] = []
    for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), start=1):
        texts = [_text(cell) for cell in cells]
        if headings is None:
            headings = [text.strip() for text in texts]
            continue
        if number > MAX_ROWS:
            raise Unreadable("too-many-rows")
        row = {heading: text for heading, text in zip(headings, texts, strict=False) if heading and text.strip()}
        if row:
            found.append((number, row))
    return Sheet([heading for heading in headings or () if heading], found)


def _text(cell: Any) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case other:
            return CONTROLS.sub("", str(other))
