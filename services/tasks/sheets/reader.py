"""Turns an XLSX or CSV file into rows of text under known column names, whatever the file tries to be."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import openpyxl

MAX_ROWS = 5_000
MAX_SHEET_ROWS = 20_000
MAX_COLUMNS = 100
MAX_UNPACKED_BYTES = 40 * 1024 * 1024
MAX_PARTS = 500
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


class FileRejected(Exception):
    """The file as a whole is of no use; `columns` names our columns where it is about columns."""

    def __init__(self, code: str, columns: Sequence[str] = ()) -> None:
        super().__init__(code, columns)
        self.code = code
        self.columns = tuple(columns)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one kind of file, the headings by which people call them, and which must be there."""

    headings: Mapping[str, Sequence[str]]
    required: Sequence[str]

    def named(self, heading: str) -> str | None:
        """Our name of a heading, in English or Spanish, however accented, spaced or capitalised."""
        plain = plain_text(heading)
        for column, headings in self.headings.items():
            if plain == plain_text(column) or any(plain == plain_text(known) for known in headings):
                return column
        return None


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is not empty; `number` is its number in the spreadsheet, the heading being 1."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """What a file says, and the headings nobody here understands."""

    rows: Sequence[Row]
    ignored: Sequence[str]


def plain_text(text: str) -> str:
    """Letters and digits only, without accents and case: "Código del cliente" is "codigodelcliente"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if c.isalnum())


def read_table(data: bytes, columns: Columns) -> Table:
    """The rows of a file. Raises FileRejected."""
    if data.startswith(OLE):
        raise FileRejected("file-format-unsupported")
    lines = _xlsx(data) if data.startswith(ZIP) else _csv(data, columns)
    return _table(lines, columns)


def _table(lines: Iterator[tuple[int, Sequence[str]]], columns: Columns) -> Table:
    headings = next((cells for _, cells in lines if any(cells)), None)
    if headings is None:
        raise FileRejected("file-empty")
    names = [columns.named(heading) for heading in headings]
    known = [name for name in names if name is not None]
    missing = [name for name in columns.required if name not in known]
    if missing:
        raise FileRejected("columns-missing", missing)
    if len(set(known)) != len(known):
        raise FileRejected("columns-doubled", sorted({name for name in known if known.count(name) > 1}))
    rows: list[Row] = []
    for number, cells in lines:
        if number > MAX_SHEET_ROWS:
            raise FileRejected("too-many-rows")
        if not any(cells):
            continue
        found = {name: cell for name, cell in zip(names, cells, strict=False) if name is not None}
        rows.append(Row(number, {name: found.get(name, "") for name in known}))
        if len(rows) > MAX_ROWS:
            raise FileRejected("too-many-rows")
    if not rows:
        raise FileRejected("file-empty")
    ignored = [h for h, name in zip(headings, names, strict=True) if name is None and h]
    return Table(rows, ignored)


def _csv(data: bytes, columns: Columns) -> Iterator[tuple[int, Sequence[str]]]:
    text = _decoded(data)
    if CONTROLS.search(text):
        raise FileRejected("file-format-unsupported")
    first = next(iter(text.lstrip().splitlines()), "")
    # The separator is the one under which most headings make sense: Excel writes ";" in Spanish.
    delimiter = max(",;\t", key=lambda d: sum(columns.named(h.strip('"')) is not None for h in first.split(d)))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for number, cells in enumerate(lines, start=1):
            yield number, [cell.strip() for cell in cells[:MAX_COLUMNS]]
    except csv.Error as broken:
        raise FileRejected("file-unreadable") from broken


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileRejected("file-encoding-unsupported")
    # What is not UTF-8 comes from Excel for Windows; Latin-1 accepts every byte and so ends the search.
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _xlsx(data: bytes) -> Iterator[tuple[int, Sequence[str]]]:
    _check_package(data)
    try:
        # openpyxl parses through defusedxml when that is installed, so entities do not expand.
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), start=1):
            yield number, _without_tail([_as_text(cell) for cell in cells])
    except FileRejected:
        raise
    except Exception as broken:  # the library raises whatever a malformed part makes its parser raise
        raise FileRejected("file-unreadable") from broken


def _check_package(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as broken:
        raise FileRejected("file-unreadable") from broken
    # Reading a part stops at the size its directory states, so that these sums bound what is unpacked.
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise FileRejected("file-unpacks-too-large")
    if not any(part.filename == "xl/workbook.xml" for part in parts):
        raise FileRejected("file-format-unsupported")


def _without_tail(cells: list[str]) -> list[str]:
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _as_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date() | time():
            return value.isoformat()
        case _:
            return CONTROLS.sub("", str(value)).strip()
