"""Documents go on their way by themselves: credit notes once written, those refused once mended, the rest in time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from services.billing.domain.invoice_events import CreditNoteDrafted, EInvoiceRetried, EInvoiceSubmitted
from services.billing.domain.subscription_events import BillingDetailsSet
from services.billing.settings import BillingSettings
from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded

LONGEST = timedelta(hours=6)


def see_documents_through(settings: BillingSettings) -> Reaction:
    """The reaction that asks the authority again, later and later."""

    def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
        match fact.event:
            case BillingDetailsSet():
                yield Dispatch("see_held_through")
            case CreditNoteDrafted(invoice_id=invoice, credit_note_id=document):
                yield _see(invoice, document)
            case EInvoiceRetried(invoice_id=invoice, document_id=document):
                yield _see(invoice, document)
            case EInvoiceSubmitted(invoice_id=invoice, document_id=document, attempt=attempt):
                wait = min(timedelta(seconds=settings.poll_seconds) * 2 ** min(attempt - 1, 20), LONGEST)
                yield At(fact.at + wait, f"document:{document}:{attempt}", _see(invoice, document))

    return Reaction("see_documents_through", ("subscription", "invoice"), react)


def _see(invoice_id: str, document_id: str) -> Dispatch:
    return Dispatch("see_through", {"invoice_id": invoice_id, "document_id": document_id})
