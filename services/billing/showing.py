"""How amounts and days are shown to people, in Spanish and English."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from services.billing.domain.money import Money
from services.billing.domain.values import Language

_MONTHS: dict[Language, tuple[str, ...]] = {
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio",
        "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip


def pesos(money: Money) -> str:
    """Colombian style: $1.234.567,89."""
    whole, cents = f"{abs(money.amount):,.2f}".split(".")
    sign = "-" if money.amount < 0 else ""
    return f"{sign}${whole.replace(',', '.')},{cents}"


def day(on: date, language: Language) -> str:
    """2 de marzo de 2026, or 2 March 2026."""
    month = _MONTHS[language][on.month - 1]
    return f"{on.day} de {month} de {on.year}" if language == "es" else f"{on.day} {month} {on.year}"


def per_cent(rate: Decimal) -> str:
    """0.19 as 19 %."""
    shown = (rate * 100).normalize()
    return f"{shown:f} %".replace(".", ",")
