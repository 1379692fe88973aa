"""What is known of an invoice and its credit notes after their facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, assert_never

from services.billing.domain.invoice_events import (
    CreditNoteDrafted,
    CreditNoteIssued,
    DocumentBlockChosen,
    DocumentNumbered,
    EInvoiceAccepted,
    EInvoiceRejected,
    EInvoiceRetried,
    EInvoiceSubmitted,
    InvoiceDocumentStored,
    InvoiceDrafted,
    InvoiceEvent,
    InvoiceHeld,
    InvoiceIssued,
)
from services.billing.domain.money import ZERO, Money


@dataclass(frozen=True, slots=True)
class Document:
    """An invoice or a credit note on its way to being valid; `awaited`: the authority has it and is to be asked."""

    kind: Literal["invoice", "credit_note"]
    prefix: str = ""
    block: int = 0
    number: int = 0
    resolution: str = ""
    status: Literal["drafted", "submitted", "accepted", "rejected"] = "drafted"
    attempts: int = 0
    awaited: bool = False
    cufe: str = ""
    object_key: str = ""


@dataclass(frozen=True, slots=True)
class Invoice:
    """`credits` are the drafted credit notes by id; those count against the lines before they are valid."""

    held: str = ""
    draft: InvoiceDrafted | None = None
    issued: InvoiceIssued | None = None
    documents: Mapping[str, Document] = field(default_factory=dict)
    credits: Mapping[str, CreditNoteDrafted] = field(default_factory=dict)
    credited: Mapping[str, CreditNoteIssued] = field(default_factory=dict)

    def given_back(self, line_no: int) -> tuple[Money, Money]:
        """How much of a line has been credited so far: net, and tax."""
        lines = [line for credit in self.credits.values() for line in credit.lines if line.line_no == line_no]
        net, tax = ZERO, ZERO
        for line in lines:
            net, tax = net + line.amount, tax + line.tax
        return net, tax


def evolve(state: Invoice, event: InvoiceEvent) -> Invoice:
    """The invoice after one more fact."""
    match event:
        case InvoiceHeld(reason=reason):
            return replace(state, held=reason)
        case InvoiceDrafted(invoice_id=id):
            return replace(state, held="", draft=event, documents={**state.documents, id: Document("invoice")})
        case CreditNoteDrafted(credit_note_id=id):
            documents = {**state.documents, id: Document("credit_note")}
            return replace(state, credits={**state.credits, id: event}, documents=documents)
        case DocumentBlockChosen(document_id=id, prefix=prefix, block=block):
            return _changed(state, id, prefix=prefix, block=block)
        case DocumentNumbered(document_id=id, number=number, resolution=resolution):
            return _changed(state, id, number=number, resolution=resolution)
        case EInvoiceSubmitted(document_id=id, attempt=attempt, outcome=outcome):
            awaited = outcome == "pending"
            return _changed(state, id, status="submitted", attempts=attempt, awaited=awaited)
        case EInvoiceAccepted(document_id=id, cufe=cufe):
            return _changed(state, id, status="accepted", cufe=cufe)
        case EInvoiceRejected(document_id=id):
            return _changed(state, id, status="rejected")
        case EInvoiceRetried(document_id=id):
            return _changed(state, id, status="drafted", awaited=False)
        case InvoiceIssued():
            return replace(state, issued=event)
        case CreditNoteIssued(credit_note_id=id):
            return replace(state, credited={**state.credited, id: event})
        case InvoiceDocumentStored(document_id=id, object_key=key):
            return _changed(state, id, object_key=key)
        case _:
            assert_never(event)


def _changed(state: Invoice, document_id: str, **changes: object) -> Invoice:
    changed = replace(state.documents[document_id], **changes)  # type: ignore[arg-type]
    return replace(state, documents={**state.documents, document_id: changed})
