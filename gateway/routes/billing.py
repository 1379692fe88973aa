"""What the account pays for: plan, seats, quotes, invoices, payments, and whether it works, rests or leaves."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.calls import json_response
from gateway.door import CallDep, Gatekeeper, needs, resource, signed_in
from gateway.errors import Problem
from gateway.routes.fields import (
    PRINTABLE,
    Body,
    Cursor,
    Email,
    Found,
    Id,
    Language,
    Limit,
    Line,
    Listed,
    PathId,
    Receipt,
    given,
)
from gateway.standing import allowed
from gateway.uploads import ObjectStore

router = resource("billing")

SERVICE = "billing"
READ, EDIT, CLOSE = "billing:read", "billing:edit", "accounts:close"


class QuoteSeats(Body):
    """How many seats there shall be in all."""

    to_seats: int = Field(ge=1, le=100_000, examples=[12])
    id: Id | None = Field(default=None, description="Made by the client, if it likes.")


class AcceptQuote(Body):
    """The hash of the quote that was read: exactly these terms are accepted."""

    hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = Field(examples=["9f2c" * 16])


class BillingDetails(Body):
    """To whom invoices are made out and sent."""

    legal_name: Line = Field(examples=["Frío Andino S.A.S."])
    tax_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=40, pattern=PRINTABLE)] = (
        Field(examples=["900123456-7"])
    )
    address: Line = Field(examples=["Calle 119 # 7-14"])
    city: Line = Field(examples=["Bogotá"])
    email: Email = Field(examples=["facturas@example.com"])
    language: Language = "es"


class ChooseInterval(Body):
    """By the month or by the year."""

    interval: Literal["monthly", "annual"] = Field(examples=["annual"])


class KeepSeats(Body):
    """Which reduction is not wanted any more."""

    order: int = Field(ge=1, le=2**31, examples=[1])


class Leave(Body):
    """Why, if one likes to say."""

    reason: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=PRINTABLE)] = Field(
        default="", examples=["The season is over."]
    )


@router.get("/plan", summary="The plan", response_model=Found, **needs(READ))
async def plan(call: CallDep) -> Response:
    """Subscription, seats granted, used and free, the reduction under way, the open quote, the next cycle."""
    subscription = await call.ask(SERVICE, "subscription")
    pool = await call.ask_present("identity", "seats")
    counted = {name: pool[name] for name in ("limit", "used", "free", "reduction")}
    return json_response({**subscription, "seats": {**subscription["seats"], **counted}})


@router.get("/seats", summary="Paid seats", response_model=Found, **needs("users:read"))
async def seats(call: CallDep) -> Response:
    """How many there are, how many are taken and by whom. Works while billing is away."""
    return await call.query("identity", "seats")


@router.post("/seat-quotes", status_code=201, summary="Ask what more seats cost", response_model=Receipt, **needs(EDIT))
async def quote_seats(body: QuoteSeats, call: CallDep) -> Response:
    """Answers the `quote`: impact on the rate, tax, from which cycle, until when it holds, and its `hash`."""
    data = body.data()
    quote_id = data.pop("id", None) or call.new_id()
    answer = await call.execute(SERVICE, "quote_seats", {**data, "quote_id": quote_id})
    return call.receipt(answer | {"quote_id": quote_id}, created=f"/v1/seat-quotes/{quote_id}")


@router.get("/seat-quotes/{quote_id}", summary="A quote", response_model=Found, **needs(READ))
async def seat_quote(quote_id: PathId, call: CallDep) -> Response:
    """Open, accepted, declined, expired or replaced by a newer one."""
    return await call.query(SERVICE, "quote", {"quote_id": str(quote_id)})


@router.post(
    "/seat-quotes/{quote_id}/accept",
    summary="Accept a quote",
    response_model=Receipt,
    **needs(EDIT, proof=True),
)
async def accept_quote(quote_id: PathId, body: AcceptQuote, call: CallDep) -> Response:
    """The seats can be used at once; they are charged with the next cycle's invoice. A second time changes nothing.

    Whoever typed no password for ten minutes is asked to (`proof-required`): `POST /v1/sessions/current/proof`.
    """
    return await call.command(SERVICE, "accept_quote", {**body.data(), "quote_id": str(quote_id)})


@router.post("/seat-quotes/{quote_id}/decline", summary="Decline a quote", response_model=Receipt, **needs(EDIT))
async def decline_quote(quote_id: PathId, call: CallDep) -> Response:
    """Nothing is bought."""
    return await call.command(SERVICE, "decline_quote", {"quote_id": str(quote_id)})


@router.post("/seat-reduction/cancel", summary="Keep one's seats", response_model=Receipt, **needs(EDIT))
async def keep_seats(body: KeepSeats, call: CallDep) -> Response:
    """Takes a reduction back that is not applied yet. Fewer seats are asked for by ticket only, never here."""
    return await call.command(SERVICE, "cancel_seat_reduction", body.data())


@router.get("/invoices", summary="Invoices", response_model=Listed, **needs(READ))
async def invoices(call: CallDep, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The newest first."""
    return await call.query(SERVICE, "invoices", given(limit=limit, cursor=cursor))


