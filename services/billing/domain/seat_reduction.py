"""Fewer seats: asked for by a ticket, decided by the commercial team, applied when a cycle begins."""

from __future__ import annotations

from typing import Annotated, assert_never

from pydantic import Field

from services.billing.domain.subscription_events import (
    AwaitingDeactivations,
    SeatReductionApproved,
    SeatReductionCancelled,
    SeatReductionReady,
    SeatReductionRejected,
    SeatReductionRequested,
    SubscriptionEvent,
)
from services.billing.domain.subscription_state import Reduction, Subscription
from services.billing.domain.values import Id, Line, Seats, Ticket
from services.kernel.domain import Command, Rejected


class RequestSeatReduction(Command):
    """A ticket asks for fewer seats."""

    account_id: Id
    to: Seats
    ticket: Ticket


class ApproveSeatReduction(Command):
    """The commercial team agrees."""

    account_id: Id
    order: int


class RejectSeatReduction(Command):
    """The commercial team does not agree, and says why."""

    account_id: Id
    order: int
    reason: Line


class NoteReservation(Command):
    """Identity says that it holds the lower limit."""

    account_id: Id
    order: int
    to: int


class NoteBlock(Command):
    """Identity says that more people are active than would have a seat."""

    account_id: Id
    order: int
    to: int
    active: Annotated[int, Field(ge=0)]


class CancelSeatReduction(Command):
    """Keep the seats after all."""

    account_id: Id
    order: int


ReductionCommand = (
    RequestSeatReduction
    | ApproveSeatReduction
    | RejectSeatReduction
    | NoteReservation
    | NoteBlock
    | CancelSeatReduction
)


def decide(command: ReductionCommand, state: Subscription) -> list[SubscriptionEvent]:
    """What a request about fewer seats leads to."""
    if isinstance(command, RequestSeatReduction):
        return _request(command, state)
    account, order = command.account_id, command.order
    reduction = state.reduction
    if reduction is None or reduction.order != order:
        return _closed(command, state)
    match command:
        case ApproveSeatReduction():
            if reduction.step != "requested":
                return []
            assert state.next_cycle is not None
            return [
                SeatReductionApproved(
                    account_id=account, order=order, to=reduction.to, effective_cycle_start=state.next_cycle
                )
            ]
        case RejectSeatReduction(reason=reason):
            if reduction.step != "requested":
                raise Rejected("reduction-decided", order=order)
            return [SeatReductionRejected(account_id=account, order=order, reason=reason)]
        case NoteReservation():
            if reduction.step not in ("approved", "awaiting"):
                return []
            return [SeatReductionReady(account_id=account, order=order, to=reduction.to)]
        case NoteBlock(active=active):
            return _await(account, reduction, active)
        case CancelSeatReduction():
            return [SeatReductionCancelled(account_id=account, order=order, to=reduction.to, seats=state.seats)]
        case _:
            assert_never(command)


def _request(command: RequestSeatReduction, state: Subscription) -> list[SubscriptionEvent]:
    if state.reduction is not None:
        if (state.reduction.to, state.reduction.ticket) == (command.to, command.ticket):
            return []
        raise Rejected("reduction-pending", order=state.reduction.order)
    if command.to >= state.seats:
        raise Rejected("seats-not-lowered", seats=state.seats, to=command.to)
    if command.to < state.included:
        raise Rejected("below-included-seats", included=state.included, to=command.to)
    if state.standing == "cancelled":
        raise Rejected("account-not-active", standing=state.standing)
    return [
        SeatReductionRequested(
            account_id=command.account_id, order=state.orders + 1, to=command.to, ticket=command.ticket
        )
    ]


def _await(account: str, reduction: Reduction, active: int) -> list[SubscriptionEvent]:
    missing = active - reduction.to
    if reduction.step not in ("approved", "awaiting") or missing <= 0 or missing == reduction.missing:
        return []
    return [
        AwaitingDeactivations(
            account_id=account, order=reduction.order, to=reduction.to, active=active, missing=missing
        )
    ]


def _closed(
    command: ApproveSeatReduction | RejectSeatReduction | NoteReservation | NoteBlock | CancelSeatReduction,
    state: Subscription,
) -> list[SubscriptionEvent]:
    """A reduction that is over: the same answer again is nothing new, another answer comes too late."""
    ending = state.closing(command.order)
    match command, ending:
        case NoteReservation() | NoteBlock(), _:
            # Identity answers in its own time; what it says of a reduction that is over has no effect here.
            return []
        case _, None:
            raise Rejected("reduction-unknown", order=command.order)
        case (RejectSeatReduction(), "rejected") | (CancelSeatReduction(), "cancelled"):
            return []
        case (ApproveSeatReduction(), "applied"):
            return []
        case _:
            raise Rejected("reduction-decided", order=command.order, ending=ending)
