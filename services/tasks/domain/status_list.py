"""A status list is an account's own pipeline of stages; changing it never touches tasks that exist."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from pydantic import Field

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.stages import StageDraft, Stages, check_pipeline
from services.tasks.domain.values import Id, Name

StageNames = dict[str, str]


class StatusListDefined(Event):
    """The account has one more pipeline."""

    list_id: str
    name: Annotated[str | Erased, TenantData()]
    stages: Stages
    stage_names: Annotated[StageNames | Erased, TenantData()]


class StatusListChanged(Event):
    """The pipeline is another for tasks opened from now on."""

    list_id: str
    name: Annotated[str | Erased, TenantData()]
    stages: Stages
    stage_names: Annotated[StageNames | Erased, TenantData()]


StatusListEvent = StatusListDefined | StatusListChanged

Drafts = Annotated[tuple[StageDraft, ...], Field(min_length=3, max_length=30)]


class DefineStatusList(Command):
    """Begin a pipeline."""

    list_id: Id
    name: Name
    stages: Drafts


class ChangeStatusList(Command):
    """Replace the pipeline as a whole."""

    list_id: Id
    name: Name
    stages: Drafts


StatusListCommand = DefineStatusList | ChangeStatusList


@dataclass(frozen=True, slots=True)
class StatusList:
    """The pipeline as it is now."""

    exists: bool = False
    name: str | Erased = ""
    stages: Stages = ()
    stage_names: StageNames | Erased | None = None


initial_state = StatusList()


def decide(command: StatusListCommand, state: StatusList) -> list[StatusListEvent]:
    stages = tuple(draft.stage for draft in command.stages)
    names = {draft.stage_id: draft.name for draft in command.stages}
    unchanged = (state.name, state.stages, state.stage_names) == (command.name, stages, names)
    match command:
        case DefineStatusList(list_id=list_id, name=name):
            if state.exists and unchanged:
                return []
            if state.exists:
                raise Rejected("status-list-exists", list_id=list_id)
            check_pipeline(stages)
            return [StatusListDefined(list_id=list_id, name=name, stages=stages, stage_names=names)]
        case ChangeStatusList(list_id=list_id, name=name):
            if not state.exists:
                raise Rejected("status-list-unknown", list_id=list_id)
            if unchanged:
                return []
            check_pipeline(stages)
            return [StatusListChanged(list_id=list_id, name=name, stages=stages, stage_names=names)]
        case _:
            assert_never(command)


def evolve(state: StatusList, event: StatusListEvent) -> StatusList:
    match event:
        case StatusListDefined() | StatusListChanged():
            return replace(state, exists=True, name=event.name, stages=event.stages, stage_names=event.stage_names)
        case _:
            assert_never(event)


status_list: Decider[StatusListCommand, StatusList, StatusListEvent] = Decider(
    "status_list",
    initial_state,
    decide,
    evolve,
    events={"StatusListDefined": StatusListDefined, "StatusListChanged": StatusListChanged},
)
