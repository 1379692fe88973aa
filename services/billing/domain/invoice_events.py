"""What can happen to an invoice and to the credit notes that correct it."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import AwareDatetime

from services.billing.domain.invoice_lines import CreditLine, InvoiceLine
from services.billing.domain.money import Money, Rounding
from services.billing.domain.values import Confidential, Kind, Language
from services.kernel.domain import Event


class InvoiceHeld(Event):
    """The invoice cannot be written yet; `reason` says what is missing."""

    account_id: str
    invoice_id: str
    cycle_start: AwareDatetime
    reason: str


class InvoiceDrafted(Event):
    """The invoice of a cycle is written; its lines never change from here on."""

    account_id: str
    invoice_id: str
    kind: Kind
    cycle_start: AwareDatetime
    cycle_end: AwareDatetime
    seats: int
    price_version: int
    lines: tuple[InvoiceLine, ...]
    discount: Money
    tax: Money
    total: Money
    rounding: Rounding
    due_days: int
    language: Language
    legal_name: Confidential
    tax_id: Confidential
    address: Confidential
    city: Confidential


class DocumentBlockChosen(Event):
    """The document's number is to come from this block of numbers and from no other."""

    account_id: str
    invoice_id: str
    document_id: str
    prefix: str
    block: int


class DocumentNumbered(Event):
    """The document has its number."""

    account_id: str
    invoice_id: str
    document_id: str
    kind: Literal["invoice", "credit_note"]
    prefix: str
    number: int
    resolution: str


class EInvoiceSubmitted(Event):
    """It was handed in to the authority, which has not decided yet or could not be reached."""

    account_id: str
    invoice_id: str
    document_id: str
    attempt: int
    outcome: Literal["pending", "unreachable"]


class EInvoiceAccepted(Event):
    """The authority has validated it; `cufe` is its name there (for credit notes: the CUDE)."""

    account_id: str
    invoice_id: str
    document_id: str
    cufe: str


class EInvoiceRejected(Event):
    """The authority refused it, by these rules; a person has to see to it."""

    account_id: str
    invoice_id: str
    document_id: str
    rules: tuple[str, ...]


class EInvoiceRetried(Event):
    """A person has seen to it: it is handed in again."""

    account_id: str
    invoice_id: str
    document_id: str


class InvoiceIssued(Event):
    """The invoice is valid and the customer owes it."""

    account_id: str
    invoice_id: str
    prefix: str
    number: int
    cufe: str
    issued_on: date
    due_on: date
    net: Money
    tax: Money
    total: Money


class CreditNoteDrafted(Event):
    """Part of an issued invoice is to be given back."""

    account_id: str
    invoice_id: str
    credit_note_id: str
    lines: tuple[CreditLine, ...]
    tax: Money
    total: Money
    reason: Confidential


class CreditNoteIssued(Event):
    """The credit note is valid: the customer owes that much less."""

    account_id: str
    invoice_id: str
    credit_note_id: str
    prefix: str
    number: int
    cude: str
    issued_on: date
    net: Money
    tax: Money
    total: Money


class InvoiceDocumentStored(Event):
    """The document's PDF lies in the object store."""

    account_id: str
    invoice_id: str
    document_id: str
    object_key: str
    sha256: str
    size: int


InvoiceEvent = (
    InvoiceHeld
    | InvoiceDrafted
    | DocumentBlockChosen
    | DocumentNumbered
    | EInvoiceSubmitted
    | EInvoiceAccepted
    | EInvoiceRejected
    | EInvoiceRetried
    | InvoiceIssued
    | CreditNoteDrafted
    | CreditNoteIssued
    | InvoiceDocumentStored
)
EVENTS: dict[str, type[InvoiceEvent]] = {
    event.__name__: event
    for event in (
        InvoiceHeld,
        InvoiceDrafted,
        DocumentBlockChosen,
        DocumentNumbered,
        EInvoiceSubmitted,
        EInvoiceAccepted,
        EInvoiceRejected,
        EInvoiceRetried,
        InvoiceIssued,
        CreditNoteDrafted,
        CreditNoteIssued,
        InvoiceDocumentStored,
    )
}
