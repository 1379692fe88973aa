"""What stands on an invoice: lines with their price, discount and tax, and sums that are exactly theirs."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict

from services.billing.domain.money import Money, Rate, Rounding, total
from services.billing.domain.values import TaxCode


class InvoiceLine(BaseModel):
    """So many of something. `amount` = quantity × unit price; tax is on the amount without its discount."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line_no: int
    what: Literal["plan", "extra_seats"]
    quantity: int
    unit_price: Money
    amount: Money
    discount: Money
    tax_code: TaxCode
    tax_rate: Rate
    tax_basis: str
    tax: Money

    @property
    def due(self) -> Money:
        """What the customer owes for this line."""
        return self.amount - self.discount + self.tax


class CreditLine(BaseModel):
    """So much of one line of the invoice given back: its net amount and the tax on that."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line_no: int
    amount: Money
    tax: Money


def lines_of(
    *,
    seats: int,
    included: int,
    base_fee: Money,
    extra_seat: Money,
    tax_code: TaxCode,
    tax_rate: Decimal,
    tax_basis: str,
    rounding: Rounding,
    discount_rate: Decimal = Decimal(0),
) -> tuple[InvoiceLine, ...]:
    """The plan, and the seats beyond those it includes; who uses no seat is never on an invoice."""

    def line(number: int, what: Literal["plan", "extra_seats"], quantity: int, price: Money) -> InvoiceLine:
        amount = price.times(quantity)
        discount = amount.share(discount_rate, rounding)
        return InvoiceLine(
            line_no=number,
            what=what,
            quantity=quantity,
            unit_price=price,
            amount=amount,
            discount=discount,
            tax_code=tax_code,
            tax_rate=tax_rate,
            tax_basis=tax_basis,
            tax=(amount - discount).share(tax_rate, rounding),
        )

    lines = [line(1, "plan", 1, base_fee)]
    if seats > included:
        lines.append(line(2, "extra_seats", seats - included, extra_seat))
    return tuple(lines)


def total_of(lines: Sequence[InvoiceLine]) -> Money:
    """Σ lines + Σ tax − Σ discount."""
    amounts, taxes = total(line.amount for line in lines), total(line.tax for line in lines)
    return amounts + taxes - total(line.discount for line in lines)
