"""Doing a task: claiming it, walking its stages one by one, closing it and opening it again."""

from __future__ import annotations

from pydantic import Field

from services.kernel.domain import Command, Rejected
from services.tasks.domain.stages import (
    Evidence,
    GenericState,
    Stage,
    first_of,
    last_of,
    position_of,
    unmet,
)
from services.tasks.domain.task_events import (
    OpeningAbandoned,
    PresenceConfirmed,
    SubtaskExpected,
    Task,
    TaskAdvanced,
    TaskCancelled,
    TaskClaimed,
    TaskEvent,
    TaskReopened,
)
from services.tasks.domain.task_planning import opened_of
from services.tasks.domain.values import Id, Position, Reason, Value


class ExecutionFacts(Value):
    """What the service knows and a client cannot claim.

    `settled` names the blocking subtasks that are closed, each with the number of the opening that is.
    """

    manages: bool = False
    teams: frozenset[str] = frozenset()
    site: Position | None = None
    settled: dict[str, int] = Field(default_factory=dict)


class ClaimTask(Command):
    """Make a task of one's team one's own."""

    task_id: Id
    facts: ExecutionFacts = ExecutionFacts()


class StartTask(Command):
    """Enter the first stage in progress."""

    task_id: Id
    position: Position | None = None
    facts: ExecutionFacts = ExecutionFacts()


class AdvanceTask(Command):
    """Enter the next stage."""

    task_id: Id
    to_stage: str = Field(max_length=64)
    position: Position | None = None
    facts: ExecutionFacts = ExecutionFacts()


class CancelTask(Command):
    """Say why the task will not be done."""

    task_id: Id
    reason: Reason = ""
    facts: ExecutionFacts = ExecutionFacts()


class ReopenTask(Command):
    """`opening` is the number its parent was told to expect; None for a task nobody waits for."""

    task_id: Id
    reason: Reason = ""
    opening: int | None = None
    facts: ExecutionFacts = ExecutionFacts()


class ExpectSubtask(Command):
    """Tell a parent that a blocking subtask is about to be open."""

    task_id: Id
    subtask_id: Id
    opening: int


class AbandonOpening(Command):
    """Say that an opening which was announced will not come."""

    task_id: Id
    opening: int


def claim_task(command: ClaimTask, state: Task) -> list[TaskEvent]:
    _live(state, command.task_id)
    if state.user_id == command.by:
        return []
    if state.team_id is None or state.team_id not in command.facts.teams:
        raise Rejected("not-in-team", team_id=state.team_id)
    if state.user_id is not None:
        raise Rejected("task-already-claimed")
    if state.generic_state == "completed":
        raise Rejected("task-completed", task_id=command.task_id)
    return [TaskClaimed(task_id=command.task_id, user_id=command.by, team_id=state.team_id)]


def start_task(command: StartTask, state: Task) -> list[TaskEvent]:
    _live(state, command.task_id)
    _check_executes(command, state)
    if state.generic_state == "in_progress":
        return []
    return _enter(command, state, first_of(state.stages, "in_progress"))


def advance_task(command: AdvanceTask, state: Task) -> list[TaskEvent]:
    _live(state, command.task_id)
    target = state.stages[position_of(state.stages, command.to_stage)]
    # What follows completion (reviewed, audited …) is the office's as much as the technician's.
    if not (state.generic_state == "completed" and command.facts.manages):
        _check_executes(command, state)
    if target.stage_id == state.stage:
        return []
    return _enter(command, state, target)


def _enter(command: StartTask | AdvanceTask, state: Task, target: Stage) -> list[TaskEvent]:
    here = position_of(state.stages, state.stage)
    if position_of(state.stages, target.stage_id) != here + 1:
        following = state.stages[here + 1].stage_id if here + 1 < len(state.stages) else None
        raise Rejected("stage-not-reachable", stage=state.stage, to=target.stage_id, next=following)
    facts = command.facts
    missing = unmet(target.requires, _evidence(state, command.position, facts.site))
    if missing:
        raise Rejected("stage-demands-unmet", stage=target.stage_id, missing=missing)
    if target.generic_state == "completed" and state.generic_state != "completed":
        _check_subtasks(facts.settled, state)
    advanced = TaskAdvanced(
        task_id=command.task_id,
        from_stage=state.stage,
        to_stage=target.stage_id,
        generic_state=target.generic_state,
    )
    radius_m = target.requires.geolocation_radius_m
    if radius_m is None or command.position is None:
        return [advanced]
    present = PresenceConfirmed(
        task_id=command.task_id,
        stage_id=target.stage_id,
        user_id=command.by,
        radius_m=radius_m,
        position=command.position,
    )
    return [present, advanced]


