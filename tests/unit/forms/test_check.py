"""Forms before they are published: every fault at once, each with its place; sizes, hashes and orders."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.forms.domain.check import check, size_faults
from services.forms.domain.order import Circle, arranged
from services.forms.domain.schema import Content, canonical, content_hash
from tests.examples.forms import INSPECTION, SUBPROCESS, choices, form, item, text


def faults(*items: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    return [(fault.name, fault.part, fault.code) for fault in check(form(*items, **more))]


def test_the_inspection_can_be_published() -> None:
    assert check(INSPECTION) == []


def test_every_fault_is_told_at_once_and_placed() -> None:
    found = check(
        form(
            text("a", relevant="${nobody} = 1", constraint="1 +"),
            item("section", "s", items=[{"type": "number", "name": "b", "min": 5, "max": 1}]),
        )
    )
    assert [(fault.path, fault.name, fault.part, fault.code) for fault in found] == [
        ("items/0", "a", "relevant", "field-unknown"),
        ("items/0", "a", "constraint", "expression-syntax"),
        ("items/1/items/0", "b", "labels", "label-missing"),
        ("items/1/items/0", "b", "max", "range-empty"),
    ]
    assert found[0].facts == {"offset": 0, "line": 1, "column": 1, "field": "nobody"}
    assert found[1].facts["column"] == 4


@pytest.mark.parametrize(
    ("made", "part", "code"),
    [
        (text("x", required="selected("), "required", "expression-syntax"),
        (text("x", relevant=". = 1"), "relevant", "current-not-here"),
        (text("x", relevant="position(..) = 1"), "relevant", "position-not-here"),
        (text("x", relevant="city = 1"), "relevant", "column-unknown"),
        (text("x", pattern="(?=a)"), "pattern", "pattern-refused"),
        (text("x", constraint="regex(., '(a)\\1')"), "constraint", "pattern-refused"),
        (text("x", min_length=9, max_length=3), "max_length", "range-empty"),
        (text("x", default="one", default_formula="'two'"), "default", "default-twice"),
        (text("x", default_formula="${x}"), "default_formula", "default-reads-answers"),
        (text("x", default=7), "default", "default-invalid"),
        (text("x", kind="email", default="nobody"), "default", "default-invalid"),
        (item("number", "x", default=7, max=5), "default", "default-invalid"),
        (item("picture", "x", default="p"), "default", "default-invalid"),
        (item("picture", "x", max_count=0), "max_count", "range-empty"),
        (item("picture", "x", min_count=3, max_count=2), "max_count", "range-empty"),
        (item("dropdown", "x", choices="nowhere"), "choices", "choices-unknown"),
        (item("dropdown", "x", choices="yn", choice_filter="city = 1"), "choice_filter", "column-unknown"),
        (item("dropdown", "x", choices="yn", default="maybe"), "default", "default-invalid"),
        (item("checkboxes", "x", choices="yn", default=["yes", "maybe"]), "default", "default-invalid"),
        (item("date", "x", min="2026-02-01", max="2026-01-01"), "max", "range-empty"),
        (item("repeat", "x", items=[]), "items", "group-empty"),
        (item("repeat", "x", min=3, max=2, items=[text("y")]), "max", "range-empty"),
        (item("calculated", "x", calculation="foo()"), "calculation", "function-unknown"),
        (item("calculated", "x", calculation=""), "calculation", "expression-empty"),
        (text("x", follow_up={"when": "foo()"}), "follow_up", "function-unknown"),
        (text("x", follow_up={"when": ". = 'a'", "subprocess_id": SUBPROCESS}), "follow_up", "process-missing"),
        (text("x", labels={"es": " "}), "labels", "label-missing"),
    ],
)
def test_faults_of_one_item(made: dict[str, Any], part: str, code: str) -> None:
    assert ("x", part, code) in faults(made, text("z"), choice_lists={"yn": choices("yes", "no")})


def test_names_are_unique_in_the_whole_form() -> None:
    assert faults(text("a"), item("section", "s", items=[text("a")])) == [("a", "name", "name-taken")]


def test_lists_of_choices_have_labels_and_no_doubles() -> None:
    found = check(form(text("a"), choice_lists={"l": [*choices("x", "x"), {"value": "y"}], "none": []}))
    assert [(fault.path, fault.code) for fault in found] == [
        ("choice_lists/l/1", "choice-doubled"),
        ("choice_lists/l/2", "label-missing"),
        ("choice_lists/none", "choices-empty"),
    ]


def test_a_form_without_questions_is_empty() -> None:
    assert [fault.code for fault in check(form(item("note", "n")))] == ["form-empty"]


def test_groups_nest_three_deep() -> None:
    def nested(depth: int) -> dict[str, Any]:
        return item("repeat", f"r{depth}", items=[nested(depth - 1) if depth > 1 else text("x")])

    assert check(form(nested(3))) == []
    assert [fault.code for fault in check(form(nested(4)))] == ["repeat-too-deep"]


def test_sections_nest_ten_deep() -> None:
    deep = text("x")
    for n in range(11):
        deep = item("section", f"s{n}", items=[deep])
    assert [fault.code for fault in check(form(deep))] == ["section-too-deep"]


@pytest.mark.parametrize(
    "items",
    [
        [text("a", relevant="${b} = 1"), text("b", relevant="${a} = 1")],
        [item("calculated", "a", calculation="${b}"), item("calculated", "b", calculation="${a}")],
        [item("section", "a", relevant="${b} = 1", items=[text("b")])],
        [item("repeat", "a", count="${b}", items=[item("number", "b")])],
        [text("a", relevant="${b} = 1"), item("dropdown", "b", choices="l", choice_filter="name = ${a}")],
    ],
)
def test_circles_are_named(items: list[dict[str, Any]]) -> None:
    (circle,) = check(form(*items, choice_lists={"l": choices("x")}))
    assert circle.code == "circle"
    assert set(circle.facts["names"]) == {"a", "b"}


def test_a_question_that_looks_at_itself_to_show_is_a_circle() -> None:
    (circle,) = check(form(text("a", relevant="${a} = ''")))
    assert circle.facts == {"names": ["a"]}


def test_constraints_may_look_at_each_other() -> None:
    assert check(form(item("number", "a", constraint=". < ${b}"), item("number", "b", constraint=". > ${a}"))) == []


def test_a_form_too_large_is_measured_before_anything_else() -> None:
    content = form(*(text(f"q{n}") for n in range(2_001)), choice_lists={"l": choices(*map(str, range(5_001)))})
    assert [(fault.part, fault.facts["limit"]) for fault in size_faults(content)] == [
        ("items", 2_000),
        ("choices", 5_000),
    ]
    assert [fault.code for fault in check(content)] == ["form-too-large", "form-too-large"]
    heavy = form(*(text(f"q{n}", hint={"es": "x" * 4_000}) for n in range(300)))
    assert [fault.part for fault in size_faults(heavy)] == ["bytes"]


def test_the_hash_is_of_the_content_alone() -> None:
    document = INSPECTION.to_json()
    assert content_hash(document) == INSPECTION.hash
    assert Content.model_validate(document).hash == INSPECTION.hash
    shuffled = json.loads(json.dumps(document, sort_keys=True))
    assert content_hash(shuffled) == INSPECTION.hash
    assert form(text("a", required=False)).hash == form(text("a")).hash != form(text("b")).hash
    assert canonical({"b": "ñ", "a": 1}) == '{"a":1,"b":"ñ"}'.encode()


@pytest.mark.parametrize(
    "made",
    [
        {"type": "hologram", "name": "a"},
        text("1a"),
        text("a", colour="red"),
        text("a", max_length=-1),
        item("number", "a", min=float("inf")),
        item("dropdown", "a"),
    ],
)
def test_what_has_not_the_shape_of_a_form_is_no_form(made: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        form(made)


def test_choice_values_have_no_blanks() -> None:
    with pytest.raises(ValidationError):
        form(text("a"), choice_lists={"l": [{"value": "a b"}]})


NAMES = [f"n{n}" for n in range(6)]


@given(st.dictionaries(st.sampled_from(NAMES), st.sets(st.sampled_from(NAMES))))
def test_either_everything_comes_after_what_it_needs_or_a_circle_is_named(needs: dict[str, set[str]]) -> None:
    complete: dict[str, set[str]] = {name: {n for n in needed if n in needs} for name, needed in needs.items()}
    try:
        order = arranged(complete)
    except Circle as circle:
        turn = [*circle.names, circle.names[0]]
        assert_circle(complete, turn)
    else:
        assert sorted(order) == sorted(complete)
        assert all(order.index(needed) < order.index(name) for name, all_ in complete.items() for needed in all_)


def assert_circle(needs: dict[str, set[str]], turn: list[str]) -> None:
    for one, other in itertools.pairwise(turn):
        assert other in needs[one]
