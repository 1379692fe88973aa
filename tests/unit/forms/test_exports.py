"""Exports of submissions: all versions in one file, repeated groups under their parent's key, nothing lost."""

from __future__ import annotations

import copy
import io
import json
from typing import Any

import openpyxl
import pytest

from services.forms.domain.schema import Content
from services.forms.exports import layout as tables
from services.forms.exports.answers import columns, rows_of
from services.forms.exports.layout import Field, layout
from services.forms.wiring import define
from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from services.kernel.testing.app import memory_app
from tests.examples.forms import (
    ADMIN,
    ANSWERS,
    FORM,
    INSPECTION,
    OTHER_SUBMISSION,
    SUBMISSION,
    SUPERVISOR,
    TECHNICIAN,
    an_id,
    choices,
    form,
    item,
    text,
)
from tests.support.bucket import Bucket
from tests.support.peers import Peers
from tests.unit.forms.account import Account, queued


@pytest.fixture
def office() -> Account:
    """An account with a place for files, its inspection published."""
    account = Account()
    account.bucket = Bucket()  # type: ignore[attr-defined]
    ports: Any = account.app.application.ports
    ports |= {"objects": lambda: account.bucket, "peers": lambda: Peers({TECHNICIAN: "Tomás Ruiz"})}  # type: ignore[attr-defined]
    account.publish()
    return account


def export(office: Any, by: str = ADMIN, language: str = "es", **filters: Any) -> dict[str, list[dict[str, Any]]]:
    """Every sheet, its rows by their headings."""
    export_id = new_id()
    data = {"kind": "submissions", "language": language, "filters": {"form_id": FORM, **filters}}
    office.do("request_export", by, export_id=export_id, **data)
    shown = office.ask("export", by, export_id=export_id)
    assert shown["status"] == "ready", shown
    where = office.ask("export_file", by, export_id=export_id)
    found = {}
    for sheet in openpyxl.load_workbook(io.BytesIO(office.bucket.objects[where["object_key"]])):
        head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        assert len(set(head)) == len(head)
        found[sheet.title] = [dict(zip(head, row, strict=True)) for row in rows]
    return found


def several(*versions: Content, language: str = "es") -> dict[tuple[str, ...], list[tuple[str, str]]]:
    """Name and kind of the fields of every table."""
    return {table.path: [(f.name, f.kind) for f in table.fields] for table in layout(versions, language)}


class TestLayout:
    def test_a_table_for_the_form_and_one_for_each_group(self) -> None:
        deep = form(
            item("repeat", "rooms", items=[text("room"), item("repeat", "outlets", items=[item("number", "volts")])]),
            item("section", "end", items=[item("note", "thanks"), text("name")]),
        )
        assert several(deep) == {
            (): [("name", "plain")],
            ("rooms",): [("room", "plain")],
            ("rooms", "outlets"): [("volts", "number")],
        }

    def test_columns_survive_what_becomes_of_the_form(self) -> None:
        first = form(text("a"), text("b"), item("number", "c"), item("repeat", "r", items=[text("x")]))
        second = form(text("d"), text("a", labels={"es": "A nueva"}), item("number", "b"), item("number", "c"))
        assert several(first, second) == {
            (): [("d", "plain"), ("a", "plain"), ("b", "text"), ("c", "number")],
            ("r",): [("x", "plain")],
        }
        (main, _) = layout([first, second], "es")
        assert [field.heading for field in main.fields] == ["D", "A nueva", "B", "C"]

    def test_choices_are_called_as_they_are_now(self) -> None:
        first = form(item("dropdown", "city", choices="cities"), choice_lists={"cities": choices("cali", "pasto")})
        renamed = [{"value": "cali", "labels": {"es": "Santiago de Cali"}}, {"value": "neiva"}]
        second = form(item("dropdown", "city", choices="cities"), choice_lists={"cities": renamed})
        (main,) = layout([first, second], "es")
        assert main.fields[0].labels == {"cali": "Santiago de Cali", "neiva": "neiva", "pasto": "Pasto"}

    def test_headings_that_are_the_same_are_told_apart(self) -> None:
        (main,) = layout([form(text("a", labels={"es": "Foto"}), text("b", labels={"es": "Foto"}))], "es")
        assert [field.heading for field in main.fields] == ["Foto (a)", "Foto (b)"]

    def test_headings_are_in_the_language_asked_for_or_in_what_there_is(self) -> None:
        both = form(
            text("a", labels={"es": "Nombre", "en": "Name"}), text("b", labels={"pt": "Cor"}), text("c", labels={})
        )
        (main,) = layout([both], "en")
        assert [field.heading for field in main.fields] == ["Name", "Cor", "c"]


