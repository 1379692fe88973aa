"""The account's plan at a glance: seats, what is on its way, the open quote, the standing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from services.billing.asking import READ, STAFF, demand
from services.billing.domain import subscription_events as told
from services.billing.domain.subscription import subscription
from services.billing.domain.subscription_state import Subscription
from services.billing.selling import present
from services.billing.staff import stamp
from services.kernel.application import Answers, Ask, Query, ReadModel
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.readmodel import Document

CARD = "subscription"


class SubscriptionCard(ReadModel):
    """One document per account."""

    name = "subscription_card"
    categories = ("subscription",)
    indexes = ([("tenant", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """Always the same one."""
        return [CARD]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The card after this fact."""
        event = fact.event
        if isinstance(event, told.SubscriptionStarted):
            return {
                "plan": event.plan,
                "interval": event.interval,
                "seats": event.seats,
                "included": event.included,
                "entitlement_version": event.entitlement_version,
                "standing": "active",
                "started_at": stamp(event.cycle_start),
                "history": [],
            }
        if doc is None:
            return None
        match event:
            case told.SeatsGranted(seats=seats) | told.SeatReductionApplied(seats=seats):
                change = {"at": stamp(fact.at), "seats": seats, "by": fact.actor}
                seated = {"seats": seats, "entitlement_version": event.entitlement_version}
                return {**doc, **seated, "history": [*doc["history"], change][-100:]}
            case (
                told.AccountPastDue(standing=standing)
                | told.AccountRestricted(standing=standing)
                | told.AccountSuspended(standing=standing)
                | told.AccountPaused(standing=standing)
                | told.AccountReactivated(standing=standing)
                | told.SubscriptionCancelled(standing=standing)
            ):
                return {**doc, "standing": standing, "standing_since": stamp(fact.at)}
            case told.BillingCycleOpened(interval=interval):
                return {**doc, "interval": interval}
            case _:
                return doc


class SubscriptionQuery(Query):
    """The caller's own subscription."""


class AccountStateQuery(Query):
    """What the caller's account may do now."""


class QuoteQuery(Query):
    """One quote."""

    quote_id: str


class SubscriptionOfQuery(Query):
    """Any account's subscription, for the staff."""

    account_id: str


def find_subscription(query: SubscriptionQuery, ask: Ask) -> Mapping[str, Any]:
    """Plan, seats, what is pending, the open quote; as of now, cycles that have begun included."""
    demand(ask.caller, READ)
    card = ask.reads["subscription_card"].one(CARD) or {}
    return {**_shown(present(ask, ask.caller.tenant), ask.now), "history": card.get("history", [])}


def find_subscription_of(query: SubscriptionOfQuery, ask: Ask) -> Mapping[str, Any]:
    """The same for any account."""
    demand(ask.caller, STAFF)
    return {"account_id": query.account_id, **_shown(present(ask, query.account_id), ask.now)}


def find_account_state(query: AccountStateQuery, ask: Ask) -> Mapping[str, Any]:
    """The standing alone; everybody in the account may know it."""
    state: Subscription = ask.state(subscription, ask.caller.tenant)
    return {"standing": state.standing if state.started else "active", "leaving": _when(state.leaving)}


def find_quote(query: QuoteQuery, ask: Ask) -> Mapping[str, Any]:
    """A quote that is open, or what became of it."""
    demand(ask.caller, READ)
    state = present(ask, ask.caller.tenant)
    if state.quote is not None and state.quote.quote_id == query.quote_id:
        over = ask.now >= state.quote.expires_at
        return {"status": "expired" if over else "open", **state.quote.model_dump(mode="json")}
    ending = state.ending(query.quote_id)
    if ending is None:
        raise Rejected("quote-unknown", quote_id=query.quote_id)
    return {"quote_id": query.quote_id, "hash": ending[0], "status": ending[1]}


def _shown(state: Subscription, now: datetime) -> dict[str, Any]:
    quote, reduction, details = state.quote, state.reduction, state.details
    return {
        "plan": state.plan,
        "interval": state.interval,
        "next_interval": state.next_interval,
        "seats": {
            "granted": state.seats,
            "included": state.included,
            "entitlement_version": state.entitlement_version,
        },
        "reduction": reduction
        and {
            "order": reduction.order,
            "to": reduction.to,
            "ticket": reduction.ticket,
            "step": reduction.step,
            "missing": reduction.missing,
            "effective_cycle_start": _when(reduction.effective),
        },
        "quote": quote.model_dump(mode="json") if quote and now < quote.expires_at else None,
        "standing": state.standing,
        "next_cycle": _when(state.next_cycle),
        "leaving": _when(state.leaving),
        "parked": state.parked,
        "details": details and details.model_dump(mode="json", exclude={"account_id"}),
    }


def _when(at: datetime | None) -> str | None:
    return stamp(at) if at else None


QUERIES: Mapping[str, Answers] = {
    "subscription": (SubscriptionQuery, find_subscription),
    "subscription_of": (SubscriptionOfQuery, find_subscription_of),
    "account_state": (AccountStateQuery, find_account_state),
    "quote": (QuoteQuery, find_quote),
}
