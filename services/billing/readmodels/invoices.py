"""The account's invoices and payments, and what is still owed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.billing.asking import READ, demand
from services.billing.biller import cycle_of
from services.billing.domain import customer_account as ledger
from services.billing.domain import dunning_case as dunning
from services.billing.domain import invoice_events as told
from services.billing.domain.customer_account import CustomerAccount, customer_account
from services.billing.domain.invoice import invoice
from services.billing.domain.invoice_state import Invoice
from services.billing.domain.money import Money, total
from services.billing.domain.subscription_events import BillingCycleOpened
from services.billing.staff import stamp
from services.kernel.application import Answers, Ask, Query, ReadModel
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.paging import Paged, page
from services.kernel.readmodel import Document

_FACTS_OF_INVOICES = (
    BillingCycleOpened,
    told.InvoiceHeld,
    told.InvoiceDrafted,
    told.DocumentNumbered,
    told.EInvoiceSubmitted,
    told.EInvoiceRejected,
    told.EInvoiceRetried,
    told.InvoiceIssued,
    told.CreditNoteIssued,
    told.InvoiceDocumentStored,
    ledger.InvoiceSettled,
    ledger.InvoiceReopened,
    ledger.PaymentRecorded,
    ledger.PaymentReversed,
    ledger.CreditNotePosted,
    dunning.InvoiceOverdue,
)


class Invoices(ReadModel):
    """One document per cycle that is billed, from the moment the cycle begins."""

    name = "invoices"
    categories = ("subscription", "invoice", "customer_account", "dunning_case")
    indexes = ([("tenant", 1), ("cycle_start", -1), ("_id", 1)], [("tenant", 1), ("status", 1)])

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The invoice the fact is about."""
        return [fact.event.invoice_id] if isinstance(fact.event, _FACTS_OF_INVOICES) else []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The invoice after this fact."""
        event = fact.event
        if isinstance(event, BillingCycleOpened):
            cycle = {"cycle_start": stamp(event.cycle_start), "cycle_end": stamp(event.cycle_end)}
            began = {"seats": event.seats, "status": "open", "overdue": False, "credit_notes": []}
            return {**cycle, **began, "cycle": cycle_of(event)}
        if doc is None:
            return None
        match event:
            case told.InvoiceHeld(reason=reason):
                return {**doc, "status": "held", "reason": reason}
            case told.InvoiceDrafted():
                sums = {"tax": _text(event.tax), "total": _text(event.total), "outstanding": _text(event.total)}
                return {**doc, **sums, "status": "drafted", "reason": None, "cycle": None}
            case told.InvoiceIssued():
                days = {"issued_on": stamp(event.issued_on), "due_on": stamp(event.due_on)}
                number = f"{event.prefix}-{event.number}"
                return {**doc, **days, "status": "issued", "number": number, "cufe": event.cufe}
            case told.EInvoiceSubmitted() | told.EInvoiceRetried() if event.document_id == event.invoice_id:
                return {**doc, "status": "submitted"}
            case told.EInvoiceRejected(rules=rules) if event.document_id == event.invoice_id:
                return {**doc, "status": "refused", "rules": list(rules)}
            case told.CreditNoteIssued():
                note = {
                    "credit_note_id": event.credit_note_id,
                    "number": f"{event.prefix}-{event.number}",
                    "total": _text(event.total),
                    "issued_on": stamp(event.issued_on),
                }
                return {**doc, "credit_notes": [*doc["credit_notes"], note]}
            case told.InvoiceDocumentStored() if event.document_id == event.invoice_id:
                return {**doc, "document": True}
            case ledger.PaymentRecorded(applied=applied) | ledger.CreditNotePosted(total=applied):
                return _open_less(doc, applied)
            case ledger.PaymentReversed(applied=applied):
                return _open_less(doc, -applied)
            case ledger.InvoiceSettled():
                return {**doc, "status": "settled", "overdue": False}
            case ledger.InvoiceReopened():
                return {**doc, "status": "issued"}
            case dunning.InvoiceOverdue():
                return {**doc, "overdue": True}
            case _:
                return doc


def _open_less(doc: Document, by: Money) -> Document:
    return {**doc, "outstanding": _text(Money.of(doc["outstanding"]) - by)}


def _text(money: Money) -> str:
    return str(money.amount)


class Payments(ReadModel):
    """One document per payment."""

    name = "payments"
    categories = ("customer_account",)
    indexes = ([("tenant", 1), ("recorded_at", -1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The payment the fact is about."""
        is_one = isinstance(fact.event, ledger.PaymentRecorded | ledger.PaymentReversed)
        return [fact.event.payment_id] if is_one else []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The payment after this fact."""
        match fact.event:
            case ledger.PaymentRecorded() as paid:
                return {
                    "invoice_id": paid.invoice_id,
                    "cash": _text(paid.cash),
                    "withholdings": [{"kind": w.kind, "amount": _text(w.amount)} for w in paid.withholdings],
                    "applied": _text(paid.applied),
                    "received_on": stamp(paid.received_on),
                    "recorded_at": stamp(fact.at),
                    "reversed": False,
                }
            case ledger.PaymentReversed():
                return doc and {**doc, "reversed": True}
            case _:
                return doc


class InvoicesQuery(Paged):
    """The account's invoices, the newest first."""


