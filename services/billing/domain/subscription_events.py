"""What can happen to a subscription: the seats sold, the cycles billed, the standing of the account."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime

from services.billing.domain.calendar import Interval
from services.billing.domain.money import Money, Rate
from services.billing.domain.values import Confidential, Language, Plan, Standing, TaxCode
from services.kernel.domain import Erased, Event, TenantData


class SubscriptionStarted(Event):
    """An account has a plan; its first cycle begins at midnight in Bogotá of the day it came."""

    account_id: str
    plan: Plan
    interval: Interval
    seats: int
    included: int
    entitlement_version: int
    anchor_day: int
    cycle_start: AwareDatetime
    country: str


class BillingDetailsSet(Event):
    """To whom invoices are made out and sent from now on."""

    account_id: str
    legal_name: Confidential
    tax_id: Confidential
    address: Confidential
    city: Confidential
    email: Confidential
    language: Language


class SeatUpgradeQuoted(Event):
    """What more seats would cost, until when that holds; `hash` names exactly these terms."""

    account_id: str
    quote_id: str
    from_seats: int
    to_seats: int
    interval: Interval
    unit_price: Money
    cycle_delta: Money
    monthly_delta: Money
    tax_code: TaxCode
    tax_rate: Rate
    tax: Money
    effective_cycle: AwareDatetime
    price_version: int
    expires_at: AwareDatetime
    hash: str


class SeatQuoteDeclined(Event):
    """The customer does not want it."""

    account_id: str
    quote_id: str


class SeatQuoteExpired(Event):
    """Nobody accepted in time."""

    account_id: str
    quote_id: str


class SeatRequested(Event):
    """The administrator asks for the quoted seats."""

    account_id: str
    quote_id: str
    from_seats: int
    to_seats: int


class SeatRequestApproved(Event):
    """The administrator confirmed the impact on the rate, by the quote's hash; nobody else need approve."""

    account_id: str
    quote_id: str
    hash: str


class SeatsGranted(Event):
    """So many people may be operational from now on; charged from the next cycle."""

    account_id: str
    from_seats: int
    seats: int
    entitlement_version: int


class SeatReductionRequested(Event):
    """A ticket asks for fewer seats; the commercial team has to decide."""

    account_id: str
    order: int
    to: int
    ticket: str


class SeatReductionApproved(Event):
    """The commercial team agrees; earliest from this cycle on."""

    account_id: str
    order: int
    to: int
    effective_cycle_start: AwareDatetime


class SeatReductionRejected(Event):
    """The commercial team does not agree."""

    account_id: str
    order: int
    reason: Confidential


class AwaitingDeactivations(Event):
    """More people are active than would have a seat; the administrator chooses who gives one back."""

    account_id: str
    order: int
    to: int
    active: int
    missing: int


class SeatReductionReady(Event):
    """Identity holds the lower limit already, so the reduction can be applied when the next cycle begins."""

    account_id: str
    order: int
    to: int


class SeatReductionApplied(Event):
    """From this cycle on there are fewer seats, and fewer are charged."""

    account_id: str
    order: int
    seats: int
    entitlement_version: int


class SeatReductionCancelled(Event):
    """Not fewer seats after all."""

    account_id: str
    order: int
    to: int
    seats: int


class BillingCycleOpened(Event):
    """A cycle began with so many seats; its invoice has exactly this id."""

    account_id: str
    number: int
    plan: Plan
    interval: Interval
    cycle_start: AwareDatetime
    cycle_end: AwareDatetime
    seats: int
    included: int
    country: str
    invoice_id: str


class BillingCycleSkipped(Event):
    """A cycle for which nothing is charged, because the account rests."""

    account_id: str
    cycle_start: AwareDatetime
    cycle_end: AwareDatetime
    standing: Standing


class IntervalChosen(Event):
    """The cycle after the present one will be of this length."""

    account_id: str
    interval: Interval


class AccountPastDue(Event):
    """An invoice was not paid in time."""

    account_id: str
    invoice_id: str
    standing: Standing


class AccountRestricted(Event):
    """An invoice is so late that nothing new may be begun; what is being worked on may be finished."""

    account_id: str
    invoice_id: str
    standing: Standing


class AccountSuspended(Event):
    """An invoice is so late that the account rests; its data is kept."""

    account_id: str
    invoice_id: str
    standing: Standing


class AccountPaused(Event):
    """The customer lets the account rest for a while; its data is kept."""

    account_id: str
    standing: Standing


class AccountReactivated(Event):
    """What stood in the way has gone. With `cycle_start`, cycles are counted from that day on."""

    account_id: str
    standing: Standing
    cycle_start: AwareDatetime | None = None
    anchor_day: int | None = None


class CancellationScheduled(Event):
    """The customer leaves when what is paid for has been used."""

    account_id: str
    effective_at: AwareDatetime
    reason: Annotated[str | Erased, TenantData()]


class CancellationWithdrawn(Event):
    """The customer stays."""

    account_id: str


class SubscriptionCancelled(Event):
    """The customer has left; the data is kept until its deletion is asked for. No further invoice follows."""

    account_id: str
    effective_at: AwareDatetime
    final_invoice_id: str | None
    standing: Standing


class AccountParked(Event):
    """Something is wrong that no rule foresees: nothing is billed until a person has looked at it."""

    account_id: str
    why: str
    cycle_start: AwareDatetime


class AccountUnparked(Event):
    """A person has looked at it: cycles that began until this moment are to be billed."""

    account_id: str
    until: AwareDatetime


SubscriptionEvent = (
    SubscriptionStarted
    | BillingDetailsSet
    | SeatUpgradeQuoted
    | SeatQuoteDeclined
    | SeatQuoteExpired
    | SeatRequested
    | SeatRequestApproved
    | SeatsGranted
    | SeatReductionRequested
    | SeatReductionApproved
    | SeatReductionRejected
    | AwaitingDeactivations
    | SeatReductionReady
    | SeatReductionApplied
    | SeatReductionCancelled
    | BillingCycleOpened
    | BillingCycleSkipped
    | IntervalChosen
    | AccountPastDue
    | AccountRestricted
    | AccountSuspended
    | AccountPaused
    | AccountReactivated
    | CancellationScheduled
    | CancellationWithdrawn
    | SubscriptionCancelled
    | AccountParked
    | AccountUnparked
)
EVENTS: dict[str, type[SubscriptionEvent]] = {
    event.__name__: event
    for event in (
        SubscriptionStarted,
        BillingDetailsSet,
        SeatUpgradeQuoted,
        SeatQuoteDeclined,
        SeatQuoteExpired,
        SeatRequested,
        SeatRequestApproved,
        SeatsGranted,
        SeatReductionRequested,
        SeatReductionApproved,
        SeatReductionRejected,
        AwaitingDeactivations,
        SeatReductionReady,
        SeatReductionApplied,
        SeatReductionCancelled,
        BillingCycleOpened,
        BillingCycleSkipped,
        IntervalChosen,
        AccountPastDue,
        AccountRestricted,
        AccountSuspended,
        AccountPaused,
        AccountReactivated,
        CancellationScheduled,
        CancellationWithdrawn,
        SubscriptionCancelled,
        AccountParked,
        AccountUnparked,
    )
}
