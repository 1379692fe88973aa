"""What the platform has to do about all accounts: cycles to open, documents to see through, decisions to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from services.billing.biller import cycle_of
from services.billing.domain import invoice_events as paper
from services.billing.domain import subscription_events as told
from services.billing.staff import check_tenant, stamp
from services.kernel.application import Answers, Ask, ReadModel
from services.kernel.commit import Recorded
from services.kernel.paging import Paged, page
from services.kernel.readmodel import Document

CYCLES, DOCUMENTS, REDUCTIONS = "agenda_cycles", "agenda_documents", "agenda_reductions"


class CycleAgenda(ReadModel):
    """One document per subscription: when its next cycle begins, or why none does."""

    name = CYCLES
    categories = ("subscription",)
    shared = True
    indexes = ([("tenant", 1), ("account_id", 1)], [("tenant", 1), ("status", 1), ("due", 1), ("_id", 1)])

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The account."""
        wanted = (
            told.SubscriptionStarted
            | told.BillingCycleOpened
            | told.BillingCycleSkipped
            | told.AccountReactivated
            | told.AccountParked
            | told.AccountUnparked
            | told.SubscriptionCancelled
        )
        return [fact.event.account_id] if isinstance(fact.event, wanted) else []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The subscription's place on the agenda after this fact."""
        match fact.event:
            case told.SubscriptionStarted(account_id=account, cycle_start=due):
                return {"account_id": account, "due": stamp(due), "status": "running"}
            case told.BillingCycleOpened(cycle_end=due) | told.BillingCycleSkipped(cycle_end=due):
                return doc and {**doc, "due": stamp(due)}
            case told.AccountReactivated(cycle_start=due, standing=standing) if standing != "cancelled":
                # Paying does not end a parking: that is for a person to decide.
                status = "parked" if doc and doc["status"] == "parked" else "running"
                return doc and {**doc, "status": status, "due": stamp(due) if due else doc["due"]}
            case told.AccountParked(why=why):
                return doc and {**doc, "status": "parked", "why": why}
            case told.AccountUnparked():
                return doc and {**doc, "status": "running"}
            case told.SubscriptionCancelled():
                return doc and {**doc, "status": "cancelled"}
            case _:
                return doc


