"""Whether an account may work: what follows from debts, and what the customer decides: resting, leaving, staying."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.billing.domain.calendar import Interval, local_day, midnight
from services.billing.domain.cycles import rests_unbilled
from services.billing.domain.subscription_events import (
    AccountPastDue,
    AccountPaused,
    AccountReactivated,
    AccountRestricted,
    AccountSuspended,
    AccountUnparked,
    CancellationScheduled,
    CancellationWithdrawn,
    IntervalChosen,
    SubscriptionEvent,
)
from services.billing.domain.subscription_state import Dunning, Subscription
from services.billing.domain.values import Id, Standing
from services.kernel.domain import Command, Rejected

LATENESS: tuple[Dunning, ...] = ("active", "past_due", "restricted", "suspended")


class MarkOverdue(Command):
    """An invoice has been late for so long that this follows."""

    account_id: Id
    invoice_id: Id
    step: Literal["past_due", "restricted", "suspended"]


class ClearDebt(Command):
    """Nothing that is late is open any more."""

    account_id: Id


class PauseSubscription(Command):
    """Let the account rest; nothing is lost."""

    account_id: Id


class ResumeSubscription(Command):
    """Work again after resting or having left."""

    account_id: Id


class CancelSubscription(Command):
    """Leave when what is paid for has been used; the data is kept."""

    account_id: Id
    reason: Annotated[str, Field(max_length=500)] = ""


class KeepSubscription(Command):
    """Stay after all."""

    account_id: Id


class ChooseInterval(Command):
    """Be billed by the month or by the year, from the next cycle on."""

    account_id: Id
    interval: Interval


class UnparkAccount(Command):
    """A person has looked: cycles that began until then are right."""

    account_id: Id
    until: AwareDatetime


StandingCommand = (
    MarkOverdue
    | ClearDebt
    | PauseSubscription
    | ResumeSubscription
    | CancelSubscription
    | KeepSubscription
    | ChooseInterval
    | UnparkAccount
)


def decide(command: StandingCommand, state: Subscription) -> list[SubscriptionEvent]:
    """What a request about the account's standing leads to."""
    account = command.account_id
    match command:
        case MarkOverdue():
            return _overdue(command, state)
        case ClearDebt():
            return [] if state.dunning == "active" else [_back(state, command.at, debt_paid=True)]
        case PauseSubscription():
            if state.paused:
                return []
            if state.standing != "active" or state.leaving is not None:
                raise Rejected("account-not-active", standing=state.standing)
            return [AccountPaused(account_id=account, standing="paused")]
        case ResumeSubscription():
            return [_back(state, command.at)] if state.paused or state.cancelled else []
        case CancelSubscription(reason=reason):
            if state.cancelled or state.leaving is not None:
                return []
            assert state.next_cycle is not None
            return [CancellationScheduled(account_id=account, effective_at=state.next_cycle, reason=reason)]
        case KeepSubscription():
            if state.cancelled:
                raise Rejected("account-not-active", standing=state.standing)
            return [] if state.leaving is None else [CancellationWithdrawn(account_id=account)]
        case ChooseInterval(interval=interval):
            if state.cancelled:
                raise Rejected("account-not-active", standing=state.standing)
            same = interval == state.next_interval
            return [] if same else [IntervalChosen(account_id=account, interval=interval)]
        case UnparkAccount(until=until):
            if not state.parked:
                return []
            if until > command.at:
                raise Rejected("until-in-future")
            return [AccountUnparked(account_id=account, until=until)]
        case _:
            assert_never(command)


def _overdue(command: MarkOverdue, state: Subscription) -> list[SubscriptionEvent]:
    if LATENESS.index(command.step) <= LATENESS.index(state.dunning):
        return []
    standing: Standing = state.standing if state.paused or state.cancelled else command.step
    kinds: dict[str, type[AccountPastDue] | type[AccountRestricted] | type[AccountSuspended]] = {
        "past_due": AccountPastDue,
        "restricted": AccountRestricted,
        "suspended": AccountSuspended,
    }
    kind = kinds[command.step]
    return [kind(account_id=command.account_id, invoice_id=command.invoice_id, standing=standing)]


def _back(state: Subscription, at: datetime, *, debt_paid: bool = False) -> AccountReactivated:
    """Back from resting, leaving or owing. A cycle that was skipped is begun anew today, not given away."""
    standing: Standing = state.dunning
    if debt_paid:
        standing = state.standing if state.paused or state.cancelled else "active"
    works_again = standing not in ("paused", "suspended", "cancelled")
    left_long_ago = state.cancelled and state.next_cycle is not None and state.next_cycle <= at
    if not works_again or not (rests_unbilled(state, at) or left_long_ago):
        return AccountReactivated(account_id=state.account_id, standing=standing)
    # A clock that went back must not begin a cycle inside one that was billed.
    earliest = state.next_cycle if state.cancelled else state.skipped
    start = midnight(local_day(at))
    if earliest is not None:
        start = max(start, earliest)
    return AccountReactivated(
        account_id=state.account_id, standing=standing, cycle_start=start, anchor_day=local_day(start).day
    )
