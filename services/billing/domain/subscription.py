"""A subscription is what one account has bought: seats by the cycle, and whether it may use them."""

from __future__ import annotations

from typing import Annotated, assert_never

from pydantic import AwareDatetime, Field

from services.billing.domain import seat_reduction, seat_upgrade, standing
from services.billing.domain.calendar import Interval, local_day, midnight
from services.billing.domain.cycles import due
from services.billing.domain.seat_reduction import NoteBlock, NoteReservation, ReductionCommand
from services.billing.domain.seat_upgrade import UpgradeCommand
from services.billing.domain.standing import ClearDebt, MarkOverdue, StandingCommand, UnparkAccount
from services.billing.domain.subscription_events import (
    EVENTS,
    BillingDetailsSet,
    SubscriptionEvent,
    SubscriptionStarted,
)
from services.billing.domain.subscription_state import Subscription, evolve
from services.billing.domain.values import INCLUDED, Id, Language, Line, Plan
from services.kernel.domain import Command, Decider, Rejected


class StartSubscription(Command):
    """Give a new account its plan, from the day on which it registered."""

    account_id: Id
    registered_at: AwareDatetime
    country: Annotated[str, Field(max_length=2)] = "CO"
    plan: Plan = "standard"
    interval: Interval = "monthly"


class SetBillingDetails(Command):
    """Say to whom invoices are made out and sent."""

    account_id: Id
    legal_name: Line
    tax_id: Annotated[str, Field(min_length=3, max_length=40)]
    address: Line
    city: Line
    email: Annotated[str, Field(min_length=5, max_length=254, pattern=r"^[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+$")]
    language: Language = "es"


class OpenCycles(Command):
    """Cycles may have begun."""

    account_id: Id


SubscriptionCommand = (
    StartSubscription | SetBillingDetails | OpenCycles | UpgradeCommand | ReductionCommand | StandingCommand
)

initial_state = Subscription()


def decide(command: SubscriptionCommand, state: Subscription) -> list[SubscriptionEvent]:
    """What a request leads to, after the cycles that have begun meanwhile and before those that begin by it."""
    if isinstance(command, StartSubscription):
        return _start(command, state)
    if not state.started:
        raise Rejected("subscription-unknown", account_id=command.account_id)
    before = due(state, command.at)
    state = _after(state, before)
    if state.parked and not isinstance(
        command, UnparkAccount | OpenCycles | SetBillingDetails | MarkOverdue | ClearDebt | NoteReservation | NoteBlock
    ):
        # With cycles missing nobody can say which seats they had: no seat changes until a person has looked.
        raise Rejected("account-parked", account_id=command.account_id)
    facts = _decide(command, state)
    return [*before, *facts, *due(_after(state, facts), command.at)]


def _after(state: Subscription, facts: list[SubscriptionEvent]) -> Subscription:
    for fact in facts:
        state = evolve(state, fact)
    return state


def _start(command: StartSubscription, state: Subscription) -> list[SubscriptionEvent]:
    if state.started:
        return []
    day = local_day(command.registered_at)
    return [
        SubscriptionStarted(
            account_id=command.account_id,
            plan=command.plan,
            interval=command.interval,
            seats=INCLUDED[command.plan],
            included=INCLUDED[command.plan],
            entitlement_version=1,
            anchor_day=day.day,
            cycle_start=midnight(day),
            country=command.country,
        )
    ]


def _decide(
    command: SetBillingDetails | OpenCycles | UpgradeCommand | ReductionCommand | StandingCommand,
    state: Subscription,
) -> list[SubscriptionEvent]:
    if isinstance(command, UpgradeCommand):
        return seat_upgrade.decide(command, state)
    if isinstance(command, ReductionCommand):
        return seat_reduction.decide(command, state)
    if isinstance(command, StandingCommand):
        return standing.decide(command, state)
    match command:
        case OpenCycles():
            return []
        case SetBillingDetails():
            return _set_details(command, state)
        case _:
            assert_never(command)


def _set_details(command: SetBillingDetails, state: Subscription) -> list[SubscriptionEvent]:
    wanted = BillingDetailsSet.model_validate(command.model_dump(exclude={"at", "by"}))
    return [] if wanted == state.details else [wanted]


subscription = Decider("subscription", initial_state, decide, evolve, events=EVENTS)