class InvoiceQuery(Query):
    """One invoice."""

    invoice_id: str


class InvoiceDocumentQuery(Query):
    """Where the PDF of an invoice (or of one of its credit notes) lies."""

    invoice_id: str
    document_id: str | None = None


class PaymentsQuery(Paged):
    """The account's payments, the newest first."""


class BalanceQuery(Query):
    """What the account owes."""


def find_invoices(query: InvoicesQuery, ask: Ask) -> Mapping[str, Any]:
    """One page."""
    demand(ask.caller, READ)
    rows, cursor = page(ask, "invoices", {}, query, by=[("cycle_start", -1)])
    return {"items": [_shown(row) for row in rows], "next": cursor}


def find_invoice(query: InvoiceQuery, ask: Ask) -> Mapping[str, Any]:
    """The list's row and, once written, the lines and the recipient."""
    demand(ask.caller, READ)
    row = ask.reads["invoices"].one(query.invoice_id)
    if row is None:
        raise Rejected("invoice-unknown", invoice_id=query.invoice_id)
    state: Invoice = ask.state(invoice, query.invoice_id)
    if state.draft is None:
        return {**_shown(row), "lines": []}
    wanted = {"lines", "price_version", "rounding", "legal_name", "tax_id", "address", "city"}
    return {**_shown(row), **state.draft.model_dump(mode="json", include=wanted)}


def _shown(row: Document) -> Document:
    return {name: value for name, value in row.items() if name != "cycle"}


def find_invoice_document(query: InvoiceDocumentQuery, ask: Ask) -> Mapping[str, Any]:
    """The object's key and a link to it that works for a few minutes."""
    demand(ask.caller, READ)
    state: Invoice = ask.state(invoice, query.invoice_id)
    document = state.documents.get(query.document_id or query.invoice_id)
    if document is None:
        raise Rejected("invoice-unknown", invoice_id=query.invoice_id)
    if not document.object_key:
        raise Rejected("document-not-ready", invoice_id=query.invoice_id)
    return {"object_key": document.object_key, "file_name": f"{document.prefix}-{document.number}.pdf"}


def find_payments(query: PaymentsQuery, ask: Ask) -> Mapping[str, Any]:
    """One page."""
    demand(ask.caller, READ)
    rows, cursor = page(ask, "payments", {}, query, by=[("recorded_at", -1)])
    return {"items": rows, "next": cursor}


def find_balance(query: BalanceQuery, ask: Ask) -> Mapping[str, Any]:
    """From the ledger itself, so that it is never behind."""
    demand(ask.caller, READ)
    state: CustomerAccount = ask.state(customer_account, ask.caller.tenant)
    owed = total(claim.open for claim in state.claims.values() if claim.open.amount > 0)
    return {
        "balance": _text(state.balance),
        "outstanding": _text(owed),
        "currency": state.balance.currency,
        "books": {book: _text(amount) for book, amount in sorted(state.books.items())},
    }


QUERIES: Mapping[str, Answers] = {
    "invoices": (InvoicesQuery, find_invoices),
    "invoice": (InvoiceQuery, find_invoice),
    "invoice_document": (InvoiceDocumentQuery, find_invoice_document),
    "payments": (PaymentsQuery, find_payments),
    "balance": (BalanceQuery, find_balance),
}
