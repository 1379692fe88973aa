"""An account rests, leaves, owes and comes back; what it may do follows, and no cycle is billed twice or given away."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from services.billing.domain.calendar import midnight
from services.billing.domain.seat_upgrade import QuoteSeats
from services.billing.domain.standing import (
    CancelSubscription,
    ChooseInterval,
    ClearDebt,
    KeepSubscription,
    MarkOverdue,
    PauseSubscription,
    ResumeSubscription,
    UnparkAccount,
)
from services.billing.domain.subscription import OpenCycles, SetBillingDetails, StartSubscription, subscription
from services.billing.domain.subscription_events import (
    AccountParked,
    AccountPastDue,
    AccountPaused,
    AccountReactivated,
    AccountRestricted,
    AccountSuspended,
    AccountUnparked,
    BillingCycleOpened,
    BillingCycleSkipped,
    CancellationScheduled,
    CancellationWithdrawn,
    IntervalChosen,
    SubscriptionCancelled,
)
from services.billing.domain.values import invoice_id
from services.kernel.testing.given import given
from tests.examples.billing import ANDES, DETAILS, FIRST, NOW, SECOND, ask, started, uuid
from tests.unit.billing.stories import after, story

THIRD = midnight(date(2026, 5, 2))
INVOICE = uuid(31)


def opened(number: int, start: Any, end: Any, **changes: Any) -> BillingCycleOpened:
    fields = {
        "account_id": ANDES,
        "number": number,
        "plan": "standard",
        "interval": "monthly",
        "cycle_start": start,
        "cycle_end": end,
        "seats": 10,
        "included": 10,
        "country": "CO",
        "invoice_id": invoice_id(ANDES, start, "cycle"),
    }
    return BillingCycleOpened(**fields | changes)


def reactivated(standing: Any = "active", **changes: Any) -> AccountReactivated:
    return AccountReactivated(account_id=ANDES, standing=standing, **changes)


def test_a_new_account_has_a_plan_from_the_midnight_of_its_first_day() -> None:
    start = ask(StartSubscription, registered_at=NOW)
    given(subscription).when(start).then(started).when(start).then_nothing()


def test_a_cycle_is_opened_when_it_begins_and_once() -> None:
    open_first = ask(OpenCycles)
    begun = given(subscription, started).when(open_first).then(opened(1, FIRST, SECOND))
    begun.when(open_first).then_nothing()
    begun.when(ask(OpenCycles, at=SECOND - timedelta(microseconds=1))).then_nothing()
    begun.when(ask(OpenCycles, at=SECOND)).then(opened(2, SECOND, THIRD))


def test_a_late_biller_opens_what_it_missed() -> None:
    late = ask(OpenCycles, at=THIRD + timedelta(days=3))
    facts = story().when(late)._decide()
    assert [fact.cycle_start for fact in facts] == [SECOND, THIRD]


def test_too_many_cycles_at_once_are_no_delay_and_a_person_looks() -> None:
    jump = ask(OpenCycles, at=NOW + timedelta(days=400))
    parked = story().when(jump).then(AccountParked(account_id=ANDES, why="too-many-cycles", cycle_start=SECOND))
    parked.when(jump).then_nothing()
    parked.when(ask(PauseSubscription, at=jump.at)).then_rejected("account-parked")
    parked.when(ask(UnparkAccount, until=jump.at + timedelta(1), at=jump.at)).then_rejected("until-in-future")
    unpark = ask(UnparkAccount, until=jump.at, at=jump.at)
    facts = parked.when(unpark)._decide()
    assert facts[0] == AccountUnparked(account_id=ANDES, until=jump.at)
    assert len(facts) == 1 + 13
    parked.when(unpark).then_repeating_adds_nothing()


def test_a_clock_that_came_back_leaves_nothing_behind_after_the_person_looked() -> None:
    jump = ask(OpenCycles, at=NOW + timedelta(days=400))
    back = ask(UnparkAccount, until=NOW, at=NOW + timedelta(hours=1))
    story().when(jump).then(AccountParked(account_id=ANDES, why="too-many-cycles", cycle_start=SECOND)).when(back).then(
        AccountUnparked(account_id=ANDES, until=NOW)
    )


def test_details_are_said_once() -> None:
    say = ask(SetBillingDetails, **DETAILS)
    story().when(say).then_repeating_adds_nothing()


def test_another_interval_counts_from_the_next_cycle() -> None:
    choose = ask(ChooseInterval, interval="annual")
    chosen = story().when(choose).then(IntervalChosen(account_id=ANDES, interval="annual"))
    chosen.when(choose).then_nothing()
    end = midnight(date(2027, 4, 2))
    chosen.when(ask(OpenCycles, at=SECOND)).then(opened(2, SECOND, end, interval="annual"))


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        (("past_due", "restricted", "suspended"), (AccountPastDue, AccountRestricted, AccountSuspended)),
        (("restricted", "past_due"), (AccountRestricted, None)),
        (("suspended", "suspended"), (AccountSuspended, None)),
    ],
)
def test_debts_only_make_it_graver(steps: tuple[Any, ...], kinds: tuple[Any, ...]) -> None:
    at = story()
    for step, kind in zip(steps, kinds, strict=True):
        marked = at.when(ask(MarkOverdue, invoice_id=INVOICE, step=step))
        at = marked.then(kind(account_id=ANDES, invoice_id=INVOICE, standing=step)) if kind else marked.then_nothing()


def test_paying_reactivates() -> None:
    story().when(ask(ClearDebt)).then_nothing()
    owing = after(ask(MarkOverdue, invoice_id=INVOICE, step="suspended"))
    owing.when(ask(ClearDebt)).then(reactivated()).when(ask(ClearDebt)).then_nothing()


def test_a_suspended_account_is_not_billed_and_begins_anew_when_it_pays() -> None:
    owing = after(ask(MarkOverdue, invoice_id=INVOICE, step="suspended"))
    skipped = owing.when(ask(OpenCycles, at=SECOND)).then(
        BillingCycleSkipped(account_id=ANDES, cycle_start=SECOND, cycle_end=THIRD, standing="suspended")
    )
    paid_on = midnight(date(2026, 4, 20))
    end = midnight(date(2026, 5, 20))
    skipped.when(ask(ClearDebt, at=paid_on + timedelta(hours=9))).then(
        reactivated(cycle_start=paid_on, anchor_day=20), opened(2, paid_on, end)
    )


def test_resting_and_coming_back_within_a_paid_cycle_changes_nothing_of_it() -> None:
    rest, back = ask(PauseSubscription), ask(ResumeSubscription)
    resting = story().when(rest).then(AccountPaused(account_id=ANDES, standing="paused"))
    resting.when(rest).then_nothing()
    resting.when(back).then(reactivated()).when(back).then_nothing()
    resting.when(ask(QuoteSeats, **quote_fields())).then_rejected("account-not-active")


def quote_fields() -> dict[str, Any]:
    return {
        "quote_id": uuid(41),
        "to_seats": 12,
        "interval": "monthly",
        "unit_price": "79000",
        "price_version": 1,
        "tax_code": "IVA19",
        "tax_rate": "0.19",
        "rounding": "half_up",
        "holds_for": timedelta(hours=1),
    }


def test_a_cycle_of_rest_costs_nothing_and_coming_back_begins_a_new_one() -> None:
    came_back = midnight(date(2026, 4, 10)) + timedelta(hours=15)
    resting = after(ask(PauseSubscription), ask(OpenCycles, at=SECOND))
    resting.when(ask(ResumeSubscription, at=came_back)).then(
        reactivated(cycle_start=midnight(date(2026, 4, 10)), anchor_day=10),
        opened(2, midnight(date(2026, 4, 10)), midnight(date(2026, 5, 10))),
    )


def test_a_clock_that_went_back_begins_no_cycle_inside_a_billed_one() -> None:
    resting = after(ask(PauseSubscription), ask(OpenCycles, at=SECOND))
    resting.when(ask(ResumeSubscription, at=NOW)).then(reactivated(cycle_start=SECOND, anchor_day=2))


def test_who_owes_does_not_rest() -> None:
    after(ask(MarkOverdue, invoice_id=INVOICE, step="past_due")).when(ask(PauseSubscription)).then_rejected(
        "account-not-active"
    )


def test_a_debt_of_an_account_that_rests_shows_when_it_comes_back() -> None:
    resting = after(ask(PauseSubscription)).when(ask(MarkOverdue, invoice_id=INVOICE, step="restricted"))
    owing = resting.then(AccountRestricted(account_id=ANDES, invoice_id=INVOICE, standing="paused"))
    owing.when(ask(ResumeSubscription)).then(reactivated("restricted"))
    owing.when(ask(ClearDebt)).then(reactivated("paused")).when(ask(ResumeSubscription)).then(reactivated())


def test_leaving_takes_effect_when_what_is_paid_for_is_used() -> None:
    leave = ask(CancelSubscription, reason="Terminó la temporada")
    leaving = (
        story()
        .when(leave)
        .then(CancellationScheduled(account_id=ANDES, effective_at=SECOND, reason="Terminó la temporada"))
    )
    leaving.when(leave).then_nothing()
    gone = leaving.when(ask(OpenCycles, at=SECOND + timedelta(days=400))).then(
        SubscriptionCancelled(
            account_id=ANDES,
            effective_at=SECOND,
            final_invoice_id=invoice_id(ANDES, FIRST, "cycle"),
            standing="cancelled",
        )
    )
    gone.when(ask(OpenCycles, at=SECOND + timedelta(days=800))).then_nothing()
    gone.when(leave).then_nothing()
    gone.when(ask(KeepSubscription)).then_rejected("account-not-active")
    gone.when(ask(ChooseInterval, interval="annual")).then_rejected("account-not-active")


def test_staying_after_all() -> None:
    leaving = after(ask(CancelSubscription))
    stay = ask(KeepSubscription)
    leaving.when(stay).then(CancellationWithdrawn(account_id=ANDES)).when(stay).then_nothing()


def test_coming_back_after_having_left_begins_a_cycle_on_that_day() -> None:
    gone = after(ask(CancelSubscription), ask(OpenCycles, at=SECOND))
    day = midnight(date(2027, 1, 31))
    gone.when(ask(ResumeSubscription, at=day + timedelta(hours=10))).then(
        reactivated(cycle_start=day, anchor_day=31), opened(2, day, midnight(date(2027, 2, 28)))
    )


@pytest.mark.parametrize(
    "command",
    [OpenCycles, PauseSubscription, ResumeSubscription, CancelSubscription, KeepSubscription, ClearDebt],
)
def test_there_is_nothing_to_change_without_a_subscription(command: Any) -> None:
    given(subscription).when(ask(command)).then_rejected("subscription-unknown")
