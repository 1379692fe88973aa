"""The platform's catalogue: what a plan costs from which day on, and how it is taxed, on which legal basis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import assert_never

from services.billing.domain.calendar import Interval, local_day
from services.billing.domain.money import Money, Rate
from services.billing.domain.values import Customers, Line, Plan, TaxCode
from services.kernel.domain import Command, Decider, Event, Rejected

CATALOG = "catalog"
"""The id of the only one."""
RATES: dict[TaxCode, Decimal] = {"IVA19": Decimal("0.19"), "EXCL_476_21": Decimal(0), "EXP_481C": Decimal(0)}


class PlanPriced(Event):
    """From a day on, cycles of this plan and interval cost this much."""

    plan: Plan
    interval: Interval
    price_version: int
    base_fee: Money
    extra_seat: Money
    effective_from: date


class TaxTreatmentSet(Event):
    """From a day on, customers of this kind are taxed so, on this legal basis."""

    applies_to: Customers
    tax_code: TaxCode
    rate: Rate
    basis: str
    effective_from: date


CatalogEvent = PlanPriced | TaxTreatmentSet


class PricePlan(Command):
    """Set the price of a plan from a day on; what was billed before stays as it is."""

    plan: Plan = "standard"
    interval: Interval
    base_fee: Money
    extra_seat: Money
    effective_from: date


class SetTax(Command):
    """Decide how customers of a kind are taxed from a day on; the accountant's decision, with its basis."""

    applies_to: Customers
    tax_code: TaxCode
    rate: Rate
    basis: Line
    effective_from: date


CatalogCommand = PricePlan | SetTax


@dataclass(frozen=True, slots=True)
class Catalog:
    """All prices and treatments there ever were, each list in the order of its days."""

    prices: tuple[PlanPriced, ...] = ()
    taxes: tuple[TaxTreatmentSet, ...] = ()

    def price(self, plan: Plan, interval: Interval, on: date) -> PlanPriced:
        """What applies on this day. Raises Rejected("price-not-set")."""
        for priced in reversed(self.prices):
            if (priced.plan, priced.interval) == (plan, interval) and priced.effective_from <= on:
                return priced
        raise Rejected("price-not-set", plan=plan, interval=interval, on=on.isoformat())

    def tax(self, customers: Customers, on: date) -> TaxTreatmentSet:
        """What applies on this day; nobody guesses. Raises Rejected("tax-not-set")."""
        for treatment in reversed(self.taxes):
            if treatment.applies_to == customers and treatment.effective_from <= on:
                return treatment
        raise Rejected("tax-not-set", applies_to=customers, on=on.isoformat())


initial_state = Catalog()


def decide(command: CatalogCommand, state: Catalog) -> list[CatalogEvent]:
    """What a request to the catalogue leads to."""
    match command:
        case PricePlan():
            return _price(command, state)
        case SetTax():
            return _tax(command, state)
        case _:
            assert_never(command)


def _price(command: PricePlan, state: Catalog) -> list[CatalogEvent]:
    if command.base_fee.amount < 0 or command.extra_seat.amount < 0:
        raise Rejected("price-negative")
    wanted = PlanPriced(
        plan=command.plan,
        interval=command.interval,
        price_version=len(state.prices) + 1,
        base_fee=command.base_fee,
        extra_seat=command.extra_seat,
        effective_from=command.effective_from,
    )
    former = [p for p in state.prices if (p.plan, p.interval) == (command.plan, command.interval)]
    if former and wanted.model_copy(update={"price_version": former[-1].price_version}) == former[-1]:
        return []
    _check_day(command.at, command.effective_from, former[-1].effective_from if former else None)
    return [wanted]


def _tax(command: SetTax, state: Catalog) -> list[CatalogEvent]:
    if command.rate != RATES[command.tax_code] and command.tax_code != "IVA19":
        raise Rejected("tax-rate-wrong", tax_code=command.tax_code)
    wanted = TaxTreatmentSet(
        applies_to=command.applies_to,
        tax_code=command.tax_code,
        rate=command.rate,
        basis=command.basis,
        effective_from=command.effective_from,
    )
    former = [t for t in state.taxes if t.applies_to == command.applies_to]
    if former and wanted == former[-1]:
        return []
    _check_day(command.at, command.effective_from, former[-1].effective_from if former else None)
    return [wanted]


def _check_day(now: datetime, day: date, former: date | None) -> None:
    # The first entry may reach back: before it nothing could be issued. A later one never changes the past.
    if former is not None and (day <= former or day <= local_day(now)):
        raise Rejected("effective-day-past", effective_from=day.isoformat(), latest=former.isoformat())


def evolve(state: Catalog, event: CatalogEvent) -> Catalog:
    """The catalogue after one more fact."""
    match event:
        case PlanPriced():
            return replace(state, prices=(*state.prices, event))
        case TaxTreatmentSet():
            return replace(state, taxes=(*state.taxes, event))
        case _:
            assert_never(event)


catalog = Decider(
    "catalog",
    initial_state,
    decide,
    evolve,
    events={"PlanPriced": PlanPriced, "TaxTreatmentSet": TaxTreatmentSet},
)
