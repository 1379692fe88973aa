"""What can happen to a task, and what the task is after it happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from services.kernel.domain import Erased, Event, Subject, TenantData
from services.tasks.domain.evidence_events import (
    EVIDENCE_EVENTS,
    NOTHING,
    EvidenceEvent,
    FormAnswerCompleted,
    FormAnswerDiscarded,
    FormAnswered,
    FormAnswerReleased,
    HandedIn,
    TaskNoted,
    evolve_evidence,
)
from services.tasks.domain.stages import GenericState, Stages
from services.tasks.domain.values import ANYTIME, Fields, Position, Priority, Value, Window

TenantText = Annotated[str | Erased, TenantData()]
TenantFields = Annotated[Fields | Erased, TenantData()]
TenantNames = Annotated[dict[str, str] | Erased, TenantData()]


class TaskOpened(Event):
    """Planned, with the stages of its process as they are now: later changes of the list are not its own."""

    task_id: str
    title: TenantText
    description: TenantText
    process_id: str
    subprocess_id: str
    list_id: str | None
    stages: Stages
    stage_names: TenantNames
    form_ids: tuple[str, ...]
    service_ids: tuple[str, ...]
    customer_id: str | None
    location_id: str | None
    window: Window
    priority: Priority
    fields: TenantFields
    parent_id: str | None
    blocks_parent: bool
    opened_by: str
    opening: int = 1
    equipment_id: str | None = None
    recurrence_id: str | None = None


class FollowedUp(Value):
    """Why a follow-up was opened: the answer that failed, and the task it was given for, if any."""

    submission_id: str
    form_id: str
    field: str
    task_id: str | None


class TaskFollowsUp(Event):
    """The task was opened because an answer failed."""

    task_id: str
    follows: FollowedUp


class TaskAssigned(Event):
    """To a person, to a team for one of its people to claim, or to nobody."""

    task_id: str
    user_id: str | None
    team_id: str | None
    from_user_id: str | None
    from_team_id: str | None


class TaskClaimed(Event):
    """Somebody of the assigned team made the task his."""

    task_id: str
    user_id: str
    team_id: str


class TaskAdvanced(Event):
    """The task entered the next stage of its pipeline."""

    task_id: str
    from_stage: str
    to_stage: str
    generic_state: GenericState


class PresenceConfirmed(Event):
    """Whoever entered the stage was within its radius of the task's location."""

    task_id: str
    stage_id: str
    user_id: str
    radius_m: int
    position: Annotated[Position | Erased, Subject("user_id")]


class TaskCancelled(Event):
    """The task will not be done."""

    task_id: str
    stage: str
    reason: TenantText


class TaskReopened(Event):
    """A closed task is open again, for the n-th time."""

    task_id: str
    from_stage: str
    to_stage: str
    generic_state: GenericState
    opening: int
    reason: TenantText


class TaskRetitled(Event):
    """The task has another title."""

    task_id: str
    title: TenantText
    from_title: TenantText


class TaskDescribed(Event):
    """The task has another description."""

    task_id: str
    description: TenantText
    from_description: TenantText


class TaskReclassified(Event):
    """The task belongs to another subprocess."""

    task_id: str
    process_id: str
    subprocess_id: str
    from_process_id: str
    from_subprocess_id: str


class StagesInherited(Event):
    """The task moved to another process while pending and starts over on that process's stages."""

    task_id: str
    list_id: str | None
    stages: Stages
    stage_names: TenantNames


class TaskCustomerChanged(Event):
    """The task is for another customer or at another place."""

    task_id: str
    customer_id: str | None
    location_id: str | None
    from_customer_id: str | None
    from_location_id: str | None


class TaskEquipmentChanged(Event):
    """The task is about another piece of equipment, or about none."""

    task_id: str
    equipment_id: str | None
    from_equipment_id: str | None


class TaskRescheduled(Event):
    """The task is to be done at another time."""

    task_id: str
    window: Window
    from_window: Window


class TaskReprioritised(Event):
    """The task is more or less urgent."""

    task_id: str
    priority: Priority
    from_priority: Priority


class TaskFormsChanged(Event):
    """Other forms are to be filled."""

    task_id: str
    form_ids: tuple[str, ...]
    from_form_ids: tuple[str, ...]


class TaskServicesChanged(Event):
    """Other services of the catalogue are meant."""

    task_id: str
    service_ids: tuple[str, ...]
    from_service_ids: tuple[str, ...]


class TaskFieldsChanged(Event):
    """The account's own fields have other values; `changed` names them."""

    task_id: str
    changed: tuple[str, ...]
    fields: TenantFields
    from_fields: TenantFields


class SubtaskExpected(Event):
    """A blocking subtask is about to be opened (or reopened) for the n-th time; this task waits for it."""

    task_id: str
    subtask_id: str
    opening: int


class OpeningAbandoned(Event):
    """This task will not be opened under that number: its parent has stopped waiting for it."""

    task_id: str
    opening: int


TaskEvent = (
    TaskOpened | TaskAssigned | TaskClaimed | TaskAdvanced | PresenceConfirmed | TaskCancelled
    | TaskReopened | TaskRetitled | TaskDescribed | TaskReclassified | StagesInherited
    | TaskCustomerChanged | TaskRescheduled | TaskReprioritised | TaskFormsChanged | TaskServicesChanged
    | TaskEquipmentChanged | TaskFieldsChanged | SubtaskExpected | OpeningAbandoned | TaskFollowsUp | EvidenceEvent
)  # fmt: skip

