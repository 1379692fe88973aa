"""What the page about expressions promises is so: every example in it is evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.forms.expressions import ExpressionError, Value, When, compiled
from services.forms.expressions.functions import FUNCTIONS
from services.forms.expressions.values import to_text

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text(encoding="utf-8")
BOGOTA = ZoneInfo("America/Bogota")
ANSWERS: dict[str, Value] = {
    "age": 34.0,
    "name": "Ana",
    "visit": date(2026, 11, 20),
    "colours": "red blue",
    "price": (10.0, 20.5, ""),
}


class Documented:
    """The scope that the page's examples stand in."""

    when = When.of(datetime(2026, 11, 23, 13, 0, tzinfo=UTC), BOGOTA)

    def field(self, name: str) -> Value:
        return ANSWERS.get(name, "")

    def current(self) -> Value:
        return 7.0

    def column(self, name: str) -> Value:
        return {"city": "Cali"}.get(name, "")

    def position(self) -> int:
        return 2


def rows(heading: str, columns: int) -> Iterator[tuple[str, ...]]:
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and len(cells) == columns and "---" not in cells[0]:
            yield tuple(cells)


def examples(heading: str) -> list[tuple[str, str]]:
    return [(code[1:-1], gives) for _, code, gives in list(rows(heading, 3))[1:]]


@pytest.mark.parametrize(("text", "gives"), examples("What they are made of") + examples("Functions"))
def test_an_example_gives_what_the_page_says(text: str, gives: str) -> None:
    assert to_text(compiled(text).value(Documented())).strip() == gives


@pytest.mark.parametrize(("code", "text", "position"), list(rows("What is refused", 3))[1:])
def test_a_fault_is_named_and_placed_as_the_page_says(code: str, text: str, position: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        compiled(text[1:-1])
    assert refused.value.code == code[1:-1]
    assert f"{refused.value.line}:{refused.value.column}" == position


def test_every_function_is_on_the_page() -> None:
    described = set(re.findall(r"^\| `([a-z-]+)\(", PAGE, re.MULTILINE))
    assert described == {*FUNCTIONS, "if", "once", "regex", "position"}
