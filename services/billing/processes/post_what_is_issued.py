"""What is issued is booked in the ledger and put on paper."""

from __future__ import annotations

from collections.abc import Iterable

from services.billing.domain.invoice_events import CreditNoteIssued, InvoiceIssued
from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """The entry at once; the PDF by a timer, which tries again by itself when the object store is away."""
    match fact.event:
        case InvoiceIssued() as issued:
            wanted = {"account_id", "invoice_id", "due_on", "net", "tax"}
            yield Dispatch("post_invoice", issued.model_dump(mode="json", include=wanted))
            yield _print(fact, issued.invoice_id, issued.invoice_id)
        case CreditNoteIssued() as credited:
            wanted = {"account_id", "invoice_id", "credit_note_id", "net", "tax"}
            yield Dispatch("post_credit_note", credited.model_dump(mode="json", include=wanted))
            yield _print(fact, credited.invoice_id, credited.credit_note_id)


def _print(fact: Recorded, invoice_id: str, document_id: str) -> At:
    wanted = {"invoice_id": invoice_id, "document_id": document_id}
    return At(fact.at, f"print:{document_id}", Dispatch("print_document", wanted))


post_what_is_issued = Reaction("post_what_is_issued", ("invoice",), react)
