"""Answers as rows: a question in one column or several, a repeated group in a table of its own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from services.forms.exports.layout import Field, Table
from services.kernel.exporting.job import Language
from services.kernel.exporting.kinds import Cell

Choices = Literal["labels", "codes", "both"]
Answers = Mapping[str, Any]
Read = Callable[[Any], Cell]
Column = tuple[str, Read]
"""Heading, and what of the answer stands there."""

_CODE = {"es": "código", "en": "code"}
_PLACE: Mapping[str, tuple[tuple[str, str], ...]] = {
    "es": (("latitud", "lat"), ("longitud", "lon"), ("precisión m", "accuracy_m"), ("altitud m", "altitude_m")),
    "en": (("latitude", "lat"), ("longitude", "lon"), ("accuracy m", "accuracy_m"), ("altitude m", "altitude_m")),
}


def columns(field: Field, language: Language, choices: Choices, split: bool) -> list[Column]:
    """The columns of a question."""
    heading = field.heading
    match field.kind:
        case "number" | "plain":
            return [(heading, _plain)]
        case "moment":
            return [(heading, _moment)]
        case "media":
            return [(heading, _media)]
        case "place":
            return [(f"{heading} ({called})", _part(name)) for called, name in _PLACE[language]]
        case "choice" | "several":
            return [*_chosen(field, language, choices), *(_options(field) if split and field.kind == "several" else ())]
        case "text":
            return [(heading, _text)]


def rows_of(answers: Answers, path: Sequence[str]) -> Iterator[tuple[list[int], Answers]]:
    """The repetitions of a group with their numbers, outermost first; the form itself has exactly one."""
    if not path:
        yield [], answers
        return
    repetitions = answers.get(path[0])
    for number, repetition in enumerate(repetitions if isinstance(repetitions, list) else (), start=1):
        if isinstance(repetition, dict):
            for numbers, found in rows_of(repetition, path[1:]):
                yield [number, *numbers], found


def left_over(answers: Answers, tables: Sequence[Table]) -> Cell:
    """Answers that no version of the form asked for: kept as they came, in one cell."""
    known = {field.name for table in tables if not table.path for field in table.fields}
    known |= {table.path[0] for table in tables if table.path}
    rest = {name: value for name, value in answers.items() if name not in known}
    return json.dumps(rest, ensure_ascii=False) if rest else None


def _chosen(field: Field, language: Language, choices: Choices) -> Iterator[Column]:
    labels = field.labels

    def called(answer: Any) -> Cell:
        return "; ".join(labels.get(value, value) for value in _values(answer)) or None

    def coded(answer: Any) -> Cell:
        return " ".join(_values(answer)) or None

    if choices != "codes":
        yield field.heading, called
    if choices != "labels":
        yield f"{field.heading} [{_CODE[language]}]" if choices == "both" else field.heading, coded


def _options(field: Field) -> Iterator[Column]:
    for value, label in field.labels.items():
        yield f"{field.heading} / {label}", _has(value)


def _has(value: str) -> Read:
    return lambda answer: None if answer is None else value in _values(answer)


def _values(answer: Any) -> list[str]:
    if answer is None:
        return []
    return [str(value) for value in answer] if isinstance(answer, list) else [str(answer)]


def _plain(answer: Any) -> Cell:
    return answer if isinstance(answer, str | int | float | None) else _text(answer)


def _moment(answer: Any) -> Cell:
    try:
        moment = datetime.fromisoformat(answer)
    except (TypeError, ValueError):
        return _text(answer)
    return moment if moment.tzinfo else _text(answer)


def _part(name: str) -> Read:
    return lambda answer: answer.get(name) if isinstance(answer, dict) else None


def _media(answer: Any) -> Cell:
    items = answer if isinstance(answer, list) else [answer]
    return "; ".join(str(item["id"]) for item in items if isinstance(item, dict) and "id" in item) or None


def _text(answer: Any) -> Cell:
    match answer:
        case None | str():
            return answer
        case list() if all(isinstance(value, str) for value in answer):
            return "; ".join(answer)
        case _:
            return json.dumps(answer, ensure_ascii=False)
