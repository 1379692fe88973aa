"""What is known of a subscription after its facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from services.billing.domain.calendar import Interval
from services.billing.domain.subscription_events import (
    AccountParked,
    AccountPastDue,
    AccountPaused,
    AccountReactivated,
    AccountRestricted,
    AccountSuspended,
    AccountUnparked,
    AwaitingDeactivations,
    BillingCycleOpened,
    BillingCycleSkipped,
    BillingDetailsSet,
    CancellationScheduled,
    CancellationWithdrawn,
    IntervalChosen,
    SeatQuoteDeclined,
    SeatQuoteExpired,
    SeatReductionApplied,
    SeatReductionApproved,
    SeatReductionCancelled,
    SeatReductionReady,
    SeatReductionRejected,
    SeatReductionRequested,
    SeatRequestApproved,
    SeatRequested,
    SeatsGranted,
    SeatUpgradeQuoted,
    SubscriptionCancelled,
    SubscriptionEvent,
    SubscriptionStarted,
)
from services.billing.domain.values import Plan, Standing
from services.kernel.domain import Erased

Ending = Literal["accepted", "declined", "expired", "superseded"]
Dunning = Literal["active", "past_due", "restricted", "suspended"]


@dataclass(frozen=True, slots=True)
class Reduction:
    """Fewer seats, on their way. `missing`: so many people must give up their seat first."""

    order: int
    to: int
    ticket: str
    step: Literal["requested", "approved", "awaiting", "ready"] = "requested"
    effective: datetime | None = None
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Subscription:
    """`next_cycle` is when the next cycle begins; `endings` says what became of each former quote."""

    started: bool = False
    account_id: str = ""
    country: str = "CO"
    plan: Plan = "standard"
    interval: Interval = "monthly"
    next_interval: Interval = "monthly"
    seats: int = 0
    included: int = 0
    entitlement_version: int = 0
    anchor_day: int = 1
    next_cycle: datetime | None = None
    cycles: int = 0
    last_invoice: str | None = None
    skipped: datetime | None = None
    details: BillingDetailsSet | None = None
    quote: SeatUpgradeQuoted | None = None
    endings: tuple[tuple[str, str, Ending], ...] = ()
    orders: int = 0
    reduction: Reduction | None = None
    closed: tuple[tuple[int, Literal["rejected", "cancelled", "applied"]], ...] = ()
    dunning: Dunning = "active"
    debt: str | None = None
    paused: bool = False
    leaving: datetime | None = None
    cancelled: bool = False
    parked: bool = False
    confirmed_until: datetime | None = None

    @property
    def standing(self) -> Standing:
        """What holds for the account at this moment, the strictest reason first."""
        if not self.started:
            return "none"
        if self.cancelled:
            return "cancelled"
        return "paused" if self.paused else self.dunning

    def ending(self, quote_id: str) -> tuple[str, Ending] | None:
        """The hash of a former quote and what became of it."""
        return next(((hash, ending) for id, hash, ending in reversed(self.endings) if id == quote_id), None)

    def closing(self, order: int) -> str | None:
        """What became of a former reduction."""
        return next((ending for number, ending in reversed(self.closed) if number == order), None)

    @property
    def reachable(self) -> bool:
        """Whether an invoice can be made out: its recipient is known and not erased."""
        details = self.details
        return details is not None and not isinstance(details.legal_name, Erased)


def evolve(state: Subscription, event: SubscriptionEvent) -> Subscription:
    """The subscription after one more fact."""
    match event:
        case SubscriptionStarted():
            return Subscription(
                started=True,
                account_id=event.account_id,
                country=event.country,
                plan=event.plan,
                interval=event.interval,
                next_interval=event.interval,
                seats=event.seats,
                included=event.included,
                entitlement_version=event.entitlement_version,
                anchor_day=event.anchor_day,
                next_cycle=event.cycle_start,
            )
        case BillingDetailsSet():
            return replace(state, details=event)
        case SeatUpgradeQuoted():
            return replace(_without_quote(state, "superseded"), quote=event)
        case SeatQuoteDeclined():
            return _without_quote(state, "declined")
        case SeatQuoteExpired():
            return _without_quote(state, "expired")
        case SeatRequested():
            return state
        case SeatRequestApproved():
            return _without_quote(state, "accepted")
        case SeatsGranted(seats=seats, entitlement_version=version):
            return replace(state, seats=seats, entitlement_version=version)
        case SeatReductionRequested(order=order, to=to, ticket=ticket):
            return replace(state, orders=order, reduction=Reduction(order, to, ticket))
        case SeatReductionApproved() | AwaitingDeactivations() | SeatReductionReady():
            return _reduction_moves(state, event)
        case SeatReductionRejected(order=order):
            return replace(state, reduction=None, closed=(*state.closed, (order, "rejected")))
        case SeatReductionCancelled(order=order):
            return replace(state, reduction=None, closed=(*state.closed, (order, "cancelled")))
        case SeatReductionApplied(order=order, seats=seats, entitlement_version=version):
            applied = replace(state, seats=seats, entitlement_version=version, reduction=None)
            return replace(applied, closed=(*state.closed, (order, "applied")))
        case BillingCycleOpened(cycle_end=end, interval=interval, number=number, invoice_id=invoice):
            return replace(state, next_cycle=end, interval=interval, cycles=number, last_invoice=invoice, skipped=None)
        case BillingCycleSkipped(cycle_start=start, cycle_end=end):
            return replace(state, next_cycle=end, skipped=start, interval=state.next_interval)
        case IntervalChosen(interval=interval):
            return replace(state, next_interval=interval)
        case AccountPastDue(invoice_id=invoice):
            return replace(state, dunning="past_due", debt=invoice)
        case AccountRestricted(invoice_id=invoice):
            return replace(state, dunning="restricted", debt=invoice)
        case AccountSuspended(invoice_id=invoice):
            return replace(state, dunning="suspended", debt=invoice)
        case AccountPaused():
            return replace(state, paused=True)
        case AccountReactivated():
            return _reactivated(state, event)
        case CancellationScheduled(effective_at=at):
            return replace(state, leaving=at)
        case CancellationWithdrawn():
            return replace(state, leaving=None)
        case SubscriptionCancelled():
            return replace(_without_quote(state, "superseded"), cancelled=True, leaving=None, paused=False)
        case AccountParked():
            return replace(state, parked=True)
        case AccountUnparked(until=until):
            return replace(state, parked=False, confirmed_until=until)
        case _:
            assert_never(event)


def _without_quote(state: Subscription, ending: Ending) -> Subscription:
    if state.quote is None:
        return state
    return replace(state, quote=None, endings=(*state.endings, (state.quote.quote_id, state.quote.hash, ending)))


def _reduction_moves(
    state: Subscription, event: SeatReductionApproved | AwaitingDeactivations | SeatReductionReady
) -> Subscription:
    reduction = state.reduction
    if reduction is None:
        return state
    match event:
        case SeatReductionApproved(effective_cycle_start=start):
            return replace(state, reduction=replace(reduction, step="approved", effective=start))
        case AwaitingDeactivations(missing=missing):
            return replace(state, reduction=replace(reduction, step="awaiting", missing=missing))
        case SeatReductionReady():
            return replace(state, reduction=replace(reduction, step="ready", missing=0))
        case _:
            assert_never(event)


def _reactivated(state: Subscription, event: AccountReactivated) -> Subscription:
    """A rest ends first; only somebody who does not rest can be reactivated by paying or by coming back."""
    if state.cancelled and event.standing != "cancelled":
        after = replace(state, cancelled=False)
    elif state.paused and not state.cancelled and event.standing != "paused":
        after = replace(state, paused=False)
    else:
        after = replace(state, dunning="active", debt=None)
    if event.cycle_start is None or event.anchor_day is None:
        return after
    return replace(after, next_cycle=event.cycle_start, anchor_day=event.anchor_day, skipped=None)
