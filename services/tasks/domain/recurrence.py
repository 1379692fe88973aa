"""A recurrence is work that comes again and again: a plan, a rule that says when, and its tasks so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from pydantic import AwareDatetime, Field, StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.task_planning import Outline, Wording
from services.tasks.domain.values import Id, Value

WallClock = Annotated[str, StringConstraints(pattern=r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$")]
A_MONTH = 31 * 24 * 60


class Timing(Value):
    """When: a rule of RFC 5545 on the wall clock of a time zone, beginning at `starts`, `minutes` long each time."""

    rule: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    starts: WallClock
    zone: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    minutes: Annotated[int, Field(ge=1, le=A_MONTH)] | None = None


SealedWording = Annotated[Wording | Erased, TenantData()]


class Occurrence(Value):
    """One time: the task opened for it, or None and why it could not be; `code` with a task says what it lacks."""

    start: AwareDatetime
    task_id: str | None
    code: str | None = None


class RecurrenceStarted(Event):
    """From `since` on, this work comes again and again."""

    recurrence_id: str
    timing: Timing
    outline: Outline
    wording: SealedWording
    since: AwareDatetime
    planned_by: str


class RecurrenceChanged(Event):
    """What begins from `since` on is planned in another way, for the n-th time."""

    recurrence_id: str
    revision: int
    timing: Timing
    outline: Outline
    wording: SealedWording
    since: AwareDatetime


class OccurrencesOpened(Event):
    """Everything up to `upto` has its task; `following` begins next. With `more` some of it is still to come.

    `withdrawn` are the times whose tasks a change of the plan took back, all there are now.
    """

    recurrence_id: str
    revision: int
    upto: AwareDatetime
    occurrences: tuple[Occurrence, ...]
    following: AwareDatetime | None
    more: bool = False
    withdrawn: tuple[AwareDatetime, ...] = ()


class OccurrenceSkipped(Event):
    """This one time it is left out."""

    recurrence_id: str
    start: AwareDatetime


class RecurrenceEnded(Event):
    """What has not begun at `since` does not come any more."""

    recurrence_id: str
    since: AwareDatetime


RecurrenceEvent = RecurrenceStarted | RecurrenceChanged | OccurrencesOpened | OccurrenceSkipped | RecurrenceEnded


class StartRecurrence(Command):
    """Plan work that comes again and again; the rule has been checked."""

    recurrence_id: Id
    timing: Timing
    outline: Outline
    wording: Wording


class ChangeRecurrence(Command):
    """Plan what has not begun in another way."""

    recurrence_id: Id
    timing: Timing
    outline: Outline
    wording: Wording


class RecordOpened(Command):
    """Say which tasks were opened under which plan."""

    recurrence_id: Id
    revision: int
    upto: AwareDatetime
    occurrences: tuple[Occurrence, ...]
    following: AwareDatetime | None
    more: bool = False
    withdrawn: tuple[AwareDatetime, ...] = ()


class SkipOccurrence(Command):
    """Leave one time out."""

    recurrence_id: Id
    start: AwareDatetime


class EndRecurrence(Command):
    """Let it come no more."""

    recurrence_id: Id


RecurrenceCommand = StartRecurrence | ChangeRecurrence | RecordOpened | SkipOccurrence | EndRecurrence


@dataclass(frozen=True, slots=True)
class Plan:
    """When and what."""

    timing: Timing
    outline: Outline
    wording: Wording | Erased


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The recurrence as it is now; `aligned` is the plan that the tasks opened so far were brought to."""

    plan: Plan | None = None
    aligned: Plan | None = None
    planned_by: str = ""
    revision: int = 1
    since: AwareDatetime | None = None
    upto: AwareDatetime | None = None
    opened: Mapping[AwareDatetime, str | None] = field(default_factory=dict)
    skipped: frozenset[AwareDatetime] = frozenset()
    withdrawn: frozenset[AwareDatetime] = frozenset()
    ended: AwareDatetime | None = None


initial_state = Recurrence()


