"""Planning a task: what the office (or a technician for himself) may say about it, and until when."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from services.kernel.domain import Command, Erased, Rejected
from services.tasks.domain.stages import DEFAULT_STAGES, Stages
from services.tasks.domain.task_events import (
    FollowedUp,
    StagesInherited,
    Task,
    TaskAssigned,
    TaskCustomerChanged,
    TaskDescribed,
    TaskEquipmentChanged,
    TaskEvent,
    TaskFieldsChanged,
    TaskFollowsUp,
    TaskFormsChanged,
    TaskOpened,
    TaskReclassified,
    TaskReprioritised,
    TaskRescheduled,
    TaskRetitled,
    TaskServicesChanged,
)
from services.tasks.domain.values import ANYTIME, Fields, Id, Line, Priority, Text, Value, Window

Ids = Annotated[tuple[Id, ...], Field(max_length=50)]


class PlanningFacts(Value):
    """What the service knows and a client cannot claim: the asker's standing and the stages to inherit."""

    manages: bool = False
    teams: frozenset[str] = frozenset()
    list_id: str | None = None
    stages: Stages = DEFAULT_STAGES
    stage_names: dict[str, str] = Field(default_factory=dict)
    opening: int = 1
    recurrence_id: str | None = None
    follows: FollowedUp | None = None


INHERITED = ("list_id", "stages", "stage_names", "opening", "recurrence_id")
"""What a task has of the service and not of the request: a repetition need not find it unchanged."""


class Outline(Value):
    """What a piece of work is, as far as it may be told openly."""

    process_id: Id
    subprocess_id: Id
    form_ids: Ids = ()
    service_ids: Ids = ()
    customer_id: Id | None = None
    location_id: Id | None = None
    equipment_id: Id | None = None
    user_id: Id | None = None
    team_id: Id | None = None
    priority: Priority = "normal"


class Wording(Value):
    """What people typed about it."""

    title: Line
    description: Text = ""
    fields: Fields = Field(default_factory=dict)


class OpenTask(Outline, Wording, Command):
    """Plan a piece of work."""

    task_id: Id
    window: Window = ANYTIME
    parent_id: Id | None = None
    blocks_parent: bool = False
    facts: PlanningFacts = PlanningFacts()


class EditTask(Command):
    """The fields that are given are to change; process and subprocess go together."""

    task_id: Id
    title: Line = ""
    description: Text = ""
    process_id: Id = ""
    subprocess_id: Id = ""
    form_ids: Ids = ()
    service_ids: Ids = ()
    customer_id: Id | None = None
    location_id: Id | None = None
    equipment_id: Id | None = None
    window: Window = ANYTIME
    priority: Priority = "normal"
    fields: Fields = Field(default_factory=dict)
    facts: PlanningFacts = PlanningFacts()


class AssignTask(Command):
    """Give the task to a person or a team; to nobody while it is pending."""

    task_id: Id
    user_id: Id | None = None
    team_id: Id | None = None
    facts: PlanningFacts = PlanningFacts()


def open_task(command: OpenTask, state: Task) -> list[TaskEvent]:
    task_id, facts = command.task_id, command.facts
    opened = TaskOpened(
        task_id=task_id,
        title=command.title,
        description=command.description,
        process_id=command.process_id,
        subprocess_id=command.subprocess_id,
        list_id=facts.list_id,
        stages=facts.stages,
        stage_names=facts.stage_names,
        form_ids=command.form_ids,
        service_ids=command.service_ids,
        customer_id=command.customer_id,
        location_id=command.location_id,
        equipment_id=command.equipment_id,
        window=command.window,
        priority=command.priority,
        fields=command.fields,
        parent_id=command.parent_id,
        blocks_parent=command.blocks_parent,
        opened_by=command.by,
        opening=facts.opening,
        recurrence_id=facts.recurrence_id,
    )
    if state.opened is not None:
        return _repeated(opened, state.opened)
    if facts.opening <= state.openings:
        raise Rejected("parent-completed", parent_id=command.parent_id)
    if command.blocks_parent and command.parent_id is None:
        raise Rejected("parent-missing")
    _check_window(command.window)
    _check_location(command.customer_id, command.location_id)
    _check_equipment(command.customer_id, command.equipment_id)
    user_id, team_id = _first_assignee(command)
    happened: list[TaskEvent] = [opened]
    if facts.follows is not None:
        happened.append(TaskFollowsUp(task_id=task_id, follows=facts.follows))
    if user_id is not None or team_id is not None:
        happened.append(
            TaskAssigned(task_id=task_id, user_id=user_id, team_id=team_id, from_user_id=None, from_team_id=None)
        )
    return happened


