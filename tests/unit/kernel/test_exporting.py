"""Exports from the request to the file, through a service in memory: complete, the same whatever interrupts them."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from services.kernel.application import Ask
from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.kernel.domain import Rejected
from services.kernel.exporting import asking, part, workbook, writing
from services.kernel.exporting.folder import file_of
from services.kernel.exporting.job import ExportReady, Sheet, export_job
from services.kernel.exporting.kinds import Plan
from services.kernel.objects import ObjectLost, Readable, chunks, fetch
from services.kernel.testing.app import START, MemoryApp, memory_app
from tests.examples.exporting import OWNER, PERMISSIONS, TENANT, VIEWER, Harbour, boats, define
from tests.support.bucket import Bucket

SYSTEM = Caller(tenant=TENANT, actor="system:write_exports", role="system")


class Office:
    """A harbour's account in memory."""

    def __init__(self, count: int = 0, **changes: Any) -> None:
        self.harbour = Harbour(count)
        self.bucket = Bucket()
        self.app: MemoryApp = memory_app(define(boats(self.harbour, **changes)), ports={"objects": lambda: self.bucket})

    def request(self, by: Caller = OWNER, **data: Any) -> str:
        id = data.pop("export_id", None) or new_id()
        self.app.execute("request_export", {"export_id": id, "kind": "boats", **data}, by)
        return str(id)

    def show(self, id: str, by: Caller = OWNER) -> dict[str, Any]:
        return self.app.query("export", {"export_id": id}, by)

    def file(self, id: str, by: Caller = OWNER) -> bytes:
        where = self.app.query("export_file", {"export_id": id}, by)
        data = self.bucket.objects[where["object_key"]]
        assert (len(data), hashlib.sha256(data).hexdigest()) == (where["size"], where["sha256"])
        return data


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "THINGS_PER_PART", 10)


def tables(data: bytes) -> dict[str, list[list[Any]]]:
    """Every sheet of a workbook, read by a library that did not write it."""
    read = openpyxl.load_workbook(io.BytesIO(data))
    return {sheet.title: [[cell.value for cell in row] for row in sheet.iter_rows()] for sheet in read}


def texts(data: bytes) -> dict[str, list[list[str]]]:
    """Every table of a ZIP of CSV files."""
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        return {
            name: list(csv.reader(io.StringIO(read.read(name).decode("utf-8-sig"), newline="")))
            for name in read.namelist()
        }


