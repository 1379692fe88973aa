"""A process is a broad kind of work; its subprocesses are the concrete kinds that tasks belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from pydantic import Field

from services.kernel.domain import ERASED, Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.values import Fields, Id, Name

TenantName = Annotated[str | Erased, TenantData()]
TenantFields = Annotated[Fields | Erased, TenantData()]


class ProcessCreated(Event):
    """A new kind of work."""

    process_id: str
    name: TenantName


class ProcessRenamed(Event):
    """It goes by another name."""

    process_id: str
    name: TenantName


class ProcessDeactivated(Event):
    """No new tasks of this kind."""

    process_id: str


class ProcessActivated(Event):
    """Tasks of this kind may be opened again."""

    process_id: str


class StatusListAttached(Event):
    """`list_id` None: tasks opened from now on walk through the three generic states."""

    process_id: str
    list_id: str | None


class TeamsLinked(Event):
    """These teams, and only these, do such work."""

    process_id: str
    team_ids: tuple[str, ...]


class SubprocessAdded(Event):
    """One more concrete kind of task."""

    process_id: str
    subprocess_id: str
    name: TenantName


class SubprocessRenamed(Event):
    """It goes by another name."""

    process_id: str
    subprocess_id: str
    name: TenantName


class SubprocessDeactivated(Event):
    """No new tasks of this kind."""

    process_id: str
    subprocess_id: str


class SubprocessActivated(Event):
    """Tasks of this kind may be opened again."""

    process_id: str
    subprocess_id: str


class ProcessFieldsSet(Event):
    """The account's own fields of the process have other values, or of one of its subprocesses."""

    process_id: str
    subprocess_id: str | None
    changed: tuple[str, ...]
    fields: TenantFields


ProcessEvent = (
    ProcessCreated | ProcessRenamed | ProcessDeactivated | ProcessActivated | StatusListAttached | TeamsLinked
    | SubprocessAdded | SubprocessRenamed | SubprocessDeactivated | SubprocessActivated | ProcessFieldsSet
)  # fmt: skip


class CreateProcess(Command):
    """Begin a process."""

    process_id: Id
    name: Name


class RenameProcess(Command):
    """Give it another name."""

    process_id: Id
    name: Name


class DeactivateProcess(Command):
    """Stop opening tasks of it."""

    process_id: Id


class ActivateProcess(Command):
    """Let tasks of it be opened again."""

    process_id: Id


class AttachStatusList(Command):
    """Say which pipeline its tasks will walk through; None for the generic one."""

    process_id: Id
    list_id: Id | None


class LinkTeams(Command):
    """Say which teams do this work: the whole set."""

    process_id: Id
    team_ids: Annotated[tuple[Id, ...], Field(max_length=200)]


class AddSubprocess(Command):
    """Add a concrete kind of task."""

    process_id: Id
    subprocess_id: Id
    name: Name


class RenameSubprocess(Command):
    """Give it another name."""

    process_id: Id
    subprocess_id: Id
    name: Name


class DeactivateSubprocess(Command):
    """Stop opening tasks of it."""

    process_id: Id
    subprocess_id: Id


class ActivateSubprocess(Command):
    """Let tasks of it be opened again."""

    process_id: Id
    subprocess_id: Id


class SetProcessFields(Command):
    """Give the account's own fields their values: all of them, of the process or of one of its subprocesses."""

    process_id: Id
    subprocess_id: Id | None = None
    fields: Fields


