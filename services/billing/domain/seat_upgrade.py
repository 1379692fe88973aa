"""More seats: a quote that names its terms by a hash, and an acceptance that names exactly that quote."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from typing import Annotated, assert_never

from pydantic import Field

from services.billing.domain.calendar import MONTHS, Interval
from services.billing.domain.money import Money, Rate, Rounding
from services.billing.domain.subscription_events import (
    SeatQuoteDeclined,
    SeatQuoteExpired,
    SeatRequestApproved,
    SeatRequested,
    SeatsGranted,
    SeatUpgradeQuoted,
    SubscriptionEvent,
)
from services.billing.domain.subscription_state import Subscription
from services.billing.domain.values import Id, Seats, TaxCode
from services.kernel.domain import Command, Rejected


class QuoteSeats(Command):
    """Say what so many seats would cost; a newer quote takes an older one's place."""

    account_id: Id
    quote_id: Id
    to_seats: Seats
    interval: Interval
    unit_price: Money
    price_version: int
    tax_code: TaxCode
    tax_rate: Rate
    rounding: Rounding
    holds_for: timedelta


class AcceptQuote(Command):
    """Take exactly the quote with this hash. `price_version` and `interval` are what holds now."""

    account_id: Id
    quote_id: Id
    hash: Annotated[str, Field(max_length=80)]
    price_version: int
    interval: Interval
    tax_code: TaxCode
    tax_rate: Rate


class DeclineQuote(Command):
    """No, thank you."""

    account_id: Id
    quote_id: Id


class ExpireQuote(Command):
    """The quote's time may be over."""

    account_id: Id
    quote_id: Id


UpgradeCommand = QuoteSeats | AcceptQuote | DeclineQuote | ExpireQuote


def decide(command: UpgradeCommand, state: Subscription) -> list[SubscriptionEvent]:
    """What a request about more seats leads to."""
    match command:
        case QuoteSeats():
            return _quote(command, state)
        case AcceptQuote():
            return _accept(command, state)
        case DeclineQuote(quote_id=quote_id):
            if state.quote is None or state.quote.quote_id != quote_id:
                _check_known(state, quote_id)
                return []
            return [SeatQuoteDeclined(account_id=command.account_id, quote_id=quote_id)]
        case ExpireQuote(quote_id=quote_id):
            if state.quote is None or state.quote.quote_id != quote_id or command.at < state.quote.expires_at:
                return []
            return [SeatQuoteExpired(account_id=command.account_id, quote_id=quote_id)]
        case _:
            assert_never(command)


def _quote(command: QuoteSeats, state: Subscription) -> list[SubscriptionEvent]:
    if state.quote is not None and state.quote.quote_id == command.quote_id:
        if state.quote.to_seats == command.to_seats:
            return []
        raise Rejected("quote-exists", quote_id=command.quote_id)
    if state.ending(command.quote_id) is not None:
        raise Rejected("quote-exists", quote_id=command.quote_id)
    if command.to_seats <= state.seats:
        raise Rejected("seats-not-raised", seats=state.seats, to_seats=command.to_seats)
    _check_free(state)
    assert state.next_cycle is not None
    delta = command.unit_price.times(command.to_seats - state.seats)
    quoted = SeatUpgradeQuoted(
        account_id=command.account_id,
        quote_id=command.quote_id,
        from_seats=state.seats,
        to_seats=command.to_seats,
        interval=command.interval,
        unit_price=command.unit_price,
        cycle_delta=delta,
        monthly_delta=delta.divided(MONTHS[command.interval], command.rounding),
        tax_code=command.tax_code,
        tax_rate=command.tax_rate,
        tax=delta.share(command.tax_rate, command.rounding),
        effective_cycle=state.next_cycle,
        price_version=command.price_version,
        expires_at=command.at + command.holds_for,
        hash="",
    )
    return [quoted.model_copy(update={"hash": hash_of(quoted)})]


def hash_of(quote: SeatUpgradeQuoted) -> str:
    """The fingerprint of the terms: whoever accepts it has seen them all."""
    terms = quote.model_dump(mode="json", exclude={"hash"})
    return hashlib.sha256(json.dumps(terms, sort_keys=True).encode()).hexdigest()


def _accept(command: AcceptQuote, state: Subscription) -> list[SubscriptionEvent]:
    former = state.ending(command.quote_id)
    if former is not None:
        hash, ending = former
        if hash != command.hash:
            raise Rejected("quote-hash-mismatch", quote_id=command.quote_id)
        match ending:
            case "accepted":
                return []
            case "declined":
                raise Rejected("quote-declined", quote_id=command.quote_id)
            case "expired":
                raise Rejected("quote-expired", quote_id=command.quote_id)
            case "superseded":
                raise Rejected("quote-superseded", quote_id=command.quote_id)
            case _:
                assert_never(ending)
    quote = state.quote
    if quote is None or quote.quote_id != command.quote_id:
        raise Rejected("quote-unknown", quote_id=command.quote_id)
    if quote.hash != command.hash:
        raise Rejected("quote-hash-mismatch", quote_id=command.quote_id)
    if command.at >= quote.expires_at:
        raise Rejected("quote-expired", quote_id=command.quote_id)
    _check_free(state)
    offered = (quote.from_seats, quote.effective_cycle, quote.price_version, quote.interval)
    present = (state.seats, state.next_cycle, command.price_version, command.interval)
    if offered != present or (quote.tax_code, quote.tax_rate) != (command.tax_code, command.tax_rate):
        raise Rejected("quote-stale", quote_id=command.quote_id)
    account = command.account_id
    return [
        SeatRequested(
            account_id=account, quote_id=quote.quote_id, from_seats=quote.from_seats, to_seats=quote.to_seats
        ),
        SeatRequestApproved(account_id=account, quote_id=quote.quote_id, hash=quote.hash),
        SeatsGranted(
            account_id=account,
            from_seats=quote.from_seats,
            seats=quote.to_seats,
            entitlement_version=state.entitlement_version + 1,
        ),
    ]


def _check_free(state: Subscription) -> None:
    if state.standing not in ("active", "past_due"):
        raise Rejected("account-not-active", standing=state.standing)
    if state.reduction is not None:
        raise Rejected("reduction-pending", order=state.reduction.order)


def _check_known(state: Subscription, quote_id: str) -> None:
    if state.ending(quote_id) is None:
        raise Rejected("quote-unknown", quote_id=quote_id)
