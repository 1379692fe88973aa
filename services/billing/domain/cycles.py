"""Which cycles have begun by now and what each of them carries: seats at its start, a reduction that was ready."""

from __future__ import annotations

from datetime import datetime

from services.billing.domain.calendar import Interval, next_start
from services.billing.domain.subscription_events import (
    AccountParked,
    BillingCycleOpened,
    BillingCycleSkipped,
    SeatReductionApplied,
    SubscriptionCancelled,
    SubscriptionEvent,
)
from services.billing.domain.subscription_state import Subscription, evolve
from services.billing.domain.values import invoice_id

AT_ONCE: dict[Interval, int] = {"monthly": 3, "annual": 1}
"""More cycles than this at one moment are no delay but a clock that jumped, and nothing is billed by it."""
RESTING = frozenset({"paused", "suspended"})


def due(state: Subscription, now: datetime) -> list[SubscriptionEvent]:
    """The cycles that have begun and are not in the log yet, in their order; the same however late it is asked.

    Every decision about seats or standing takes these facts first, so that a cycle is billed with what
    held when it began, whenever the biller comes by.
    """
    if not _going_on(state):
        return []
    if _begun(state, now) > AT_ONCE[state.next_interval] and state.standing not in RESTING:
        assert state.next_cycle is not None
        return [AccountParked(account_id=state.account_id, why="too-many-cycles", cycle_start=state.next_cycle)]
    facts: list[SubscriptionEvent] = []
    while _going_on(state) and state.next_cycle is not None and state.next_cycle <= now:
        for fact in _next(state, state.next_cycle):
            facts.append(fact)
            state = evolve(state, fact)
    return facts


def rests_unbilled(state: Subscription, now: datetime) -> bool:
    """Whether the present cycle was skipped, so that coming back begins a new one."""
    return state.skipped is not None and state.next_cycle is not None and now < state.next_cycle


def _going_on(state: Subscription) -> bool:
    return state.started and not state.cancelled and not state.parked


def _begun(state: Subscription, now: datetime) -> int:
    count, start = 0, state.next_cycle
    while start is not None and start <= now and count <= AT_ONCE[state.next_interval]:
        if state.leaving is not None and state.leaving <= start:
            break
        if state.confirmed_until is None or start > state.confirmed_until:
            count += 1
        start = next_start(start, state.anchor_day, state.next_interval)
    return count


def _next(state: Subscription, start: datetime) -> list[SubscriptionEvent]:
    account = state.account_id
    if state.leaving is not None and state.leaving <= start:
        return [
            SubscriptionCancelled(
                account_id=account,
                effective_at=state.leaving,
                final_invoice_id=state.last_invoice,
                standing="cancelled",
            )
        ]
    facts: list[SubscriptionEvent] = []
    seats, reduction = state.seats, state.reduction
    if reduction and reduction.step == "ready" and reduction.effective and reduction.effective <= start:
        seats = reduction.to
        facts.append(
            SeatReductionApplied(
                account_id=account,
                order=reduction.order,
                seats=seats,
                entitlement_version=state.entitlement_version + 1,
            )
        )
    end = next_start(start, state.anchor_day, state.next_interval)
    if state.standing in RESTING:
        skipped = BillingCycleSkipped(account_id=account, cycle_start=start, cycle_end=end, standing=state.standing)
        return [*facts, skipped]
    opened = BillingCycleOpened(
        account_id=account,
        number=state.cycles + 1,
        plan=state.plan,
        interval=state.next_interval,
        cycle_start=start,
        cycle_end=end,
        seats=seats,
        included=state.included,
        country=state.country,
        invoice_id=invoice_id(account, start, "cycle"),
    )
    return [*facts, opened]