def _repeated(opened: TaskOpened, before: TaskOpened) -> list[TaskEvent]:
    # The list may have changed between the first request and its repetition: that makes no other request.
    inherited = {name: getattr(before, name) for name in INHERITED}
    if opened.model_copy(update=inherited) == before:
        return []
    raise Rejected("task-exists", task_id=opened.task_id)


def _first_assignee(command: OpenTask) -> tuple[str | None, str | None]:
    user_id, team_id = command.user_id, command.team_id
    _check_one_assignee(user_id, team_id)
    if command.facts.manages:
        return user_id, team_id
    if user_id is None and team_id is None:
        return command.by, None  # work that a technician makes up in the field is his own
    if user_id == command.by or team_id in command.facts.teams:
        return user_id, team_id
    raise Rejected("assignee-not-allowed")


def edit_task(command: EditTask, state: Task) -> list[TaskEvent]:
    opened = opened_of(state, command.task_id)
    if state.cancelled:
        raise Rejected("task-cancelled", task_id=command.task_id)
    if not command.facts.manages and opened.opened_by != command.by:
        raise Rejected("forbidden")
    changes = _changes(command, state)
    if changes and state.generic_state != "pending":
        raise Rejected("task-not-editable", generic_state=state.generic_state)
    return changes


def _changes(command: EditTask, state: Task) -> list[TaskEvent]:
    given = command.model_fields_set
    task_id = command.task_id
    facts: list[TaskEvent] = []
    if "title" in given and command.title != state.title:
        facts.append(TaskRetitled(task_id=task_id, title=command.title, from_title=state.title))
    if "description" in given and command.description != state.description:
        facts.append(
            TaskDescribed(task_id=task_id, description=command.description, from_description=state.description)
        )
    facts += _reclassified(command, state)
    facts += _place_changed(command, state)
    if "window" in given and command.window != state.window:
        _check_window(command.window)
        facts.append(TaskRescheduled(task_id=task_id, window=command.window, from_window=state.window))
    if "priority" in given and command.priority != state.priority:
        facts.append(TaskReprioritised(task_id=task_id, priority=command.priority, from_priority=state.priority))
    if "form_ids" in given and command.form_ids != state.form_ids:
        facts.append(TaskFormsChanged(task_id=task_id, form_ids=command.form_ids, from_form_ids=state.form_ids))
    if "service_ids" in given and command.service_ids != state.service_ids:
        facts.append(
            TaskServicesChanged(task_id=task_id, service_ids=command.service_ids, from_service_ids=state.service_ids)
        )
    if "fields" in given and command.fields != state.fields:
        before: Fields = {} if isinstance(state.fields, Erased) else state.fields
        keys = sorted(k for k in {*before, *command.fields} if before.get(k) != command.fields.get(k))
        facts.append(
            TaskFieldsChanged(task_id=task_id, changed=tuple(keys), fields=command.fields, from_fields=state.fields)
        )
    return facts


