"""What the people of Progresus do for accounts: each path names the account, whose history tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.calls import Call
from gateway.door import CallDep, needs, resource
from gateway.principals import ANONYMOUS_TENANT
from gateway.routes.fields import (
    EXAMPLE_ID,
    PRINTABLE,
    Body,
    Cursor,
    Found,
    Id,
    Limit,
    Line,
    Listed,
    Moment,
    PathId,
    Receipt,
    given,
)

router = resource("ops", prefix="/ops")

SERVICE = "billing"
ACCOUNTS, BILLING, DOWNGRADES, PAYMENTS, CATALOG = (
    "ops:accounts",
    "ops:billing",
    "ops:downgrades",
    "ops:payments",
    "ops:catalog",
)

Order = Annotated[int, Path(ge=1, le=2**31, examples=[1])]
Amount = Annotated[str, StringConstraints(pattern=r"^-?\d{1,15}(\.\d{1,2})?$")]
Rate = Annotated[str, StringConstraints(pattern=r"^(0(\.\d{1,6})?|1(\.0{1,6})?)$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z]{1,4}$")]


class Money(Body):
    """An amount as text, never as a floating-point number."""

    amount: Amount = Field(examples=["95000.00"])
    currency: Literal["COP"] = "COP"


class Downgrade(Body):
    """How many seats there shall be, and the ticket in which the customer asked for it."""

    to: int = Field(ge=1, le=100_000, examples=[10])
    ticket: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{2,63}$")] = Field(
        examples=["T-2026-0042"]
    )


class Because(Body):
    """A reason that the customer can read."""

    reason: Line = Field(examples=["The contract runs until June."])


class Withholding(Body):
    """What the payer kept back for the tax office."""

    kind: Literal["retefuente", "reteiva", "reteica"] = Field(examples=["retefuente"])
    amount: Money


class Payment(Body):
    """Money that came, for one invoice."""

    id: Id | None = Field(default=None, description="Made by the client, if it likes.")
    invoice_id: Id = Field(examples=[EXAMPLE_ID])
    cash: Money
    withholdings: Annotated[list[Withholding], Field(max_length=3)] = Field(default_factory=list)
    received_on: date = Field(examples=["2026-12-03"])
    reference: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=PRINTABLE)] = Field(
        default="", examples=["Bancolombia 4471"]
    )


class CreditLine(Body):
    """How much of one line is given back."""

    line_no: int = Field(ge=1, le=1_000, examples=[1])
    amount: Money


class Credit(Body):
    """What is given back, and why."""

    id: Id | None = Field(default=None, description="Made by the client, if it likes.")
    lines: Annotated[list[CreditLine], Field(min_length=1, max_length=50)]
    reason: Line = Field(examples=["Two seats were charged twice."])


class Unpark(Body):
    """Up to when somebody has looked at what went wrong."""

    until: Moment = Field(examples=["2026-12-01T05:00:00Z"])


class Price(Body):
    """What the plan costs from a day on."""

    plan: Literal["standard"] = "standard"
    interval: Literal["monthly", "annual"] = Field(examples=["monthly"])
    base_fee: Money
    extra_seat: Money
    effective_from: date = Field(examples=["2027-01-01"])


class Tax(Body):
    """How invoices are taxed from a day on, and by which law."""

    applies_to: Literal["domestic", "export"] = Field(examples=["domestic"])
    tax_code: Literal["IVA19", "EXCL_476_21", "EXP_481C"] = Field(examples=["IVA19"])
    rate: Rate = Field(examples=["0.19"])
    basis: Line = Field(examples=["E.T. art. 468"])
    effective_from: date = Field(examples=["2027-01-01"])


class NumberRange(Body):
    """Invoice numbers that the tax authority has authorised."""

    prefix: Prefix = Field(examples=["COP"])
    resolution: Line = Field(examples=["18764000001234"])
    first: int = Field(ge=1, le=999_999_999, examples=[1])
    last: int = Field(ge=1, le=999_999_999, examples=[5000])
    valid_from: date = Field(examples=["2026-01-01"])
    valid_to: date = Field(examples=["2027-12-31"])


def as_staff(call: Call) -> Call:
    """The same call by the platform's own people: facts tell that staff did it, in the account that it was done to."""
    return replace(call, on_behalf={"tenant": ANONYMOUS_TENANT, "actor": f"staff:{call.principal.actor}"})


