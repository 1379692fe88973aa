"""Opening, editing and assigning a task."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from services.tasks.domain.stages import DEFAULT_STAGES
from services.tasks.domain.task import task
from services.tasks.domain.task_events import (
    OpeningAbandoned,
    StagesInherited,
    TaskAssigned,
    TaskClaimed,
    TaskCustomerChanged,
    TaskDescribed,
    TaskFieldsChanged,
    TaskFormsChanged,
    TaskReclassified,
    TaskReprioritised,
    TaskRescheduled,
    TaskRetitled,
    TaskServicesChanged,
)
from services.tasks.domain.task_planning import AssignTask, EditTask, OpenTask, PlanningFacts
from services.tasks.domain.values import ANYTIME, Window
from tests.examples.tasks import (
    ADMIN,
    COLLEAGUE,
    CUSTOMER,
    FORM,
    LIST,
    LOCATION,
    NOW,
    OTHER_PROCESS,
    OTHER_SUBPROCESS,
    OTHER_TEAM,
    PROCESS,
    SERVICE,
    STAGE_NAMES,
    STAGES,
    SUBPROCESS,
    SUBTASK,
    TASK,
    TEAM,
    TECHNICIAN,
    TO_COMPLETED,
    TO_PROGRESS,
    an_id,
    assigned,
    cancelled,
    opened,
)

OFFICE = PlanningFacts(manages=True, list_id=LIST, stages=STAGES, stage_names=STAGE_NAMES)
FIELD = OFFICE.model_copy(update={"manages": False, "teams": frozenset({TEAM})})
MORNING = Window(start=NOW, end=NOW + timedelta(hours=2))


def open_it(**changes: Any) -> OpenTask:
    return OpenTask(
        **{
            "task_id": TASK,
            "title": "Revisión de ascensor",
            "description": "Torre B, piso 4",
            "process_id": PROCESS,
            "subprocess_id": SUBPROCESS,
            "customer_id": CUSTOMER,
            "location_id": LOCATION,
            "facts": OFFICE,
            "at": NOW,
            "by": ADMIN,
            **changes,
        }
    )


def edit(facts: PlanningFacts = OFFICE, by: str = ADMIN, **changes: Any) -> EditTask:
    return EditTask(**{"task_id": TASK, "facts": facts, "at": NOW, "by": by, **changes})


def assign(facts: PlanningFacts = OFFICE, **to: Any) -> AssignTask:
    return AssignTask(**{"task_id": TASK, "facts": facts, "at": NOW, "by": ADMIN, **to})


class TestOpening:
    def test_it_inherits_the_stages_of_its_process(self) -> None:
        given(task).when(open_it()).then(opened())
        assert given(task, opened()).state.stage == "pending"

    def test_with_somebody_to_do_it(self) -> None:
        given(task).when(open_it(user_id=TECHNICIAN)).then(opened(), assigned(TECHNICIAN))
        given(task).when(open_it(team_id=TEAM)).then(opened(), assigned(None, TEAM))

    def test_the_same_request_again_adds_nothing(self) -> None:
        given(task).when(open_it(user_id=TECHNICIAN)).then_repeating_adds_nothing()

    def test_the_same_request_after_the_list_was_changed_adds_nothing(self) -> None:
        later = OFFICE.model_copy(update={"stages": DEFAULT_STAGES, "list_id": None, "stage_names": {}})
        given(task, opened(), *TO_PROGRESS).when(open_it(facts=later)).then_nothing()

    def test_another_request_under_its_id_is_refused(self) -> None:
        given(task, opened()).when(open_it(title="Otra cosa")).then_rejected("task-exists")
        given(task, opened()).when(open_it(by=TECHNICIAN)).then_rejected("task-exists")

    def test_a_technician_opens_for_himself(self) -> None:
        given(task).when(open_it(facts=FIELD, by=TECHNICIAN)).then(opened(opened_by=TECHNICIAN), assigned(TECHNICIAN))

    def test_a_technician_opens_for_his_team(self) -> None:
        given(task).when(open_it(facts=FIELD, by=TECHNICIAN, team_id=TEAM)).then(
            opened(opened_by=TECHNICIAN), assigned(None, TEAM)
        )

    @pytest.mark.parametrize("to", [{"user_id": COLLEAGUE}, {"team_id": OTHER_TEAM}])
    def test_a_technician_gives_no_work_to_others(self, to: dict[str, str]) -> None:
        given(task).when(open_it(facts=FIELD, by=TECHNICIAN, **to)).then_rejected("assignee-not-allowed")

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"window": Window(start=NOW, end=NOW - timedelta(minutes=1))}, "window-out-of-order"),
            ({"customer_id": None}, "location-without-customer"),
            ({"user_id": TECHNICIAN, "team_id": TEAM}, "assignee-ambiguous"),
            ({"blocks_parent": True}, "parent-missing"),
        ],
    )
    def test_a_contradiction_is_refused(self, changes: dict[str, Any], code: str) -> None:
        given(task).when(open_it(**changes)).then_rejected(code)

    def test_it_does_not_open_after_its_parent_stopped_waiting(self) -> None:
        abandoned = OpeningAbandoned(task_id=TASK, opening=1)
        late = open_it(parent_id=SUBTASK, blocks_parent=True)
        given(task, abandoned).when(late).then_rejected("parent-completed")
        again = open_it(parent_id=SUBTASK, blocks_parent=True, facts=OFFICE.model_copy(update={"opening": 2}))
        given(task, abandoned).when(again).then(opened(parent_id=SUBTASK, blocks_parent=True, opening=2))

    @pytest.mark.parametrize(
        "wrong",
        [
            {"title": " "},
            {"task_id": TASK.upper()},
            {"priority": "whenever"},
            {"fields": {"Not a key": 1}},
            {"window": {"start": "2026-03-02T10:00:00"}},
        ],
    )
    def test_a_malformed_request_is_no_request(self, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            open_it(**wrong)


CHANGES: list[tuple[dict[str, Any], list[Any]]] = [
    (
        {"title": "Cambio de polea"},
        [TaskRetitled(task_id=TASK, title="Cambio de polea", from_title="Revisión de ascensor")],
    ),
    (
        {"description": "Sótano"},
        [TaskDescribed(task_id=TASK, description="Sótano", from_description="Torre B, piso 4")],
    ),
    ({"window": MORNING}, [TaskRescheduled(task_id=TASK, window=MORNING, from_window=ANYTIME)]),
    (
        {"priority": "urgent"},
        [TaskReprioritised(task_id=TASK, priority="urgent", from_priority="normal")],
    ),
    ({"form_ids": (FORM,)}, [TaskFormsChanged(task_id=TASK, form_ids=(FORM,), from_form_ids=())]),
    (
        {"service_ids": (SERVICE,)},
        [TaskServicesChanged(task_id=TASK, service_ids=(SERVICE,), from_service_ids=())],
    ),
    (
        {"fields": {"serial": "A-1"}},
        [TaskFieldsChanged(task_id=TASK, changed=("serial",), fields={"serial": "A-1"}, from_fields={})],
    ),
    (
        {"customer_id": an_id(43)},
        [
            TaskCustomerChanged(
                task_id=TASK,
                customer_id=an_id(43),
                location_id=None,
                from_customer_id=CUSTOMER,
                from_location_id=LOCATION,
            )
        ],
    ),
    (
        {"location_id": an_id(44)},
        [
            TaskCustomerChanged(
                task_id=TASK,
                customer_id=CUSTOMER,
                location_id=an_id(44),
                from_customer_id=CUSTOMER,
                from_location_id=LOCATION,
            )
        ],
    ),
    (
        {"process_id": PROCESS, "subprocess_id": OTHER_SUBPROCESS},
        [
            TaskReclassified(
                task_id=TASK,
                process_id=PROCESS,
                subprocess_id=OTHER_SUBPROCESS,
                from_process_id=PROCESS,
                from_subprocess_id=SUBPROCESS,
            )
        ],
    ),
    (
        {"process_id": OTHER_PROCESS, "subprocess_id": OTHER_SUBPROCESS},
        [
            TaskReclassified(
                task_id=TASK,
                process_id=OTHER_PROCESS,
                subprocess_id=OTHER_SUBPROCESS,
                from_process_id=PROCESS,
                from_subprocess_id=SUBPROCESS,
            ),
            StagesInherited(task_id=TASK, list_id=LIST, stages=STAGES, stage_names=STAGE_NAMES),
        ],
    ),
]


class TestEditing:
    @pytest.mark.parametrize(("changes", "facts"), CHANGES, ids=lambda v: "+".join(v) if type(v) is dict else "")
    def test_every_changed_field_is_its_own_fact(self, changes: dict[str, Any], facts: list[Any]) -> None:
        given(task, opened()).when(edit(**changes)).then(*facts)
        given(task, opened()).when(edit(**changes)).then_repeating_adds_nothing()

    @pytest.mark.parametrize(("changes", "facts"), CHANGES, ids=lambda v: "+".join(v) if type(v) is dict else "")
    def test_only_while_pending(self, changes: dict[str, Any], facts: list[Any]) -> None:
        given(task, opened(), *TO_PROGRESS).when(edit(**changes)).then_rejected("task-not-editable")
        given(task, opened(), *TO_COMPLETED).when(edit(**changes)).then_rejected("task-not-editable")
        given(task, opened(), cancelled).when(edit(**changes)).then_rejected("task-cancelled")

    def test_several_fields_at_once(self) -> None:
        given(task, opened()).when(edit(priority="high", title="Cambio de polea")).then(
            TaskRetitled(task_id=TASK, title="Cambio de polea", from_title="Revisión de ascensor"),
            TaskReprioritised(task_id=TASK, priority="high", from_priority="normal"),
        )

    def test_nothing_given_nothing_changed(self) -> None:
        given(task, opened()).when(edit()).then_nothing()
        given(task, opened(), *TO_PROGRESS).when(edit(title="Revisión de ascensor")).then_nothing()

    def test_fields_of_an_erased_account_can_be_written_anew(self) -> None:
        given(task, opened(fields=ERASED)).when(edit(fields={"serial": "A-1"})).then(
            TaskFieldsChanged(task_id=TASK, changed=("serial",), fields={"serial": "A-1"}, from_fields=ERASED)
        )

    def test_by_the_office_or_whoever_opened_it(self) -> None:
        given(task, opened()).when(edit(FIELD, TECHNICIAN, title="Otra")).then_rejected("forbidden")
        given(task, opened(opened_by=TECHNICIAN)).when(
            edit(FIELD, TECHNICIAN, title="Otra")
        ).then_repeating_adds_nothing()

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"window": Window(start=NOW, end=NOW - timedelta(minutes=1))}, "window-out-of-order"),
            ({"customer_id": None, "location_id": LOCATION}, "location-without-customer"),
            ({"subprocess_id": OTHER_SUBPROCESS}, "subprocess-without-process"),
        ],
    )
    def test_a_contradiction_is_refused(self, changes: dict[str, Any], code: str) -> None:
        given(task, opened()).when(edit(**changes)).then_rejected(code)

    def test_an_unknown_task_is_refused(self) -> None:
        given(task).when(edit(title="Otra")).then_rejected("task-unknown")


class TestAssigning:
    def test_to_a_person_a_team_or_nobody(self) -> None:
        start = given(task, opened())
        to_person = start.when(assign(user_id=TECHNICIAN)).then(assigned(TECHNICIAN))
        to_team = to_person.when(assign(team_id=TEAM)).then(assigned(None, TEAM, from_user_id=TECHNICIAN))
        to_team.when(assign()).then(assigned(None, None, from_team_id=TEAM))

    def test_the_same_again_adds_nothing(self) -> None:
        given(task, opened()).when(assign(user_id=TECHNICIAN)).then_repeating_adds_nothing()
        given(task, opened(), assigned(TECHNICIAN), *TO_COMPLETED).when(assign(user_id=TECHNICIAN)).then_nothing()

    def test_a_task_in_progress_changes_hands_but_keeps_somebody(self) -> None:
        underway = given(task, opened(), assigned(TECHNICIAN), *TO_PROGRESS)
        underway.when(assign(user_id=COLLEAGUE)).then(assigned(COLLEAGUE, from_user_id=TECHNICIAN))
        underway.when(assign(team_id=TEAM)).then(assigned(None, TEAM, from_user_id=TECHNICIAN))
        underway.when(assign()).then_rejected("assignee-required")

    def test_giving_a_claimed_task_back_to_its_team_frees_it(self) -> None:
        claimed = TaskClaimed(task_id=TASK, user_id=TECHNICIAN, team_id=TEAM)
        given(task, opened(), assigned(None, TEAM), claimed).when(assign(team_id=TEAM)).then(
            TaskAssigned(task_id=TASK, user_id=None, team_id=TEAM, from_user_id=TECHNICIAN, from_team_id=TEAM)
        )

    @pytest.mark.parametrize(
        ("before", "command", "code"),
        [
            ([], assign(user_id=TECHNICIAN), "task-unknown"),
            ([opened()], assign(FIELD, user_id=TECHNICIAN), "forbidden"),
            ([opened()], assign(user_id=TECHNICIAN, team_id=TEAM), "assignee-ambiguous"),
            ([opened(), cancelled], assign(user_id=TECHNICIAN), "task-cancelled"),
            ([opened(), *TO_COMPLETED], assign(user_id=TECHNICIAN), "task-completed"),
        ],
    )
    def test_refusals(self, before: list[Any], command: AssignTask, code: str) -> None:
        given(task, *before).when(command).then_rejected(code)
