"""The words billing's facts are made of."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.kernel.domain import Erased, TenantData

Plan = Literal["standard"]
Kind = Literal["cycle"]
Language = Literal["es", "en"]
TaxCode = Literal["IVA19", "EXCL_476_21", "EXP_481C"]
Customers = Literal["domestic", "export"]
"""To whom a tax treatment applies: customers in Colombia, or abroad."""
WithholdingKind = Literal["retefuente", "reteiva", "reteica"]
Standing = Literal["none", "active", "past_due", "restricted", "suspended", "paused", "cancelled"]

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,4}$")]
Ticket = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{2,63}$")]
Seats = Annotated[int, Field(ge=1, le=100_000)]

Confidential = Annotated[str | Erased, TenantData()]

INCLUDED: dict[Plan, int] = {"standard": 10}
"""The operational seats that a plan's base fee pays for; there are never fewer."""

_INVOICES = uuid.UUID("5b1f4c1e-9e0c-5d0f-8f43-2f6a0a6f7d11")


def invoice_id(subscription_id: str, cycle_start: datetime, kind: Kind) -> str:
    """The one id that the invoice of this subscription, cycle and kind can have."""
    return str(uuid.uuid5(_INVOICES, f"{subscription_id}/{cycle_start:%Y-%m-%dT%H:%M:%SZ}/{kind}"))