def cells(kind: tables.Kind, answer: Any, chosen: Any = "both", split: bool = False, **labels: str) -> dict[str, Any]:
    field = Field(name="f", heading="F", kind=kind, labels=labels)
    return {heading: read(answer) for heading, read in columns(field, "es", chosen, split)}


class TestAnswers:
    @pytest.mark.parametrize(
        ("kind", "answer", "cell"),
        [
            ("plain", "x", "x"),
            ("plain", None, None),
            ("plain", {"a": 1}, '{"a": 1}'),
            ("number", 12.5, 12.5),
            ("moment", "no es fecha", "no es fecha"),
            ("moment", 7, "7"),
            ("media", {"id": "sha256:a"}, "sha256:a"),
            ("media", [{"id": "sha256:a"}, {"id": "sha256:b"}], "sha256:a; sha256:b"),
            ("media", "x", None),
            ("text", 5, "5"),
            ("text", ["a", "b"], "a; b"),
            ("text", "x", "x"),
        ],
    )
    def test_in_one_cell(self, kind: Any, answer: Any, cell: Any) -> None:
        assert cells(kind, answer) == {"F": cell}

    def test_a_moment_keeps_its_instant(self) -> None:
        (cell,) = cells("moment", "2026-03-02T09:12:03-05:00").values()
        assert cell.isoformat() == "2026-03-02T09:12:03-05:00"

    def test_choices_by_label_by_code_or_both(self) -> None:
        labels = {"a": "Agua", "b": "Luz"}
        assert cells("choice", "a", **labels) == {"F": "Agua", "F [código]": "a"}
        assert cells("several", ["b", "z"], **labels) == {"F": "Luz; z", "F [código]": "b z"}
        assert cells("several", ["b"], "labels", **labels) == {"F": "Luz"}
        assert cells("choice", "b", "codes", **labels) == {"F": "b"}
        assert cells("several", None, "labels", True, **labels) == {"F": None, "F / Agua": None, "F / Luz": None}
        assert cells("several", ["b"], "labels", True, **labels) == {"F": "Luz", "F / Agua": False, "F / Luz": True}

    def test_a_place_in_four_columns(self) -> None:
        assert list(cells("place", {"lat": 4.6, "lon": -74.1}).values()) == [4.6, -74.1, None, None]
        assert list(cells("place", "x").values()) == [None] * 4

    def test_repetitions_inside_repetitions(self) -> None:
        answers = {"a": [{"b": [{"x": 1}, {"x": 2}]}, {"b": "odd"}, "odd", {"b": [{"x": 3}]}]}
        assert [(n, found["x"]) for n, found in rows_of(answers, ("a", "b"))] == [([1, 1], 1), ([1, 2], 2), ([4, 1], 3)]


