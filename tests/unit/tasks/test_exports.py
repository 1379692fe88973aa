"""Exports of tasks and customers: what is in the file, whose tasks it holds, and that it can be imported again."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from typing import Any

import openpyxl
import pytest

from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from services.tasks.domain.task import task
from services.tasks.exports.happenings import WORDS, called
from tests.examples.tasks import (
    ADMIN,
    COLLEAGUE,
    CUSTOMER,
    LOCATION,
    PLACE,
    PROFILE,
    SUPERVISOR,
    TEAM,
    TECHNICIAN,
)
from tests.unit.tasks.office import VIEWER, Office


def export(office: Office, kind: str, by: str = ADMIN, **data: Any) -> tuple[dict[str, Any], bytes]:
    """Ask for an export; what is shown of it, and its file."""
    export_id = new_id()
    office.do("request_export", by, export_id=export_id, kind=kind, **data)
    shown = office.ask("export", by, export_id=export_id)
    where = office.ask("export_file", by, export_id=export_id)
    return shown, office.bucket.objects[where["object_key"]]


def sheets(data: bytes) -> dict[str, list[dict[str, Any]]]:
    """Every sheet, its rows by their headings."""
    found = {}
    for sheet in openpyxl.load_workbook(io.BytesIO(data)):
        head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        found[sheet.title] = [dict(zip(head, row, strict=True)) for row in rows]
    return found


def a_day_of_work(office: Office) -> str:
    """A task of a team that one of its people has begun; its id."""
    for key, type in (("meter", "text"), ("marks", "tags")):
        office.do("define_field", entity="task", key=key, field={"label": key, "rules": {"type": type}})
    window = {"start": "2026-11-24T04:30:00Z", "end": "2026-11-24T16:00:00Z"}
    task_id = office.open(
        title="=Revisión", customer_id=CUSTOMER, location_id=LOCATION, team_id=TEAM, priority="high", window=window,
        fields={"meter": "A-1", "marks": ["uno", "dos"]},
    )  # fmt: skip
    office.do("claim_task", TECHNICIAN, task_id=task_id)
    office.do("start_task", TECHNICIAN, task_id=task_id)
    return task_id


class TestTasks:
    def test_tasks_with_everything_that_happened_to_them(self, office: Office) -> None:
        office.peers.names = {TECHNICIAN: "Tomás Ruiz", TEAM: "Cuadrilla Norte"}
        task_id = a_day_of_work(office)
        other = office.open(title="Otra")
        shown, data = export(office, "tasks")
        assert [(t["name"], t["rows"]) for t in shown["tables"]] == [("Tareas", 2), ("Historia", 5)]
        found = sheets(data)
        first, second = found["Tareas"]
        assert (first["Id"], second["Id"]) == (task_id, other)
        expected = {
            "Título": "=Revisión",
            "Estado": "En progreso",
            "Prioridad": "Alta",
            "Cliente": PROFILE.name,
            "Ubicación": PLACE.name,
            "Responsable": "Tomás Ruiz",
            "Equipo de trabajo": "Cuadrilla Norte",
            "Creada por": ADMIN,
            "Id del responsable": TECHNICIAN,
            "Inicio": "2026-11-23T23:30:00-05:00",
            "Vencida": False,
        }
        assert {name: first[name] for name in expected} == expected
        assert (first["meter"], first["marks"]) == ("A-1", "uno; dos")
        assert second["meter"] is None
        history = found["Historia"]
        assert [(row["Tarea"], row["Código"]) for row in history[:4]] == [
            (task_id, what) for what in ("TaskOpened", "TaskAssigned", "TaskClaimed", "TaskAdvanced")
        ]
        assert [row["Qué"] for row in history[:4]] == ["Creada", "Asignada", "Tomada", "Cambio de etapa"]
        assert [row["Quién"] for row in history[:4]] == [ADMIN, ADMIN, "Tomás Ruiz", "Tomás Ruiz"]
        assert json.loads(history[3]["Antes"]) == {"stage": "pending"}

    def test_in_english_as_csv(self, office: Office) -> None:
        a_day_of_work(office)
        _, data = export(office, "tasks", format="csv", language="en")
        with zipfile.ZipFile(io.BytesIO(data)) as read:
            assert read.namelist() == ["Tasks.csv", "Task history.csv", "Summary.csv"]
            text = read.read("Tasks.csv").decode("utf-8-sig")
        (row,) = csv.DictReader(io.StringIO(text, newline=""))
        assert (row["Title"], row["Status"], row["Priority"]) == ("'=Revisión", "In progress", "High")

    def test_filters_narrow(self, office: Office) -> None:
        mine = a_day_of_work(office)
        office.open(title="Otra")
        for filters, ids in (
            ({"status": ["in_progress"]}, [mine]),
            ({"user_id": COLLEAGUE}, []),
            ({"since": "2030-01-01T00:00:00Z"}, []),
            ({"until": "2030-01-01T00:00:00Z", "customer_id": CUSTOMER}, [mine]),
        ):
            _, data = export(office, "tasks", filters=filters)
            assert [row["Id"] for row in sheets(data)["Tareas"]] == ids, filters
        with pytest.raises(Rejected, match="invalid"):
            export(office, "tasks", filters={"$where": "1"})

    def test_everybody_gets_what_he_sees(self, office: Office) -> None:
        theirs = office.open(title="De otro equipo", user_id=COLLEAGUE)
        nobodys = office.open(title="De nadie")
        assert len(sheets(export(office, "tasks", by=VIEWER)[1])["Tareas"]) == 2
        (row,) = sheets(export(office, "tasks", by=SUPERVISOR)[1])["Tareas"]
        assert row["Id"] == nobodys != theirs
        with pytest.raises(Rejected, match="forbidden"):
            export(office, "tasks", by=TECHNICIAN)

    def test_an_own_field_goes_by_its_label(self, office: Office) -> None:
        rules = {"type": "text"}
        for key, label in (("meter", "Medidor"), ("extra", "Cliente")):
            office.do("define_field", entity="task", key=key, field={"label": label, "rules": rules})
        office.open(fields={"extra": "x", "meter": "A-2"})
        (row,) = sheets(export(office, "tasks")[1])["Tareas"]
        assert (row["Medidor"], row["Cliente (extra)"]) == ("A-2", "x")


def test_everything_that_can_happen_to_a_task_has_words() -> None:
    assert WORDS.keys() == task.events.keys()
    assert called("TaskNoted", "es") == "Nota"
    assert called("SomethingNewer", "en") == "SomethingNewer"


class TestCustomers:
    def test_customers_with_locations_and_equipment(self, office: Office) -> None:
        plate = {"name": "Cava", "code": "E-1", "serial": "S-9"}
        office.do("install_equipment", equipment_id=new_id(), customer_id=CUSTOMER, location_id=LOCATION, **plate)
        found = sheets(export(office, "customers")[1])
        (customer,) = found["Clientes"]
        assert (customer["Código"], customer["Nombre"]) == (PROFILE.code, PROFILE.name)
        (place,) = found["Ubicaciones"]
        assert PLACE.position is not None
        assert (place["Código del cliente"], place["Ubicación"], place["Latitud"]) == (
            PROFILE.code,
            PLACE.name,
            PLACE.position.lat,
        )
        (piece,) = [row for row in found["Equipos"] if row["Código"] == "E-1"]
        assert (piece["Equipo"], piece["Ubicación"], piece["En uso"]) == ("Cava", PLACE.name, True)

    def test_by_the_beginning_of_a_word(self, office: Office) -> None:
        office.do("create_customer", customer_id=new_id(), code="Z-1", name="Zapatería Norte")
        (row,) = sheets(export(office, "customers", filters={"text": "nort"})[1])["Clientes"]
        assert row["Código"] == "Z-1"

    @pytest.mark.parametrize("language", ["es", "en"])
    def test_what_was_exported_can_be_imported_again(self, office: Office, language: str) -> None:
        _, data = export(office, "customers", language=language)
        import_id = office.upload(data, "customers")
        checked = office.ask("import", import_id=import_id)
        assert (checked["status"], checked["good"], checked["bad"]) == ("checked", 1, 0)
        before = len(office.app.facts())
        office.do("apply_import", import_id=import_id)
        assert not [f for f in office.app.facts()[before:] if f.type.startswith("Customer")]
