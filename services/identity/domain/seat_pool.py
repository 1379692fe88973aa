"""The paid seats of an account: how many there are, and which operational user sits on which.

Never more people sit than there are seats. What was sold is billing's to say: the limit rises once billing
has said so, and falls here before billing lets it fall there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from pydantic import Field

from services.identity.domain.values import Id
from services.kernel.domain import Command, Decider, Event, Rejected

INCLUDED_SEATS = 10
"""What the standard plan includes; known here so that a new account works before billing has heard of it."""


class SeatPoolOpened(Event):
    """The account has the seats its plan includes."""

    account_id: str
    seats: int


class SeatAssigned(Event):
    """The person sits on a paid seat. `number` counts the assignments: the higher one is the later one."""

    account_id: str
    user_id: str
    number: int


class SeatReleased(Event):
    """The seat is free for somebody else."""

    account_id: str
    user_id: str
    number: int


class SeatLimitRaised(Event):
    """Billing has granted more seats."""

    account_id: str
    to: int
    entitlement_version: int


class SeatReductionReserved(Event):
    """From now on at most `to` people may sit here: billing may lower what is sold."""

    account_id: str
    order: int
    to: int


class SeatReductionBlocked(Event):
    """More people sit than shall be allowed: the administrator has to choose who gets up."""

    account_id: str
    order: int
    to: int
    active: int


class SeatReductionReleased(Event):
    """The reduction does not take place; the limit is `limit` again."""

    account_id: str
    order: int
    limit: int


class SeatReductionApplied(Event):
    """Billing has lowered what is sold."""

    account_id: str
    order: int
    to: int
    entitlement_version: int


SeatPoolEvent = (
    SeatPoolOpened
    | SeatAssigned
    | SeatReleased
    | SeatLimitRaised
    | SeatReductionReserved
    | SeatReductionBlocked
    | SeatReductionReleased
    | SeatReductionApplied
)

Seats = Annotated[int, Field(ge=0, le=100_000)]
Version = Annotated[int, Field(ge=0)]
Order = Annotated[int, Field(ge=1)]


class OpenSeatPool(Command):
    """The account is new."""

    account_id: Id


class AssignSeat(Command):
    """Give the person a seat. A seat of number `spent` or lower was given up and counts no more."""

    account_id: Id
    user_id: Id
    spent: int = 0


class ReleaseSeat(Command):
    """Take the seat of this number back; a later one stays."""

    account_id: Id
    user_id: Id
    number: int


class RaiseSeatLimit(Command):
    """Billing has granted `seats` in all."""

    account_id: Id
    seats: Seats
    entitlement_version: Version


class ReserveSeatReduction(Command):
    """Billing wants to lower what is sold to `to`."""

    account_id: Id
    order: Order
    to: Seats


class ReleaseSeatReduction(Command):
    """Billing gave up lowering."""

    account_id: Id
    order: Order


class ApplySeatReduction(Command):
    """Billing has lowered what is sold to `seats`."""

    account_id: Id
    order: Order
    seats: Seats
    entitlement_version: Version


SeatPoolCommand = (
    OpenSeatPool
    | AssignSeat
    | ReleaseSeat
    | RaiseSeatLimit
    | ReserveSeatReduction
    | ReleaseSeatReduction
    | ApplySeatReduction
)


@dataclass(frozen=True, slots=True)
class Reduction:
    """What billing asked for. Reserved, it holds already; otherwise it waits until few enough people sit."""

    order: int
    to: int
    reserved: bool
    active: int = 0


@dataclass(frozen=True, slots=True)
class SeatPool:
    """`granted` is what billing has sold as far as is known here, `seated` maps each person to the seat's number."""

    opened: bool = False
    granted: int = INCLUDED_SEATS
    entitlement_version: int = 0
    seated: Mapping[str, int] = field(default_factory=dict)
    assignments: int = 0
    reduction: Reduction | None = None

    @property
    def limit(self) -> int:
        """How many may sit here now."""
        if self.reduction is not None and self.reduction.reserved:
            return min(self.granted, self.reduction.to)
        return self.granted

    @property
    def used(self) -> int:
        """How many sit here now."""
        return len(self.seated)


initial_state = SeatPool()


def decide(command: SeatPoolCommand, state: SeatPool) -> list[SeatPoolEvent]:
    """What a request to this pool leads to; whichever comes first opens it."""
    facts = _decide(command, state)
    if state.opened or not (facts or isinstance(command, OpenSeatPool)):
        return facts
    return [SeatPoolOpened(account_id=command.account_id, seats=INCLUDED_SEATS), *facts]


