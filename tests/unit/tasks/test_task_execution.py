"""Claiming a task, walking its stages, closing it and opening it again."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.domain import Rejected
from services.kernel.testing.given import given
from services.tasks.domain.evidence_events import FormAnswerCompleted, FormAnswerDiscarded
from services.tasks.domain.task import task
from services.tasks.domain.task_events import (
    OpeningAbandoned,
    PresenceConfirmed,
    SubtaskExpected,
    TaskAdvanced,
    TaskCancelled,
    TaskClaimed,
    TaskReopened,
)
from services.tasks.domain.task_execution import (
    AbandonOpening,
    AdvanceTask,
    CancelTask,
    ClaimTask,
    ExecutionFacts,
    ExpectSubtask,
    ReopenTask,
    StartTask,
)
from tests.examples.tasks import (
    ADMIN,
    BOGOTA,
    COLLEAGUE,
    FORM,
    MEDELLIN,
    NEARBY,
    NOW,
    OTHER_FORM,
    OTHER_SUBMISSION,
    OTHER_TEAM,
    STRANGER,
    SUBMISSION,
    SUBTASK,
    TASK,
    TEAM,
    TECHNICIAN,
    TO_COMPLETED,
    TO_PROGRESS,
    TO_VALIDATION,
    answered,
    assigned,
    cancelled,
    demanding,
    opened,
    walked,
)

MEMBER = ExecutionFacts(teams=frozenset({TEAM}))
OFFICE = ExecutionFacts(manages=True)
MINE = [opened(), assigned(TECHNICIAN)]
OURS = [opened(), assigned(None, TEAM)]
claimed = TaskClaimed(task_id=TASK, user_id=TECHNICIAN, team_id=TEAM)


def ask(command: Any, by: str = TECHNICIAN, **fields: Any) -> Any:
    return command(**{"task_id": TASK, "at": NOW, "by": by, **fields})


class TestClaiming:
    def test_a_member_of_the_team_makes_it_his(self) -> None:
        given(task, *OURS).when(ask(ClaimTask, facts=MEMBER)).then(claimed)

    def test_the_same_person_again_adds_nothing(self) -> None:
        given(task, *OURS).when(ask(ClaimTask, facts=MEMBER)).then_repeating_adds_nothing()

    def test_what_is_assigned_to_a_person_is_his_already(self) -> None:
        given(task, *MINE).when(ask(ClaimTask)).then_nothing()

    def test_the_second_comes_too_late(self) -> None:
        given(task, *OURS, claimed).when(ask(ClaimTask, COLLEAGUE, facts=MEMBER)).then_rejected("task-already-claimed")

    @pytest.mark.parametrize("before", [OURS, MINE, [opened()]])
    def test_whoever_is_not_in_the_team_does_not_get_it(self, before: list[Any]) -> None:
        outsider = ExecutionFacts(teams=frozenset({OTHER_TEAM}))
        given(task, *before).when(ask(ClaimTask, STRANGER, facts=outsider)).then_rejected("not-in-team")

    def test_closed_and_unknown_tasks_are_not_claimed(self) -> None:
        given(task).when(ask(ClaimTask, facts=MEMBER)).then_rejected("task-unknown")
        given(task, *OURS, cancelled).when(ask(ClaimTask, facts=MEMBER)).then_rejected("task-cancelled")
        given(task, *OURS, *TO_COMPLETED).when(ask(ClaimTask, facts=MEMBER)).then_rejected("task-completed")


class TestWalking:
    def test_starting_is_entering_the_first_stage_in_progress(self) -> None:
        given(task, *MINE).when(ask(StartTask)).then(*walked("pending", "on-the-way"))
        given(task, *MINE).when(ask(StartTask)).then_repeating_adds_nothing()

    def test_starting_does_not_skip_a_second_pending_stage(self) -> None:
        stages = demanding("nothing")
        confirmed = stages[0].model_copy(update={"stage_id": "confirmed"})
        longer = opened(stages=(stages[0], confirmed, *stages[1:]))
        given(task, longer, assigned(TECHNICIAN)).when(ask(StartTask)).then_rejected("stage-not-reachable")
        given(task, longer, assigned(TECHNICIAN)).when(ask(AdvanceTask, to_stage="confirmed")).then(
            TaskAdvanced(task_id=TASK, from_stage="pending", to_stage="confirmed", generic_state="pending")
        )

    def test_advancing_goes_to_the_next_stage(self) -> None:
        given(task, *MINE, *TO_PROGRESS).when(ask(AdvanceTask, to_stage="pending-validation")).then(
            TaskAdvanced(
                task_id=TASK,
                from_stage="in-progress",
                to_stage="pending-validation",
                generic_state="in_progress",
            )
        )

    def test_the_stage_where_it_stands_adds_nothing(self) -> None:
        given(task, *MINE, *TO_PROGRESS).when(
            ask(AdvanceTask, to_stage="pending-validation")
        ).then_repeating_adds_nothing()

    @pytest.mark.parametrize("to_stage", ["pending", "on-the-way", "completed", "audited"])
    def test_no_way_back_and_no_jump(self, to_stage: str) -> None:
        given(task, *MINE, *TO_PROGRESS).when(ask(AdvanceTask, to_stage=to_stage)).then_rejected("stage-not-reachable")

    def test_a_refused_jump_names_the_way(self) -> None:
        with pytest.raises(Rejected) as refusal:
            task.decide(ask(AdvanceTask, to_stage="completed"), given(task, *MINE).state)
        assert refusal.value.details == {"stage": "pending", "to": "completed", "next": "on-the-way"}

    def test_a_completed_task_is_not_started_again(self) -> None:
        given(task, *MINE, *TO_COMPLETED).when(ask(StartTask)).then_rejected("stage-not-reachable")

    def test_a_stage_of_another_list_is_unknown(self) -> None:
        given(task, *MINE).when(ask(AdvanceTask, to_stage="no-such-stage")).then_rejected("stage-unknown")

    @pytest.mark.parametrize("command", [ask(StartTask, STRANGER), ask(AdvanceTask, STRANGER, to_stage="on-the-way")])
    def test_only_the_assignee_executes(self, command: Any) -> None:
        for before in (MINE, OURS, [opened()]):
            given(task, *before).when(command).then_rejected("not-the-assignee")

    def test_not_even_the_office_executes(self) -> None:
        given(task, *MINE).when(ask(AdvanceTask, ADMIN, to_stage="on-the-way", facts=OFFICE)).then_rejected(
            "not-the-assignee"
        )

    def test_what_follows_completion_is_the_offices_too(self) -> None:
        audit = ask(AdvanceTask, ADMIN, to_stage="audited", facts=OFFICE)
        given(task, *MINE, *TO_COMPLETED).when(audit).then(*walked("completed", "audited"))

    def test_unknown_and_cancelled_tasks_do_not_move(self) -> None:
        for command in (ask(StartTask), ask(AdvanceTask, to_stage="on-the-way")):
            given(task).when(command).then_rejected("task-unknown")
            given(task, *MINE, cancelled).when(command).then_rejected("task-cancelled")

    def test_whoever_lost_the_task_cannot_go_on(self) -> None:
        handed_over = [*MINE, *TO_PROGRESS, assigned(COLLEAGUE, from_user_id=TECHNICIAN)]
        given(task, *handed_over).when(ask(AdvanceTask, to_stage="pending-validation")).then_rejected(
            "not-the-assignee"
        )


class TestDemands:
    def enter(
        self, facts: ExecutionFacts, position: Any = None, handed_in: tuple[Any, ...] = (), **demands: Any
    ) -> Any:
        before = [opened(stages=demanding("on-the-way", **demands)), assigned(TECHNICIAN)]
        return given(task, *before, *handed_in).when(
            ask(AdvanceTask, to_stage="on-the-way", position=position, facts=facts)
        )

    def test_everything_missing_is_listed(self) -> None:
        before = [
            opened(stages=demanding("on-the-way", forms=(FORM,), photos=2, signature=True, geolocation_radius_m=100)),
            assigned(TECHNICIAN),
            answered(form_id=OTHER_FORM, photos=1),
        ]
        with pytest.raises(Rejected) as refusal:
            task.decide(ask(StartTask, facts=ExecutionFacts(site=BOGOTA)), given(task, *before).state)
        assert refusal.value.code == "stage-demands-unmet"
        assert refusal.value.details["missing"] == [
            {"demand": "forms", "forms": [FORM]},
            {"demand": "photos", "needed": 2, "given": 1},
            {"demand": "signature"},
            {"demand": "geolocation", "radius_m": 100},
        ]

    def test_met_demands_open_the_stage(self) -> None:
        asked = {"forms": (FORM,), "photos": 2, "signature": True}
        whole = answered(photos=2, signatures=1)
        self.enter(ExecutionFacts(), handed_in=(whole,), **asked).then(*walked("pending", "on-the-way"))
        parts = (answered(photos=1), answered(submission_id=OTHER_SUBMISSION, photos=1, signatures=1))
        self.enter(ExecutionFacts(), handed_in=parts, **asked).then(*walked("pending", "on-the-way"))

    @pytest.mark.parametrize(
        "later",
        [
            [answered(parked="form_version_closed")],
            [answered(), FormAnswerDiscarded(task_id=TASK, submission_id=SUBMISSION, form_id=FORM)],
            [answered(), answered(form_id=OTHER_FORM, amendment=1)],
        ],
    )
    def test_what_waits_for_a_supervisor_or_was_replaced_proves_nothing(self, later: list[Any]) -> None:
        self.enter(ExecutionFacts(), handed_in=tuple(later), forms=(FORM,)).then_rejected("stage-demands-unmet")

    def test_a_stage_may_wait_until_everything_has_arrived(self) -> None:
        half = answered(complete=False)
        whole = FormAnswerCompleted(task_id=TASK, submission_id=SUBMISSION, form_id=FORM)
        on = walked("pending", "on-the-way")
        self.enter(ExecutionFacts(), handed_in=(half,), forms=(FORM,)).then(*on)
        self.enter(ExecutionFacts(), handed_in=(half,), complete_evidence=True).then_rejected("stage-demands-unmet")
        self.enter(ExecutionFacts(), handed_in=(half, whole), forms=(FORM,), complete_evidence=True).then(*on)

    def test_a_stage_may_ask_for_the_forms_of_the_task_itself(self) -> None:
        stages = demanding("on-the-way", forms=(FORM,), task_forms=True)
        before = [opened(stages=stages, form_ids=(FORM, OTHER_FORM)), assigned(TECHNICIAN), answered()]
        with pytest.raises(Rejected) as refusal:
            task.decide(ask(StartTask), given(task, *before).state)
        assert refusal.value.details["missing"] == [{"demand": "forms", "forms": [OTHER_FORM]}]
        also = answered(submission_id=OTHER_SUBMISSION, form_id=OTHER_FORM)
        given(task, *before, also).when(ask(StartTask)).then(*walked("pending", "on-the-way"))

    def test_being_there_is_confirmed(self) -> None:
        self.enter(ExecutionFacts(site=BOGOTA), NEARBY, geolocation_radius_m=100).then(
            PresenceConfirmed(task_id=TASK, stage_id="on-the-way", user_id=TECHNICIAN, radius_m=100, position=NEARBY),
            *walked("pending", "on-the-way"),
        )

    @pytest.mark.parametrize(("site", "position"), [(BOGOTA, MEDELLIN), (BOGOTA, None), (None, NEARBY)], ids=str)
    def test_being_elsewhere_or_nobody_knows_where_is_not_enough(self, site: Any, position: Any) -> None:
        self.enter(ExecutionFacts(site=site), position, geolocation_radius_m=100).then_rejected("stage-demands-unmet")

    def test_a_position_nobody_asked_for_is_not_kept(self) -> None:
        self.enter(ExecutionFacts(site=BOGOTA), NEARBY).then(*walked("pending", "on-the-way"))


class TestClosing:
    CANCEL = ask(CancelTask, ADMIN, reason="El cliente aplazó la visita", facts=OFFICE)

    def test_the_office_cancels_with_a_reason(self) -> None:
        given(task, *MINE).when(self.CANCEL).then(cancelled)
        given(task, *MINE).when(self.CANCEL).then_repeating_adds_nothing()

    def test_also_what_is_in_progress(self) -> None:
        given(task, *MINE, *TO_PROGRESS).when(self.CANCEL).then(
            TaskCancelled(task_id=TASK, stage="in-progress", reason="El cliente aplazó la visita")
        )

    @pytest.mark.parametrize(
        ("before", "command", "code"),
        [
            ([], CANCEL, "task-unknown"),
            (MINE, ask(CancelTask, reason="No quiero"), "forbidden"),
            (MINE, ask(CancelTask, ADMIN, reason="  ", facts=OFFICE), "reason-required"),
            ([*MINE, *TO_COMPLETED], CANCEL, "task-completed"),
        ],
    )
    def test_refusals(self, before: list[Any], command: Any, code: str) -> None:
        given(task, *before).when(command).then_rejected(code)


class TestReopening:
    REOPEN = ask(ReopenTask, ADMIN, reason="Faltó una foto", facts=OFFICE)

    def reopened(self, from_stage: str, to_stage: str, generic_state: Any) -> TaskReopened:
        return TaskReopened(
            task_id=TASK,
            from_stage=from_stage,
            to_stage=to_stage,
            generic_state=generic_state,
            opening=2,
            reason="Faltó una foto",
        )

    def test_a_completed_task_goes_back_to_its_last_stage_in_progress(self) -> None:
        given(task, *MINE, *TO_COMPLETED, *walked("completed", "audited")).when(self.REOPEN).then(
            self.reopened("audited", "pending-validation", "in_progress")
        )

    def test_a_cancelled_task_goes_on_where_it_stood(self) -> None:
        given(task, *MINE, cancelled).when(self.REOPEN).then(self.reopened("pending", "pending", "pending"))
        midway = TaskCancelled(task_id=TASK, stage="in-progress", reason="x")
        given(task, *MINE, *TO_PROGRESS, midway).when(self.REOPEN).then(
            self.reopened("in-progress", "in-progress", "in_progress")
        )

    def test_the_same_again_or_an_open_task_adds_nothing(self) -> None:
        given(task, *MINE, *TO_COMPLETED).when(self.REOPEN).then_repeating_adds_nothing()
        given(task, *MINE).when(self.REOPEN).then_nothing()

    def test_work_goes_on_after_it(self) -> None:
        story = given(task, *MINE, *TO_COMPLETED).when(self.REOPEN).then_repeating_adds_nothing()
        story.when(ask(AdvanceTask, to_stage="completed")).then(*walked("pending-validation", "completed"))

    @pytest.mark.parametrize(
        ("before", "command", "code"),
        [
            ([], REOPEN, "task-unknown"),
            ([*MINE, cancelled], ask(ReopenTask, reason="Ya puedo"), "forbidden"),
            ([*MINE, cancelled], ask(ReopenTask, ADMIN, facts=OFFICE), "reason-required"),
        ],
    )
    def test_refusals(self, before: list[Any], command: Any, code: str) -> None:
        given(task, *before).when(command).then_rejected(code)

    def test_an_opening_its_parent_gave_up_is_refused(self) -> None:
        given_up = OpeningAbandoned(task_id=TASK, opening=2)
        late = ask(ReopenTask, ADMIN, reason="x", opening=2, facts=OFFICE)
        given(task, *MINE, cancelled, given_up).when(late).then_rejected("parent-completed")


class TestSubtasks:
    expected = SubtaskExpected(task_id=TASK, subtask_id=SUBTASK, opening=1)
    EXPECT = ask(ExpectSubtask, ADMIN, subtask_id=SUBTASK, opening=1)

    def complete(self, closed_opening: int | None = None) -> Any:
        facts = ExecutionFacts(settled={} if closed_opening is None else {SUBTASK: closed_opening})
        return ask(AdvanceTask, to_stage="completed", facts=facts)

    def test_a_blocking_subtask_is_waited_for(self) -> None:
        given(task, *MINE).when(self.EXPECT).then(self.expected)
        given(task, *MINE).when(self.EXPECT).then_repeating_adds_nothing()
        given(task, *MINE, self.expected, *TO_VALIDATION).when(self.complete()).then_rejected("subtasks-open")

    def test_a_settled_subtask_no_longer_blocks(self) -> None:
        given(task, *MINE, self.expected, *TO_VALIDATION).when(self.complete(closed_opening=1)).then(
            *walked("pending-validation", "completed")
        )

    def test_evidence_of_an_earlier_opening_does_not_count(self) -> None:
        again = self.expected.model_copy(update={"opening": 2})
        given(task, *MINE, self.expected, *TO_VALIDATION, again).when(self.complete(closed_opening=1)).then_rejected(
            "subtasks-open"
        )

    @pytest.mark.parametrize(
        ("before", "code"),
        [
            ([], "parent-unknown"),
            ([*MINE, cancelled], "parent-cancelled"),
            ([*MINE, *TO_COMPLETED], "parent-completed"),
        ],
    )
    def test_a_closed_parent_takes_no_subtask(self, before: list[Any], code: str) -> None:
        given(task, *before).when(self.EXPECT).then_rejected(code)

    def test_an_opening_is_given_up_once(self) -> None:
        give_up = ask(AbandonOpening, ADMIN, opening=1)
        given(task).when(give_up).then(OpeningAbandoned(task_id=TASK, opening=1))
        given(task).when(give_up).then_repeating_adds_nothing()

    def test_what_is_open_is_not_given_up(self) -> None:
        given(task, opened()).when(ask(AbandonOpening, ADMIN, opening=1)).then_nothing()
