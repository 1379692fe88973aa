"""The billing service in memory: a platform with prices, tax and numbers, and one account that buys."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar

from services.billing.domain.calendar import midnight
from services.billing.domain.subscription_events import SubscriptionStarted
from services.billing.einvoicing import EInvoicing, Simulated
from services.billing.settings import BillingSettings
from services.billing.wiring import define
from services.kernel.clock import new_id
from services.kernel.commit import PLATFORM, Caller
from services.kernel.domain import Command, Decider, Rejected
from services.kernel.testing.app import MemoryApp, memory_app

C = TypeVar("C", bound=Command)


def uuid(n: int) -> str:
    """A readable id."""
    return f"00000000-0000-7000-8000-{n:012d}"


ANDES, ANA, RIO = uuid(1), uuid(2), uuid(9)
QUOTE, OTHER_QUOTE = uuid(11), uuid(12)
PAYMENT, CREDIT = uuid(21), uuid(22)
NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""Monday 2 March 2026, ten in the morning in Bogotá."""
FIRST, SECOND = midnight(date(2026, 3, 2)), midnight(date(2026, 4, 2))


def ask(command: type[C], *, at: datetime = NOW, by: str = ANA, **fields: Any) -> C:
    """A command as the kernel would make it."""
    return command(at=at, by=by, **{"account_id": ANDES, **fields})


def carry_out(decider: Decider[Any, Any, Any], command: Command, state: Any) -> tuple[Any, list[Any], Rejected | None]:
    """State and facts after the command, and the refusal if there was one: for long random stories."""
    try:
        facts = decider.decide(command, state)
    except Rejected as refused:
        return state, [], refused
    return decider.replay(facts, state), facts, None


started = SubscriptionStarted(
    account_id=ANDES,
    plan="standard",
    interval="monthly",
    seats=10,
    included=10,
    entitlement_version=1,
    anchor_day=2,
    cycle_start=FIRST,
    country="CO",
)

owner = Caller(tenant=ANDES, actor=ANA, role="owner", permissions=frozenset({"billing:read", "billing:edit"}))
viewer = Caller(tenant=ANDES, actor=ANA, role="viewer")
commercial = Caller(tenant=PLATFORM, actor=uuid(90), role="staff", permissions=frozenset({"ops:billing"}))
system = Caller(tenant=ANDES, actor="system:test", role="system")

DETAILS = {
    "legal_name": "Andes Servicios Ñandú S.A.S.",
    "tax_id": "900.123.456-7",
    "address": "Calle 93 # 11-27",
    "city": "Bogotá D.C.",
    "email": "cartera@andes.co",
    "language": "es",
}
PRICE = {
    "interval": "monthly",
    "base_fee": "890000.00",
    "extra_seat": "79000.00",
    "effective_from": "2026-01-01",
}
TAX = {
    "applies_to": "domestic",
    "tax_code": "IVA19",
    "rate": "0.19",
    "basis": "E.T. art. 468, tarifa general",
    "effective_from": "2026-01-01",
}
RANGE = {
    "prefix": "CHK",
    "resolution": "DIAN 18764000001234 del 2 de enero de 2026",
    "first": 1,
    "last": 5000,
    "valid_from": "2026-01-01",
    "valid_to": "2099-12-31",
}
CREDIT_RANGE = RANGE | {"prefix": "NC", "resolution": "Numeración interna NC"}


@dataclass
class Shelf:
    """An object store in memory."""

    files: dict[str, bytes] = field(default_factory=dict)

    def put_object(self, bucket: str, key: str, data: io.BytesIO, length: int, content_type: str) -> None:
        """As the client of the real one."""
        self.files[key] = data.read(length)


@dataclass
class Billing:
    """The service, and people who use it."""

    app: MemoryApp
    shelf: Shelf

    def register(self, account: str = ANDES, country: str = "CO") -> None:
        """An account has come to the platform."""
        caller = Caller(tenant=account, actor="system:billing.identity", role="system")
        came = {"account_id": account, "registered_at": self.app.clock.now().isoformat(), "country": country}
        self.app.execute("start_subscription", came, caller)

    def staff(self, command: str, data: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """The commercial team does something."""
        return self.app.execute(command, data, commercial, **more)

    def own(self, command: str, data: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        """The owner does something."""
        return self.app.execute(command, data or {}, owner, **more)

    def see(self, query: str, **params: Any) -> dict[str, Any]:
        """The owner looks."""
        return self.app.query(query, params, owner)

    def identity_says(self, command: str, **data: Any) -> None:
        """What came from identity by way of the broker."""
        caller = Caller(tenant=ANDES, actor="system:billing.identity", role="system")
        self.app.execute(command, {"account_id": ANDES, **data}, caller)

    def buy(self, to_seats: int) -> dict[str, Any]:
        """Quote and accept."""
        quote = self.own("quote_seats", {"quote_id": new_id(), "to_seats": to_seats})["quote"]
        return self.own("accept_quote", {"quote_id": quote["quote_id"], "hash": quote["hash"]})

    def invoices(self) -> list[dict[str, Any]]:
        """The newest first."""
        rows: list[dict[str, Any]] = self.see("invoices")["items"]
        return rows

    def types(self, category: str) -> list[str]:
        """What has happened, by name."""
        return [fact.type for fact in self.app.facts() if fact.category == category]

    def until(self, moment: datetime) -> None:
        """Let time pass until then."""
        self.app.advance(moment - self.app.clock.now())

    def days(self, days: int) -> None:
        """Let days pass."""
        self.app.advance(timedelta(days=days))


def billing(
    *,
    script: str = "accepted",
    set_up: bool = True,
    start: datetime = NOW,
    einvoicing: EInvoicing | None = None,
    **settings: Any,
) -> Billing:
    """The service with prices, tax and numbers (unless not set up) and one account with its details."""
    shelf = Shelf()
    definition = define(BillingSettings(**settings), einvoicing or Simulated(script))
    made = Billing(memory_app(definition, start=start, ports={"objects": lambda: shelf}), shelf)
    if set_up:
        made.staff("price_plan", PRICE)
        made.staff("set_tax", TAX)
        made.staff("authorise_range", RANGE)
        made.staff("authorise_range", CREDIT_RANGE)
        made.register()
        made.own("set_billing_details", DETAILS)
        made.days(0)
    return made