def _decide(command: SeatPoolCommand, state: SeatPool) -> list[SeatPoolEvent]:
    account_id = command.account_id
    match command:
        case OpenSeatPool():
            return []
        case AssignSeat(user_id=user_id, spent=spent):
            present = state.seated.get(user_id)
            if present is not None and present > spent:
                return []
            if present is None and state.used >= state.limit:
                raise Rejected("no-free-seat", limit=state.limit, used=state.used)
            # A spent seat that was not taken back yet is taken again under a new number.
            return [SeatAssigned(account_id=account_id, user_id=user_id, number=state.assignments + 1)]
        case ReleaseSeat(user_id=user_id, number=number):
            if state.seated.get(user_id) != number:
                return []
            released = SeatReleased(account_id=account_id, user_id=user_id, number=number)
            return [released, *_waiting_reduction(account_id, evolve(state, released))]
        case RaiseSeatLimit(seats=seats, entitlement_version=version):
            if version <= state.entitlement_version or seats <= state.granted:
                return []
            return [SeatLimitRaised(account_id=account_id, to=seats, entitlement_version=version)]
        case ReserveSeatReduction(order=order, to=to):
            if state.reduction is not None and (state.reduction.order, state.reduction.to) == (order, to):
                return []
            return [_reserved_or_blocked(account_id, order, to, state.used)]
        case ReleaseSeatReduction(order=order):
            if state.reduction is None or state.reduction.order != order:
                return []
            return [SeatReductionReleased(account_id=account_id, order=order, limit=state.granted)]
        case ApplySeatReduction(seats=seats, entitlement_version=version):
            return _apply(command, seats, version, state)
        case _:
            assert_never(command)


def _waiting_reduction(account_id: str, state: SeatPool) -> list[SeatPoolEvent]:
    """A seat became free: in the same commit, so that nobody can sit down before a reduction that waits for it."""
    waiting = state.reduction
    if waiting is None or waiting.reserved:
        return []
    return [_reserved_or_blocked(account_id, waiting.order, waiting.to, state.used)]


def _reserved_or_blocked(
    account_id: str, order: int, to: int, used: int
) -> SeatReductionReserved | SeatReductionBlocked:
    if used <= to:
        return SeatReductionReserved(account_id=account_id, order=order, to=to)
    return SeatReductionBlocked(account_id=account_id, order=order, to=to, active=used)


def _apply(command: ApplySeatReduction, seats: int, version: int, state: SeatPool) -> list[SeatPoolEvent]:
    if version <= state.entitlement_version:
        return []
    if state.used > seats:
        # Billing lowers only after the reservation. Should it ever not: nobody loses a seat by itself.
        if state.reduction == Reduction(command.order, seats, reserved=False, active=state.used):
            return []
        return [_reserved_or_blocked(command.account_id, command.order, seats, state.used)]
    return [
        SeatReductionApplied(account_id=command.account_id, order=command.order, to=seats, entitlement_version=version)
    ]


def evolve(state: SeatPool, event: SeatPoolEvent) -> SeatPool:
    """The pool after one more fact."""
    match event:
        case SeatPoolOpened(seats=seats):
            return replace(state, opened=True, granted=seats)
        case SeatAssigned(user_id=user_id, number=number):
            return replace(state, seated={**state.seated, user_id: number}, assignments=number)
        case SeatReleased(user_id=user_id):
            return replace(state, seated={who: n for who, n in state.seated.items() if who != user_id})
        case SeatLimitRaised(to=to, entitlement_version=version):
            return replace(state, granted=to, entitlement_version=version)
        case SeatReductionReserved(order=order, to=to):
            return replace(state, reduction=Reduction(order, to, reserved=True))
        case SeatReductionBlocked(order=order, to=to, active=active):
            return replace(state, reduction=Reduction(order, to, reserved=False, active=active))
        case SeatReductionReleased():
            return replace(state, reduction=None)
        case SeatReductionApplied(to=to, entitlement_version=version):
            return replace(state, granted=to, entitlement_version=version, reduction=None)
        case _:
            assert_never(event)


seat_pool = Decider(
    "seat_pool",
    initial_state,
    decide,
    evolve,
    events={
        "SeatPoolOpened": SeatPoolOpened,
        "SeatAssigned": SeatAssigned,
        "SeatReleased": SeatReleased,
        "SeatLimitRaised": SeatLimitRaised,
        "SeatReductionReserved": SeatReductionReserved,
        "SeatReductionBlocked": SeatReductionBlocked,
        "SeatReductionReleased": SeatReductionReleased,
        "SeatReductionApplied": SeatReductionApplied,
    },
)