def reading(call: Call, account_id: Id, *permissions: str) -> Call:
    """The same call as a reader of one account, with no more than these permissions there."""
    reader = {"tenant": str(account_id), "actor": f"staff:{call.principal.actor}", "permissions": list(permissions)}
    return replace(call, on_behalf=reader)


async def decide(call: Call, name: str, data: Mapping[str, Any], *, created: str | None = None) -> Response:
    """Let billing carry out what staff decided."""
    return await as_staff(call).command(SERVICE, name, data, created=created)


@router.get("/accounts/{account_id}/subscription", summary="A subscription", response_model=Found, **needs(BILLING))
async def ops_subscription(account_id: PathId, call: CallDep) -> Response:
    """As the account's own administrators see it."""
    return await as_staff(call).query(SERVICE, "subscription_of", {"account_id": str(account_id)})


@router.get("/accounts/{account_id}/seats", summary="An account's seats", response_model=Found, **needs(ACCOUNTS))
async def ops_seats(account_id: PathId, call: CallDep) -> Response:
    """How many there are and how many are taken."""
    return await reading(call, account_id).query("identity", "seats")


@router.get("/accounts/{account_id}/invoices", summary="An account's invoices", response_model=Listed, **needs(BILLING))
async def ops_invoices(account_id: PathId, call: CallDep, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The newest first."""
    call = reading(call, account_id, "billing:read")
    return await call.query(SERVICE, "invoices", given(limit=limit, cursor=cursor))


@router.get("/accounts/{account_id}/payments", summary="An account's payments", response_model=Listed, **needs(BILLING))
async def ops_payments(account_id: PathId, call: CallDep, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The newest first."""
    call = reading(call, account_id, "billing:read")
    return await call.query(SERVICE, "payments", given(limit=limit, cursor=cursor))


@router.get("/accounts/{account_id}/balance", summary="What an account owes", response_model=Found, **needs(BILLING))
async def ops_balance(account_id: PathId, call: CallDep) -> Response:
    """From the ledger itself."""
    return await reading(call, account_id, "billing:read").query(SERVICE, "balance")


@router.get("/downgrades", summary="Reductions under way", response_model=Listed, **needs(BILLING))
async def ops_downgrades(call: CallDep, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Of all accounts, the oldest first."""
    return await as_staff(call).query(SERVICE, "seat_reductions", given(limit=limit, cursor=cursor))


@router.post(
    "/accounts/{account_id}/downgrades", status_code=201, summary="Take a downgrade in", response_model=Receipt,
    **needs(DOWNGRADES),
)  # fmt: skip
async def request_downgrade(account_id: PathId, body: Downgrade, call: CallDep) -> Response:
    """By the customer's ticket; the commercial team decides."""
    data = {**body.data(), "account_id": str(account_id)}
    return await decide(call, "request_seat_reduction", data, created=f"/ops/accounts/{account_id}/subscription")


@router.post(
    "/accounts/{account_id}/downgrades/{order}/approve", summary="Approve a downgrade", response_model=Receipt,
    **needs(DOWNGRADES),
)  # fmt: skip
async def approve_downgrade(account_id: PathId, order: Order, call: CallDep) -> Response:
    """Applied with the next cycle, once few enough people are active."""
    return await decide(call, "approve_seat_reduction", {"account_id": str(account_id), "order": order})


@router.post(
    "/accounts/{account_id}/downgrades/{order}/reject", summary="Reject a downgrade", response_model=Receipt,
    **needs(DOWNGRADES),
)  # fmt: skip
async def reject_downgrade(account_id: PathId, order: Order, body: Because, call: CallDep) -> Response:
    """With a reason."""
    data = {**body.data(), "account_id": str(account_id), "order": order}
    return await decide(call, "reject_seat_reduction", data)


@router.post(
    "/accounts/{account_id}/downgrades/{order}/cancel", summary="Cancel a downgrade", response_model=Receipt,
    **needs(DOWNGRADES),
)  # fmt: skip
async def cancel_downgrade(account_id: PathId, order: Order, call: CallDep) -> Response:
    """As long as it is not applied; the account keeps its seats."""
    return await decide(call, "cancel_seat_reduction", {"account_id": str(account_id), "order": order})


@router.post(
    "/accounts/{account_id}/payments", status_code=201, summary="Record a payment", response_model=Receipt,
    **needs(PAYMENTS),
)  # fmt: skip
async def record_payment(account_id: PathId, body: Payment, call: CallDep) -> Response:
    """With what was withheld; together they count towards the invoice."""
    data = body.data()
    payment_id = data.pop("id", None) or call.new_id()
    data |= {"account_id": str(account_id), "payment_id": payment_id}
    return await decide(call, "record_payment", data, created=f"/ops/accounts/{account_id}/payments")


@router.post(
    "/accounts/{account_id}/payments/{payment_id}/reverse", summary="Reverse a payment", response_model=Receipt,
    **needs(PAYMENTS),
)  # fmt: skip
async def reverse_payment(account_id: PathId, payment_id: PathId, body: Because, call: CallDep) -> Response:
    """The money did not come after all."""
    data = {**body.data(), "account_id": str(account_id), "payment_id": str(payment_id)}
    return await decide(call, "reverse_payment", data)


@router.post(
    "/accounts/{account_id}/invoices/{invoice_id}/credit-notes", status_code=201, summary="Issue a credit note",
    response_model=Receipt, **needs(PAYMENTS),
)  # fmt: skip
async def credit_invoice(account_id: PathId, invoice_id: PathId, body: Credit, call: CallDep) -> Response:
    """The only way to correct an invoice; never more than its line."""
    data = body.data()
    note_id = data.pop("id", None) or call.new_id()
    data |= {"account_id": str(account_id), "invoice_id": str(invoice_id), "credit_note_id": note_id}
    return await decide(call, "credit_invoice", data, created=f"/ops/accounts/{account_id}/invoices")


@router.post(
    "/accounts/{account_id}/unpark", summary="Bill an account again", response_model=Receipt, **needs(PAYMENTS)
)
async def unpark_account(account_id: PathId, body: Unpark, call: CallDep) -> Response:
    """After a person has looked at what no rule foresaw."""
    return await decide(call, "unpark_account", {**body.data(), "account_id": str(account_id)})


@router.get("/catalog", summary="Prices and taxes", response_model=Found, **needs(BILLING))
async def ops_catalog(call: CallDep) -> Response:
    """All that ever were or will be in force."""
    return await as_staff(call).query(SERVICE, "catalog")


@router.post("/catalog/prices", summary="Set a price", response_model=Receipt, **needs(CATALOG))
async def price_plan(body: Price, call: CallDep) -> Response:
    """From a day on; what was quoted or invoiced before stays."""
    return await decide(call, "price_plan", body.data())


@router.post("/catalog/taxes", summary="Set a tax treatment", response_model=Receipt, **needs(CATALOG))
async def set_tax(body: Tax, call: CallDep) -> Response:
    """With its legal basis, from a day on. Without one no invoice is issued."""
    return await decide(call, "set_tax", body.data())


@router.post("/catalog/number-ranges", summary="Authorise invoice numbers", response_model=Receipt, **needs(CATALOG))
async def authorise_range(body: NumberRange, call: CallDep) -> Response:
    """As the tax authority's resolution says."""
    return await decide(call, "authorise_range", body.data())


@router.get("/catalog/number-ranges/{prefix}", summary="A number range", response_model=Found, **needs(BILLING))
async def number_range(prefix: Annotated[Prefix, Path(examples=["COP"])], call: CallDep) -> Response:
    """What is authorised, how much of it is left."""
    return await as_staff(call).query(SERVICE, "number_range", {"prefix": prefix})
