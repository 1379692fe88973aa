"""Rows as the sheets of an XLSX workbook (ECMA-376), each row complete in itself, so that sheets grow part by part.

Text stands in its own cell instead of a table of all texts, which is what lets a part be written without
knowing the others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import lru_cache
from xml.sax.saxutils import escape, quoteattr

from services.kernel.exporting.cells import digits, exact, plain, printable, runs
from services.kernel.exporting.job import Language, Sheet
from services.kernel.exporting.kinds import Cell, Row

MAX_ROWS = 1_048_576
MAX_COLUMNS = 16_384
MAX_TEXT = 32_767
LONGEST_NAME = 31
HEADING, QUOTED = 1, 2
"""Styles by their place in styles.xml: bold headings, and text that stays text when somebody edits it."""

CUT: Mapping[Language, str] = {"es": " … [cortado: {0} caracteres]", "en": " … [cut: {0} characters]"}

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
# What XML would change or refuse, and what a spreadsheet would read as an escaped character.
_SPECIAL = re.compile("[&<>\r]|_x[0-9A-Fa-f]{4}_|^[ \t\n]|[ \t\n]$")
_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]|^'|'$")

STYLES = (
    f'{_DECLARATION}<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>'
    '</fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


class SheetXml:
    """One table as the XML of sheets; a table that is longer than a sheet goes on in further ones."""

    rows_per_book: int | None = MAX_ROWS - 1

    def __init__(self, zone: tzinfo, language: Language) -> None:
        self._zone = zone
        self._note = CUT[language]

    def head(self, sheet: Sheet) -> str:
        """Up to and including the row of headings, which stays in sight."""
        widths = "".join(
            f'<col min="{n}" max="{n}" width="{min(max(len(heading) + 2, 10), 40)}" customWidth="1"/>'
            for n, heading in enumerate(sheet.headings, start=1)
        )
        cells = "".join(
            _text_cell(f"{column}1", _cut(printable(heading), self._note)[0], HEADING)
            for column, heading in zip(columns(len(sheet.headings)), sheet.headings, strict=True)
        )
        return (
            f'{_DECLARATION}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
            f'<sheetFormatPr defaultRowHeight="15"/><cols>{widths}</cols>'
            f'<sheetData><row r="1">{cells}</row>'
        )

    def row(self, number: int, row: Row) -> tuple[str, int]:
        """The n-th row below the headings, and how many of its cells were cut."""
        at = number + 1
        cut = 0
        cells = [f'<row r="{at}">']
        for column, cell in zip(columns(len(row)), row, strict=True):
            if cell is None or cell == "":
                continue
            written, shortened = self._cell(f"{column}{at}", cell)
            cells.append(written)
            cut += shortened
        cells.append("</row>")
        return "".join(cells), cut

    def tail(self) -> str:
        """What closes a sheet."""
        return "</sheetData></worksheet>"

    def _cell(self, place: str, cell: Cell) -> tuple[str, bool]:
        value = plain(cell, self._zone)
        if isinstance(value, str):
            text, cut = _cut(printable(value), self._note) if len(value) > MAX_TEXT // 2 else (printable(value), False)
            return _text_cell(place, text, QUOTED if runs(text) else 0), cut
        if isinstance(value, bool):
            return f'<c r="{place}" t="b"><v>{int(value)}</v></c>', False
        if value is None:
            return "", False
        written = digits(value)
        return (f'<c r="{place}"><v>{written}</v></c>' if exact(value) else _text_cell(place, written, QUOTED)), False


def workbook(names: Sequence[str]) -> Mapping[str, str]:
    """The parts of the package beside the sheets, by their path; the sheets are called so, in this order."""
    overrides = "".join(
        f'<Override PartName="/{sheet_path(n)}" ContentType="{_SPREADSHEET}.worksheet+xml"/>'
        for n in range(1, len(names) + 1)
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in range(1, len(names) + 1)
    )
    sheets = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}" r:id="rId{n}"/>' for n, name in enumerate(names, start=1)
    )
    return {
        "[Content_Types].xml": (
            f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_SPREADSHEET}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{_SPREADSHEET}.styles+xml"/>{overrides}</Types>'
        ),
        "_rels/.rels": (
            f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
            f'Type="{_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
        ),
        "xl/workbook.xml": (
            f'{_DECLARATION}<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}">'
            f'<bookViews><workbookView activeTab="0"/></bookViews><sheets>{sheets}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": (
            f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{relations}'
            f'<Relationship Id="rId{len(names) + 1}" Type="{_RELATIONS}/styles" Target="styles.xml"/></Relationships>'
        ),
        "xl/styles.xml": STYLES,
    }


def sheet_path(number: int) -> str:
    """Where the n-th sheet lies in the package."""
    return f"xl/worksheets/sheet{number}.xml"


def sheet_names(wanted: Sequence[str]) -> list[str]:
    """Names as sheets may have them: short, without certain signs, each once however it is capitalised."""
    taken: set[str] = {"history"}  # a name that spreadsheets keep for themselves
    names = []
    for name in wanted:
        base = _NOT_IN_NAMES.sub(" ", printable(name)).strip() or "-"
        chosen, n = base[:LONGEST_NAME].strip(), 1
        while chosen.casefold() in taken:
            n += 1
            chosen = f"{base[: LONGEST_NAME - 3 - len(str(n))].strip()} ({n})"
        taken.add(chosen.casefold())
        names.append(chosen)
    return names


@lru_cache(maxsize=64)
def columns(count: int) -> tuple[str, ...]:
    """The letters of the first columns: A, B, … Z, AA, …"""
    return tuple(_letters(n) for n in range(1, count + 1))


def _letters(number: int) -> str:
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _text_cell(place: str, text: str, style: int) -> str:
    space = ""
    if _SPECIAL.search(text):
        space = ' xml:space="preserve"'
        text = escape(_ESCAPED.sub("_x005F_", text), {"\r": "_x000D_"})
    styled = f' s="{style}"' if style else ""
    return f'<c r="{place}"{styled} t="inlineStr"><is><t{space}>{text}</t></is></c>'


def _cut(text: str, note: str) -> tuple[str, bool]:
    """The text as far as a cell can hold it, which counts as UTF-16 does."""
    units = len(text.encode("utf-16-le")) // 2
    if units <= MAX_TEXT:
        return text, False
    end = note.format(len(text))
    kept = text.encode("utf-16-le")[: (MAX_TEXT - len(end)) * 2]
    return kept.decode("utf-16-le", errors="ignore") + end, True