class TestTheFile:
    def test_a_workbook_of_all_tables_with_a_summary(self) -> None:
        office = Office(25)
        office.harbour.names[3] = "=HYPERLINK(1)"
        id = office.request(filters={"even": False})
        shown = office.show(id)
        assert (shown["status"], shown["written"], shown["total"]) == ("ready", 25, 25)
        assert [(t["name"], t["rows"]) for t in shown["tables"]] == [("Barcos", 25), ("Peces", 25)]
        found = tables(office.file(id))
        assert list(found) == ["Barcos", "Peces", "Resumen"]
        assert found["Barcos"][:4] == [
            ["Id", "Nombre", "Salida", "Peso", "Hundido"],
            [1, "Barco n.º 1", "2026-11-23T12:01:00-05:00", 0.25, False],
            [2, "Barco n.º 2", "2026-11-23T12:02:00-05:00", 0.5, True],
            [3, "=HYPERLINK(1)", "2026-11-23T12:03:00-05:00", 0.75, False],
        ]
        assert [row[0] for row in found["Barcos"][1:]] == list(range(1, 26))
        assert found["Peces"][1:4] == [[1, "pez 0"], [2, "pez 0"], [2, "pez 1"]]
        assert found["Resumen"] == [["Tabla", "Filas", "Celdas cortadas"], ["Barcos", 25, 0], ["Peces", 25, 0]]

    def test_csv_is_one_file_a_table_in_a_zip(self) -> None:
        office = Office(25)
        found = texts(office.file(office.request(format="csv", language="en")))
        assert list(found) == ["Barcos.csv", "Peces.csv", "Summary.csv"]
        assert found["Summary.csv"][1:] == [["Barcos", "25", "0"], ["Peces", "25", "0"]]
        assert [row[0] for row in found["Barcos.csv"][1:]] == [str(n) for n in range(1, 26)]
        assert len(found["Peces.csv"]) == 26

    def test_csv_of_one_table_is_that_table(self) -> None:
        office = Office(25)
        id = office.request(format="csv", filters={"even": True, "fish": False})
        rows = list(csv.reader(io.StringIO(office.file(id).decode("utf-8-sig"), newline="")))
        assert [row[0] for row in rows] == ["Id", *(str(n) for n in range(2, 26, 2))]
        assert office.app.query("export_file", {"export_id": id}, OWNER)["file_name"] == "barcos-2026-11-23.csv"

    def test_it_is_named_after_the_day_in_the_account(self) -> None:
        office = Office(1)
        office.app.advance(timedelta(hours=12))  # past midnight in Greenwich, 20:00 in Bogotá
        where = office.app.query("export_file", {"export_id": office.request(language="en")}, OWNER)
        assert where["file_name"] == "boats-2026-11-23.xlsx"

    @pytest.mark.parametrize("format", ["csv", "xlsx"])
    def test_nothing_to_write_is_a_file_with_headings(self, format: str) -> None:
        office = Office(0)
        id = office.request(format=format)
        read = tables if format == "xlsx" else texts
        sheets = list(read(office.file(id)).values())[:2]  # type: ignore[operator]
        assert [len(rows) for rows in sheets] == [1, 1]
        assert office.show(id)["tables"][0]["rows"] == 0

    def test_a_table_longer_than_a_sheet_goes_on_in_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(workbook.SheetXml, "rows_per_book", 7)
        office = Office(21)
        found = tables(office.file(office.request()))
        assert list(found) == ["Barcos", "Barcos (2)", "Barcos (3)", "Peces", "Peces (2)", "Peces (3)", "Resumen"]
        numbers = [row[0] for name in list(found)[:3] for row in found[name][1:]]
        assert numbers == list(range(1, 22))
        assert [len(found[name]) for name in list(found)[:3]] == [8, 8, 8]

    def test_cut_cells_are_counted(self) -> None:
        office = Office(2)
        office.harbour.names[1] = "x" * 40_000
        id = office.request()
        assert [table["cut"] for table in office.show(id)["tables"]] == [1, 0]
        assert tables(office.file(id))["Resumen"][1] == ["Barcos", 2, 1]

    def test_parts_are_bounded_by_bytes_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(part, "BYTES_PER_PART", 2_000)
        office = Office(30)
        id = office.request()
        facts = [fact.type for fact in office.app.facts()]
        assert facts.count("ExportRowsWritten") > 4
        assert len(tables(office.file(id))["Barcos"]) == 31


class Killed(BaseException):
    """The process dies; nothing catches that."""


