"""What ODK Briefcase expects of an export of its own submissions, told in our tables: data that nobody here wrote."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from defusedxml import ElementTree

from services.forms.domain.schema import Content
from services.forms.wiring import define
from services.kernel.clock import new_id
from services.kernel.testing.app import memory_app
from tests.examples.forms import ADMIN, FORM, SUBMISSION, choices, form, item, text
from tests.support.bucket import Bucket
from tests.support.peers import Peers
from tests.unit.forms.account import Account

DATA = Path(__file__).parents[2] / "data" / "briefcase"
THEIR_DAY, THEIR_TIME, THEIR_MOMENT = "%b %d, %Y", "%I:%M:%S %p", "%b %d, %Y %I:%M:%S %p"


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


def expected(name: str) -> list[dict[str, str]]:
    return rows((DATA / f"{name}.csv").read_text())


def submitted(name: str) -> tuple[str, dict[str, Any]]:
    """The instance id and the answers of a submission of theirs; elements with elements inside are repetitions."""

    def answers(element: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for child in element:
            tag = child.tag.rpartition("}")[2]
            if tag == "meta":
                continue
            if len(child):
                found.setdefault(tag, []).append(answers(child))
            else:
                found[tag] = child.text
        return found

    root = ElementTree.fromstring((DATA / f"{name}.xml").read_text())
    return root.get("instanceID"), answers(root)


def at_greenwich(text: str, pattern: str) -> datetime:
    return datetime.strptime(f"{text} +0000", f"{pattern} %z")


def test_repeats_inside_repeats_under_their_parents_keys() -> None:
    g3 = item("repeat", "g3", items=[text("t3")])
    g2 = item("repeat", "g2", items=[text("t2"), g3])
    instance, answers = submitted("nested-repeats")
    tables = export(form(item("repeat", "g1", items=[text("t1"), g2])), answers)
    for groups in (("g1",), ("g1", "g2"), ("g1", "g2", "g3")):
        innermost, field = groups[-1], f"t{len(groups)}"
        ours = [
            (row[field.capitalize()], instance + "".join(f"/{group}[{row[f'{group} #']}]" for group in groups))
            for row in tables[innermost.capitalize()]
        ]
        assert ours == [(row[field], row["KEY"]) for row in expected(f"nested-repeats-{innermost}")]


def test_values_of_every_type() -> None:
    _, found = submitted("all-data-types")
    lat, lon, altitude, accuracy = map(float, found["some_geopoint"].split())
    answers = {
        **found,
        "some_int": int(found["some_int"]),
        "some_decimal": float(found["some_decimal"]),
        "some_time": found["some_time"][:5],
        "some_geopoint": {"lat": lat, "lon": lon, "altitude_m": altitude, "accuracy_m": accuracy},
    }
    content = form(
        text("some_string"),
        item("number", "some_int", kind="integer"),
        item("number", "some_decimal"),
        item("date", "some_date"),
        item("time", "some_time"),
        item("date_time", "some_date_time"),
        item("gps", "some_geopoint"),
        item("long_text", "some_geotrace"),
        item("long_text", "some_geoshape"),
        item("barcode", "some_barcode"),
    )
    ((ours,),) = export(content, answers).values()
    (theirs,) = expected("all-data-types")
    for name in ("some_string", "some_int", "some_decimal", "some_geotrace", "some_geoshape", "some_barcode"):
        assert ours[name.capitalize()] == theirs[name]
    place = {"latitud": "Latitude", "longitud": "Longitude", "altitud m": "Altitude", "precisión m": "Accuracy"}
    for here, there in place.items():
        assert ours[f"Some_geopoint ({here})"] == theirs[f"some_geopoint-{there}"]
    day, time, moment = (theirs[f"some_{kind}"] for kind in ("date", "time", "date_time"))
    assert ours["Some_date"] == f"{at_greenwich(day, THEIR_DAY):%Y-%m-%d}"
    assert ours["Some_time"] == f"{at_greenwich(time, THEIR_TIME):%H:%M}"
    # Theirs is on the clock of Greenwich and does not say so; ours is on the account's and does.
    assert ours["Some_date_time"] == "2018-04-26T03:56:00-05:00"
    assert at_greenwich(moment, THEIR_MOMENT) == datetime.fromisoformat(ours["Some_date_time"])


@pytest.mark.parametrize("what", ["commas", "newlines", "double-quotes"])
def test_signs_that_mean_something_to_csv(what: str) -> None:
    (theirs,) = expected(f"simple-form-{what}")
    ((ours,),) = export(form(item("long_text", "some_text")), {"some_text": theirs["some_text"]}).values()
    assert ours["Some_text"] == theirs["some_text"]


def test_a_choice_split_into_its_options() -> None:
    (theirs,) = expected("choice-lists")
    both = choices("CHOICE_1", "CHOICE_2")
    content = form(
        item("checkboxes", "some_string", choices="list"),
        item("single_choice", "another_string", choices="list"),
        choice_lists={"list": both},
    )
    answers = {"some_string": [theirs["some_string"]], "another_string": theirs["another_string"]}
    ((ours,),) = export(content, answers, split=True).values()
    assert (ours["Some_string"], ours["Another_string"]) == (theirs["some_string"], theirs["another_string"])
    split = [ours[f"Some_string / {choice['labels']['es']}"] for choice in both]
    assert split == [{"1": "true", "0": "false"}[theirs[f"some_string/CHOICE_{n}"]] for n in (1, 2)]
