"""What billing is told from outside: how it rounds, how long a quote holds, by whom invoices are validated."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.billing.domain.money import Rounding


class BillingSettings(BaseSettings):
    """Read from the environment, `CHECKOP_BILLING_…`; every one has a default."""

    model_config = SettingsConfigDict(env_prefix="CHECKOP_BILLING_", extra="ignore", frozen=True)

    rounding: Rounding = "half_up"
    quote_hours: int = Field(default=72, ge=1, le=720)
    due_days: int = Field(default=15, ge=0, le=180)
    invoice_prefix: str = "CHK"
    credit_note_prefix: str = "NC"
    einvoicing: Literal["simulated"] = "simulated"
    simulation: str = "accepted"
    """How the simulated authority answers each document, call by call: see `einvoicing.Simulated`."""
    issuer: tuple[str, ...] = (
        "Progresus S.A.S.",
        "NIT 901.000.000-0",
        "Bogotá D.C., Colombia",
        "facturacion@checkop.co",
    )
    """Who invoices, line by line as it stands on the paper."""
    poll_seconds: int = Field(default=30, ge=1, le=86_400)

    @property
    def quotes_hold_for(self) -> timedelta:
        """How long a quote may be accepted."""
        return timedelta(hours=self.quote_hours)


@lru_cache
def billing_settings() -> BillingSettings:
    """This process's settings, read once."""
    return BillingSettings()
