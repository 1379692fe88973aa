"""Recurring work: planned once, opened a fortnight ahead each time exactly once, changed, skipped, ended."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st

from services.kernel.clock import new_id
from services.kernel.domain import ERASED
from services.kernel.shown import stamp
from services.kernel.testing.app import START
from services.kernel.testing.given import given
from services.tasks.domain.recurrence import (
    ChangeRecurrence,
    EndRecurrence,
    Occurrence,
    OccurrenceSkipped,
    OccurrencesOpened,
    RecordOpened,
    RecurrenceChanged,
    RecurrenceEnded,
    RecurrenceStarted,
    SkipOccurrence,
    StartRecurrence,
    Timing,
    recurrence,
)
from services.tasks.domain.task_planning import Outline, Wording
from services.tasks.recurring.opening import task_of
from services.tasks.recurring.rule import between
from tests.examples.tasks import (
    ADMIN,
    COLLEAGUE,
    CUSTOMER,
    EQUIPMENT,
    FORM,
    LOCATION,
    NOW,
    PROCESS,
    SERVICE,
    SUBPROCESS,
    SUPERVISOR,
    TASK,
    TECHNICIAN,
    an_id,
)
from tests.unit.tasks.office import Office
from tests.unit.tasks.test_service import refused

RECURRENCE = an_id(91)
DAILY = Timing(rule="FREQ=DAILY", starts="2026-03-02T08:00", zone="America/Bogota", minutes=60)
PLAN = {
    "timing": DAILY,
    "outline": Outline(process_id=PROCESS, subprocess_id=SUBPROCESS),
    "wording": Wording(title="Ronda de inspección"),
}
STARTED = RecurrenceStarted(recurrence_id=RECURRENCE, since=NOW, planned_by=ADMIN, **PLAN)
FIRST = datetime(2026, 3, 3, 13, tzinfo=UTC)
UPTO = NOW + timedelta(days=14)
OPENED = OccurrencesOpened(
    recurrence_id=RECURRENCE,
    revision=1,
    upto=UPTO,
    occurrences=(Occurrence(start=FIRST, task_id=TASK),),
    following=UPTO + timedelta(days=1),
)
WEEKLY = {**PLAN, "timing": DAILY.model_copy(update={"rule": "FREQ=WEEKLY"})}
CHANGED = RecurrenceChanged(recurrence_id=RECURRENCE, revision=2, since=NOW, **WEEKLY)


def ask(command: Any, **fields: Any) -> Any:
    return command(**{"recurrence_id": RECURRENCE, "at": NOW, "by": ADMIN, **fields})


class TestDeciding:
    def test_planned_once(self) -> None:
        given(recurrence).when(ask(StartRecurrence, **PLAN)).then(STARTED)
        given(recurrence).when(ask(StartRecurrence, **PLAN)).then_repeating_adds_nothing()
        given(recurrence, STARTED).when(ask(StartRecurrence, **WEEKLY)).then_rejected("recurrence-exists")

    def test_for_one_person_or_one_team(self) -> None:
        both = PLAN["outline"].model_copy(update={"user_id": ADMIN, "team_id": ADMIN})
        command = ask(StartRecurrence, **{**PLAN, "outline": both})
        given(recurrence).when(command).then_rejected("assignee-ambiguous")

    def test_changed_for_what_has_not_begun(self) -> None:
        given(recurrence, STARTED).when(ask(ChangeRecurrence, **WEEKLY)).then(CHANGED)
        given(recurrence, STARTED).when(ask(ChangeRecurrence, **WEEKLY)).then_repeating_adds_nothing()
        given(recurrence, STARTED).when(ask(ChangeRecurrence, **PLAN)).then_nothing()

    def test_what_was_opened_is_recorded_once(self) -> None:
        fields = {name: getattr(OPENED, name) for name in ("revision", "upto", "occurrences", "following")}
        given(recurrence, STARTED).when(ask(RecordOpened, **fields)).then(OPENED)
        given(recurrence, STARTED).when(ask(RecordOpened, **fields)).then_repeating_adds_nothing()

    @pytest.mark.parametrize("overtaken_by", [CHANGED, RecurrenceEnded(recurrence_id=RECURRENCE, since=NOW)])
    def test_what_was_opened_while_the_plan_changed_is_looked_at_again(self, overtaken_by: Any) -> None:
        fields = {name: getattr(OPENED, name) for name in ("revision", "upto", "occurrences", "following")}
        late = given(recurrence, STARTED, overtaken_by).when(ask(RecordOpened, **fields))
        story = late.then(OPENED.model_copy(update={"more": True}))
        assert story.state.opened == {FIRST: TASK}
        story.when(ask(RecordOpened, **fields)).then_nothing()

    def test_what_a_change_took_back_is_remembered(self) -> None:
        took = {"revision": 2, "upto": UPTO, "occurrences": (), "following": None, "withdrawn": (FIRST,)}
        story = given(recurrence, STARTED, OPENED, CHANGED).when(ask(RecordOpened, **took))
        assert story.then_repeating_adds_nothing().state.withdrawn == {FIRST}
        stale = given(recurrence, STARTED, OPENED, CHANGED).when(ask(RecordOpened, **{**took, "revision": 1}))
        again = stale.then_repeating_adds_nothing().state
        assert (again.withdrawn, again.upto) == ({FIRST}, None)

    def test_tasks_are_brought_to_the_plan_that_they_were_opened_under(self) -> None:
        state = given(recurrence, STARTED, OPENED, CHANGED).state
        assert (state.aligned.timing, state.plan.timing.rule, state.upto) == (DAILY, "FREQ=WEEKLY", None)
        again = OPENED.model_copy(update={"revision": 2, "occurrences": ()})
        assert given(recurrence, STARTED, OPENED, CHANGED, again).state.aligned.timing.rule == "FREQ=WEEKLY"

    def test_one_time_is_left_out(self) -> None:
        skip = ask(SkipOccurrence, start=FIRST)
        given(recurrence, STARTED).when(skip).then(OccurrenceSkipped(recurrence_id=RECURRENCE, start=FIRST))
        given(recurrence, STARTED).when(skip).then_repeating_adds_nothing()

    def test_ended(self) -> None:
        over = RecurrenceEnded(recurrence_id=RECURRENCE, since=NOW)
        ended = given(recurrence, STARTED).when(ask(EndRecurrence)).then(over)
        ended.when(ask(EndRecurrence)).then_nothing()
        ended.when(ask(SkipOccurrence, start=FIRST)).then_rejected("recurrence-ended")
        ended.when(ask(ChangeRecurrence, **WEEKLY)).then_rejected("recurrence-ended")
        ended.when(ask(ChangeRecurrence, **PLAN)).then_nothing()

    @pytest.mark.parametrize(
        "command", [ask(ChangeRecurrence, **PLAN), ask(SkipOccurrence, start=FIRST), ask(EndRecurrence)]
    )
    def test_what_was_never_planned(self, command: Any) -> None:
        given(recurrence).when(command).then_rejected("recurrence-unknown")

    def test_erased_words_leave_a_recurrence(self) -> None:
        assert given(recurrence, STARTED.model_copy(update={"wording": ERASED})).state.plan.wording is ERASED


class TestInTheOffice:
    """It is Monday, 23 November 2026, 8:00 in Bogotá."""

    def start(self, office: Office, by: str = ADMIN, **changes: Any) -> str:
        plan = {
            "recurrence_id": new_id(),
            "title": "Ronda",
            "process_id": PROCESS,
            "subprocess_id": SUBPROCESS,
            "rule": "FREQ=WEEKLY;BYDAY=MO",
            "starts": "2026-11-23T08:00",
            "minutes": 90,
            **changes,
        }
        office.do("start_recurrence", by, **plan)
        return str(plan["recurrence_id"])

    def tasks(self, office: Office, id: str, *statuses: str) -> list[dict[str, Any]]:
        wanted: dict[str, Any] = {"status": statuses} if statuses else {}
        return list(office.ask("task_board", recurrence_id=id, order="due", limit=200, **wanted)["items"])

    def starts(self, office: Office, id: str, *statuses: str) -> list[str]:
        return [row["window"]["start"][:16] for row in self.tasks(office, id, *statuses)]

    def test_a_fortnight_is_opened_ahead_then_week_by_week(self, office: Office) -> None:
        id = self.start(office)
        assert self.starts(office, id) == ["2026-11-23T13:00", "2026-11-30T13:00", "2026-12-07T13:00"]
        office.app.advance(timedelta(days=6, hours=23))
        assert len(self.tasks(office, id)) == 3
        office.app.advance(timedelta(hours=1))
        assert self.starts(office, id)[-1] == "2026-12-14T13:00"
        office.app.advance(timedelta(weeks=4))
        assert len(self.tasks(office, id)) == 8
        found = office.ask("recurrence", recurrence_id=id)
        assert (found["status"], found["following"][:10], len(found["occurrences"])) == ("active", "2027-01-18", 8)

    def test_everything_asked_for_is_inherited_each_time(self, office: Office) -> None:
        plan = {
            "customer_id": CUSTOMER,
            "location_id": LOCATION,
            "equipment_id": EQUIPMENT,
            "form_ids": [FORM],
            "service_ids": [SERVICE],
            "user_id": TECHNICIAN,
            "priority": "high",
            "description": "Con checklist",
            "fields": {"serial": "S-1"},
        }
        id = self.start(office, SUPERVISOR, **plan)
        for row in self.tasks(office, id):
            whole = office.ask("task", task_id=row["id"])
            assert {name: whole[name] for name in plan} == plan
            assert whole["opened_by"] == SUPERVISOR
            assert whole["window"]["end"] == stamp(
                datetime.fromisoformat(whole["window"]["start"]) + timedelta(minutes=90)
            )
            assert [stage["stage_id"] for stage in whole["stages"]][1] == "on-the-way"

    def test_each_once_however_often_it_is_opened(self, office: Office) -> None:
        id = self.start(office)
        for _ in range(3):
            office.as_system("open_occurrences", recurrence_id=id)
        assert [row["id"] for row in self.tasks(office, id)] == [
            task_of(id, datetime(2026, 11, day, 13, tzinfo=UTC)) for day in (23, 30)
        ] + [task_of(id, datetime(2026, 12, 7, 13, tzinfo=UTC))]

    def test_what_died_in_the_middle_is_gone_on_with(self, office: Office) -> None:
        id = new_id()
        first = datetime(2026, 11, 23, 13, tzinfo=UTC)
        office.open(task_id=task_of(id, first), title="Abierta antes de morir")
        self.start(office, recurrence_id=id)
        assert office.ask("recurrence", recurrence_id=id)["occurrences"][0]["task_id"] == task_of(id, first)

    def test_many_at_once_come_in_parts(self, office: Office) -> None:
        every = "FREQ=YEARLY;BYMONTH=11,12;BYHOUR=6,8,10,12,14,16"
        id = self.start(office, rule=every + ";BYDAY=MO,TU,WE,TH,FR,SA,SU", starts="2026-11-24T06:00")
        assert len(self.tasks(office, id)) == 80
        parts = [fact.event for fact in office.app.facts() if fact.type == "OccurrencesOpened"]
        assert [len(part.occurrences) for part in parts] == [50, 30]

    def test_it_finishes_by_itself(self, office: Office) -> None:
        id = self.start(office, rule="FREQ=DAILY;COUNT=3")
        assert office.ask("recurrence", recurrence_id=id)["status"] == "finished"
        office.app.advance(timedelta(days=60))
        assert len(self.tasks(office, id)) == 3

    def test_a_change_is_for_what_has_not_begun(self, office: Office) -> None:
        id = self.start(office, user_id=TECHNICIAN)
        office.app.advance(timedelta(days=1))
        office.do("start_task", TECHNICIAN, task_id=self.tasks(office, id)[0]["id"])
        second, third = (row["id"] for row in self.tasks(office, id)[1:])
        office.do("edit_task", task_id=second, priority="urgent")
        office.do("start_task", TECHNICIAN, task_id=third)
        office.do("change_recurrence", recurrence_id=id, title="Ronda larga", minutes=180, user_id=COLLEAGUE)
        rows = self.tasks(office, id)
        assert [(row["title"], row["priority"], row["user_id"]) for row in rows] == [
            ("Ronda", "normal", TECHNICIAN),
            ("Ronda larga", "urgent", COLLEAGUE),
            ("Ronda", "normal", COLLEAGUE),
        ]
        assert rows[1]["window"]["end"][:16] == "2026-11-30T16:00"
        office.app.advance(timedelta(days=7))
        assert [row["title"] for row in self.tasks(office, id)[3:]] == ["Ronda larga"]

    def test_own_fields_follow_one_by_one(self, office: Office) -> None:
        for key in ("kept", "gone", "new"):
            office.do("define_field", entity="task", key=key, field={"label": key, "rules": {"type": "text"}})
        id = self.start(office, fields={"serial": "S-1", "kept": "K", "gone": "G"})
        second = self.tasks(office, id)[1]["id"]
        office.do("edit_task", task_id=second, fields={"serial": "by hand", "kept": "by hand", "gone": "G"})
        office.do("change_recurrence", recurrence_id=id, fields={"serial": "S-2", "kept": "K", "new": "N"})
        found = office.ask("task", task_id=second)["fields"]
        assert found == {"serial": "S-2", "kept": "by hand", "new": "N"}

    def test_another_rule_takes_away_what_no_longer_occurs(self, office: Office) -> None:
        id = self.start(office, rule="FREQ=WEEKLY;BYDAY=MO,TH")
        office.app.advance(timedelta(days=1))
        office.do("change_recurrence", recurrence_id=id, rule="FREQ=WEEKLY;BYDAY=TH,FR")
        assert self.starts(office, id, "pending") == [
            f"2026-{day}T13:00" for day in ("11-23", "11-26", "11-27", "12-03", "12-04")
        ]
        gone = self.tasks(office, id, "cancelled")
        assert [row["window"]["start"][5:10] for row in gone] == ["11-30", "12-07"]

    def test_a_change_taken_back_brings_the_tasks_back(self, office: Office) -> None:
        id = self.start(office, rule="FREQ=WEEKLY;BYDAY=MO")
        _, by_hand, third = (row["id"] for row in self.tasks(office, id))
        office.do("cancel_task", task_id=by_hand, reason="El cliente no estará")
        for rule in ("FREQ=WEEKLY;BYDAY=TU", "FREQ=WEEKLY;BYDAY=MO"):
            office.do("change_recurrence", recurrence_id=id, rule=rule)
        rows = {row["id"]: row["status"] for row in self.tasks(office, id)}
        assert (rows[by_hand], rows[third]) == ("cancelled", "pending")

    def test_what_was_under_way_at_the_end_goes_too(self, office: Office) -> None:
        id = self.start(office)
        office.do("end_recurrence", recurrence_id=id)
        late = datetime(2026, 12, 14, 13, tzinfo=UTC)
        office.open(task_id=task_of(id, late), title="Abierta a destiempo")
        done = Occurrence(start=late, task_id=task_of(id, late))
        command = RecordOpened(
            recurrence_id=id, revision=1, upto=late, occurrences=(done,), following=None, at=START, by="system:test"
        )
        office.app.application.journal.handle(recurrence, id, command, commit_id="late", caller=office.caller(ADMIN))
        office.app.follow()
        assert office.ask("task", task_id=done.task_id)["status"] == "cancelled"
        assert office.ask("recurrence", recurrence_id=id)["status"] == "ended"

    def test_two_changes_in_a_row_both_arrive(self, office: Office) -> None:
        id = self.start(office)
        follow, office.app.follow = office.app.follow, lambda: None  # type: ignore[method-assign]
        office.do("change_recurrence", recurrence_id=id, title="Otra ronda")
        office.do("change_recurrence", recurrence_id=id, priority="low")
        office.app.follow = follow  # type: ignore[method-assign]
        office.app.follow()
        rows = self.tasks(office, id)[1:]
        assert {(row["title"], row["priority"]) for row in rows} == {("Otra ronda", "low")}

    def test_one_time_is_left_out(self, office: Office) -> None:
        id = self.start(office)
        opened = datetime(2026, 11, 30, 13, tzinfo=UTC)
        later = opened + timedelta(weeks=3)
        for start in (opened, opened, later):
            office.do("skip_occurrence", recurrence_id=id, start=stamp(start))
        never = stamp(opened + timedelta(hours=1))
        refused("occurrence-unknown", office.do, "skip_occurrence", recurrence_id=id, start=never)
        office.app.advance(timedelta(weeks=3))
        assert self.starts(office, id, "pending") == [
            f"2026-{day}T13:00" for day in ("11-23", "12-07", "12-14", "12-28")
        ]
        upcoming = office.ask("recurrence", recurrence_id=id, upcoming=2)["upcoming"]
        assert [(one["start"][:10], one["skipped"]) for one in upcoming] == [
            ("2026-12-21", True),
            ("2026-12-28", False),
        ]

    def test_the_end_takes_back_what_nobody_has_begun(self, office: Office) -> None:
        id = self.start(office, user_id=TECHNICIAN)
        _, second, _ = self.tasks(office, id)
        office.do("start_task", TECHNICIAN, task_id=second["id"])
        office.do("end_recurrence", recurrence_id=id)
        office.app.advance(timedelta(weeks=8))
        assert [row["status"] for row in self.tasks(office, id)] == ["pending", "in_progress", "cancelled"]
        found = office.ask("recurrence", recurrence_id=id)
        assert (found["status"], found["upcoming"]) == ("ended", [])

    def test_work_whose_person_has_gone_is_opened_for_nobody(self, office: Office) -> None:
        id = self.start(office, user_id=TECHNICIAN)
        office.tell("UserDeactivated", user_id=TECHNICIAN)
        office.app.advance(timedelta(weeks=1))
        assert [row["user_id"] for row in self.tasks(office, id)] == [*[TECHNICIAN] * 3, None]
        assert office.ask("recurrence", recurrence_id=id)["occurrences"][-1]["code"] == "assignee-not-operational"

    def test_what_cannot_be_opened_says_why_and_the_next_comes_all_the_same(self, office: Office) -> None:
        id = self.start(office)
        office.do("deactivate_process", process_id=PROCESS)
        office.app.advance(timedelta(weeks=1))
        missed = office.ask("recurrence", recurrence_id=id)["occurrences"][-1]
        assert (missed["task_id"], missed["code"]) == (None, "process-inactive")
        office.do("activate_process", process_id=PROCESS)
        office.app.advance(timedelta(weeks=1))
        assert len(self.tasks(office, id)) == 4

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"rule": "FREQ=HOURLY"}, "recurrence-rule-invalid"),
            ({"zone": "Mars/Olympus"}, "time-zone-unknown"),
            ({"starts": "2100-01-01T08:00"}, "recurrence-start-out-of-range"),
            ({"starts": "tomorrow"}, "invalid"),
            ({"process_id": an_id(999)}, "process-unknown"),
            ({"user_id": SUPERVISOR}, "assignee-not-operational"),
            ({"fields": {"colour": "x"}}, "fields-invalid"),
            ({"surprise": 1}, "invalid"),
        ],
    )
    def test_a_plan_that_cannot_come_true_is_refused(self, office: Office, changes: Any, code: str) -> None:
        refused(code, self.start, office, **changes)
        id = self.start(office)
        refused(code, office.do, "change_recurrence", recurrence_id=id, **changes)

    def test_who_may(self, office: Office) -> None:
        refused("forbidden", self.start, office, TECHNICIAN)
        id = self.start(office)
        refused("forbidden", office.do, "open_occurrences", recurrence_id=id)
        refused("forbidden", office.ask, "recurrences", TECHNICIAN)
        own = self.start(office, SUPERVISOR)
        office.open(user_id=COLLEAGUE)
        assigned = self.start(office, user_id=COLLEAGUE)
        assert {row["id"] for row in office.ask("recurrences", SUPERVISOR)["items"]} == {own, id}
        refused("recurrence-unknown", office.do, "end_recurrence", SUPERVISOR, recurrence_id=assigned)
        assert len(office.ask("recurrences", status="active")["items"]) == 3

    def test_a_repeat_finds_what_was_planned(self, office: Office) -> None:
        id = new_id()
        self.start(office, recurrence_id=id)
        office.do("deactivate_process", process_id=PROCESS)
        self.start(office, recurrence_id=id)

    def test_a_rule_can_be_tried_first(self, office: Office) -> None:
        tried = office.ask("preview_recurrence", rule="rrule:freq=monthly;bymonthday=31", starts="2026-12-01T08:00")
        assert tried["upcoming"][:2] == ["2026-12-31T13:00:00.000Z", "2027-01-31T13:00:00.000Z"]
        later = office.ask(
            "preview_recurrence", rule="FREQ=DAILY", starts="2026-12-01T08:00", after=tried["upcoming"][0]
        )
        assert later["upcoming"][0] == "2027-01-01T13:00:00.000Z"


RULES = ("FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=WEEKLY;BYDAY=TU", "FREQ=DAILY;INTERVAL=3", "FREQ=DAILY;COUNT=9")
actions = st.one_of(
    st.integers(1, 9).map(lambda days: ("wait", days)),
    st.sampled_from(RULES).map(lambda rule: ("change", rule)),
    st.integers(0, 3).map(lambda ahead: ("skip", ahead)),
    st.just(("open", 0)),
)


@settings(max_examples=25)
@having(st.sampled_from(RULES), st.lists(actions, max_size=6))
def test_what_is_ahead_is_what_the_plan_says(rule_of: str, happened: list[tuple[str, Any]]) -> None:
    """Whatever was changed, left out or opened twice: a fortnight's tasks, each once, none that should not be."""
    office = Office()
    office.set_up()
    id = TestInTheOffice().start(office, rule=rule_of)
    skipped: set[str] = set()
    for what, how in happened:
        match what:
            case "wait":
                office.app.advance(timedelta(days=how))
            case "change":
                office.do("change_recurrence", recurrence_id=id, rule=how)
            case "skip":
                upcoming = office.ask("recurrence", recurrence_id=id)["upcoming"]
                for one in upcoming[how : how + 1]:
                    office.do("skip_occurrence", recurrence_id=id, start=one["start"])
                    skipped.add(one["start"])
            case _:
                office.as_system("open_occurrences", recurrence_id=id)
    now = office.app.clock.now()
    plan = recurrence_of(office, id)
    due = {stamp(start) for start in between(plan, now, now + timedelta(days=14)) if start > now}
    rows = office.ask("task_board", recurrence_id=id, limit=200)["items"]
    pending = [row["window"]["start"] for row in rows if row["status"] == "pending"]
    ahead = [start for start in pending if start > stamp(now)]
    assert sorted(ahead) == sorted(due - skipped)


def recurrence_of(office: Office, id: str) -> Timing:
    found = office.ask("recurrence", recurrence_id=id)
    return Timing(**{name: found[name] for name in Timing.model_fields})
