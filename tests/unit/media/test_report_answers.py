"""Answers on paper: in the order of the form, in the report's language, without what was not asked."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.media.reports.answers import Reading
from services.media.reports.paper import File, Files, Group, Heading, Language, Note, Photos, Said, Signature, files_in
from services.media.reports.speech import Speech, way
from services.media.reports.towns import towns_near

BOGOTA = ZoneInfo("America/Bogota")


def labels(es: str, en: str = "") -> dict[str, str]:
    return {"es": es, **({"en": en} if en else {})}


CONTENT: dict[str, Any] = {
    "choice_lists": {
        "state": [
            {"value": "ok", "labels": labels("Óptimo", "Fine")},
            {"value": "bad", "labels": labels("Malo", "Bad")},
            {"value": "raw"},
        ]
    },
    "items": [
        {"type": "note", "name": "n1", "labels": labels("Lea bien.", "Read well.")},
        {"type": "note", "name": "n2", "relevant": "${a} = 1", "labels": labels("Solo a veces.")},
        {
            "type": "section",
            "name": "s1",
            "labels": labels("Medidas", "Readings"),
            "items": [
                {"type": "number", "name": "psi", "labels": labels("Presión", "Pressure")},
                {"type": "date", "name": "day", "labels": labels("Fecha", "Date")},
                {"type": "date_time", "name": "at", "labels": labels("Momento")},
                {"type": "single_choice", "name": "one", "choices": "state", "labels": labels("Estado", "State")},
                {"type": "checkboxes", "name": "many", "choices": "state", "labels": labels("Varios")},
            ],
        },
        {"type": "section", "name": "s2", "labels": labels("Oculta"), "items": [{"type": "short_text", "name": "x"}]},
        {
            "type": "repeat",
            "name": "unit",
            "labels": labels("Unidad", "Unit"),
            "items": [
                {"type": "short_text", "name": "serial"},
                {"type": "picture", "name": "plate", "labels": labels("Placa")},
            ],
        },
        {"type": "calculated", "name": "sum", "labels": labels("Total"), "calculation": "1"},
        {"type": "gps", "name": "where", "labels": labels("Punto")},
        {"type": "signature", "name": "sign", "of": "technician", "labels": labels("Firma")},
        {"type": "document", "name": "doc", "labels": labels("Certificado")},
        {"type": "long_text", "name": "long", "labels": labels("Comentario")},
    ],
}
ANSWERS: dict[str, Any] = {
    "long": "Una línea\notra",
    "doc": [{"id": "sha256:d", "bytes": 1, "type": "application/pdf"}],
    "sign": [{"id": "sha256:s", "signed_by": "Íngrid"}],
    "where": {"lat": 4.5, "lon": -74.25, "accuracy_m": 12, "altitude_m": 2600.4},
    "sum": True,
    "unit": [{"serial": "A"}, {"plate": [{"id": "sha256:p"}]}],
    "psi": 12_345.5,
    "day": "2026-11-23",
    "at": "2026-11-23T15:00:00Z",
    "one": "ok",
    "many": ["bad", "raw"],
}


def show(item: Any, type: str) -> File:
    """Everything is there but the document."""
    missing = type == "document"
    return File(id=item["id"], status="missing" if missing else "stored", why="aún no" if missing else "")


def reading(language: Language = "es") -> Reading:
    return Reading(CONTENT, Speech(language, BOGOTA), show, "https://app.test/submissions/1")


def said(language: Language = "es") -> dict[str, str | None]:
    return {block.label: block.text for block in reading(language).blocks(ANSWERS) if isinstance(block, Said)}


def test_in_the_order_of_the_form() -> None:
    kinds = [type(block) for block in reading().blocks(ANSWERS)]
    assert kinds == [Note, Heading, Said, Said, Said, Said, Said, Group, Group, Said, Said, Signature, Files, Said]


def test_what_was_not_asked_or_not_said_does_not_stand_there() -> None:
    assert [block.text for block in reading().blocks({}) if isinstance(block, Note)] == ["Lea bien."]
    assert len(reading().blocks({})) == 1
    assert reading().blocks({"long": "", "many": [], "unit": []}) == reading().blocks({})


def test_as_people_of_each_language_write() -> None:
    assert said() == {
        "Presión": "12.345,5",
        "Fecha": "23 nov 2026",
        "Momento": "23 nov 2026, 10:00",
        "Estado": "Óptimo",
        "Varios": "Malo; raw",
        "Total": "Sí",
        "Punto": "4,50000° N, 74,25000° O (precisión ±12 m, altitud 2600 m)",
        "Comentario": "Una línea\notra",
    }
    english = said("en")
    assert (english["Pressure"], english["State"], english["Total"]) == ("12,345.5", "Fine", "Yes")
    assert english["Punto"] == "4.50000° N, 74.25000° W (accuracy ±12 m, altitude 2600 m)"


def test_repetitions_are_numbered_and_hold_their_own() -> None:
    first, second = (block for block in reading().blocks(ANSWERS) if isinstance(block, Group))
    assert (first.label, first.number, first.of) == ("Unidad", 1, 2)
    assert [block.text for block in first.blocks if isinstance(block, Said)] == ["A"]
    assert [type(block) for block in second.blocks] == [Photos]


def test_files_that_are_missing_are_named_by_their_question() -> None:
    put = reading()
    blocks = put.blocks(ANSWERS)
    assert [(one.label, one.id) for one in put.missing] == [("Certificado", "sha256:d")]
    assert [file.id for file in files_in(blocks)] == ["sha256:p", "sha256:s", "sha256:d"]
    (signature,) = (block for block in blocks if isinstance(block, Signature))
    assert (signature.signed_by, signature.role) == ("Íngrid", "Técnico")


def test_points_go_onto_the_map() -> None:
    put = reading()
    put.blocks(ANSWERS)
    assert [(spot.lat, spot.lon, spot.name) for spot in put.places] == [(4.5, -74.25, "Punto")]


@pytest.mark.parametrize("value", ["mañana", "2026-13-45", "", 7])
def test_a_time_that_is_none_stays_as_it_came(value: Any) -> None:
    content = {"items": [{"type": "date", "name": "day"}]}
    blocks = Reading(content, Speech("es", BOGOTA), show).blocks({"day": value})
    assert [block.text for block in blocks if isinstance(block, Said)] == ([str(value)] if value != "" else [])


class TestSpeech:
    def test_distances_and_sizes(self) -> None:
        speech = Speech("es", BOGOTA)
        assert [speech.distance(m) for m in (0, 37.4, 999.6, 1_500, 10_000, 123_456)] == [
            "0 m", "37 m", "1 km", "1,5 km", "10 km", "123 km",
        ]  # fmt: skip
        assert [speech.size(n) for n in (1, 310_000, 6_200_000)] == ["1 kB", "310 kB", "6,2 MB"]
        assert [speech.duration(s) for s in (18.2, 102)] == ["18 s", "1:42 min"]

    def test_ways_over_the_earth(self) -> None:
        metres, bearing = way(4.60971, -74.08175, 6.25184, -75.56359)
        assert (round(metres / 1000), Speech("es", BOGOTA).wind(bearing)) == (245, "NO")
        assert way(0, 179.9, 0, -179.9)[0] < 23_000

    def test_towns_around(self) -> None:
        assert next(town.name for town in towns_near(4.60971, -74.08175, 20_000)) == "Bogotá"
        assert towns_near(-48.9, -123.4, 100_000) == []
