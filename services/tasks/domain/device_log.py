"""A device's log says how far its work has been taken in: every number once, in order, none left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import AwareDatetime, Field

from services.kernel.domain import Command, Decider, Event, Rejected
from services.tasks.domain.values import Id, Value

Status = Literal["applied", "noop", "parked", "rejected"]


class Clock(Value):
    """What a device's clocks said: the time on its wall, and how long it had been running since its start."""

    occurred_at: str = Field(max_length=40)
    mono_ms: int | None = None
    boot_id: str | None = Field(default=None, max_length=64)


class Settled(Value):
    """What became of one command of a device; `time_suspect`: its clock cannot be believed."""

    command_id: Id
    seq: int = Field(ge=1)
    type: str = Field(max_length=60)
    status: Status
    code: str | None = None
    subject_kind: str | None = None
    subject_id: str | None = None
    clock: Clock
    time_suspect: bool = False


class CommandsSettled(Event):
    """The device's commands up to `last_seq` have their results. `offset_ms`: how far its clock was ahead."""

    device_id: str
    user_id: str
    last_seq: int
    received_at: AwareDatetime
    offset_ms: int | None
    settled: tuple[Settled, ...]


class SettleCommands(Command):
    """Note the results of commands that follow each other."""

    device_id: Id
    user_id: Id
    received_at: AwareDatetime
    offset_ms: int | None = None
    settled: tuple[Settled, ...]


@dataclass(frozen=True, slots=True)
class DeviceLog:
    """`last` is the clock of the last command taken in."""

    user_id: str | None = None
    last_seq: int = 0
    last: Clock | None = None


initial_state = DeviceLog()


def decide(command: SettleCommands, state: DeviceLog) -> list[CommandsSettled]:
    """What is known already is left out; what does not follow is refused."""
    if state.user_id not in (None, command.user_id):
        raise Rejected("device-of-another", device_id=command.device_id)
    new = tuple(one for one in command.settled if one.seq > state.last_seq)
    if not new:
        return []
    if [one.seq for one in new] != list(range(state.last_seq + 1, state.last_seq + 1 + len(new))):
        raise Rejected("sequence-gap", expected=state.last_seq + 1)
    return [
        CommandsSettled(
            device_id=command.device_id,
            user_id=command.user_id,
            last_seq=new[-1].seq,
            received_at=command.received_at,
            offset_ms=command.offset_ms,
            settled=new,
        )
    ]


def evolve(state: DeviceLog, event: CommandsSettled) -> DeviceLog:
    """Only the last fact counts."""
    return DeviceLog(event.user_id, event.last_seq, event.settled[-1].clock)


device_log = Decider(
    "device_log",
    initial_state,
    decide,
    evolve,
    events={"CommandsSettled": CommandsSettled},
    by_last=True,
)