TASK_EVENTS: Mapping[str, type[TaskEvent]] = {
    "TaskOpened": TaskOpened,
    "TaskAssigned": TaskAssigned,
    "TaskClaimed": TaskClaimed,
    "TaskAdvanced": TaskAdvanced,
    "PresenceConfirmed": PresenceConfirmed,
    "TaskCancelled": TaskCancelled,
    "TaskReopened": TaskReopened,
    "TaskRetitled": TaskRetitled,
    "TaskDescribed": TaskDescribed,
    "TaskReclassified": TaskReclassified,
    "StagesInherited": StagesInherited,
    "TaskCustomerChanged": TaskCustomerChanged,
    "TaskEquipmentChanged": TaskEquipmentChanged,
    "TaskRescheduled": TaskRescheduled,
    "TaskReprioritised": TaskReprioritised,
    "TaskFormsChanged": TaskFormsChanged,
    "TaskServicesChanged": TaskServicesChanged,
    "TaskFieldsChanged": TaskFieldsChanged,
    "SubtaskExpected": SubtaskExpected,
    "OpeningAbandoned": OpeningAbandoned,
    "TaskFollowsUp": TaskFollowsUp,
    **EVIDENCE_EVENTS,
}


@dataclass(frozen=True, slots=True)
class Task:
    """`opened` is the first fact, None before it; `openings` counts how often the task became open."""

    opened: TaskOpened | None = None
    openings: int = 0
    title: str | Erased = ""
    description: str | Erased = ""
    process_id: str = ""
    subprocess_id: str = ""
    stages: Stages = ()
    stage: str = ""
    generic_state: GenericState = "pending"
    cancelled: bool = False
    form_ids: tuple[str, ...] = ()
    service_ids: tuple[str, ...] = ()
    customer_id: str | None = None
    location_id: str | None = None
    equipment_id: str | None = None
    window: Window = ANYTIME
    priority: Priority = "normal"
    fields: Fields | Erased = field(default_factory=dict)
    user_id: str | None = None
    team_id: str | None = None
    subtasks: Mapping[str, int] = field(default_factory=dict)
    handed_in: HandedIn = NOTHING

    @property
    def closed(self) -> bool:
        """Whether nothing more is to be done: completed or cancelled."""
        return self.cancelled or self.generic_state == "completed"


initial_state = Task()


def evolve(state: Task, event: TaskEvent) -> Task:
    match event:
        case TaskOpened():
            return _opened(state, event)
        case TaskAssigned(user_id=user_id, team_id=team_id) | TaskClaimed(user_id=user_id, team_id=team_id):
            return replace(state, user_id=user_id, team_id=team_id)
        case TaskAdvanced(to_stage=stage, generic_state=generic_state):
            return replace(state, stage=stage, generic_state=generic_state)
        case PresenceConfirmed() | TaskFollowsUp():
            return state
        case TaskCancelled():
            return replace(state, cancelled=True)
        case TaskReopened(to_stage=stage, generic_state=generic_state, opening=opening):
            return replace(state, cancelled=False, stage=stage, generic_state=generic_state, openings=opening)
        case TaskRetitled(title=title):
            return replace(state, title=title)
        case TaskDescribed(description=description):
            return replace(state, description=description)
        case TaskReclassified(process_id=process_id, subprocess_id=subprocess_id):
            return replace(state, process_id=process_id, subprocess_id=subprocess_id)
        case StagesInherited(stages=stages):
            return replace(state, stages=stages, stage=stages[0].stage_id, generic_state="pending")
        case TaskCustomerChanged(customer_id=customer_id, location_id=location_id):
            return replace(state, customer_id=customer_id, location_id=location_id)
        case TaskEquipmentChanged(equipment_id=equipment_id):
            return replace(state, equipment_id=equipment_id)
        case TaskRescheduled(window=window):
            return replace(state, window=window)
        case TaskReprioritised(priority=priority):
            return replace(state, priority=priority)
        case TaskFormsChanged(form_ids=form_ids):
            return replace(state, form_ids=form_ids)
        case TaskServicesChanged(service_ids=service_ids):
            return replace(state, service_ids=service_ids)
        case TaskFieldsChanged(fields=fields):
            return replace(state, fields=fields)
        case SubtaskExpected(subtask_id=subtask_id, opening=opening):
            return replace(state, subtasks={**state.subtasks, subtask_id: opening})
        case OpeningAbandoned(opening=opening):
            return replace(state, openings=opening)
        case FormAnswered() | FormAnswerCompleted() | FormAnswerReleased() | FormAnswerDiscarded() | TaskNoted():
            return replace(state, handed_in=evolve_evidence(state.handed_in, event))
        case _:
            assert_never(event)


def _opened(state: Task, event: TaskOpened) -> Task:
    return replace(
        state,
        opened=event,
        openings=event.opening,
        title=event.title,
        description=event.description,
        process_id=event.process_id,
        subprocess_id=event.subprocess_id,
        stages=event.stages,
        stage=event.stages[0].stage_id,
        form_ids=event.form_ids,
        service_ids=event.service_ids,
        customer_id=event.customer_id,
        location_id=event.location_id,
        equipment_id=event.equipment_id,
        window=event.window,
        priority=event.priority,
        fields=event.fields,
    )
