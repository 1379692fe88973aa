"""What a customer's request about seats needs to know: today's price and tax for the cycle it would begin in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.billing.asking import EDIT, demand, the_catalog
from services.billing.domain.calendar import local_day
from services.billing.domain.cycles import due
from services.billing.domain.subscription import subscription
from services.billing.domain.subscription_state import Subscription, evolve
from services.billing.settings import BillingSettings
from services.kernel.application import Ask
from services.kernel.commands import Receipt
from services.kernel.domain import Rejected

Prepare = Callable[[Ask], Mapping[str, Any]]


def own(ask: Ask) -> Mapping[str, Any]:
    """The caller's own account, which he may not choose."""
    demand(ask.caller, EDIT)
    return {**ask.data, "account_id": ask.caller.tenant}


def present(ask: Ask, account: str) -> Subscription:
    """The subscription as it is once the cycles that have begun are opened. Raises Rejected for none."""
    state: Subscription = ask.state(subscription, account, tenant=account)
    if not state.started:
        raise Rejected("subscription-unknown", account_id=account)
    for fact in due(state, ask.now):
        state = evolve(state, fact)
    return state


def quoting(settings: BillingSettings) -> Prepare:
    """Price, tax and validity for a quote."""

    def prepare(ask: Ask) -> Mapping[str, Any]:
        return {
            **own(ask),
            **_terms(ask),
            "rounding": settings.rounding,
            "holds_for": settings.quotes_hold_for,
        }

    return prepare


def accepting(ask: Ask) -> Mapping[str, Any]:
    """What holds now, to be compared with what was quoted."""
    terms = _terms(ask)
    terms.pop("unit_price")
    return {**own(ask), **terms}


def _terms(ask: Ask) -> dict[str, Any]:
    demand(ask.caller, EDIT)
    state = present(ask, ask.caller.tenant)
    assert state.next_cycle is not None
    known, day = the_catalog(ask), local_day(state.next_cycle)
    price = known.price(state.plan, state.next_interval, day)
    tax = known.tax("domestic" if state.country == "CO" else "export", day)
    return {
        "interval": state.next_interval,
        "unit_price": price.extra_seat,
        "price_version": price.price_version,
        "tax_code": tax.tax_code,
        "tax_rate": tax.rate,
    }


def quoted(ask: Ask, receipt: Receipt, state: Subscription) -> Mapping[str, Any]:
    """The quote as it is shown."""
    return {"quote": state.quote.model_dump(mode="json") if state.quote else None}


def granted(ask: Ask, receipt: Receipt, state: Subscription) -> Mapping[str, Any]:
    """The seats after the request."""
    return {"seats": state.seats, "entitlement_version": state.entitlement_version}
