"""Seats are sold by a quote that is accepted by its hash, and given back only by decision, when a cycle begins."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.billing.domain.money import Money
from services.billing.domain.seat_reduction import (
    ApproveSeatReduction,
    CancelSeatReduction,
    NoteBlock,
    NoteReservation,
    RejectSeatReduction,
    RequestSeatReduction,
)
from services.billing.domain.seat_upgrade import AcceptQuote, DeclineQuote, ExpireQuote, QuoteSeats, hash_of
from services.billing.domain.standing import PauseSubscription
from services.billing.domain.subscription import OpenCycles, subscription
from services.billing.domain.subscription_events import (
    AwaitingDeactivations,
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
)
from services.kernel.testing.given import given
from tests.examples.billing import ANDES, NOW, OTHER_QUOTE, QUOTE, SECOND, ask, carry_out
from tests.unit.billing.stories import after, story

PRICE = Money.of("79000")


def quoting(**changes: Any) -> QuoteSeats:
    fields = {
        "quote_id": QUOTE,
        "to_seats": 13,
        "interval": "monthly",
        "unit_price": PRICE,
        "price_version": 1,
        "tax_code": "IVA19",
        "tax_rate": "0.19",
        "rounding": "half_up",
        "holds_for": timedelta(hours=72),
    }
    return ask(QuoteSeats, **fields | changes)


def quoted(**changes: Any) -> SeatUpgradeQuoted:
    fields = {
        "account_id": ANDES,
        "quote_id": QUOTE,
        "from_seats": 10,
        "to_seats": 13,
        "interval": "monthly",
        "unit_price": PRICE,
        "cycle_delta": PRICE.times(3),
        "monthly_delta": PRICE.times(3),
        "tax_code": "IVA19",
        "tax_rate": Decimal("0.19"),
        "tax": Money.of("45030"),
        "effective_cycle": SECOND,
        "price_version": 1,
        "expires_at": NOW + timedelta(hours=72),
        "hash": "",
    }
    made = SeatUpgradeQuoted(**fields | changes)
    return made.model_copy(update={"hash": hash_of(made)})


def accepting(quote: SeatUpgradeQuoted | None = None, **changes: Any) -> AcceptQuote:
    of = quote or quoted()
    fields = {
        "quote_id": of.quote_id,
        "hash": of.hash,
        "price_version": 1,
        "interval": "monthly",
        "tax_code": "IVA19",
        "tax_rate": "0.19",
    }
    return ask(AcceptQuote, **fields | changes)


def test_a_quote_says_what_more_seats_cost_and_until_when() -> None:
    story().when(quoting()).then(quoted())


def test_the_same_quote_again_is_the_same_quote() -> None:
    story().when(quoting()).then_repeating_adds_nothing()
    after(quoting()).when(quoting(to_seats=14)).then_rejected("quote-exists")


def test_a_year_is_quoted_by_the_month_as_well() -> None:
    (said,) = story().when(quoting(interval="annual", unit_price=Money.of("790000")))._decide()
    assert (said.cycle_delta, said.monthly_delta) == (Money.of("2370000"), Money.of("197500"))


@pytest.mark.parametrize("to_seats", [10, 9, 1])
def test_no_quote_lowers_seats(to_seats: int) -> None:
    story().when(quoting(to_seats=to_seats)).then_rejected("seats-not-raised")


def test_accepting_exactly_that_quote_grants_the_seats_in_one_commit() -> None:
    after(quoting()).when(accepting()).then(
        SeatRequested(account_id=ANDES, quote_id=QUOTE, from_seats=10, to_seats=13),
        SeatRequestApproved(account_id=ANDES, quote_id=QUOTE, hash=quoted().hash),
        SeatsGranted(account_id=ANDES, from_seats=10, seats=13, entitlement_version=2),
    )


def test_a_double_click_grants_once() -> None:
    after(quoting()).when(accepting()).then_repeating_adds_nothing()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"hash": "0" * 64}, "quote-hash-mismatch"),
        ({"quote_id": OTHER_QUOTE}, "quote-unknown"),
        ({"at": NOW + timedelta(hours=72)}, "quote-expired"),
        ({"price_version": 2}, "quote-stale"),
        ({"interval": "annual"}, "quote-stale"),
        ({"tax_rate": "0.16"}, "quote-stale"),
        ({"tax_code": "EXCL_476_21", "tax_rate": "0"}, "quote-stale"),
    ],
)
def test_anything_but_exactly_that_quote_changes_nothing(changes: dict[str, Any], code: str) -> None:
    after(quoting()).when(accepting(**changes)).then_rejected(code)


def test_a_quote_whose_cycle_has_begun_is_stale() -> None:
    long = quoting(holds_for=timedelta(days=30), at=SECOND - timedelta(days=2))
    quote = after(long).state.quote
    after(long).when(accepting(quote, at=SECOND)).then_rejected("quote-stale")


def test_a_newer_quote_takes_the_place_of_the_older() -> None:
    newer = quoting(quote_id=OTHER_QUOTE, to_seats=20)
    after(quoting(), newer).when(accepting()).then_rejected("quote-superseded")
    after(quoting(), newer).when(accepting(hash="x")).then_rejected("quote-hash-mismatch")
    after(quoting(), newer).when(quoting()).then_rejected("quote-exists")


def test_declining() -> None:
    decline = ask(DeclineQuote, quote_id=QUOTE)
    after(quoting()).when(decline).then(SeatQuoteDeclined(account_id=ANDES, quote_id=QUOTE))
    after(quoting()).when(decline).then_repeating_adds_nothing().when(accepting()).then_rejected("quote-declined")
    story().when(decline).then_rejected("quote-unknown")


def test_expiring() -> None:
    late = ask(ExpireQuote, quote_id=QUOTE, at=NOW + timedelta(hours=72))
    after(quoting()).when(ask(ExpireQuote, quote_id=QUOTE)).then_nothing()
    over = after(quoting()).when(late).then(SeatQuoteExpired(account_id=ANDES, quote_id=QUOTE))
    over.when(late).then_nothing()
    over.when(accepting()).then_rejected("quote-expired")
    after(quoting(), accepting()).when(late).then_nothing()


def test_who_rests_buys_nothing() -> None:
    after(ask(PauseSubscription)).when(quoting()).then_rejected("account-not-active")
    after(quoting(), ask(PauseSubscription)).when(accepting()).then_rejected("account-not-active")


def test_nobody_buys_without_a_subscription() -> None:
    given(subscription).when(quoting()).then_rejected("subscription-unknown")


BOUGHT = (quoting(), accepting())
REQUEST = ask(RequestSeatReduction, to=11, ticket="SOP-1042")
APPROVE = ask(ApproveSeatReduction, order=1)
RESERVED = ask(NoteReservation, order=1, to=11)


def test_a_reduction_is_requested_by_ticket() -> None:
    asked = SeatReductionRequested(account_id=ANDES, order=1, to=11, ticket="SOP-1042")
    after(*BOUGHT).when(REQUEST).then(asked).when(REQUEST).then_nothing()


@pytest.mark.parametrize(
    ("to", "code"), [(13, "seats-not-lowered"), (14, "seats-not-lowered"), (9, "below-included-seats")]
)
def test_a_reduction_goes_down_and_not_below_what_the_plan_includes(to: int, code: str) -> None:
    after(*BOUGHT).when(ask(RequestSeatReduction, to=to, ticket="SOP-1")).then_rejected(code)


def test_one_reduction_at_a_time_and_no_upgrade_beside_it() -> None:
    asked = after(*BOUGHT, REQUEST)
    asked.when(ask(RequestSeatReduction, to=12, ticket="SOP-2")).then_rejected("reduction-pending")
    asked.when(quoting(quote_id=OTHER_QUOTE, to_seats=20)).then_rejected("reduction-pending")


def test_the_commercial_team_approves_or_says_why_not() -> None:
    asked = after(*BOUGHT, REQUEST)
    approved = SeatReductionApproved(account_id=ANDES, order=1, to=11, effective_cycle_start=SECOND)
    asked.when(APPROVE).then(approved).when(APPROVE).then_nothing()
    reject = ask(RejectSeatReduction, order=1, reason="Contrato anual vigente")
    rejected = asked.when(reject).then(
        SeatReductionRejected(account_id=ANDES, order=1, reason="Contrato anual vigente")
    )
    rejected.when(reject).then_nothing()
    rejected.when(APPROVE).then_rejected("reduction-decided")
    after(*BOUGHT, REQUEST, APPROVE).when(reject).then_rejected("reduction-decided")
    asked.when(ask(ApproveSeatReduction, order=7)).then_rejected("reduction-unknown")


def test_it_waits_while_more_people_are_active() -> None:
    approved = after(*BOUGHT, REQUEST, APPROVE)
    blocked = ask(NoteBlock, order=1, to=11, active=13)
    waits = approved.when(blocked).then(AwaitingDeactivations(account_id=ANDES, order=1, to=11, active=13, missing=2))
    waits.when(blocked).then_nothing()
    fewer = waits.when(ask(NoteBlock, order=1, to=11, active=12))
    fewer.then(AwaitingDeactivations(account_id=ANDES, order=1, to=11, active=12, missing=1))
    waits.when(RESERVED).then(SeatReductionReady(account_id=ANDES, order=1, to=11)).when(RESERVED).then_nothing()


def applied_at(*commands: Any, at: Any = SECOND) -> list[str]:
    return [type(fact).__name__ for fact in after(*commands).when(ask(OpenCycles, at=at))._decide()]


def test_it_is_applied_when_the_cycle_begins_and_not_before() -> None:
    ready = (*BOUGHT, REQUEST, APPROVE, RESERVED)
    assert applied_at(*ready, at=SECOND - timedelta(seconds=1)) == []
    applied, opened = after(*ready).when(ask(OpenCycles, at=SECOND))._decide()
    assert applied == SeatReductionApplied(account_id=ANDES, order=1, seats=11, entitlement_version=3)
    assert opened.seats == 11


def test_it_is_not_applied_before_identity_holds_the_limit() -> None:
    assert applied_at(*BOUGHT, REQUEST, APPROVE) == ["BillingCycleOpened"]
    late = ask(NoteReservation, order=1, to=11, at=SECOND + timedelta(hours=1))
    assert applied_at(*BOUGHT, REQUEST, APPROVE, late, at=SECOND + timedelta(hours=2)) == []


def test_a_reservation_that_comes_after_the_cut_counts_from_the_next_cycle() -> None:
    # The biller was away at the cut: the cycle is opened with what held then, before the reservation is noted.
    late = ask(NoteReservation, order=1, to=11, at=SECOND + timedelta(hours=1))
    opened, ready = after(*BOUGHT, REQUEST, APPROVE).when(late)._decide()
    assert opened.seats == 13
    assert isinstance(ready, SeatReductionReady)


def test_it_may_be_cancelled_until_it_is_applied() -> None:
    cancel = ask(CancelSeatReduction, order=1)
    ready = after(*BOUGHT, REQUEST, APPROVE, RESERVED)
    kept = ready.when(cancel).then(SeatReductionCancelled(account_id=ANDES, order=1, to=11, seats=13))
    kept.when(cancel).then_nothing()
    kept.when(RESERVED).then_nothing()
    late = cancel.model_copy(update={"at": SECOND})
    ready.when(late).then_rejected("reduction-decided")


def test_what_identity_says_of_an_unknown_reduction_has_no_effect() -> None:
    story().when(RESERVED).then_nothing()
    story().when(ask(NoteBlock, order=1, to=10, active=12)).then_nothing()


def test_an_upgrade_after_the_cut_is_not_in_the_cycle_that_began() -> None:
    # The biller comes three days late; an upgrade was accepted meanwhile.
    at = SECOND + timedelta(days=1)
    quote = quoting(at=at)
    state, facts, _ = carry_out(subscription, quote, story().state)
    opened, said = facts
    assert (opened.seats, opened.cycle_start) == (10, SECOND)
    state, facts, refused = carry_out(subscription, accepting(said, at=at + timedelta(hours=1)), state)
    assert refused is None
    assert facts[-1].seats == 13
    assert carry_out(subscription, ask(OpenCycles, at=SECOND + timedelta(days=3)), state)[1] == []