ProcessCommand = (
    CreateProcess | RenameProcess | DeactivateProcess | ActivateProcess | AttachStatusList | LinkTeams
    | AddSubprocess | RenameSubprocess | DeactivateSubprocess | ActivateSubprocess | SetProcessFields
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Subprocess:
    """One concrete kind of task."""

    name: str | Erased
    active: bool = True
    fields: Fields | Erased = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Process:
    """The process as it is now."""

    exists: bool = False
    name: str | Erased = ""
    active: bool = True
    list_id: str | None = None
    team_ids: tuple[str, ...] = ()
    subprocesses: Mapping[str, Subprocess] = field(default_factory=dict)
    fields: Fields | Erased = field(default_factory=dict)

    def subprocess(self, subprocess_id: str) -> Subprocess:
        """One of its subprocesses; refuses an id it does not have."""
        if subprocess_id not in self.subprocesses:
            raise Rejected("subprocess-unknown", subprocess_id=subprocess_id)
        return self.subprocesses[subprocess_id]


initial_state = Process()


def decide(command: ProcessCommand, state: Process) -> list[ProcessEvent]:
    process_id = command.process_id
    if isinstance(command, CreateProcess):
        if not state.exists:
            return [ProcessCreated(process_id=process_id, name=command.name)]
        if state.name == command.name:
            return []
        raise Rejected("process-exists", process_id=process_id)
    if not state.exists:
        raise Rejected("process-unknown", process_id=process_id)
    match command:
        case RenameProcess(name=name):
            return [] if name == state.name else [ProcessRenamed(process_id=process_id, name=name)]
        case DeactivateProcess():
            return [ProcessDeactivated(process_id=process_id)] if state.active else []
        case ActivateProcess():
            return [] if state.active else [ProcessActivated(process_id=process_id)]
        case AttachStatusList(list_id=list_id):
            if list_id == state.list_id:
                return []
            return [StatusListAttached(process_id=process_id, list_id=list_id)]
        case LinkTeams(team_ids=team_ids):
            linked = tuple(sorted(set(team_ids)))
            return [] if linked == state.team_ids else [TeamsLinked(process_id=process_id, team_ids=linked)]
        case AddSubprocess(subprocess_id=sub_id, name=name):
            known = state.subprocesses.get(sub_id)
            if known is None:
                return [SubprocessAdded(process_id=process_id, subprocess_id=sub_id, name=name)]
            if known.name == name:
                return []
            raise Rejected("subprocess-exists", subprocess_id=sub_id)
        case RenameSubprocess(subprocess_id=sub_id, name=name):
            if state.subprocess(sub_id).name == name:
                return []
            return [SubprocessRenamed(process_id=process_id, subprocess_id=sub_id, name=name)]
        case DeactivateSubprocess(subprocess_id=sub_id):
            if not state.subprocess(sub_id).active:
                return []
            return [SubprocessDeactivated(process_id=process_id, subprocess_id=sub_id)]
        case ActivateSubprocess(subprocess_id=sub_id):
            if state.subprocess(sub_id).active:
                return []
            return [SubprocessActivated(process_id=process_id, subprocess_id=sub_id)]
        case SetProcessFields(subprocess_id=of, fields=fields):
            before = state.fields if of is None else state.subprocess(of).fields
            if before == fields:
                return []
            past: Fields = {} if isinstance(before, Erased) else before
            changed = tuple(sorted(key for key in {*past, *fields} if past.get(key) != fields.get(key)))
            return [ProcessFieldsSet(process_id=process_id, subprocess_id=of, changed=changed, fields=fields)]
        case _:
            assert_never(command)


def evolve(state: Process, event: ProcessEvent) -> Process:
    match event:
        case ProcessCreated(name=name):
            return replace(state, exists=True, name=name)
        case ProcessRenamed(name=name):
            return replace(state, name=name)
        case ProcessDeactivated():
            return replace(state, active=False)
        case ProcessActivated():
            return replace(state, active=True)
        case StatusListAttached(list_id=list_id):
            return replace(state, list_id=list_id)
        case TeamsLinked(team_ids=team_ids):
            return replace(state, team_ids=team_ids)
        case SubprocessAdded(subprocess_id=sub_id, name=name) | SubprocessRenamed(subprocess_id=sub_id, name=name):
            return _with(state, sub_id, replace(_known(state, sub_id), name=name))
        case SubprocessDeactivated(subprocess_id=sub_id):
            return _with(state, sub_id, replace(_known(state, sub_id), active=False))
        case SubprocessActivated(subprocess_id=sub_id):
            return _with(state, sub_id, replace(_known(state, sub_id), active=True))
        case ProcessFieldsSet(subprocess_id=of, fields=fields):
            if of is None:
                return replace(state, fields=fields)
            return _with(state, of, replace(_known(state, of), fields=fields))
        case _:
            assert_never(event)


def _known(state: Process, subprocess_id: str) -> Subprocess:
    return state.subprocesses.get(subprocess_id, Subprocess(ERASED))


def _with(state: Process, subprocess_id: str, changed: Subprocess) -> Process:
    return replace(state, subprocesses={**state.subprocesses, subprocess_id: changed})


process: Decider[ProcessCommand, Process, ProcessEvent] = Decider(
    "process",
    initial_state,
    decide,
    evolve,
    events={
        "ProcessCreated": ProcessCreated,
        "ProcessRenamed": ProcessRenamed,
        "ProcessDeactivated": ProcessDeactivated,
        "ProcessActivated": ProcessActivated,
        "StatusListAttached": StatusListAttached,
        "TeamsLinked": TeamsLinked,
        "SubprocessAdded": SubprocessAdded,
        "SubprocessRenamed": SubprocessRenamed,
        "SubprocessDeactivated": SubprocessDeactivated,
        "SubprocessActivated": SubprocessActivated,
        "ProcessFieldsSet": ProcessFieldsSet,
    },
)
