"""An amount of one currency, exact to its smallest unit; nothing here ever passes through binary fractions."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

Currency = Literal["COP"]
Rounding = Literal["half_up", "half_even"]

CENT = Decimal("0.01")
LARGEST = Decimal("1e15")
_RULES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN}


class CurrencyMismatch(ValueError):
    """Amounts of two currencies have no sum and no order."""


def rounded(amount: Decimal, rule: Rounding) -> Decimal:
    """To the cent, by the rule that the document records: the one place where anything is rounded."""
    return amount.quantize(CENT, rounding=_RULES[rule])


def exact(value: Any) -> Decimal:
    """A finite decimal from text, a whole number or a decimal. Raises ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int):
        raise ValueError("write it as text")
    try:
        number = Decimal(value)
    except InvalidOperation as wrong:
        raise ValueError("not a number") from wrong
    if not number.is_finite():
        raise ValueError("not finite")
    return number


def _in_cents(value: Any) -> Decimal:
    number = exact(value)
    if abs(number) >= LARGEST:
        raise ValueError("beyond what is ever billed")
    cents = number.quantize(CENT)
    if cents != number:
        raise ValueError("finer than a cent")
    # There is no negative zero among amounts, and no other way of writing one.
    return cents + 0


def _rate(value: Any) -> Decimal:
    number = exact(value)
    if not 0 <= number <= 1:
        raise ValueError("between 0 and 1")
    return number


Amount = Annotated[Decimal, BeforeValidator(_in_cents)]
Rate = Annotated[Decimal, BeforeValidator(_rate)]
"""A share of something: 0.19 is nineteen per cent."""


class Money(BaseModel):
    """So much of one currency; the peso has centavos by ISO 4217, shown or not. Stored as text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Amount
    currency: Currency = "COP"

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"amount": value} if isinstance(value, str) else value

    @classmethod
    def of(cls, amount: Decimal | str | int, currency: Currency = "COP") -> Money:
        """So much. Raises pydantic's ValidationError where it is finer than a cent."""
        return cls.model_validate({"amount": amount, "currency": currency})

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(amount=self.amount + other.amount, currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(amount=self.amount - other.amount, currency=self.currency)

    def __neg__(self) -> Money:
        return Money(amount=-self.amount, currency=self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def __bool__(self) -> bool:
        return self.amount != 0

    def times(self, quantity: int) -> Money:
        """The price of so many; whole numbers only, so nothing is rounded."""
        return Money(amount=self.amount * quantity, currency=self.currency)

    def share(self, rate: Decimal, rule: Rounding) -> Money:
        """This part of it, rounded by the rule."""
        return Money(amount=rounded(self.amount * rate, rule), currency=self.currency)

    def divided(self, by: int, rule: Rounding) -> Money:
        """One of so many equal parts, rounded by the rule."""
        return Money(amount=rounded(self.amount / by, rule), currency=self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency}")


ZERO = Money(amount=Decimal(0))


def total(amounts: Iterable[Money], currency: Currency = "COP") -> Money:
    """The sum of any number of amounts."""
    return sum(amounts, Money(amount=Decimal(0), currency=currency))
