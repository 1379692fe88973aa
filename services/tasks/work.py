"""What a decision about a task needs to know from elsewhere: stages, people, places, subtasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from services.kernel.application import Ask
from services.kernel.domain import Command, Erased, Rejected
from services.tasks.domain.customer import customer
from services.tasks.domain.process import Process, process
from services.tasks.domain.stages import DEFAULT_STAGES
from services.tasks.domain.status_list import StatusList, status_list
from services.tasks.domain.task import task
from services.tasks.domain.task_events import Task
from services.tasks.domain.task_evidence import NoteTask
from services.tasks.domain.task_execution import (
    AbandonOpening,
    AdvanceTask,
    CancelTask,
    ClaimTask,
    ExecutionFacts,
    ExpectSubtask,
    ReopenTask,
    StartTask,
    check_takes_subtasks,
)
from services.tasks.domain.task_planning import AssignTask, EditTask, OpenTask, PlanningFacts, place_after
from services.tasks.domain.values import Position
from services.tasks.own_fields import with_own_fields
from services.tasks.register import check_equipment, check_place, check_services
from services.tasks.standing import check_team, check_user, demand, manages, teams_of, view

Fields = Mapping[str, Any]
C = TypeVar("C", bound=Command)


def opening(ask: Ask) -> Fields:
    """Who may open a task, and what it inherits."""
    demand(ask.caller, "tasks:edit", "tasks:execute")
    wanted = _checked(ask, OpenTask, ask.data)
    known: Task = ask.state(task, wanted.task_id)
    if known.opened is not None:
        # A repeat must find its task whatever has changed since: only the task itself decides.
        return {**ask.data, "facts": PlanningFacts(manages=manages(ask.caller))}
    data = with_own_fields(ask, "task", None, ask.data)
    return {**data, "facts": _facts_of_new(ask, wanted, known)}


def opening_facts(ask: Ask, wanted: OpenTask) -> PlanningFacts:
    """Refuse what does not exist; answer what the new task inherits and is told."""
    known: Task = ask.state(task, wanted.task_id)
    if known.opened is not None:
        return PlanningFacts(manages=manages(ask.caller))
    return _facts_of_new(ask, wanted, known)


def _facts_of_new(ask: Ask, wanted: OpenTask, known: Task) -> PlanningFacts:
    planner = manages(ask.caller)
    inherited = _inherited(ask, wanted.process_id, wanted.subprocess_id)
    check_place(ask, wanted.customer_id, wanted.location_id)
    check_equipment(ask, wanted.equipment_id, wanted.customer_id, wanted.location_id)
    check_services(ask, wanted.service_ids)
    _check_assignee(ask, wanted.user_id, wanted.team_id)
    return inherited.model_copy(
        update={
            "manages": planner,
            "teams": frozenset() if planner else teams_of(ask).joined_by(ask.caller.actor),
            "opening": _announce(ask, wanted, known),
        }
    )


def _announce(ask: Ask, wanted: OpenTask, known: Task) -> int:
    """Tell the parent first: from then on it does not complete without this subtask.

    The parent's own stream decides, so that opening a blocking subtask and completing its parent cannot
    both win. Should the opening never follow, the parent finds that out when it wants to complete
    (`_settled`).
    """
    if wanted.parent_id is None:
        return 1
    parent: Task = ask.state(task, wanted.parent_id)
    if not _in_view(ask, parent):
        raise Rejected("parent-unknown", parent_id=wanted.parent_id)
    check_takes_subtasks(parent, wanted.parent_id)
    number = known.openings + 1
    if wanted.blocks_parent:
        _expect(ask, wanted.parent_id, wanted.task_id, number)
    return number


def _expect(ask: Ask, parent_id: str, subtask_id: str, number: int) -> None:
    expected = ask.make(ExpectSubtask, {"task_id": parent_id, "subtask_id": subtask_id, "opening": number})
    ask.handle(task, parent_id, expected, part=f"expect/{number}")


def editing(ask: Ask) -> Fields:
    """Who may edit a task, and the stages it would inherit in another process."""
    demand(ask.caller, "tasks:edit", "tasks:execute")
    wanted = _checked(ask, EditTask, ask.data)
    known = _visible(ask, wanted.task_id)
    given = wanted.model_fields_set
    facts = PlanningFacts()
    kind = (wanted.process_id, wanted.subprocess_id)
    if {"process_id", "subprocess_id"} <= given and kind != (known.process_id, known.subprocess_id):
        facts = _inherited(ask, wanted.process_id, wanted.subprocess_id)
    _check_edited_place(ask, wanted, known)
    if "service_ids" in given:
        check_services(ask, set(wanted.service_ids) - set(known.service_ids))
    data = with_own_fields(ask, "task", known.fields, ask.data)
    return {**data, "facts": facts.model_copy(update={"manages": manages(ask.caller)})}


def _check_edited_place(ask: Ask, wanted: EditTask, known: Task) -> None:
    customer_id, location_id, equipment_id = place_after(wanted, known)
    if (customer_id, location_id) != (known.customer_id, known.location_id):
        check_place(ask, customer_id, location_id)
    if equipment_id != known.equipment_id:
        check_equipment(ask, equipment_id, customer_id, location_id)


def assigning(ask: Ask) -> Fields:
    """Who may assign a task, and whether the assignee can be given work."""
    demand(ask.caller, "tasks:edit")
    wanted = _checked(ask, AssignTask, ask.data)
    known = _visible(ask, wanted.task_id)
    if (wanted.user_id, wanted.team_id) != (known.user_id, known.team_id):
        _check_assignee(ask, wanted.user_id, wanted.team_id)
    return {**ask.data, "facts": PlanningFacts(manages=True)}


def claiming(ask: Ask) -> Fields:
    """Who may claim, and of which teams."""
    demand(ask.caller, "tasks:execute")
    _checked(ask, ClaimTask, ask.data)
    return {**ask.data, "facts": ExecutionFacts(teams=teams_of(ask).joined_by(ask.caller.actor))}


def starting(ask: Ask) -> Fields:
    """Who may start a task, and where its place is."""
    demand(ask.caller, "tasks:execute", "tasks:edit")
    wanted = _checked(ask, StartTask, ask.data)
    return {**ask.data, "facts": _execution(ask, ask.state(task, wanted.task_id), None)}


def advancing(ask: Ask) -> Fields:
    """Who may advance a task, where its place is and which of its subtasks are settled."""
    demand(ask.caller, "tasks:execute", "tasks:edit")
    wanted = _checked(ask, AdvanceTask, ask.data)
    return {**ask.data, "facts": _execution(ask, ask.state(task, wanted.task_id), wanted.to_stage)}


def cancelling(ask: Ask) -> Fields:
    """Who may cancel a task."""
    demand(ask.caller, "tasks:edit")
    _visible(ask, _checked(ask, CancelTask, ask.data).task_id)
    return {**ask.data, "facts": ExecutionFacts(manages=True)}


def noting(ask: Ask) -> Fields:
    """Who may write something down about a task: whoever plans or does it."""
    demand(ask.caller, "tasks:edit", "tasks:execute")
    _visible(ask, _checked(ask, NoteTask, ask.data).task_id)
    return ask.data


def reopening(ask: Ask) -> Fields:
    """Who may reopen a task; a parent that waits for it is told first."""
    demand(ask.caller, "tasks:edit")
    if "opening" in ask.data:
        raise _not_yours("opening")
    wanted = _checked(ask, ReopenTask, ask.data)
    known = _visible(ask, wanted.task_id)
    fields = {**ask.data, "facts": ExecutionFacts(manages=True)}
    if known.opened is None or not known.closed or not wanted.reason:
        return fields
    if known.opened.parent_id is None or not known.opened.blocks_parent:
        return fields
    number = known.openings + 1
    _expect(ask, known.opened.parent_id, wanted.task_id, number)
    return {**fields, "opening": number}


def _execution(ask: Ask, known: Task, to_stage: str | None) -> ExecutionFacts:
    completing = known.generic_state == "in_progress" and any(
        stage.stage_id == to_stage and stage.generic_state == "completed" for stage in known.stages
    )
    mine = known.user_id == ask.caller.actor
    return ExecutionFacts(
        manages=manages(ask.caller),
        site=_site(ask, known),
        settled=_settled(ask, known) if completing and mine else {},
    )


def _site(ask: Ask, known: Task) -> Position | None:
    """Where the task's location is now, if any stage cares."""
    if known.customer_id is None or known.location_id is None:
        return None
    if all(stage.requires.geolocation_radius_m is None for stage in known.stages):
        return None
    place = ask.state(customer, known.customer_id).locations.get(known.location_id)
    return None if place is None or isinstance(place, Erased) else place.position