@router.get("/invoices/{invoice_id}", summary="An invoice", response_model=Found, **needs(READ))
async def invoice(invoice_id: PathId, call: CallDep) -> Response:
    """With its lines."""
    return await call.query(SERVICE, "invoice", {"invoice_id": str(invoice_id)})


@router.get(
    "/invoices/{invoice_id}/pdf",
    summary="An invoice to print",
    response_class=Response,
    responses={
        200: {
            "description": "The document.",
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    **needs(READ),
)
async def invoice_pdf(request: Request, invoice_id: PathId, call: CallDep, document_id: Id | None = None) -> Response:
    """As it was issued; with `document_id`, one of its credit notes."""
    wanted = {"invoice_id": str(invoice_id)} | given(document_id=document_id)
    found = await call.ask(SERVICE, "invoice_document", wanted)
    objects: ObjectStore = request.app.state.objects
    content = await objects.get(str(found["object_key"]))
    name = str(found.get("file_name", "invoice.pdf"))
    return Response(content, 200, {"Content-Disposition": f'inline; filename="{name}"'}, "application/pdf")


@router.get("/payments", summary="Payments", response_model=Listed, **needs(READ))
async def payments(call: CallDep, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The newest first, with what was withheld."""
    return await call.query(SERVICE, "payments", given(limit=limit, cursor=cursor))


@router.get("/balance", summary="What is owed", response_model=Found, **needs(READ))
async def balance(call: CallDep) -> Response:
    """From the ledger itself."""
    return await call.query(SERVICE, "balance")


@router.put("/billing-details", summary="Set the billing details", response_model=Receipt, **needs(EDIT))
async def set_billing_details(body: BillingDetails, call: CallDep) -> Response:
    """For invoices from now on; issued ones never change."""
    return await call.command(SERVICE, "set_billing_details", body.data())


@router.put("/billing-interval", summary="Choose the interval", response_model=Receipt, **needs(EDIT))
async def choose_interval(body: ChooseInterval, call: CallDep) -> Response:
    """From the next cycle on."""
    return await call.command(SERVICE, "choose_interval", body.data())


@router.get("/account/state", summary="How the account stands", response_model=Found, **signed_in())
async def account_state(request: Request, call: CallDep) -> Response:
    """In every state for everybody: the state, and what the caller may do in it; billing's word while it answers."""
    gatekeeper: Gatekeeper = request.app.state.gatekeeper
    state = gatekeeper.authenticator.standing(call.principal)
    try:
        told: dict[str, Any] = await call.ask(SERVICE, "account_state")
    except Problem as problem:
        if problem.code not in ("service-unavailable", "overloaded", "timeout"):
            raise
        told = {}
    return json_response({**told, "state": state, "may": allowed(state, call.principal.role)})


@router.post("/account/pause", summary="Pause the account", response_model=Receipt, **needs(CLOSE))
async def pause_account(call: CallDep) -> Response:
    """Everything can be read, nothing changed, until its owner resumes it."""
    return await call.command(SERVICE, "pause_subscription", {})


@router.post("/account/resume", summary="Resume the account", response_model=Receipt, **needs(CLOSE))
async def resume_account(call: CallDep) -> Response:
    """After a pause, or after having left."""
    return await call.command(SERVICE, "resume_subscription", {})


@router.post("/account/cancel", summary="Cancel the subscription", response_model=Receipt, **needs(CLOSE))
async def cancel_account(call: CallDep, body: Leave | None = None) -> Response:
    """At the end of the cycle that is paid for. All data is kept; its owner can read and export it."""
    return await call.command(SERVICE, "cancel_subscription", body.data() if body else {})


@router.post("/account/keep", summary="Stay after all", response_model=Receipt, **needs(CLOSE))
async def keep_account(call: CallDep) -> Response:
    """Takes a cancellation back that has not come yet."""
    return await call.command(SERVICE, "keep_subscription", {})
