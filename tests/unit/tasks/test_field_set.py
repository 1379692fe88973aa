"""An account's own fields: defined, changed, arranged, switched off, and what values they take."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st

from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from services.kernel.testing.given import given
from services.tasks.domain.field_set import (
    ActivateField,
    ArrangeFields,
    ChangeField,
    DeactivateField,
    DefineField,
    FieldActivated,
    FieldChanged,
    FieldDeactivated,
    FieldDefined,
    FieldDraft,
    FieldsArranged,
    Rules,
    Section,
    SectionDraft,
    field_set,
)
from services.tasks.domain.field_values import check_values, merged
from tests.examples.tasks import ADMIN, CUSTOMER, NOW, PROCESS, PROFILE, SUBPROCESS, TECHNICIAN
from tests.unit.tasks.office import Office
from tests.unit.tasks.test_service import refused


def draft(type: Any = "text", options: tuple[str, ...] = (), label: str = "Medidor", **rules: Any) -> FieldDraft:
    return FieldDraft(label=label, rules=Rules(type=type, **rules), options=options)


def defined(key: str = "meter", field: FieldDraft | None = None) -> FieldDefined:
    made = field or draft()
    return FieldDefined(entity="task", key=key, rules=made.rules, label=made.label, options=made.options)


def ask(command: Any, **fields: Any) -> Any:
    return command(**{"at": NOW, "by": ADMIN, "entity": "task", **fields})


class TestDefining:
    def test_once(self) -> None:
        define = ask(DefineField, key="meter", field=draft())
        given(field_set).when(define).then(defined())
        given(field_set).when(define).then_repeating_adds_nothing()
        given(field_set, defined()).when(ask(DefineField, key="meter", field=draft("date"))).then_rejected(
            "field-exists"
        )

    def test_another_label_and_other_rules_but_never_another_type(self) -> None:
        other = draft(label="Contador", required=True)
        change = ask(ChangeField, key="meter", field=other)
        changed = FieldChanged(entity="task", key="meter", rules=other.rules, label=other.label, options=())
        given(field_set, defined()).when(change).then(changed)
        given(field_set, defined()).when(change).then_repeating_adds_nothing()
        given(field_set, defined()).when(ask(ChangeField, key="meter", field=draft("date"))).then_rejected(
            "field-type-fixed"
        )

    def test_switched_off_and_on(self) -> None:
        off = FieldDeactivated(entity="task", key="meter")
        story = given(field_set, defined()).when(ask(DeactivateField, key="meter")).then(off)
        story.when(ask(DeactivateField, key="meter")).then_nothing()
        story.when(ask(ActivateField, key="meter")).then(FieldActivated(entity="task", key="meter"))
        given(field_set, defined()).when(ask(ActivateField, key="meter")).then_nothing()

    @pytest.mark.parametrize(
        ("field", "problem"),
        [
            (draft(email=True, phone=True), "one-of-email-phone-numeric"),
            (draft("date", max_chars=3), "for-text-only"),
            (draft(min_chars=4, max_chars=3), "min-beyond-max"),
            (draft("dropdown"), "options-missing"),
            (draft("checkbox", options=("a",)), "no-options-for-this-type"),
            (draft("tags", options=("a", "a")), "option-twice"),
        ],
    )
    def test_rules_that_contradict_each_other(self, field: FieldDraft, problem: str) -> None:
        with pytest.raises(Rejected) as refusal:
            field_set.decide(ask(DefineField, key="meter", field=field), field_set.initial_state)
        assert (refusal.value.code, refusal.value.details) == ("field-rules-invalid", {"problem": problem})

    def test_not_without_end(self) -> None:
        many = [defined(f"f{n}") for n in range(100)]
        given(field_set, *many).when(ask(DefineField, key="more", field=draft())).then_rejected("too-many-fields")

    @pytest.mark.parametrize(
        "command",
        [ask(ChangeField, key="x", field=draft()), ask(DeactivateField, key="x"), ask(ActivateField, key="x")],
    )
    def test_what_was_never_defined(self, command: Any) -> None:
        given(field_set).when(command).then_rejected("field-unknown")


class TestArranging:
    FIELDS = (defined("a"), defined("b"))

    def arrange(self, *sections: tuple[str, ...]) -> Any:
        drafts = tuple(SectionDraft(section_id=id, name=id.title(), keys=keys) for id, *keys in sections)
        return ask(ArrangeFields, sections=drafts)

    def test_in_sections(self) -> None:
        arranged = FieldsArranged(
            entity="task",
            sections=(Section(section_id="two", keys=("b",)), Section(section_id="one", keys=("a",))),
            section_names={"two": "Two", "one": "One"},
        )
        command = self.arrange(("two", "b"), ("one", "a"))
        given(field_set, *self.FIELDS).when(command).then(arranged)
        given(field_set, *self.FIELDS).when(command).then_repeating_adds_nothing()

    def test_each_in_one_place(self) -> None:
        twice = given(field_set, *self.FIELDS).when(self.arrange(("one", "a"), ("two", "a")))
        twice.then_rejected("arrangement-ambiguous")
        given(field_set, *self.FIELDS).when(self.arrange(("one", "c"))).then_rejected("field-unknown")


def wrong(field: FieldDraft, value: Any, before: dict[str, Any] | None = None) -> str | None:
    state = field_set.replay([defined("f", field)])
    try:
        check_values(state, before or {}, {"f": value})
    except Rejected as refused:
        return str(refused.details["errors"][0]["code"])
    return None


COLOURS = ("rojo", "verde")


class TestValues:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            (draft(), "una línea"),
            (draft("long_text"), "dos\nlíneas"),
            (draft(email=True), "ana@example.com"),
            (draft(phone=True), "+57 601 5550100"),
            (draft(numeric=True), "12,5"),
            (draft(numeric=True), 12),
            (draft(min_chars=2, max_chars=3), "abc"),
            (draft("checkbox", required=True), False),
            (draft("date"), "2026-02-28"),
            (draft("dropdown", COLOURS), "rojo"),
            (draft("single_selection", COLOURS), "verde"),
            (draft("tags", COLOURS), ("verde", "rojo")),
            (draft("tags"), ("lo que sea",)),
            (draft(email=True), ""),
            (draft("date"), None),
        ],
    )
    def test_that_fit(self, field: FieldDraft, value: Any) -> None:
        assert wrong(field, value) is None

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            (draft(), "dos\nlíneas", "more-than-one-line"),
            (draft(), 7, "not-text"),
            (draft(), True, "not-text"),
            (draft(email=True), "ana@", "not-an-email"),
            (draft(phone=True), "llamar", "not-a-phone"),
            (draft(numeric=True), "12a", "not-a-number"),
            (draft(min_chars=2), "a", "too-short"),
            (draft(max_chars=2), "abc", "too-long"),
            (draft("checkbox"), "sí", "not-yes-or-no"),
            (draft("date"), "2026-02-30", "not-a-date"),
            (draft("date"), "20260228", "not-a-date"),
            (draft("dropdown", COLOURS), "azul", "not-an-option"),
            (draft("single_selection", COLOURS), ("rojo",), "not-an-option"),
            (draft("tags", COLOURS), ("azul",), "not-an-option"),
            (draft("tags"), ("a", "a"), "not-tags"),
            (draft("tags"), "a", "not-tags"),
            (draft(required=True), "", "required"),
            (draft("checkbox", required=True), None, "required"),
        ],
    )
    def test_that_do_not(self, field: FieldDraft, value: Any, code: str) -> None:
        assert wrong(field, value) == code

    def test_what_was_captured_under_other_rules_stays(self) -> None:
        assert wrong(draft("dropdown", COLOURS), "azul", {"f": "azul"}) is None

    def test_every_mistake_is_named(self) -> None:
        state = field_set.replay([defined("a", draft(required=True)), defined("b", draft(email=True))])
        with pytest.raises(Rejected) as refusal:
            check_values(state, {}, {"b": "x", "c": 1})
        assert refusal.value.details["errors"] == [
            {"field": "a", "code": "required"},
            {"field": "b", "code": "not-an-email"},
            {"field": "c", "code": "unknown"},
        ]


values = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["x", "y", None]), max_size=4)
facts = st.one_of(
    st.sampled_from("abc").map(defined),
    st.sampled_from("abc").map(lambda key: FieldDeactivated(entity="task", key=key)),
    st.sampled_from("abc").map(lambda key: FieldActivated(entity="task", key=key)),
)


@settings(max_examples=100)
@having(st.lists(facts, max_size=8), values, values)
def test_nothing_captured_is_lost_by_switching_a_field_off(
    happened: list[Any], before: dict[str, Any], edit: dict[str, Any]
) -> None:
    state = field_set.replay(happened)
    after = merged(state, before, edit)
    for key, value in before.items():
        asked = state.fields.get(key)
        if asked is None or not asked.active:
            assert key in edit or after[key] == value
    assert {key: after[key] for key in edit} == edit


class TestInTheOffice:
    def define(self, office: Office, entity: str, key: str, **rules: Any) -> None:
        field = {"label": key.title(), "rules": {"type": "text", **rules}}
        office.do("define_field", entity=entity, key=key, field=field)

    def test_tasks_answer_what_is_asked(self, office: Office) -> None:
        self.define(office, "task", "meter", required=True)
        details = refused("fields-invalid", office.open, fields={"colour": "rojo"})
        assert [e["code"] for e in details["errors"]] == ["unknown", "required"]
        task_id = office.open(fields={"meter": "M-1", "serial": "S-1"})
        office.do("deactivate_field", entity="task", key="serial")
        office.do("edit_task", task_id=task_id, fields={"meter": "M-2"})
        assert office.ask("task", task_id=task_id)["fields"] == {"meter": "M-2", "serial": "S-1"}
        refused("fields-invalid", office.do, "edit_task", task_id=task_id, fields={"meter": ""})
        refused("fields-invalid", office.do, "edit_task", task_id=task_id, fields={"meter": "x", "serial": "S-2"})
        office.do("edit_task", task_id=task_id, title="Sin tocar los campos")

    def test_a_repeat_finds_its_task_whatever_is_asked_by_now(self, office: Office) -> None:
        task_id = office.open(fields={"serial": "S-1"})
        self.define(office, "task", "meter", required=True)
        office.open(task_id=task_id, fields={"serial": "S-1"})

    def test_customers_too(self, office: Office) -> None:
        self.define(office, "customer", "nit", numeric=True, required=True)
        new = {"customer_id": new_id(), "code": "X-1", "name": "Ñandú"}
        refused("fields-invalid", office.do, "create_customer", **new)
        office.do("create_customer", **new, fields={"nit": "900"})
        refused("fields-invalid", office.do, "edit_customer", customer_id=new["customer_id"], fields={"nit": "no"})
        office.do("edit_customer", customer_id=CUSTOMER, name=PROFILE.name + " Norte")
        assert office.ask("customer", customer_id=new["customer_id"])["fields"] == {"nit": "900"}

    def test_processes_and_subprocesses_carry_values(self, office: Office) -> None:
        self.define(office, "process", "cost_centre")
        self.define(office, "subprocess", "norm", max_chars=4)
        office.do("set_process_fields", process_id=PROCESS, fields={"cost_centre": "CC-1"})
        ids = {"process_id": PROCESS, "subprocess_id": SUBPROCESS}
        refused("fields-invalid", office.do, "set_process_fields", **ids, fields={"norm": "demasiado"})
        office.do("set_process_fields", **ids, fields={"norm": "R12"})
        assert office.do("set_process_fields", **ids, fields={"norm": "R12"})["version"] == 5
        process = office.ask("process", process_id=PROCESS)
        assert (process["fields"], process["subprocesses"][0]["fields"]) == ({"cost_centre": "CC-1"}, {"norm": "R12"})
        refused("process-unknown", office.do, "set_process_fields", process_id=CUSTOMER, fields={})

    def test_shown_section_by_section(self, office: Office) -> None:
        self.define(office, "user", "size")
        self.define(office, "user", "blood")
        sections = [{"section_id": "health", "name": "Salud", "keys": ["blood"]}]
        office.do("arrange_fields", entity="user", sections=sections)
        (users,) = office.ask("dynamic_fields", TECHNICIAN, entity="user")["items"]
        assert [(s["name"], [f["key"] for f in s["fields"]]) for s in users["sections"]] == [
            ("Salud", ["blood"]),
            (None, ["size"]),
        ]
        assert [row["entity"] for row in office.ask("dynamic_fields")["items"]] == ["task", "user"]
        refused("forbidden", office.do, "deactivate_field", TECHNICIAN, entity="user", key="size")