class TestInterruptions:
    @pytest.fixture
    def plain(self) -> tuple[str, bytes]:
        """An export that nothing interrupted: its id and its file."""
        office = Office(25)
        id = office.request()
        return id, office.file(id)

    @pytest.mark.parametrize("format", ["xlsx", "csv", "csv of one table"])
    def test_killed_at_every_write_it_goes_on_where_it_was(self, format: str, monkeypatch: pytest.MonkeyPatch) -> None:
        asked = {
            "export_id": new_id(),
            "format": format[:4].rstrip(),
            "filters": {"fish": format != "csv of one table"},
        }
        id, plain = asked["export_id"], Office(25)
        plain.request(**asked)
        whole = plain.file(id)
        writes = 0
        while True:
            writes += 1
            office = Office(25)
            died = self._die(office, monkeypatch, writes)
            with contextlib.suppress(Killed):
                office.request(**asked)
            if not died:
                break
            monkeypatch.undo()
            monkeypatch.setattr(part, "THINGS_PER_PART", 10)
            written = office.show(id)["written"]
            before = office.harbour.read
            self._restart(office, id)
            assert office.file(id) == whole, f"killed at write {writes}"
            # No more is read again than the part that was under way, and the one thing that shows that it is full.
            assert office.harbour.read - before <= 25 - written + 2
        assert writes >= 10

    def _die(self, office: Office, monkeypatch: pytest.MonkeyPatch, at: int) -> list[bool]:
        """From now on the n-th change in store or log is the process's last, sometimes before and sometimes after."""
        count, died = 0, []

        def dying(act: Any) -> Any:
            def run(*args: Any, **kwargs: Any) -> Any:
                nonlocal count
                count += 1
                if count == at:
                    if at % 2:
                        act(*args, **kwargs)
                    died.append(True)
                    raise Killed
                return act(*args, **kwargs)

            return run

        monkeypatch.setattr(office.bucket, "put_object", dying(office.bucket.put_object))
        monkeypatch.setattr(Ask, "handle", dying(Ask.handle))
        return died

    @staticmethod
    def _restart(office: Office, id: str) -> None:
        """The worker comes back and handles the fact on which it died."""
        app, n = office.app.application, 0
        while app.journal.load(export_job, TENANT, id).state.under_way:
            app.execute("continue_export", {"export_id": id}, SYSTEM, f"again:{n}")
            n += 1
        office.app.follow()

    def test_two_workers_at_once_do_not_mix_their_parts(self, plain: tuple[str, bytes]) -> None:
        id, whole = plain
        office = Office(25)
        put, twice = office.bucket.put_object, []

        def meanwhile(*args: Any, **kwargs: Any) -> None:
            put(*args, **kwargs)
            if len(twice) < 4 and "/file" not in args[1]:
                # The other worker sees another state of the data, stores its part, and records it first or too late.
                twice.append(args[1])
                names = office.harbour.names
                if len(twice) % 2:
                    names[len(twice)] = "changed"
                office.app.application.execute("continue_export", {"export_id": id}, SYSTEM, f"other:{len(twice)}")
                names.clear()

        office.bucket.put_object = meanwhile  # type: ignore[method-assign]
        office.request(export_id=id)
        found = tables(office.file(id))
        assert [row[0] for row in found["Barcos"][1:]] == list(range(1, 26))
        assert len(office.file(id)) == pytest.approx(len(whole), abs=200)

    def test_what_is_added_meanwhile_behind_is_still_taken_along(self) -> None:
        office = Office(25)
        put = office.bucket.put_object

        def growing(*args: Any, **kwargs: Any) -> None:
            office.harbour.boats = 31
            put(*args, **kwargs)

        office.bucket.put_object = growing  # type: ignore[method-assign]
        id = office.request()
        shown = office.show(id)
        assert (shown["total"], shown["written"]) == (25, 31)
        assert len(tables(office.file(id))["Barcos"]) == 32

    def test_a_lost_or_changed_part_fails_the_export(self) -> None:
        for harm in ("lose", "change"):
            office = Office(25)
            put = office.bucket.put_object

            def harming(
                bucket: str, key: str, *args: Any, harm: str = harm, put: Any = put, o: Any = office, **how: Any
            ) -> None:
                put(bucket, key, *args, **how)
                if "/000001-0-1" in key:
                    if harm == "lose":
                        del o.bucket.objects[key]
                    else:
                        kept = o.bucket.objects[key]
                        o.bucket.objects[key] = kept[:-1] + bytes([kept[-1] ^ 1])

            office.bucket.put_object = harming  # type: ignore[method-assign]
            id = office.request()
            shown = office.show(id)
            assert (shown["status"], shown["failed"]) == ("failed", "export-parts-lost")
            assert office.bucket.objects == {}

    @pytest.mark.parametrize(
        ("trouble", "code"),
        [(ZeroDivisionError(), "export-failed"), (Rejected("form-unknown"), "form-unknown"), (OSError("away"), None)],
    )
    def test_what_will_pass_is_tried_again_and_what_will_not_is_told(
        self, trouble: Exception, code: str | None
    ) -> None:
        def failing(*_: Any) -> Any:
            raise trouble

        office = Office(3, rows=failing)
        id = new_id()
        if code is None:
            with pytest.raises(OSError, match="away"):
                office.request(export_id=id)
            return
        office.request(export_id=id)
        assert office.show(id)["failed"] == code

    def test_it_does_not_begin_before_the_read_models_show_what_was_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        office = Office(3)
        asked: list[int] = []

        def behind(at_least: int) -> None:
            asked.append(at_least)
            if len(asked) < 3:
                raise Rejected("not-yet-visible")

        monkeypatch.setattr(office.app.application, "await_visible", behind)
        id = new_id()
        with pytest.raises(TimeoutError):
            office.request(export_id=id)
        with contextlib.suppress(TimeoutError):
            self._restart(office, id)
        self._restart(office, id)
        assert set(asked) == {office.app.facts()[0].position}
        assert office.file(id)

    def test_deleted_while_it_is_written_nothing_stays(self) -> None:
        office = Office(25)
        put, asked = office.bucket.put_object, []

        def deleting(*args: Any, **kwargs: Any) -> None:
            put(*args, **kwargs)
            if not asked:
                asked.append(True)
                office.app.application.execute("delete_export", {"export_id": id}, OWNER, "delete")

        office.bucket.put_object = deleting  # type: ignore[method-assign]
        id = new_id()
        office.request(export_id=id)
        assert office.show(id)["status"] == "deleted"
        assert office.bucket.objects == {}
        with pytest.raises(Rejected, match="export-gone"):
            office.file(id)


