"""Prices and taxes hold from a day on; nothing is guessed, and the past is never changed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from services.billing.domain.catalog import PlanPriced, PricePlan, SetTax, TaxTreatmentSet, catalog
from services.billing.domain.money import Money
from services.kernel.domain import Rejected
from services.kernel.testing.given import given
from tests.examples.billing import PRICE, TAX

NOW = datetime(2026, 3, 2, 15, tzinfo=UTC)


def price(**changes: Any) -> PricePlan:
    return PricePlan(at=NOW, by="x", **PRICE | changes)


def tax(**changes: Any) -> SetTax:
    return SetTax(at=NOW, by="x", **TAX | changes)


PRICED = PlanPriced(plan="standard", price_version=1, **PRICE)
TAXED = TaxTreatmentSet(**TAX)


def test_the_first_price_may_reach_back_a_later_one_not() -> None:
    first = given(catalog).when(price()).then(PRICED)
    first.when(price()).then_nothing()
    first.when(price(base_fee="1", effective_from="2026-03-02")).then_rejected("effective-day-past")
    first.when(price(base_fee="1", effective_from="2025-12-31")).then_rejected("effective-day-past")
    raised = price(extra_seat="85000", effective_from="2026-07-01")
    after = first.when(raised).then(
        PlanPriced(plan="standard", price_version=2, **PRICE | {"extra_seat": "85000", "effective_from": "2026-07-01"})
    )
    state = after.state
    assert state.price("standard", "monthly", date(2026, 6, 30)).extra_seat == Money.of("79000")
    assert state.price("standard", "monthly", date(2026, 7, 1)).extra_seat == Money.of("85000")
    first.when(price(interval="annual")).then_repeating_adds_nothing()


def test_a_price_is_not_negative() -> None:
    given(catalog).when(price(base_fee="-1")).then_rejected("price-negative")


def test_tax_is_a_decision_with_a_basis() -> None:
    first = given(catalog).when(tax()).then(TAXED)
    first.when(tax()).then_nothing()
    excluded = tax(tax_code="EXCL_476_21", rate="0", basis="E.T. art. 476 num. 21", effective_from="2026-09-01")
    state = first.when(excluded).then_repeating_adds_nothing().state
    assert state.tax("domestic", date(2026, 8, 31)).tax_code == "IVA19"
    assert state.tax("domestic", date(2026, 9, 1)).tax_code == "EXCL_476_21"
    given(catalog).when(tax(tax_code="EXP_481C", rate="0.19")).then_rejected("tax-rate-wrong")


@pytest.mark.parametrize(
    ("look_up", "code"),
    [
        (lambda s: s.price("standard", "annual", date(2026, 3, 2)), "price-not-set"),
        (lambda s: s.price("standard", "monthly", date(2025, 12, 31)), "price-not-set"),
        (lambda s: s.tax("export", date(2026, 3, 2)), "tax-not-set"),
        (lambda s: s.tax("domestic", date(2025, 12, 31)), "tax-not-set"),
    ],
)
def test_what_is_not_set_is_not_guessed(look_up: Any, code: str) -> None:
    with pytest.raises(Rejected, match=code):
        look_up(catalog.replay([PRICED, TAXED]))
