"""The files themselves: packages joined from pieces, cells that nothing can go wrong with, sheets that others read."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kernel.exporting import package as zips
from services.kernel.exporting.cells import digits, harmless, printable, runs
from services.kernel.exporting.delimited import CsvText
from services.kernel.exporting.job import Sheet
from services.kernel.exporting.kinds import Cell
from services.kernel.exporting.package import Packed, Press, length, package, whole
from services.kernel.exporting.workbook import (
    MAX_TEXT,
    SheetXml,
    columns,
    sheet_names,
    sheet_path,
    workbook,
)

AT = datetime(2026, 11, 23, 9, 12, 4, tzinfo=UTC)
BOGOTA = ZoneInfo("America/Bogota")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


def joined(name: str, pieces: list[bytes], last: bytes) -> Packed:
    """A file as several processes write it, none of which knows more than the checksum so far."""
    crc, size, out = 0, 0, []
    for n, piece in enumerate([*pieces, last]):
        press = Press(crc)
        press.write(piece)
        out.append(press.end(final=n == len(pieces)))
        crc, size = press.crc, size + press.size
    return Packed(name, crc, size, sum(map(len, out)), lambda: out)


class TestPackages:
    @given(st.lists(st.lists(st.binary(max_size=300), max_size=4), max_size=4), st.binary(max_size=20))
    def test_pieces_joined_are_one_file(self, contents: list[list[bytes]], last: bytes) -> None:
        files = [joined(f"ñ{n}.txt", pieces, last) for n, pieces in enumerate(contents)]
        data = b"".join(package(files, AT))
        assert len(data) == length(files)
        with zipfile.ZipFile(io.BytesIO(data)) as read:
            assert read.testzip() is None
            assert read.namelist() == [file.name for file in files]
            for n, pieces in enumerate(contents):
                assert read.read(f"ñ{n}.txt") == b"".join(pieces) + last

    def test_the_same_pieces_give_the_same_bytes(self) -> None:
        files = [whole("a.txt", b"uno"), joined("b.txt", [b"dos", b"tres"], b"")]
        assert b"".join(package(files, AT)) == b"".join(package(files, AT))

    def test_beyond_four_gigabytes(self, tmp_path: Path) -> None:
        """The directory tells sizes and places that need 64 bits; the contents are holes in a sparse file."""
        big = 5 * 2**30
        names = ("grande", "empacado", "después")
        holes = [Packed(names[0], 1, big, 100, tuple), Packed(names[1], 2, big, big, tuple), whole(names[2], b"fin")]
        target = tmp_path / "big.zip"
        with target.open("wb") as file:
            for part in holes:
                at = file.tell()
                file.write(zips._local(part, 0))
                file.seek(at + len(zips._local(part, 0)) + (part.packed if part is not holes[2] else 0))
                file.write(b"".join(part.content()))
            start = file.tell()
            offsets = [0, len(zips._local(holes[0], 0)) + 100]
            offsets.append(offsets[1] + len(zips._local(holes[1], 0)) + big)
            entries = b"".join(zips._entry(part, at, 0) for part, at in zip(holes, offsets, strict=True))
            file.write(entries + zips._end(3, start, len(entries)))
            assert file.tell() == length(holes)
        with zipfile.ZipFile(target) as read:
            assert [(info.filename, info.file_size) for info in read.infolist()] == [
                (names[0], big),
                (names[1], big),
                (names[2], 3),
            ]
            assert read.read(names[2]) == b"fin"


class TestCells:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "|calc", "＝1"])
    def test_what_a_spreadsheet_would_run(self, text: str) -> None:
        assert runs(text)
        assert harmless(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "a=1", "Calle 93 # 11-27", "3-4", "'=1", "900.123-4"])
    def test_what_it_would_not(self, text: str) -> None:
        assert harmless(text) == text

    @pytest.mark.parametrize(
        ("number", "text"),
        [(1, "1"), (-5, "-5"), (2.0, "2"), (0.1, "0.1"), (Decimal("1E+3"), "1000"), (Decimal("0.10"), "0.10")],
    )
    def test_numbers_are_digits(self, number: Any, text: str) -> None:
        assert digits(number) == text


def lines(*rows: list[Cell], zone: Any = BOGOTA) -> list[list[str]]:
    texts = CsvText(zone)
    text = texts.head(Sheet(name="t", headings=("=a", "b"))) + "".join(
        texts.row(n, row)[0] for n, row in enumerate(rows, start=1)
    )
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


class TestCsv:
    def test_cells_of_every_kind(self) -> None:
        moment = datetime(2026, 11, 23, 3, 30, 0, 999, tzinfo=timezone(timedelta(hours=-3)))
        (head, *found) = lines(
            [None, "a,\"b\"\nc"], [-12, Decimal("-0.50")], [True, False], [moment, date(2026, 11, 23)],
            ["=1", "\x00nul\ud800"], [float("nan"), 1e300],
        )  # fmt: skip
        assert head == ["'=a", "b"]
        assert found == [
            ["", 'a,"b"\nc'],
            ["-12", "-0.50"],
            ["true", "false"],
            ["2026-11-23T01:30:00-05:00", "2026-11-23"],
            ["'=1", "nul"],
            ["", "1e+300"],
        ]

    @pytest.mark.parametrize(
        ("utc", "local"),
        [
            ("2026-11-23T04:59:59+00:00", "2026-11-22T23:59:59-05:00"),
            ("2026-11-23T05:00:00+00:00", "2026-11-23T00:00:00-05:00"),
        ],
    )
    def test_midnight_in_bogota(self, utc: str, local: str) -> None:
        assert lines([datetime.fromisoformat(utc), None])[1][0] == local

    def test_the_hour_that_comes_twice_is_told_by_its_offset(self) -> None:
        zone = ZoneInfo("America/New_York")
        moments = [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6)]
        assert [row[0] for row in lines(*[[moment, None] for moment in moments], zone=zone)[1:]] == [
            "2026-11-01T01:30:00-04:00",
            "2026-11-01T01:30:00-05:00",
        ]

    @given(st.lists(st.lists(TEXTS, min_size=2, max_size=2), max_size=5))
    def test_no_cell_begins_like_a_formula_and_none_is_lost(self, rows: list[list[str]]) -> None:
        found = lines(*[list(row) for row in rows])[1:]
        assert len(found) == len(rows)
        assert not any(runs(cell) for row in found for cell in row)


def book(headings: tuple[str, ...], *rows: list[Cell], language: Any = "es") -> Any:
    """A workbook of one sheet, read by a library that did not write it."""
    texts = SheetXml(BOGOTA, language)
    content = texts.head(Sheet(name="t", headings=headings)) + "".join(
        texts.row(n, row)[0] for n, row in enumerate(rows, start=1)
    )
    files = [whole(path, text.encode()) for path, text in workbook(["Hoja"]).items()]
    files.append(whole(sheet_path(1), (content + texts.tail()).encode()))
    return openpyxl.load_workbook(io.BytesIO(b"".join(package(files, AT))))


class TestWorkbooks:
    def test_cells_of_every_kind(self) -> None:
        moment = datetime(2026, 11, 23, 14, tzinfo=UTC)
        long_number = 12345678901234567890
        sheet = book(("a", "b"), [1, Decimal("2.5")], [None, "x"], [True, moment], [long_number, " <&> \n"])["Hoja"]
        assert [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)] == [
            [1, 2.5],
            [None, "x"],
            [True, "2026-11-23T09:00:00-05:00"],
            ["12345678901234567890", " <&> \n"],
        ]
        assert sheet.freeze_panes == "A2"
        assert sheet["A1"].font.b

    def test_a_formula_is_text_and_stays_text_when_it_is_edited(self) -> None:
        sheet = book(("a",), ["=1+1"], ["@x"], ["plain"], [-3])["Hoja"]
        assert [sheet[f"A{n}"].data_type for n in range(2, 6)] == ["s", "s", "s", "n"]
        assert [bool(sheet[f"A{n}"].quotePrefix) for n in range(2, 6)] == [True, True, False, False]

    def test_text_beyond_the_limit_is_cut_with_a_note(self) -> None:
        texts = SheetXml(BOGOTA, "es")
        for text in ("x" * 40_000, "😀" * 20_000):
            _, cut = texts.row(1, [text, "short"])
            assert cut == 1
            value = book(("a",), [text])["Hoja"]["A2"].value
            assert len(value.encode("utf-16-le")) // 2 <= MAX_TEXT
            assert value.endswith(f" … [cortado: {len(text)} caracteres]")
        assert texts.row(1, ["x" * MAX_TEXT])[1] == 0
        assert "[cut: 40000 characters]" in book(("a",), ["x" * 40_000], language="en")["Hoja"]["A2"].value

    def test_what_looks_like_an_escape_is_not_taken_for_one(self) -> None:
        assert "_x005F_x0041_" in SheetXml(BOGOTA, "es").row(1, ["_x0041_"])[0]

    @given(st.lists(TEXTS.filter(lambda text: "\r" not in text), min_size=1, max_size=5))
    def test_any_text_can_be_read_back(self, texts: list[str]) -> None:
        sheet = book(tuple(f"c{n}" for n in range(len(texts))), list(texts))["Hoja"]
        assert [sheet.cell(2, n).value or "" for n in range(1, len(texts) + 1)] == [printable(t) for t in texts]

    def test_columns_are_lettered(self) -> None:
        assert columns(703)[25::26][:2] == ("Z", "AZ")
        assert (columns(703)[26], columns(703)[702]) == ("AA", "AAA")
        assert columns(16_384)[-1] == "XFD"

    def test_sheets_have_names_that_spreadsheets_accept(self) -> None:
        names = sheet_names(["a/b:c", "A B C", "History", "", "x" * 40, "X" * 40, "'q'"])
        assert names == ["a b c", "A B C (2)", "History (2)", "-", "x" * 31, "X" * 27 + " (2)", "q"]
        assert all(len(name) <= 31 for name in names)