class TestWhoMay:
    def test_a_request_needs_both_permissions_and_a_kind(self) -> None:
        office = Office(1)
        for missing in ("exports:edit", "boats:read"):
            poor = Caller(tenant=TENANT, actor="x", role="viewer", permissions=PERMISSIONS - {missing})
            with pytest.raises(Rejected) as refusal:
                office.request(poor)
            assert (refusal.value.code, refusal.value.details["permission"]) == ("forbidden", missing)
        for kind in ("birds", None, {"$gt": ""}):
            with pytest.raises(Rejected, match="export-kind-unknown"):
                office.request(kind=kind)
        for filters in ({"odd": True}, {"even": "x"}, [1]):
            with pytest.raises(Rejected, match="invalid"):
                office.request(filters=filters)

    def test_a_file_is_its_requesters_and_the_owners(self) -> None:
        office = Office(1)
        id = office.request(VIEWER)
        other = Caller(tenant=TENANT, actor="other", role="supervisor", permissions=PERMISSIONS)
        assert office.file(id, VIEWER) == office.file(id, OWNER)
        for act in (office.show, office.file):
            with pytest.raises(Rejected, match="export-unknown"):
                act(id, other)
        with pytest.raises(Rejected, match="export-unknown"):
            office.app.execute("delete_export", {"export_id": id}, other)
        assert [row["id"] for row in office.app.query("exports", {}, VIEWER)["items"]] == [id]
        assert office.app.query("exports", {"kind": "boats"}, other)["items"] == []

    def test_who_may_not_see_the_things_any_more_gets_no_file(self) -> None:
        office = Office(1)
        id = office.request(VIEWER)
        demoted = Caller(tenant=TENANT, actor=VIEWER.actor, role="viewer", permissions=PERMISSIONS - {"boats:read"})
        with pytest.raises(Rejected, match="forbidden"):
            office.file(id, demoted)

    def test_another_account_sees_nothing(self) -> None:
        office = Office(1)
        id = office.request()
        stranger = Caller(tenant=new_id(), actor=OWNER.actor, role="owner", permissions=PERMISSIONS)
        with pytest.raises(Rejected, match="export-unknown"):
            office.show(id, stranger)
        assert office.app.query("exports", {}, stranger)["items"] == []

    def test_the_services_own_commands_are_its_own(self) -> None:
        office = Office(1)
        id = office.request()
        for command in ("continue_export", "expire_export"):
            with pytest.raises(Rejected, match="forbidden"):
                office.app.execute(command, {"export_id": id}, OWNER)

    def test_the_plan_sees_on_behalf_of_whom(self) -> None:
        seen: list[Caller] = []

        def plan(wanted: Any) -> Plan:
            seen.append(wanted.ask.caller)
            raise Rejected("export-too-wide")

        office = Office(1, plan=plan)
        id = office.request(VIEWER)
        assert (seen[0].actor, seen[0].role, seen[0].permissions) == (VIEWER.actor, "viewer", {"boats:read"})
        assert office.show(id)["failed"] == "export-too-wide"

    def test_not_too_many_at_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        office = Office(1)
        monkeypatch.setattr(writing._Step, "take", lambda self: {})
        for _ in range(asking.AT_ONCE):
            office.request()
        with pytest.raises(Rejected, match="too-many-exports"):
            office.request()