def decide(command: RecurrenceCommand, state: Recurrence) -> list[RecurrenceEvent]:
    id = command.recurrence_id
    if isinstance(command, StartRecurrence):
        return _start(command, state)
    if state.plan is None:
        raise Rejected("recurrence-unknown", recurrence_id=id)
    match command:
        case ChangeRecurrence():
            if Plan(command.timing, command.outline, command.wording) == state.plan:
                return []
            _check_live(state, id)
            changed = RecurrenceChanged(
                recurrence_id=id,
                revision=state.revision + 1,
                timing=command.timing,
                outline=command.outline,
                wording=command.wording,
                since=command.at,
            )
            return [changed]
        case RecordOpened():
            return _record(command, state)
        case SkipOccurrence(start=start):
            if start in state.skipped:
                return []
            _check_live(state, id)
            return [OccurrenceSkipped(recurrence_id=id, start=start)]
        case EndRecurrence():
            return [] if state.ended else [RecurrenceEnded(recurrence_id=id, since=command.at)]
        case _:
            assert_never(command)


def _start(command: StartRecurrence, state: Recurrence) -> list[RecurrenceEvent]:
    if state.plan is not None:
        if state.plan == Plan(command.timing, command.outline, command.wording):
            return []
        raise Rejected("recurrence-exists", recurrence_id=command.recurrence_id)
    _check_assignee(command.outline)
    return [
        RecurrenceStarted(
            recurrence_id=command.recurrence_id,
            timing=command.timing,
            outline=command.outline,
            wording=command.wording,
            since=command.at,
            planned_by=command.by,
        )
    ]


def _record(command: RecordOpened, state: Recurrence) -> list[RecurrenceEvent]:
    # Two may have opened the same times at once: whoever comes second adds nothing. What was done while the
    # plan changed or ended is kept all the same, and is to be looked at again (`more`): it may have to go.
    overtaken = command.revision != state.revision or state.ended is not None
    withdrawn = frozenset(command.withdrawn)
    known = all(one.start in state.opened for one in command.occurrences)
    if known and overtaken and withdrawn <= state.withdrawn:
        return []
    upto_known = state.upto is not None and command.upto <= state.upto
    if known and not overtaken and upto_known and withdrawn == state.withdrawn:
        return []
    return [
        OccurrencesOpened(
            recurrence_id=command.recurrence_id,
            revision=command.revision,
            upto=command.upto,
            occurrences=command.occurrences,
            following=command.following,
            more=command.more or overtaken,
            withdrawn=tuple(sorted(withdrawn | state.withdrawn if overtaken else withdrawn)),
        )
    ]


def _check_live(state: Recurrence, recurrence_id: str) -> None:
    if state.ended is not None:
        raise Rejected("recurrence-ended", recurrence_id=recurrence_id)


def _check_assignee(outline: Outline) -> None:
    if outline.user_id is not None and outline.team_id is not None:
        raise Rejected("assignee-ambiguous")


def evolve(state: Recurrence, event: RecurrenceEvent) -> Recurrence:
    match event:
        case RecurrenceStarted():
            plan = Plan(event.timing, event.outline, event.wording)
            return replace(state, plan=plan, aligned=plan, planned_by=event.planned_by, since=event.since)
        case RecurrenceChanged():
            plan = Plan(event.timing, event.outline, event.wording)
            return replace(state, plan=plan, revision=event.revision, since=event.since, upto=None)
        case OccurrencesOpened(revision=revision, upto=upto, occurrences=occurrences):
            opened = {**state.opened, **{one.start: one.task_id for one in occurrences}}
            state = replace(state, opened=opened, withdrawn=frozenset(event.withdrawn))
            if revision != state.revision:
                return replace(state, upto=None)
            return replace(state, upto=upto, aligned=state.aligned if event.more else state.plan)
        case OccurrenceSkipped(start=start):
            return replace(state, skipped=state.skipped | {start})
        case RecurrenceEnded(since=since):
            return replace(state, ended=since)
        case _:
            assert_never(event)


recurrence: Decider[RecurrenceCommand, Recurrence, RecurrenceEvent] = Decider(
    "recurrence",
    initial_state,
    decide,
    evolve,
    events={
        "RecurrenceStarted": RecurrenceStarted,
        "RecurrenceChanged": RecurrenceChanged,
        "OccurrencesOpened": OccurrencesOpened,
        "OccurrenceSkipped": OccurrenceSkipped,
        "RecurrenceEnded": RecurrenceEnded,
    },
)
