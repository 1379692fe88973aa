"""An invoice is what one cycle of one subscription costs: drafted, numbered, validated, issued, then immutable."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.billing.domain import invoice_credit
from services.billing.domain.calendar import local_day
from services.billing.domain.invoice_credit import DraftCreditNote
from services.billing.domain.invoice_events import (
    EVENTS,
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
from services.billing.domain.invoice_lines import InvoiceLine, total_of
from services.billing.domain.invoice_state import Document, Invoice, evolve
from services.billing.domain.money import Rounding, total
from services.billing.domain.values import Id, Kind, Language, Prefix
from services.kernel.domain import Command, Decider, Rejected


class HoldInvoice(Command):
    """Something that the invoice needs is not known yet."""

    account_id: Id
    invoice_id: Id
    cycle_start: AwareDatetime
    reason: Annotated[str, Field(max_length=60)]


class DraftInvoice(Command):
    """Write the invoice of this cycle."""

    account_id: Id
    invoice_id: Id
    kind: Kind
    cycle_start: AwareDatetime
    cycle_end: AwareDatetime
    seats: int
    price_version: int
    lines: tuple[InvoiceLine, ...]
    rounding: Rounding
    due_days: Annotated[int, Field(ge=0, le=180)]
    language: Language
    legal_name: str
    tax_id: str
    address: str
    city: str


class ChooseBlock(Command):
    """Take the document's number from this block; `full` says which block has proven to be full."""

    account_id: Id
    invoice_id: Id
    document_id: Id
    prefix: Prefix
    block: int
    full: int = 0


class NumberDocument(Command):
    """This is the document's number."""

    account_id: Id
    invoice_id: Id
    document_id: Id
    prefix: Prefix
    number: int
    resolution: str


class NoteSubmission(Command):
    """What became of handing it in: accepted with a code, rejected by rules, or nothing yet."""

    account_id: Id
    invoice_id: Id
    document_id: Id
    attempt: int
    outcome: Literal["accepted", "rejected", "pending", "unreachable"]
    cufe: Annotated[str, Field(max_length=200)] = ""
    rules: tuple[str, ...] = ()


class RetrySubmission(Command):
    """Hand it in again after a refusal."""

    account_id: Id
    invoice_id: Id
    document_id: Id


class NoteDocumentStored(Command):
    """Its PDF is in the object store."""

    account_id: Id
    invoice_id: Id
    document_id: Id
    object_key: str
    sha256: str
    size: int


InvoiceCommand = (
    HoldInvoice
    | DraftInvoice
    | ChooseBlock
    | NumberDocument
    | NoteSubmission
    | RetrySubmission
    | DraftCreditNote
    | NoteDocumentStored
)

initial_state = Invoice()


def decide(command: InvoiceCommand, state: Invoice) -> list[InvoiceEvent]:
    """What a request about this invoice leads to."""
    match command:
        case HoldInvoice():
            if state.draft is not None or state.held == command.reason:
                return []
            return [InvoiceHeld.model_validate(command.model_dump(exclude={"at", "by"}))]
        case DraftInvoice():
            return [] if state.draft is not None else [_drafted(command)]
        case DraftCreditNote():
            return invoice_credit.decide(command, state)
        case _:
            document = state.documents.get(command.document_id)
            if document is None:
                raise Rejected("invoice-unknown", invoice_id=command.invoice_id)
            return _of_document(command, state, document)


def _drafted(command: DraftInvoice) -> InvoiceDrafted:
    lines = command.lines
    return InvoiceDrafted(
        **command.model_dump(exclude={"at", "by", "lines"}),
        lines=lines,
        discount=total(line.discount for line in lines),
        tax=total(line.tax for line in lines),
        total=total_of(lines),
    )


def _of_document(
    command: ChooseBlock | NumberDocument | NoteSubmission | RetrySubmission | NoteDocumentStored,
    state: Invoice,
    document: Document,
) -> list[InvoiceEvent]:
    account, invoice, id = command.account_id, command.invoice_id, command.document_id
    match command:
        case ChooseBlock(prefix=prefix, block=block, full=full):
            # Only a block that is full without this document's number in it may be left for another.
            if document.number or document.block != full:
                return []
            return [
                DocumentBlockChosen(account_id=account, invoice_id=invoice, document_id=id, prefix=prefix, block=block)
            ]
        case NumberDocument():
            if document.number:
                return []
            return [
                DocumentNumbered(
                    account_id=account,
                    invoice_id=invoice,
                    document_id=id,
                    kind=document.kind,
                    prefix=command.prefix,
                    number=command.number,
                    resolution=command.resolution,
                )
            ]
        case NoteSubmission():
            return _submission(command, state, document)
        case RetrySubmission():
            if document.status == "accepted":
                raise Rejected("document-accepted", document_id=id)
            if document.status != "rejected":
                return []
            return [EInvoiceRetried(account_id=account, invoice_id=invoice, document_id=id)]
        case NoteDocumentStored():
            if document.object_key == command.object_key:
                return []
            return [InvoiceDocumentStored.model_validate(command.model_dump(exclude={"at", "by"}))]
        case _:
            assert_never(command)


def _submission(command: NoteSubmission, state: Invoice, document: Document) -> list[InvoiceEvent]:
    """The first final answer counts; the provider may repeat itself, or answer late and differently."""
    if document.status in ("accepted", "rejected") or not document.number:
        return []
    account, invoice, id = command.account_id, command.invoice_id, command.document_id
    match command.outcome:
        case "pending" | "unreachable":
            if command.attempt <= document.attempts:
                return []
            return [
                EInvoiceSubmitted(
                    account_id=account,
                    invoice_id=invoice,
                    document_id=id,
                    attempt=command.attempt,
                    outcome=command.outcome,
                )
            ]
        case "rejected":
            return [EInvoiceRejected(account_id=account, invoice_id=invoice, document_id=id, rules=command.rules)]
        case "accepted":
            accepted = EInvoiceAccepted(account_id=account, invoice_id=invoice, document_id=id, cufe=command.cufe)
            return [accepted, _valid(command, state, document)]
        case _:
            assert_never(command.outcome)


def _valid(command: NoteSubmission, state: Invoice, document: Document) -> InvoiceIssued | CreditNoteIssued:
    day = local_day(command.at)
    if document.kind == "credit_note":
        credit = state.credits[command.document_id]
        return CreditNoteIssued(
            account_id=command.account_id,
            invoice_id=command.invoice_id,
            credit_note_id=command.document_id,
            prefix=document.prefix,
            number=document.number,
            cude=command.cufe,
            issued_on=day,
            net=credit.total - credit.tax,
            tax=credit.tax,
            total=credit.total,
        )
    draft = state.draft
    assert draft is not None
    return InvoiceIssued(
        account_id=command.account_id,
        invoice_id=command.invoice_id,
        prefix=document.prefix,
        number=document.number,
        cufe=command.cufe,
        issued_on=day,
        due_on=day + timedelta(days=draft.due_days),
        net=draft.total - draft.tax,
        tax=draft.tax,
        total=draft.total,
    )


invoice = Decider("invoice", initial_state, decide, evolve, events=EVENTS)