class TestItsTime:
    def test_after_a_week_it_is_gone(self) -> None:
        office = Office(3)
        id = office.request()
        assert office.show(id)["expires_at"].startswith("2026-11-30T")
        assert list(office.bucket.objects) == [file_of(TENANT, id)]
        office.app.advance(timedelta(days=7, minutes=-1))
        assert office.file(id)
        office.app.advance(timedelta(minutes=1))
        assert (office.show(id)["status"], office.bucket.objects) == ("expired", {})

    def test_one_that_never_becomes_ready_goes_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        office = Office(3)
        monkeypatch.setattr(writing._Step, "take", lambda self: {})
        id = office.request()
        with pytest.raises(Rejected, match="export-not-ready"):
            office.file(id)
        office.app.advance(timedelta(days=8))
        assert office.show(id)["status"] == "expired"

    def test_too_wide_for_a_sheet(self) -> None:
        wide = Plan((Sheet(name="t", headings=tuple(map(str, range(16_385)))),), 0, {})
        office = Office(0, plan=lambda wanted: wide, rows=lambda *_: iter(()))
        assert office.show(office.request())["failed"] == "export-too-wide"
        assert office.show(office.request(format="csv"))["status"] == "ready"

    def test_the_newest_first_in_pages(self) -> None:
        office = Office(1)
        ids = []
        for _ in range(3):
            ids.append(office.request())
            office.app.advance(timedelta(minutes=1))
        page = office.app.query("exports", {"limit": 2}, OWNER)
        assert [row["id"] for row in page["items"]] == ids[:0:-1]
        assert page["next"] == page["items"][-1]["cursor"]
        rest = office.app.query("exports", {"limit": 2, "cursor": page["items"][0]["cursor"]}, OWNER)
        assert [row["id"] for row in rest["items"]] == ids[1::-1]


def test_a_ready_export_tells_what_it_holds() -> None:
    office = Office(25)
    office.request()
    (fact,) = [fact.event for fact in office.app.facts() if isinstance(fact.event, ExportReady)]
    assert fact.expires_at == START + timedelta(days=7)
    assert [table.rows for table in fact.tables] == [25, 25]


def test_files_are_fetched_within_a_limit() -> None:
    bucket = Bucket({"k": b"0123456789"})
    assert fetch(bucket, "b", "k", 100) == b"0123456789"
    assert fetch(bucket, "b", "k", 4) == b"01234"
    assert fetch(bucket, "b", "none", 4) is None
    with pytest.raises(ObjectLost):
        next(chunks(bucket, "b", "none"))


def test_chunks_are_read_like_a_file() -> None:
    file = Readable([b"abc", b"defg", b"h"])
    assert [file.read(2), file.read(4), file.read(9), file.read(1)] == [b"ab", b"cdef", b"gh", b""]