def _settled(ask: Ask, parent: Task) -> dict[str, int]:
    """The blocking subtasks that are closed, each with the number of the opening that is.

    An opening that was announced and never came (its request died in between) is given up on the
    subtask's own stream first; should it come after all, it is refused there.
    """
    settled = {}
    for subtask_id, number in parent.subtasks.items():
        subtask: Task = ask.state(task, subtask_id)
        if subtask.openings < number:
            given_up = ask.make(AbandonOpening, {"task_id": subtask_id, "opening": number})
            ask.handle(task, subtask_id, given_up, part=f"abandon/{subtask_id}/{number}")
            subtask = ask.state(task, subtask_id)
        if subtask.opened is None or subtask.closed:
            settled[subtask_id] = subtask.openings
    return settled


def _inherited(ask: Ask, process_id: str, subprocess_id: str) -> PlanningFacts:
    kind: Process = ask.state(process, process_id)
    if not kind.exists:
        raise Rejected("process-unknown", process_id=process_id)
    if not kind.active:
        raise Rejected("process-inactive", process_id=process_id)
    if not kind.subprocess(subprocess_id).active:
        raise Rejected("subprocess-inactive", subprocess_id=subprocess_id)
    if kind.list_id is None:
        return PlanningFacts(stages=DEFAULT_STAGES)
    pipeline: StatusList = ask.state(status_list, kind.list_id)
    names = pipeline.stage_names if isinstance(pipeline.stage_names, dict) else {}
    return PlanningFacts(list_id=kind.list_id, stages=pipeline.stages, stage_names=names)


def _check_assignee(ask: Ask, user_id: str | None, team_id: str | None) -> None:
    if user_id is not None:
        check_user(ask, user_id)
    if team_id is not None:
        check_team(ask, team_id)


def _visible(ask: Ask, task_id: str) -> Task:
    """The task, unless it is out of the caller's view: then it is as unknown as one that does not exist."""
    known: Task = ask.state(task, task_id)
    if not _in_view(ask, known):
        raise Rejected("task-unknown", task_id=task_id)
    return known


def _in_view(ask: Ask, known: Task) -> bool:
    if known.opened is None:
        return True  # the decision itself says that there is no such task
    return view(ask).shows({"user_id": known.user_id, "team_id": known.team_id, "opened_by": known.opened.opened_by})


def _checked(ask: Ask, command: type[C], data: Fields) -> C:
    if "facts" in data:
        raise _not_yours("facts")
    asked = ask.make(command, data)
    assert isinstance(asked, command)
    return asked


def _not_yours(field: str) -> Rejected:
    return Rejected("invalid", errors=[{"loc": [field], "msg": "not yours to set", "type": "forbidden"}])
