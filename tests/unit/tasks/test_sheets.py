"""Spreadsheets from outside: well-meant, clumsy and hostile ones."""

from __future__ import annotations

import io
import runpy
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st
from openpyxl import Workbook

from services.kernel.domain import Rejected
from services.tasks.sheets import reader
from services.tasks.sheets.columns import CUSTOMER_COLUMNS, TASK_COLUMNS
from services.tasks.sheets.reader import FileRejected, Row, Table, read_table
from services.tasks.sheets.rows import BadRow, customer_row, task_row
from tests.examples.tasks import CUSTOMER, LOCATION, PROCESS, SUBPROCESS, TEAM, TECHNICIAN

DATA = Path(__file__).parents[2] / "data"


def xlsx(*rows: Sequence[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def repacked(package: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """The package with parts replaced, added, or (None) left out."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(package)) as old,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            if name not in changes:
                new.writestr(name, old.read(name))
        for name, content in changes.items():
            if content is not None:
                new.writestr(name, content)
    return made.getvalue()


def rejected(data: bytes) -> FileRejected:
    with pytest.raises(FileRejected) as refusal:
        read_table(data, CUSTOMER_COLUMNS)
    return refusal.value


class TestFiles:
    @pytest.mark.parametrize(
        "data",
        [
            "code,name\nA-1,Peña\n".encode(),
            "code;name\r\nA-1;Peña\r\n".encode("utf-8-sig"),
            "Código;Nombre\nA-1;Peña\n".encode("cp1252"),
            "CODIGO\tNOMBRE\nA-1\tPeña".encode(),
            'code,name\n"A-1","Peña"\n\n,\n'.encode(),
            xlsx(("Código ", " NOMBRE"), ("A-1", "Peña"), (None, None)),
        ],
        ids=["comma", "semicolon-bom", "windows", "tab", "quoted", "xlsx"],
    )
    def test_whatever_form_the_same_rows(self, data: bytes) -> None:
        assert read_table(data, CUSTOMER_COLUMNS).rows == [Row(2, {"code": "A-1", "name": "Peña"})]

    def test_rows_keep_their_number_in_the_spreadsheet(self) -> None:
        table = read_table(b"code,name\n\nA,a\n,\nB,b\n", CUSTOMER_COLUMNS)
        assert [row.number for row in table.rows] == [3, 5]

    def test_numbers_and_times_of_a_spreadsheet_read_as_written(self) -> None:
        data = xlsx(("code", "name", "city"), (900123456, 7.5, datetime(2026, 3, 2, 8, 0)))  # noqa: DTZ001
        (row,) = read_table(data, CUSTOMER_COLUMNS).rows
        assert row.cells == {"code": "900123456", "name": "7.5", "city": "2026-03-02T08:00:00"}

    def test_headings_nobody_understands_are_reported(self) -> None:
        table = read_table(b"code,name,Signo zodiacal\nA,a,Libra\n", CUSTOMER_COLUMNS)
        assert table == Table([Row(2, {"code": "A", "name": "a"})], ["Signo zodiacal"])

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "file-empty"),
            (b"code,name\n", "file-empty"),
            (b"%PDF-1.7\x00\x01 code,name", "file-format-unsupported"),
            (b"\xd0\xcf\x11\xe0 old excel", "file-format-unsupported"),
            (b"\x89PNG\r\n\x1a\n\x00", "file-format-unsupported"),
            ("code,name\n".encode("utf-16"), "file-encoding-unsupported"),
            (b"PK\x03\x04 not a zip at all", "file-unreadable"),
            (b'code,name\n"' + b"x" * 200_000 + b'",a', "file-unreadable"),
            (b"nombre\nA\n", "columns-missing"),
            (b"code,name,nombre\nA,a,b\n", "columns-doubled"),
            (b"code,name\n" + b"A,a\n" * 5_001, "too-many-rows"),
            (b"code,name\n" + b",\n" * 20_001, "too-many-rows"),
        ],
    )
    def test_a_file_of_no_use_says_why(self, data: bytes, code: str) -> None:
        assert rejected(data).code == code

    def test_missing_columns_are_named(self) -> None:
        assert rejected(b"city\nA\n").columns == ("code", "name")

    def test_a_zip_that_is_no_workbook(self) -> None:
        book = xlsx(("code", "name"), ("A", "a"))
        assert rejected(repacked(book, {"xl/workbook.xml": None})).code == "file-format-unsupported"

    def test_a_bomb_is_not_unpacked(self) -> None:
        book = xlsx(("code", "name"), ("A", "a"))
        bomb = repacked(book, {"xl/media/zeros.bin": bytes(reader.MAX_UNPACKED_BYTES)})
        assert len(bomb) < 200_000
        assert rejected(bomb).code == "file-unpacks-too-large"

    def test_too_many_parts(self) -> None:
        book = xlsx(("code", "name"), ("A", "a"))
        assert rejected(repacked(book, {f"x/{n}": b"" for n in range(501)})).code == "file-unpacks-too-large"

    @pytest.mark.parametrize(
        "sheet",
        [
            b"<not xml",
            b'<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>',
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet>&e;</worksheet>',
        ],
    )
    def test_hostile_xml_is_refused(self, sheet: bytes) -> None:
        book = xlsx(("code", "name"), ("A", "a"))
        assert rejected(repacked(book, {"xl/worksheets/sheet1.xml": sheet})).code == "file-unreadable"

    def test_a_sheet_that_claims_to_be_endless(self) -> None:
        rows = b'<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row>'
        start = b'<row r="1"><c r="A1" t="inlineStr"><is><t>code</t></is></c>'
        start += b'<c r="B1" t="inlineStr"><is><t>name</t></is></c></row>'
        sheet = (
            b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            b'<dimension ref="A1:XFD1048576"/><sheetData>' + start + rows + b"</sheetData></worksheet>"
        )
        book = repacked(xlsx(("code", "name")), {"xl/worksheets/sheet1.xml": sheet})
        assert rejected(book).code == "too-many-rows"

    @settings(max_examples=150)
    @having(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
    def test_any_bytes_are_read_or_refused(self, noise: bytes) -> None:
        for data in (noise, b"code,name\n" + noise, b"PK\x03\x04" + noise):
            try:
                read_table(data, CUSTOMER_COLUMNS)
            except FileRejected:
                continue


class Known:
    """An account with one customer, one subprocess, one technician, one team."""

    time_zone = "America/Bogota"

    def customer(self, code: str) -> str | None:
        return CUSTOMER if code == "A-1" else None

    def location(self, customer_id: str, name: str) -> str | None:
        return LOCATION if name == "Sede" else None

    def subprocess(self, process: str, subprocess: str) -> list[tuple[str, str]]:
        return {"Preventivo": [(PROCESS, SUBPROCESS)], "Doble": [(PROCESS, SUBPROCESS)] * 2}.get(subprocess, [])

    def check_assignee(self, user_id: str) -> None:
        if user_id != TECHNICIAN:
            raise Rejected("assignee-unknown")

    def check_team(self, team_id: str) -> None:
        if team_id != TEAM:
            raise Rejected("assignee-unknown")


def wrong(judge: Any, *args: Any) -> list[tuple[str, str]]:
    with pytest.raises(BadRow) as refusal:
        judge(*args)
    return [(w.column, w.code) for w in refusal.value.wrong]


class TestCustomerRows:
    def test_a_full_row(self) -> None:
        asked = customer_row(
            Row(
                2,
                {
                    "code": "A-1",
                    "name": "Peña",
                    "email": "a@b.co",
                    "location_name": "Sede",
                    "lat": "4,65",
                    "lon": "-74.06",
                },
            )
        )
        assert asked.place is not None
        assert asked.place.position is not None
        assert (asked.profile.email, asked.place.name, asked.place.position.lat) == ("a@b.co", "Sede", 4.65)

    def test_empty_cells_say_nothing(self) -> None:
        asked = customer_row(Row(2, {"code": "A-1", "name": "Peña", "city": "", "phone": ""}))
        assert (asked.given, asked.place) == (frozenset({"code", "name"}), None)

    @pytest.mark.parametrize(
        ("cells", "errors"),
        [
            ({"code": ""}, [("code", "required")]),
            ({"name": "", "code": ""}, [("code", "required"), ("name", "required")]),
            ({"name": "x" * 201}, [("name", "too-long")]),
            ({"email": "nobody"}, [("email", "invalid")]),
            ({"phone": "call me"}, [("phone", "invalid")]),
            ({"lat": "north", "lon": "-74"}, [("lat", "number-invalid")]),
            ({"lat": "4.6"}, [("lon", "required")]),
            ({"lat": "4.6", "lon": "-275"}, [("lon", "invalid")]),
            ({"lat": "nan", "lon": "inf"}, [("lat", "invalid"), ("lon", "invalid")]),
            ({"location_name": "x" * 121}, [("location_name", "too-long")]),
        ],
    )
    def test_every_wrong_cell_is_named(self, cells: dict[str, str], errors: list[tuple[str, str]]) -> None:
        found = wrong(customer_row, Row(2, {"code": "A-1", "name": "Peña", **cells}))
        assert sorted(set(found)) == sorted(errors)


class TestTaskRows:
    ROW: Mapping[str, str] = {"title": "Visita", "subprocess": "Preventivo"}

    def judged(self, **cells: str) -> dict[str, Any]:
        return task_row(Row(2, {**self.ROW, **cells}), Known())

    def test_a_full_row(self) -> None:
        asked = self.judged(customer_code="A-1", location_name="Sede", assignee=TECHNICIAN, priority="Urgente")
        assert (asked["customer_id"], asked["location_id"], asked["user_id"], asked["priority"]) == (
            CUSTOMER,
            LOCATION,
            TECHNICIAN,
            "urgent",
        )

    @pytest.mark.parametrize(
        ("text", "zone", "moment"),
        [
            ("2026-03-02T08:00", "", datetime(2026, 3, 2, 13, 0, tzinfo=UTC)),
            ("2026-03-02 08:00:00", "", datetime(2026, 3, 2, 13, 0, tzinfo=UTC)),
            ("02/03/2026 08:00", "", datetime(2026, 3, 2, 13, 0, tzinfo=UTC)),
            ("02/03/2026", "", datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
            ("2026-03-02T08:00+02:00", "", datetime(2026, 3, 2, 6, 0, tzinfo=UTC)),
            ("2026-03-02T08:00", "Europe/Madrid", datetime(2026, 3, 2, 7, 0, tzinfo=UTC)),
        ],
    )
    def test_times_are_the_accounts_unless_they_say_otherwise(self, text: str, zone: str, moment: datetime) -> None:
        assert self.judged(start=text, time_zone=zone)["window"].start == moment

    @pytest.mark.parametrize(
        ("cells", "errors"),
        [
            ({"title": ""}, [("title", "required")]),
            ({"title": "x" * 201, "description": "x" * 10_001}, [("title", "too-long"), ("description", "too-long")]),
            ({"subprocess": ""}, [("subprocess", "required")]),
            ({"subprocess": "Otro"}, [("subprocess", "subprocess-unknown")]),
            ({"subprocess": "Doble"}, [("subprocess", "subprocess-ambiguous")]),
            ({"customer_code": "B"}, [("customer_code", "customer-unknown")]),
            ({"location_name": "Sede"}, [("customer_code", "required")]),
            ({"customer_code": "A-1", "location_name": "Otra"}, [("location_name", "location-unknown")]),
            ({"assignee": "ana@empresa.example"}, [("assignee", "assignee-unknown")]),
            ({"assignee": TECHNICIAN, "team": TEAM}, [("team", "assignee-ambiguous")]),
            ({"start": "mañana"}, [("start", "date-invalid")]),
            ({"start": "31/02/2026"}, [("start", "date-invalid")]),
            ({"start": "0001-01-01T00:00+14:00"}, [("start", "date-invalid")]),
            ({"start": "2026-03-02", "end": "2026-03-01"}, [("end", "window-out-of-order")]),
            ({"time_zone": "../../etc/passwd"}, [("time_zone", "time-zone-unknown")]),
            ({"time_zone": "Marte/Olympus"}, [("time_zone", "time-zone-unknown")]),
            ({"priority": "ya"}, [("priority", "priority-unknown")]),
        ],
    )
    def test_every_wrong_cell_is_named(self, cells: dict[str, str], errors: list[tuple[str, str]]) -> None:
        assert wrong(self.judged_row, cells) == errors

    def judged_row(self, cells: dict[str, str]) -> None:
        self.judged(**cells)


def test_the_demos_files_are_what_their_maker_makes() -> None:
    maker = runpy.run_path(str(DATA / "make.py"))
    assert (DATA / "tasks.csv").read_bytes() == maker["table"]()
    made, kept = (
        read_table(data, CUSTOMER_COLUMNS) for data in (maker["workbook"](), (DATA / "customers.xlsx").read_bytes())
    )
    assert made == kept
    assert (len(kept.rows), len(read_table(maker["table"](), TASK_COLUMNS).rows)) == (27, 42)
