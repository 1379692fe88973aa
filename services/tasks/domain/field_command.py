"""A field command is what a device asked for and what it was answered, once and for ever; parked, its evidence waits.

Only what changed nothing itself has a stream of its own here. What was applied is the stream of the task
or customer that it changed, under the same commit id: so one command has one outcome, however many
attempts at it run at once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.device_log import Clock, Settled, Status
from services.tasks.domain.values import Id, Reason

Body = dict[str, Any]


class CommandAnswered(Event):
    """The device's command has its result. A parked one keeps everything the device sent."""

    work_id: str
    command_id: str
    device_id: str
    user_id: str
    seq: int
    type: str
    status: Status
    code: str | None
    subject_kind: str | None
    subject_id: str | None
    clock: Clock
    received_at: AwareDatetime
    facts: Annotated[Body | Erased, TenantData()]
    evidence: Annotated[Body | Erased | None, TenantData()]


class ParkedWorkReleased(Event):
    """A supervisor let the parked command take effect."""

    work_id: str
    status: Status


class ParkedWorkDiscarded(Event):
    """A supervisor decided that the parked command shall have no effect; its evidence stays in the log."""

    work_id: str
    reason: Annotated[str | Erased, TenantData()]


FieldCommandEvent = CommandAnswered | ParkedWorkReleased | ParkedWorkDiscarded


class AnswerCommand(Command):
    """Record the outcome of a command that changed nothing by itself."""

    work_id: Id
    device_id: Id
    user_id: Id
    received_at: AwareDatetime
    settled: Settled
    facts: Body = Field(default_factory=dict)
    evidence: Body | None = None


class ReleaseParkedWork(Command):
    """The command was tried once more and took effect."""

    work_id: Id
    status: Status


class DiscardParkedWork(Command):
    """Put a parked command aside."""

    work_id: Id
    reason: Reason


FieldCommandCommand = AnswerCommand | ReleaseParkedWork | DiscardParkedWork


@dataclass(frozen=True, slots=True)
class FieldCommand:
    """`answered` is the first fact; `end` is what a supervisor made of it, if it was parked."""

    answered: CommandAnswered | None = None
    end: Literal["released", "discarded"] | None = None


initial_state = FieldCommand()


def decide(command: FieldCommandCommand, state: FieldCommand) -> list[FieldCommandEvent]:
    """What a request about this command leads to."""
    match command:
        case AnswerCommand():
            return [_answered(command)] if state.answered is None else []
        case ReleaseParkedWork(work_id=work_id, status=status):
            _demand_parked(work_id, state)
            if state.end == "discarded":
                raise Rejected("parked-work-discarded", work_id=work_id)
            return [] if state.end == "released" else [ParkedWorkReleased(work_id=work_id, status=status)]
        case DiscardParkedWork(work_id=work_id, reason=reason):
            _demand_parked(work_id, state)
            if not reason:
                raise Rejected("reason-required")
            if state.end == "released":
                raise Rejected("parked-work-released", work_id=work_id)
            return [] if state.end == "discarded" else [ParkedWorkDiscarded(work_id=work_id, reason=reason)]
        case _:
            assert_never(command)


def _answered(command: AnswerCommand) -> CommandAnswered:
    outcome = {name: getattr(command.settled, name) for name in Settled.model_fields if name != "time_suspect"}
    around = {
        name: getattr(command, name) for name in AnswerCommand.model_fields if name in CommandAnswered.model_fields
    }
    return CommandAnswered(**outcome, **around)


def _demand_parked(work_id: str, state: FieldCommand) -> None:
    if state.answered is None or state.answered.status != "parked":
        raise Rejected("parked-work-unknown", work_id=work_id)


def evolve(state: FieldCommand, event: FieldCommandEvent) -> FieldCommand:
    """The command after one more fact."""
    match event:
        case CommandAnswered():
            return replace(state, answered=event)
        case ParkedWorkReleased():
            return replace(state, end="released")
        case ParkedWorkDiscarded():
            return replace(state, end="discarded")
        case _:
            assert_never(event)


field_command = Decider(
    "field_command",
    initial_state,
    decide,
    evolve,
    events={
        "CommandAnswered": CommandAnswered,
        "ParkedWorkReleased": ParkedWorkReleased,
        "ParkedWorkDiscarded": ParkedWorkDiscarded,
    },
)
