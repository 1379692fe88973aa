"""Imports from the upload to the last row, through the service and its reactions."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from services.kernel.application import At, Reacting
from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.kernel.domain import Rejected
from services.tasks import importing
from services.tasks.domain.import_job import import_job
from services.tasks.processes import remove_file_when_import_ended
from tests.examples.tasks import ADMIN, CUSTOMER, PROFILE, SUBPROCESS, TECHNICIAN, an_id
from tests.unit.tasks.office import Office

DATA = Path(__file__).parents[2] / "data"
CUSTOMERS = (DATA / "customers.xlsx").read_bytes()
TASKS = (DATA / "tasks.csv").read_bytes()


def csv(*lines: str) -> bytes:
    return "\n".join(lines).encode()


def board(office: Office, **filters: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = office.ask("task_board", limit=200, **filters)["items"]
    return items


class TestTheDemosFiles:
    def test_a_dry_run_reports_by_row_and_column_and_changes_nothing(self, office: Office) -> None:
        checked = office.ask("import", import_id=office.upload(CUSTOMERS, "customers"))
        assert (checked["status"], checked["rows"], checked["good"], checked["bad"]) == ("checked", 27, 25, 2)
        assert checked["errors"] == [
            {"row": 10, "column": "name", "code": "required", "value": ""},
            {"row": 19, "column": "email", "code": "invalid", "value": "ventas(arroba)nameyyuca.example"},
            {"row": 19, "column": "lon", "code": "invalid", "value": "-275.8814"},
        ]
        assert len(office.ask("customers")["items"]) == 1

    def test_customers_then_tasks(self, office: Office) -> None:
        customers = office.upload(CUSTOMERS, "customers")
        with pytest.raises(Rejected, match="import-has-bad-rows"):
            office.do("apply_import", import_id=customers)
        office.do("apply_import", import_id=customers, skip_bad_rows=True)
        done = office.ask("import", import_id=customers)
        assert (done["status"], done["applied"], done["skipped"], done["refused"]) == ("finished", 25, 2, [])
        assert len(office.ask("customers", limit=200)["items"]) == 26
        (found,) = office.ask("customers", text="clinica nuestra")["items"]
        assert (found["city"], found["locations"][0]["name"]) == ("Cali", "Bodega")

        tasks = office.upload(TASKS, "tasks", file_name="tareas.csv")
        errors = office.ask("import", import_id=tasks)["errors"]
        assert [(e["row"], e["column"], e["code"]) for e in errors] == [
            (14, "customer_code", "customer-unknown"),
            (32, "end", "window-out-of-order"),
            (32, "priority", "priority-unknown"),
        ]
        office.do("apply_import", import_id=tasks, skip_bad_rows=True)
        opened = board(office)
        assert len(opened) == 40
        assert {(row["subprocess_id"], row["status"]) for row in opened} == {(SUBPROCESS, "pending")}
        assert {row["opened_by"] for row in opened} == {ADMIN}
        assert all(row["customer_name"] and row["location_id"] for row in opened)
        assert opened[0]["window"]["start"] == "2026-12-01T13:00:00.000Z"
        assert office.bucket.objects == {}


class TestEachRowOnce:
    @pytest.fixture(autouse=True)
    def _small_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importing, "CHUNK", 10)

    def test_in_chunks(self, office: Office) -> None:
        office.do("apply_import", import_id=office.upload(CUSTOMERS, "customers"), skip_bad_rows=True)
        assert len(office.ask("customers", limit=200)["items"]) == 26

    @pytest.mark.parametrize(
        ("kind", "known", "made"),
        [
            ("customers", False, {"CustomerCreated": 25, "LocationAdded": 25}),
            ("customers", True, {"CustomerCreated": 0, "LocationAdded": 0}),
            ("tasks", True, {"TaskOpened": 40}),
        ],
    )
    def test_killed_anywhere_and_done_again_nothing_doubles(
        self, office: Office, monkeypatch: pytest.MonkeyPatch, kind: str, known: bool, made: dict[str, int]
    ) -> None:
        if known:
            office.do("apply_import", import_id=office.upload(CUSTOMERS, "customers"), skip_bad_rows=True)
        import_id = office.upload(CUSTOMERS if kind == "customers" else TASKS, kind)
        before = len(office.app.facts())
        ask_handle, done = importing.Ask.handle, []

        def dying(self: Any, *args: Any, **kwargs: Any) -> Any:
            receipt = ask_handle(self, *args, **kwargs)
            done.append(receipt)
            if len(done) in (1, 4, 13, 14, 30, 41, 55, 70):
                raise ConnectionError("killed")
            return receipt

        monkeypatch.setattr(importing.Ask, "handle", dying)
        try:
            office.do("apply_import", import_id=import_id, skip_bad_rows=True)
        except ConnectionError:
            self.restart(office, import_id)
            office.app.follow()
        facts = [f.type for f in office.app.facts()[before:]]
        assert facts.count("ImportFinished") == 1
        assert {name: facts.count(name) for name in made} == made
        assert len(office.ask("customers", limit=200)["items"]) == 26

    def restart(self, office: Office, import_id: str) -> None:
        """The worker comes back and handles the fact on which it died, until it survives."""
        system = Caller(tenant=office.tenant, actor="system:apply", role="system")
        app = office.app.application
        while (job := app.journal.load(import_job, office.tenant, import_id).state).status != "finished":
            with contextlib.suppress(ConnectionError):
                app.execute("apply_rows", {"import_id": import_id}, system, f"reaction:{job.upto}")

    def test_the_same_customers_again_change_only_what_differs(self, office: Office) -> None:
        office.do("apply_import", import_id=office.upload(CUSTOMERS, "customers"), skip_bad_rows=True)
        before = len(office.app.facts())
        second = csv("code;name;city;phone", f"{PROFILE.code};{PROFILE.name};Chía;", "900.107.031-1;Otro Nombre;;")
        office.do("apply_import", import_id=office.upload(second, "customers"))
        edits = [f.event for f in office.app.facts()[before:] if f.type == "CustomerEdited"]
        assert [edit.changed for edit in edits] == [("city",), ("name",)]
        assert office.ask("customer", customer_id=CUSTOMER)["phone"] == PROFILE.phone


class TestRows:
    def test_a_code_twice_in_one_file(self, office: Office) -> None:
        import_id = office.upload(csv("code,name", "A-1,Uno", "a-1 ,Dos"), "customers")
        assert office.ask("import", import_id=import_id)["errors"] == [
            {"row": 3, "column": "code", "code": "doubled-in-file", "value": "a-1"}
        ]

    def test_an_assignee_by_id(self, office: Office) -> None:
        data = csv(
            "title,subprocess,assignee",
            f"Uno,mantenimiento preventivo,{TECHNICIAN}",
            f"Dos,{SUBPROCESS},{an_id(999)}",
            f"Tres,Mantenimiento Preventivo,{ADMIN}",
        )
        import_id = office.upload(data, "tasks")
        errors = office.ask("import", import_id=import_id)["errors"]
        assert [(e["row"], e["code"]) for e in errors] == [
            (3, "assignee-unknown"),
            (4, "assignee-not-operational"),
        ]
        office.do("apply_import", import_id=import_id, skip_bad_rows=True)
        assert [row["user_id"] for row in board(office)] == [TECHNICIAN]

    def test_what_changed_since_the_dry_run_is_skipped(self, office: Office) -> None:
        import_id = office.upload(csv("title,subprocess", "Uno,Mantenimiento preventivo"), "tasks")
        office.do("deactivate_subprocess", process_id=an_id(21), subprocess_id=SUBPROCESS)
        office.do("apply_import", import_id=import_id)
        done = office.ask("import", import_id=import_id)
        assert (done["status"], done["applied"], done["skipped"]) == ("finished", 0, 1)


class TestFiles:
    @pytest.mark.parametrize(
        ("data", "code"),
        [(b"nonsense", "columns-missing"), (b"PK\x03\x04", "file-unreadable"), (b"x" * 11_000_000, "file-too-large")],
    )
    def test_a_file_of_no_use_is_rejected_and_removed(self, office: Office, data: bytes, code: str) -> None:
        import_id = office.upload(data, "customers", size=1)
        refused = office.ask("import", import_id=import_id)
        assert (refused["status"], refused["rejected"]["code"]) == ("rejected", code)
        assert office.bucket.objects == {}

    def test_the_file_must_be_the_one_that_was_announced(self, office: Office) -> None:
        import_id = office.upload(CUSTOMERS, "customers", sha256="0" * 64)
        assert office.ask("import", import_id=import_id)["rejected"]["code"] == "file-changed"
        missing = office.upload(CUSTOMERS, "customers", object_key=f"{office.tenant}/imports/none")
        assert office.ask("import", import_id=missing)["rejected"]["code"] == "file-missing"

    @pytest.mark.parametrize("key", ["other-account/imports/1", "{tenant}/../other/1", ""])
    def test_nobody_imports_another_accounts_file(self, office: Office, key: str) -> None:
        with pytest.raises(Rejected, match="object-unknown"):
            office.upload(CUSTOMERS, "customers", object_key=key.format(tenant=office.tenant))

    def test_an_object_store_that_is_away_is_asked_again(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(type(office.bucket), "get_object", lambda *_: 1 / 0)
        with pytest.raises(OSError, match="object store"):
            office.upload(CUSTOMERS, "customers")

    def test_a_discarded_import_leaves_no_file(self, office: Office) -> None:
        import_id = office.upload(CUSTOMERS, "customers")
        office.do("discard_import", import_id=import_id)
        assert office.ask("import", import_id=import_id)["status"] == "discarded"
        assert office.bucket.objects == {}

    def test_an_import_nobody_applies_expires(self, office: Office) -> None:
        import_id = office.upload(CUSTOMERS, "customers")
        applied = office.upload(CUSTOMERS, "customers")
        office.do("apply_import", import_id=applied, skip_bad_rows=True)
        assert isinstance(next(iter(office.app.timers.values()))[0], At)
        office.app.advance(timedelta(days=8))
        assert office.ask("import", import_id=import_id)["status"] == "discarded"
        assert office.ask("import", import_id=applied)["status"] == "finished"

    def test_removing_twice_does_no_harm(self, office: Office) -> None:
        import_id = office.upload(b"nonsense", "customers")
        (ended,) = [f for f in office.app.facts() if f.type == "ImportRejected"]
        remove_file_when_import_ended.react(ended, Reacting(office.app.application))
        assert office.ask("imports", kind="customers")["items"][0]["id"] == import_id


def test_an_unknown_import(office: Office) -> None:
    with pytest.raises(Rejected, match="import-unknown"):
        office.ask("import", import_id=new_id())