class DocumentAgenda(ReadModel):
    """One document per invoice or credit note that is not valid yet."""

    name = DOCUMENTS
    categories = ("subscription", "invoice")
    shared = True
    indexes = (
        [("tenant", 1), ("document_id", 1)],
        [("tenant", 1), ("account_id", 1)],
        [("tenant", 1), ("status", 1), ("since", 1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The invoice or the credit note."""
        match fact.event:
            case told.BillingCycleOpened(invoice_id=id) | paper.InvoiceHeld(invoice_id=id):
                return [id]
            case paper.InvoiceDrafted(invoice_id=id) | paper.InvoiceIssued(invoice_id=id):
                return [id]
            case paper.CreditNoteDrafted(credit_note_id=id) | paper.CreditNoteIssued(credit_note_id=id):
                return [id]
            case paper.DocumentNumbered(document_id=id) | paper.EInvoiceSubmitted(document_id=id):
                return [id]
            case paper.EInvoiceRejected(document_id=id) | paper.EInvoiceRetried(document_id=id):
                return [id]
            case _:
                return []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The document's place on the agenda after this fact."""
        match fact.event:
            case told.BillingCycleOpened() as opened:
                cycle = cycle_of(opened)
                return {**_begun(opened.account_id, opened.invoice_id, opened.invoice_id, fact), "cycle": cycle}
            case paper.CreditNoteDrafted() as credit:
                return _begun(credit.account_id, credit.invoice_id, credit.credit_note_id, fact)
            case paper.InvoiceHeld(reason=reason):
                return doc and {**doc, "status": "held", "reason": reason}
            case paper.InvoiceDrafted():
                return doc and {**doc, "status": "drafted", "reason": "", "cycle": None}
            case paper.DocumentNumbered():
                return doc and {**doc, "status": "numbered"}
            case paper.EInvoiceSubmitted(outcome=outcome):
                return doc and {**doc, "status": outcome}
            case paper.EInvoiceRejected(rules=rules):
                return doc and {**doc, "status": "refused", "reason": " ".join(rules)}
            case paper.EInvoiceRetried():
                return doc and {**doc, "status": "numbered", "reason": ""}
            case paper.InvoiceIssued() | paper.CreditNoteIssued():
                return None
            case _:
                return doc


def _begun(account: str, invoice_id: str, document_id: str, fact: Recorded) -> Document:
    ids = {"account_id": account, "invoice_id": invoice_id, "document_id": document_id}
    return {**ids, "status": "open", "reason": "", "since": stamp(fact.at), "cycle": None}


class ReductionAgenda(ReadModel):
    """One document per reduction of seats under way."""

    name = REDUCTIONS
    categories = ("subscription",)
    shared = True
    indexes = ([("tenant", 1), ("since", 1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The account: it has one reduction at a time."""
        wanted = (
            told.SeatReductionRequested
            | told.SeatReductionApproved
            | told.SeatReductionRejected
            | told.AwaitingDeactivations
            | told.SeatReductionReady
            | told.SeatReductionApplied
            | told.SeatReductionCancelled
        )
        return [fact.event.account_id] if isinstance(fact.event, wanted) else []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The reduction after this fact."""
        match fact.event:
            case told.SeatReductionRequested() as asked:
                wanted = asked.model_dump(mode="json", include={"account_id", "order", "to", "ticket"})
                return {**wanted, "step": "requested", "missing": 0, "since": stamp(fact.at)}
            case told.SeatReductionApproved(effective_cycle_start=start):
                return doc and {**doc, "step": "approved", "effective_cycle_start": stamp(start)}
            case told.AwaitingDeactivations(missing=missing):
                return doc and {**doc, "step": "awaiting", "missing": missing}
            case told.SeatReductionReady():
                return doc and {**doc, "step": "ready", "missing": 0}
            case told.SeatReductionRejected() | told.SeatReductionApplied() | told.SeatReductionCancelled():
                return None
            case _:
                return doc


class ReductionsQuery(Paged):
    """The reductions under way, the oldest first."""


class UnfinishedQuery(Paged):
    """The documents that are not valid yet, the oldest first; of one status or of any."""

    status: Literal["open", "held", "drafted", "numbered", "pending", "unreachable", "refused"] | None = None


class SubscriptionsQuery(Paged):
    """All subscriptions by the beginning of their next cycle; of one status or of any."""

    status: Literal["running", "parked", "cancelled"] | None = None


def find_reductions(query: ReductionsQuery, ask: Ask) -> Mapping[str, Any]:
    """One page, for the commercial team."""
    check_tenant(ask)
    rows, cursor = page(ask, REDUCTIONS, {}, query, by=[("since", 1)])
    return {"items": rows, "next": cursor}


def find_unfinished(query: UnfinishedQuery, ask: Ask) -> Mapping[str, Any]:
    """One page, for the finance team."""
    check_tenant(ask)
    wanted = {"status": query.status} if query.status else {}
    rows, cursor = page(ask, DOCUMENTS, wanted, query, by=[("since", 1)])
    return {"items": rows, "next": cursor}


def find_subscriptions(query: SubscriptionsQuery, ask: Ask) -> Mapping[str, Any]:
    """One page, for the staff."""
    check_tenant(ask)
    wanted = {"status": query.status} if query.status else {}
    rows, cursor = page(ask, CYCLES, wanted, query, by=[("due", 1)])
    return {"items": rows, "next": cursor}


QUERIES: Mapping[str, Answers] = {
    "seat_reductions": (ReductionsQuery, find_reductions),
    "unfinished_documents": (UnfinishedQuery, find_unfinished),
    "subscriptions": (SubscriptionsQuery, find_subscriptions),
}