def _reclassified(command: EditTask, state: Task) -> list[TaskEvent]:
    if not {"process_id", "subprocess_id"} & command.model_fields_set:
        return []
    if not command.process_id or not command.subprocess_id:
        raise Rejected("subprocess-without-process")
    if (command.process_id, command.subprocess_id) == (state.process_id, state.subprocess_id):
        return []
    moved = TaskReclassified(
        task_id=command.task_id,
        process_id=command.process_id,
        subprocess_id=command.subprocess_id,
        from_process_id=state.process_id,
        from_subprocess_id=state.subprocess_id,
    )
    if command.process_id == state.process_id:
        return [moved]
    inherited = StagesInherited(
        task_id=command.task_id,
        list_id=command.facts.list_id,
        stages=command.facts.stages,
        stage_names=command.facts.stage_names,
    )
    return [moved, inherited]


def _place_changed(command: EditTask, state: Task) -> list[TaskEvent]:
    customer_id, location_id, equipment_id = place_after(command, state)
    _check_location(customer_id, location_id)
    _check_equipment(customer_id, equipment_id)
    facts: list[TaskEvent] = []
    if (customer_id, location_id) != (state.customer_id, state.location_id):
        facts.append(
            TaskCustomerChanged(
                task_id=command.task_id,
                customer_id=customer_id,
                location_id=location_id,
                from_customer_id=state.customer_id,
                from_location_id=state.location_id,
            )
        )
    if equipment_id != state.equipment_id:
        facts.append(
            TaskEquipmentChanged(
                task_id=command.task_id, equipment_id=equipment_id, from_equipment_id=state.equipment_id
            )
        )
    return facts


def place_after(command: EditTask, state: Task) -> tuple[str | None, str | None, str | None]:
    """Customer, location and equipment that the task would have after the edit."""
    given = command.model_fields_set
    customer_id = command.customer_id if "customer_id" in given else state.customer_id
    # A location belongs to its customer, and equipment to its location: who changes the one without
    # naming the other has none yet.
    kept = state.location_id if customer_id == state.customer_id else None
    location_id = command.location_id if "location_id" in given else kept
    moved = (customer_id, location_id) != (state.customer_id, state.location_id)
    equipment_id = None if moved else state.equipment_id
    return customer_id, location_id, command.equipment_id if "equipment_id" in given else equipment_id


def assign_task(command: AssignTask, state: Task) -> list[TaskEvent]:
    opened_of(state, command.task_id)
    if not command.facts.manages:
        raise Rejected("forbidden")
    _check_one_assignee(command.user_id, command.team_id)
    if state.cancelled:
        raise Rejected("task-cancelled", task_id=command.task_id)
    if (command.user_id, command.team_id) == (state.user_id, state.team_id):
        return []
    if state.generic_state == "completed":
        raise Rejected("task-completed", task_id=command.task_id)
    if command.user_id is None and command.team_id is None and state.generic_state != "pending":
        raise Rejected("assignee-required")
    return [
        TaskAssigned(
            task_id=command.task_id,
            user_id=command.user_id,
            team_id=command.team_id,
            from_user_id=state.user_id,
            from_team_id=state.team_id,
        )
    ]


def opened_of(state: Task, task_id: str) -> TaskOpened:
    """The task's first fact; refuses a task that was never opened."""
    if state.opened is None:
        raise Rejected("task-unknown", task_id=task_id)
    return state.opened


def _check_window(window: Window) -> None:
    if not window.in_order:
        raise Rejected("window-out-of-order")


def _check_location(customer_id: str | None, location_id: str | None) -> None:
    if customer_id is None and location_id is not None:
        raise Rejected("location-without-customer", location_id=location_id)


def _check_equipment(customer_id: str | None, equipment_id: str | None) -> None:
    if customer_id is None and equipment_id is not None:
        raise Rejected("equipment-without-customer", equipment_id=equipment_id)


def _check_one_assignee(user_id: str | None, team_id: str | None) -> None:
    if user_id is not None and team_id is not None:
        raise Rejected("assignee-ambiguous")
