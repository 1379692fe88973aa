"""Answers judged by their form: what is kept, what is wrong, and that nothing hidden ever stands in the way."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.forms.domain.check import check
from services.forms.domain.judging import Judged, refusal_of
from services.forms.domain.plan import Plan
from services.forms.domain.schema import Content, Question, everything
from services.forms.domain.values import Place
from tests.examples.forms import ANSWERS, INSPECTION, PROCESS, choices, form, item, judged, photo, sha, text


def wrong(content: Content, answers: dict[str, Any], **more: Any) -> dict[str, str]:
    return {finding.path: finding.code for finding in judged(content, answers, **more).findings}


def inspected(**changes: Any) -> Judged:
    return judged(INSPECTION, {**copy.deepcopy(ANSWERS), **changes})


def test_a_complete_inspection_is_kept_as_it_was_answered() -> None:
    result = inspected()
    assert result.findings == []
    assert result.answers["total"] == 16.5
    assert [row["low"] for row in result.answers["extinguishers"]] == ["no", "yes"]
    assert result.answers["client_signature"][0]["signed_by"] == "Marta Ñungo"
    assert [medium.kind for medium in result.media] == ["picture", "picture", "picture", "signature"]
    assert [medium.path for medium in result.media] == [
        "extinguishers/0/photos/0",
        "extinguishers/1/photos/0",
        "extinguishers/1/photos/1",
        "client_signature/0",
    ]


def test_a_failed_answer_asks_for_a_follow_up_where_it_stands() -> None:
    (failure,) = inspected().failures
    assert (failure.path, failure.process_id, failure.priority) == ("extinguishers/1/state", PROCESS, "high")


def test_judging_what_was_kept_changes_nothing() -> None:
    once = inspected()
    again = judged(INSPECTION, once.answers)
    assert (again.answers, again.findings, again.media) == (once.answers, [], once.media)


def test_what_is_missing_is_said_all_at_once() -> None:
    assert wrong(INSPECTION, {}) == {
        "contact": "required",
        "department": "required",
        "extinguishers": "too-few",
        "client_signature": "required",
    }


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("contact", 7, "type-wrong"),
        ("contact", "a\x00", "type-wrong"),
        ("contact", "x" * 256, "too-long"),
        ("contact", "   ", "required"),
        ("email", "nobody", "email-invalid"),
        ("email", "a@b", "email-invalid"),
        ("phone", "call me", "phone-invalid"),
        ("phone", "12 34", "phone-invalid"),
        ("city", "bogota", "not-a-choice"),
        ("city", "lima", "not-a-choice"),
        ("city", ["cali"], "type-wrong"),
        ("systems", ["power", "water", "gas"], "too-many"),
        ("systems", ["light"], "not-a-choice"),
        ("systems", "power", "type-wrong"),
        ("visited_on", "2026-03-03", "constraint"),
        ("visited_on", "2031-01-01", "out-of-range"),
        ("visited_on", "01/03/2026", "type-wrong"),
        ("visited_on", "2026-02-30", "type-wrong"),
        ("arrived", "8 o'clock", "type-wrong"),
        ("left", "2026-03-02", "type-wrong"),
        ("point", {"lat": 3.45, "lon": -76.53, "accuracy_m": 80}, "accuracy-poor"),
        ("point", {"lat": 91, "lon": 0}, "type-wrong"),
        ("point", {"lat": True, "lon": 0}, "type-wrong"),
        ("point", "3.45 -76.53", "type-wrong"),
        ("client_signature", {"id": "sha256:x", "bytes": 1, "type": "image/png"}, "type-wrong"),
        ("client_signature", photo(bytes=0), "type-wrong"),
        ("client_signature", photo(colour="red"), "type-wrong"),
        ("extinguishers", {"serial": "EX-001"}, "type-wrong"),
        ("extinguishers", [], "too-few"),
        ("surprise", 1, "field-unknown"),
    ],
)
def test_what_breaks_a_rule_is_named(name: str, value: Any, code: str) -> None:
    found = [finding for finding in inspected(**{name: value}).findings if finding.path == name]
    assert code in [finding.code for finding in found]


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"serial": "EX-1"}, "extinguishers/0/serial", "pattern-mismatch"),
        ({"pressure": 31}, "extinguishers/0/pressure", "out-of-range"),
        ({"pressure": "12"}, "extinguishers/0/pressure", "type-wrong"),
        ({"pressure": 5, "photos": []}, "extinguishers/0/photos", "required"),
        ({"state": "failed"}, "extinguishers/0/failure", "required"),
        ({"odd": 1}, "extinguishers/0/odd", "field-unknown"),
    ],
)
def test_what_breaks_a_rule_inside_a_group_is_placed(changes: dict[str, Any], path: str, code: str) -> None:
    first = {**ANSWERS["extinguishers"][0], **changes}
    result = inspected(extinguishers=[first])
    assert {finding.path: finding.code for finding in result.findings} == {path: code}


def test_a_weight_breach_keeps_the_answers() -> None:
    result = inspected(walk=photo("e", type="video/mp4", bytes=99_000_000))
    assert result.answers["walk"][0]["bytes"] == 99_000_000


def test_two_equal_photos_are_two_photos() -> None:
    result = judged(form(item("picture", "p", max_count=2)), {"p": [photo(), photo()]})
    assert (result.findings, len(result.media)) == ([], 2)


def test_media_may_be_named_by_id_when_a_manifest_says_the_rest() -> None:
    manifest = {sha("a"): {"bytes": 10, "type": "image/jpeg"}}
    content = form(item("picture", "p"))
    assert judged(content, {"p": [sha("a")]}, manifest=manifest).answers == {
        "p": [{"id": sha("a"), "bytes": 10, "type": "image/jpeg"}]
    }
    assert wrong(content, {"p": [sha("a")]}) == {"p": "type-wrong"}


def test_a_picture_with_a_least_number_is_required() -> None:
    content = form(item("picture", "p", min_count=2, max_count=3, max_pixels=2_000))
    assert wrong(content, {}) == {"p": "required"}
    assert wrong(content, {"p": [photo()]}) == {"p": "too-few"}
    assert wrong(content, {"p": [photo(), photo("b")]}) == {}


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("remark", photo(type="image/png"), "media-type-not-allowed"),
        ("remark", photo(type="audio/mp4", seconds=61), "too-long-playing"),
        ("walk", photo(type="video/mp4", bytes=20_000_001), "too-heavy"),
        ("plan", photo(type="application/zip"), "media-type-not-allowed"),
        ("client_signature", photo(type="application/pdf"), "media-type-not-allowed"),
    ],
)
def test_a_file_that_breaks_a_bound_is_refused_and_the_answers_stand(name: str, value: Any, code: str) -> None:
    result = inspected(**{name: value})
    assert result.findings == []
    assert {medium.path: medium.refused for medium in result.media if medium.refused} == {f"{name}/0": code}
    assert result.answers[name] == [value]


def test_files_beyond_the_allowed_number_are_refused_one_by_one() -> None:
    photos = [photo(letter) for letter in "abcde"]
    photos[1]["bytes"] = 500_001
    result = inspected(extinguishers=[{**ANSWERS["extinguishers"][0], "photos": photos}])
    refused = {medium.path: medium.refused for medium in result.media if medium.refused}
    inside = "extinguishers/0/photos"
    assert refused == {f"{inside}/1": "too-heavy", f"{inside}/3": "too-many", f"{inside}/4": "too-many"}


def test_what_the_bytes_are_is_judged_by_every_place_that_names_them() -> None:
    plan = Plan(form(item("picture", "p", max_count=2, max_pixels=2_000), item("document", "d", kinds=["pdf"])))
    small, large = {"type": "image/png", "width": 2_000, "height": 10}, {"type": "image/png", "width": 2_001}
    assert refusal_of(plan, ["p/0", "p/1"], small) is None
    assert refusal_of(plan, ["p/0"], large) == "too-large"
    assert refusal_of(plan, ["p/2"], small) == "too-many"
    assert refusal_of(plan, ["p/0", "d/0"], small) == "media-type-not-allowed"
    assert refusal_of(plan, ["gone/0", "p", ""], large) is None
    assert refusal_of(None, ["p/0"], large) is None


def test_what_is_hidden_is_dropped_and_read_as_empty() -> None:
    content = form(
        item("single_choice", "more", choices="yn"),
        item("section", "detail", relevant="${more} = 'yes'", items=[text("why", required=True), text("who")]),
        item("calculated", "said", calculation="concat('[', ${why}, ']')"),
        choice_lists={"yn": choices("yes", "no")},
    )
    result = judged(content, {"more": "no", "why": "because", "who": 7})
    assert result.findings == []
    assert result.answers == {"more": "no", "said": "[]"}
    assert wrong(content, {"more": "yes"}) == {"why": "required"}


def test_a_hidden_repetition_asks_for_nothing() -> None:
    content = form(
        item("number", "n", kind="integer"),
        item("repeat", "r", relevant="${n} > 0", min=2, items=[text("x", required=True)]),
    )
    assert judged(content, {"r": [{"x": 7}]}).findings == []
    assert wrong(content, {"n": 1, "r": [{"x": "a"}, {}]}) == {"r/1/x": "required"}


def test_a_count_says_how_often_a_group_is_asked() -> None:
    content = form(
        item("number", "n", kind="integer"),
        item(
            "repeat",
            "r",
            count="${n}",
            items=[text("x", required=True), item("calculated", "i", calculation="position(..)")],
        ),
        item("calculated", "all", calculation="join(',', ${x})"),
        item("calculated", "rows", calculation="count(${r})"),
    )
    result = judged(content, {"n": 2, "r": [{"x": "a"}, {"x": "b"}, {"x": "c"}]})
    assert result.findings == []
    assert result.answers == {"n": 2, "r": [{"x": "a", "i": 1}, {"x": "b", "i": 2}], "all": "a,b", "rows": 2}
    assert wrong(content, {"n": 2}) == {"r/0/x": "required", "r/1/x": "required"}
    assert wrong(content, {}) == {}
    assert wrong(content, {"n": 1.5}) == {"n": "not-whole"}


def test_groups_in_groups_see_their_own_and_everything_around() -> None:
    content = form(
        item(
            "repeat",
            "floor",
            items=[
                item("number", "level"),
                item(
                    "repeat",
                    "room",
                    items=[text("label"), item("calculated", "code", calculation="concat(${level}, ${label})")],
                ),
                item("calculated", "rooms", calculation="join('+', ${label})"),
            ],
        ),
        item("calculated", "codes", calculation="join(' ', ${code})"),
    )
    floors = [{"level": 1, "room": [{"label": "A"}, {"label": "B"}]}, {"level": 2, "room": [{"label": "C"}]}]
    result = judged(content, {"floor": floors})
    assert [row["rooms"] for row in result.answers["floor"]] == ["A+B", "C"]
    assert result.answers["codes"] == "1A 1B 2C"


def test_a_choice_question_with_nothing_to_choose_need_not_be_answered() -> None:
    content = form(
        text("area"),
        item("dropdown", "shop", choices="shops", choice_filter="area = ${area}", required=True),
        choice_lists={"shops": choices("one", area="north")},
    )
    assert wrong(content, {"area": "south"}) == {}
    assert wrong(content, {"area": "north"}) == {"shop": "required"}


def test_what_nobody_can_change_is_as_the_form_says_and_never_in_the_way() -> None:
    content = form(
        item("date", "day", read_only=True, required=True, default_formula="today()"),
        text("fixed", read_only=True, default="A", pattern="B"),
        item("number", "given", read_only=True, required=True),
    )
    result = judged(content, {"day": "1999-01-01", "fixed": "forged", "given": "x"})
    assert result.findings == []
    assert result.answers == {"day": "2026-03-02", "fixed": "A"}


def test_computed_values_are_the_servers() -> None:
    content = form(
        item("number", "n"),
        item("calculated", "twice", calculation="${n} * 2"),
        item("calculated", "sum", calculation="0.1 + 0.2"),
        item("calculated", "none", calculation="${missing_here} + 1"),
        item("calculated", "when", calculation="now()"),
        item("calculated", "day", calculation="today()"),
        item("calculated", "yes", calculation="true()"),
        item("calculated", "kept", calculation="once(${n})"),
        item("number", "missing_here"),
    )
    result = judged(content, {"n": 2, "twice": 99, "kept": 7})
    assert result.answers == {
        "n": 2,
        "twice": 4,
        "sum": 0.3,
        "when": "2026-03-02T09:30:00-05:00",
        "day": "2026-03-02",
        "yes": True,
        "kept": 7,
    }


def test_messages_of_the_form_come_with_its_findings() -> None:
    content = form(
        text("a", required=True, required_message={"es": "Falta"}),
        item("number", "b", constraint=". > 5", constraint_message={"es": "Muy poco"}),
    )
    first, second = judged(content, {"b": 3}).findings
    assert first.facts == {"message": {"es": "Falta"}}
    assert second.facts == {"message": {"es": "Muy poco"}}


def test_where_a_form_may_be_filled_in() -> None:
    content = form(text("a"), capture={"location": True, "radius_m": 100})
    here, near, far = Place(lat=4.65, lon=-74.06), Place(lat=4.6505, lon=-74.06), Place(lat=4.66, lon=-74.06)
    assert wrong(content, {}) == {"$": "location-required"}
    assert wrong(content, {}, place=here) == {}
    assert wrong(content, {}, place=near, site=here) == {}
    assert wrong(content, {}, place=far, site=here) == {"$": "location-too-far"}
    assert wrong(content, {}, place=Place(lat=4.66, lon=-74.06, accuracy_m=1_100), site=here) == {}


def test_a_long_chain_of_sums_is_no_problem() -> None:
    steps = [item("calculated", f"s{n}", calculation=f"${{s{n - 1}}} + 1") for n in range(1_500, 0, -1)]
    result = judged(form(*steps, item("number", "s0")), {"s0": 1})
    assert result.answers["s1500"] == 1_501


def test_a_flood_of_faults_is_cut() -> None:
    assert len(judged(form(text("a")), {f"x{n}": 1 for n in range(5_000)}).findings) == 200


# -- any form, any answers

VALID: dict[str, Any] = {
    "short_text": "word",
    "long_text": "words",
    "number": 3,
    "date": "2026-03-01",
    "single_choice": "yes",
    "checkboxes": ["yes"],
    "picture": [photo()],
    "signature": photo(),
    "gps": {"lat": 4, "lon": -74},
}
NAMES = [f"q{n}" for n in range(8)]
FORMULAS = st.builds(
    lambda a, b, how: how.replace("A", f"${{{a}}}").replace("B", f"${{{b}}}"),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(["A = 'yes'", "A != ''", "A = '' or B != ''", "not(A > 2)", "count-selected(A) = 1", "A = B"]),
)


@st.composite
def questions(draw: st.DrawFn, name: str) -> dict[str, Any]:
    type = draw(st.sampled_from([*VALID, "calculated", "note"]))
    made = item(type, name)
    if draw(st.booleans()):
        made["relevant"] = draw(FORMULAS)
    if type == "calculated":
        return {**made, "calculation": draw(FORMULAS)}
    if type == "note":
        return made
    made["required"] = draw(st.one_of(st.booleans(), FORMULAS))
    made["read_only"] = draw(st.booleans()) and draw(st.booleans())
    if type in ("single_choice", "checkboxes"):
        made["choices"] = "yn"
        if draw(st.booleans()):
            made["choice_filter"] = f"name = 'yes' and {draw(FORMULAS)}"
    return made


@st.composite
def forms(draw: st.DrawFn) -> Content:
    items = [draw(questions(name)) for name in NAMES]
    cut, end = sorted((draw(st.integers(0, 8)), draw(st.integers(0, 8))))
    group = item(draw(st.sampled_from(["section", "repeat"])), "group", items=items[cut:end] or [text("alone")])
    if draw(st.booleans()):
        group["relevant"] = draw(FORMULAS)
    if group["type"] == "repeat" and draw(st.booleans()):
        group["count"] = "2"
    return form(*items[:cut], group, *items[end:], choice_lists={"yn": choices("yes", "no")})


RAW = st.one_of(
    st.none(), st.sampled_from(list(VALID.values())), st.text(max_size=3), st.integers(-5, 5), st.just("no")
)


@settings(max_examples=120)
@given(forms().filter(lambda content: not check(content)), st.data())
def test_answering_what_shows_is_always_enough(content: Content, data: st.DataObject) -> None:
    """However a form that can be published is filled in, valid answers to what is in view make it acceptable."""
    answers: dict[str, Any] = {name: value for name in NAMES if (value := data.draw(RAW)) is not None}
    answers["group"] = [{name: value for name in NAMES if (value := data.draw(RAW)) is not None}]
    by_name = {one.name: one for one in everything(content.items)}
    for _ in range(40):
        result = judged(content, answers)
        if not result.findings:
            break
        for finding in result.findings:
            *groups, name = finding.path.split("/")
            if groups:
                while len(answers["group"]) <= int(groups[1]):
                    answers["group"].append({})
            place = answers["group"][int(groups[1])] if groups else answers
            asked = by_name.get(name)
            if finding.code in ("field-unknown", "type-wrong") and not isinstance(asked, Question):
                del place[name]
            elif finding.code == "not-a-choice" or finding.code == "field-unknown":
                # A choice that is not offered is taken back; the question may then ask for another.
                del place[name]
            else:
                assert asked is not None
                place[name] = copy.deepcopy(VALID[asked.type])
    else:
        raise AssertionError([finding.model_dump() for finding in result.findings])
    again = judged(content, result.answers)
    assert again.findings == []
    assert again.answers == result.answers
