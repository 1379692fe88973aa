"""A submission as its reader opens it in a spreadsheet: groups inside groups, awkward signs, choices in columns."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import Any

import pytest

from services.forms.domain.schema import Content
from services.forms.wiring import define
from services.kernel.clock import new_id
from services.kernel.testing.app import memory_app
from tests.examples.forms import ADMIN, FORM, SUBMISSION, choices, form, item, text
from tests.support.bucket import Bucket
from tests.support.peers import Peers
from tests.unit.forms.account import Account


def export(content: Content, answers: dict[str, Any], **filters: Any) -> dict[str, list[dict[str, str]]]:
    """The tables of the CSV export of one submission, by their names."""
    bucket = Bucket()
    account = Account()
    account.app = memory_app(define(), ports={"objects": lambda: bucket, "peers": Peers})
    account.publish(content)
    account.submit(SUBMISSION, answers=answers)
    export_id = new_id()
    asked = {"form_id": FORM, "choices": "codes", **filters}
    account.do("request_export", ADMIN, export_id=export_id, kind="submissions", format="csv", filters=asked)
    where = account.ask("export_file", export_id=export_id)
    data = bucket.objects[where["object_key"]]
    if where["content_type"] == "application/zip":
        with zipfile.ZipFile(io.BytesIO(data)) as read:
            texts = {name.removesuffix(".csv"): read.read(name) for name in read.namelist()}
    else:
        texts = {"": data}
    return {name: rows(text.decode("utf-8-sig")) for name, text in texts.items()}


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_rows_of_groups_inside_groups_name_all_they_stand_in() -> None:
    valves = item("repeat", "valves", items=[text("mark")])
    tanks = item("repeat", "tanks", items=[text("tank"), valves])
    answers = {
        "floors": [
            {"floor": "P1", "tanks": [{"tank": "T1", "valves": [{"mark": "V1"}, {"mark": "V2"}]}, {"tank": "T2"}]},
            {"floor": "P2", "tanks": [{"tank": "T3", "valves": [{"mark": "V3"}]}]},
        ]
    }
    tables = export(form(item("repeat", "floors", items=[text("floor"), tanks])), answers)
    assert [(row["floors #"], row["Floor"]) for row in tables["Floors"]] == [("1", "P1"), ("2", "P2")]
    assert [(row["floors #"], row["tanks #"], row["Tank"]) for row in tables["Tanks"]] == [
        ("1", "1", "T1"),
        ("1", "2", "T2"),
        ("2", "1", "T3"),
    ]
    assert [(row["floors #"], row["tanks #"], row["valves #"], row["Mark"]) for row in tables["Valves"]] == [
        ("1", "1", "1", "V1"),
        ("1", "1", "2", "V2"),
        ("2", "1", "1", "V3"),
    ]


@pytest.mark.parametrize("words", ["uno, dos; tres", "primera\nsegunda", 'la "grande"', "Ñandú — ¿sí?", "a\tb"])
def test_signs_that_mean_something_to_csv_come_back(words: str) -> None:
    ((ours,),) = export(form(item("long_text", "remark")), {"remark": words}).values()
    assert ours["Remark"] == words


def test_choices_split_into_a_column_each() -> None:
    content = form(
        item("checkboxes", "systems", choices="list"),
        item("single_choice", "main", choices="list"),
        choice_lists={"list": choices("power", "water", "gas")},
    )
    ((ours,),) = export(content, {"systems": ["power", "gas"], "main": "gas"}, split=True).values()
    assert ours["Main"] == "gas"
    assert [ours[f"Systems / {name}"] for name in ("Power", "Water", "Gas")] == ["true", "false", "true"]