class TestTheFile:
    def test_submissions_with_their_groups(self, office: Account) -> None:
        office.submit(SUBMISSION)
        found = export(office)
        assert list(found) == ["Inspección de extintores", "Extinguishers", "Resumen"]
        (row,) = found["Inspección de extintores"]
        expected = {
            "Id": SUBMISSION,
            "Versión del formulario": 1,
            "Estado": "Aceptado",
            "Diligenciado por": "Tomás Ruiz",
            "Id de quien diligenció": TECHNICIAN,
            "Diligenciado": "2026-11-23T07:40:00-05:00",
            "Completo": False,
            "Archivos declarados": 4,
            "Contact": "Marta Ñungo",
            "City": "Cali",
            "City [código]": "cali",
            "Systems": "Power; Gas",
            "Systems [código]": "power gas",
            "Left": "2026-03-02T09:12:03-05:00",
            "Point (latitud)": 3.45,
            "Total": 16.5,
            "Otras respuestas": None,
        }
        assert {name: row[name] for name in expected} == expected
        groups = found["Extinguishers"]
        assert [(g["Respuesta"], g["extinguishers #"], g["Serial"], g["Pressure"]) for g in groups] == [
            (SUBMISSION, 1, "EX-001", 12.5),
            (SUBMISSION, 2, "EX-002", 4),
        ]
        assert len(groups[1]["Photos"].split("; ")) == 2

    def test_two_versions_in_one_file(self, office: Account) -> None:
        office.submit(SUBMISSION)
        changed = copy.deepcopy(INSPECTION.to_json())
        changed["items"] = [one for one in changed["items"] if one["name"] != "remark"] + [text("extra")]
        second = office.publish(Content.model_validate(changed))
        answers = {**copy.deepcopy(ANSWERS), "extra": "=nuevo"}
        office.submit(OTHER_SUBMISSION, form=second, answers=answers)
        rows = export(office)["Inspección de extintores"]
        assert [(row["Versión del formulario"], row["Extra"], row["Contact"]) for row in rows] == [
            (1, None, "Marta Ñungo"),
            (2, "=nuevo", "Marta Ñungo"),
        ]
        assert "Remark" in rows[0]

    def test_answers_that_no_version_asks_for_are_not_lost(self, office: Account) -> None:
        odd = queued(
            an_id(71), SUBMISSION, form={"id": FORM, "version": 9}, body={"answers": {"contact": "x", "who": [1]}}
        )
        office.push(odd)
        (row,) = export(office)["Inspección de extintores"]
        assert (row["Estado"], row["Contact"]) == ("En espera de decisión", "x")
        assert json.loads(row["Otras respuestas"]) == {"who": [1]}

    def test_filters_and_options(self, office: Account) -> None:
        office.submit(SUBMISSION)
        name = "Inspección de extintores"
        for filters in (
            {"status": ["parked"]},
            {"until": "2020-01-01T00:00:00Z"},
            {"user_id": ADMIN},
            {"complete": True},
        ):
            assert export(office, **filters)[name] == [], filters
        (row,) = export(office, language="en", since="2020-01-01T00:00:00Z", choices="codes", split=True)[name]
        assert (row["City"], row["Systems / Power"], row["Systems / Water"]) == ("cali", True, False)
        assert "City [code]" not in row

    def test_a_leader_gets_what_his_people_handed_in(self, office: Account) -> None:
        office.submit(SUBMISSION)
        name = "Inspección de extintores"
        assert export(office, by=SUPERVISOR)[name] == []
        office.tell("TeamCreated", team_id=an_id(80), parent=None)
        office.tell("TeamLeadersSet", team_id=an_id(80), leaders=(SUPERVISOR,))
        office.tell("TeamMemberAdded", team_id=an_id(80), user_id=TECHNICIAN)
        assert len(export(office, by=SUPERVISOR)[name]) == 1

    def test_a_form_that_is_not_there_is_refused_at_once(self, office: Account) -> None:
        for filters, code in (({"form_id": an_id(99)}, "form-unknown"), ({}, "invalid")):
            with pytest.raises(Rejected, match=code):
                office.do("request_export", export_id=new_id(), kind="submissions", filters=filters)

    def test_a_form_without_versions_has_a_table_without_questions(self) -> None:
        account = Account()
        bucket = Bucket()
        account.app = memory_app(define(), ports={"objects": lambda: bucket, "peers": Peers})
        account.do("create_form", form_id=FORM, name="Nueva")
        account.bucket = bucket  # type: ignore[attr-defined]
        assert export(account)["Nueva"] == []