def _evidence(state: Task, position: Position | None, site: Position | None) -> Evidence:
    answers = state.handed_in.counting
    return Evidence(
        planned=state.form_ids,
        forms=frozenset(answer.form_id for answer in answers.values()),
        photos=sum(answer.photos for answer in answers.values()),
        signature=any(answer.signatures for answer in answers.values()),
        awaited=tuple(sorted(id for id, answer in answers.items() if not answer.complete)),
        position=position,
        site=site,
    )


def _check_subtasks(settled: dict[str, int], state: Task) -> None:
    # Evidence about a subtask was read before this decision; it counts only for the very opening that
    # this stream expects. Whoever opens or reopens a blocking subtask raises that number here first, so
    # a race makes this decision be taken again, with the older evidence refused.
    waiting = sorted(id for id, opening in state.subtasks.items() if settled.get(id) != opening)
    if waiting:
        raise Rejected("subtasks-open", subtasks=waiting)


def cancel_task(command: CancelTask, state: Task) -> list[TaskEvent]:
    opened_of(state, command.task_id)
    if not command.facts.manages:
        raise Rejected("forbidden")
    if not command.reason:
        raise Rejected("reason-required")
    if state.cancelled:
        return []
    if state.generic_state == "completed":
        raise Rejected("task-completed", task_id=command.task_id)
    return [TaskCancelled(task_id=command.task_id, stage=state.stage, reason=command.reason)]


def reopen_task(command: ReopenTask, state: Task) -> list[TaskEvent]:
    opened_of(state, command.task_id)
    if not command.facts.manages:
        raise Rejected("forbidden")
    if not command.reason:
        raise Rejected("reason-required")
    if not state.closed:
        return []
    opening = state.openings + 1 if command.opening is None else command.opening
    if opening <= state.openings:
        raise Rejected("parent-completed", task_id=command.task_id)
    to_stage, generic_state = _resumed(state)
    return [
        TaskReopened(
            task_id=command.task_id,
            from_stage=state.stage,
            to_stage=to_stage,
            generic_state=generic_state,
            opening=opening,
            reason=command.reason,
        )
    ]


def _resumed(state: Task) -> tuple[str, GenericState]:
    """A completed task goes back to its last stage in progress; a cancelled one goes on where it stood.

    Both were reached before, so reopening never makes up progress that nobody made.
    """
    if state.generic_state == "completed":
        return last_of(state.stages, "in_progress").stage_id, "in_progress"
    return state.stage, state.generic_state


def expect_subtask(command: ExpectSubtask, state: Task) -> list[TaskEvent]:
    check_takes_subtasks(state, command.task_id)
    if state.subtasks.get(command.subtask_id, 0) >= command.opening:
        return []
    return [SubtaskExpected(task_id=command.task_id, subtask_id=command.subtask_id, opening=command.opening)]


def abandon_opening(command: AbandonOpening, state: Task) -> list[TaskEvent]:
    if state.openings >= command.opening:
        return []
    return [OpeningAbandoned(task_id=command.task_id, opening=command.opening)]


def check_takes_subtasks(state: Task, task_id: str) -> None:
    """Refuse a parent that does not exist or is closed."""
    if state.opened is None:
        raise Rejected("parent-unknown", parent_id=task_id)
    if state.cancelled:
        raise Rejected("parent-cancelled", parent_id=task_id)
    if state.generic_state == "completed":
        raise Rejected("parent-completed", parent_id=task_id)


def _live(state: Task, task_id: str) -> None:
    opened_of(state, task_id)
    if state.cancelled:
        raise Rejected("task-cancelled", task_id=task_id)


def _check_executes(command: StartTask | AdvanceTask, state: Task) -> None:
    if state.user_id != command.by:
        raise Rejected("not-the-assignee")
