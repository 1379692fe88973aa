"""A customer account is the ledger of what one account owes and has paid: balanced entries, the balance a replay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field

from services.billing.domain.money import ZERO, Money, total
from services.billing.domain.values import Confidential, Id, Line, WithholdingKind
from services.kernel.domain import Command, Decider, Event, Rejected

Book = Literal["receivable", "income", "tax", "bank", "retefuente", "reteiva", "reteica"]


class Posting(BaseModel):
    """One side of an entry: debit is positive, credit negative."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    book: Book
    amount: Money


class Withholding(BaseModel):
    """What the payer kept back for the tax authority in the name of whoever is paid."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: WithholdingKind
    amount: Money


class InvoicePosted(Event):
    """The customer owes this invoice."""

    account_id: str
    invoice_id: str
    due_on: date
    total: Money
    postings: tuple[Posting, ...]


class CreditNotePosted(Event):
    """The customer owes so much less of it."""

    account_id: str
    invoice_id: str
    credit_note_id: str
    total: Money
    postings: tuple[Posting, ...]


class PaymentRecorded(Event):
    """Money came in for an invoice; what was withheld counts as paid."""

    account_id: str
    payment_id: str
    invoice_id: str
    cash: Money
    withholdings: tuple[Withholding, ...]
    applied: Money
    received_on: date
    reference: Confidential
    postings: tuple[Posting, ...]


class PaymentReversed(Event):
    """The payment did not hold; its entry is booked back."""

    account_id: str
    payment_id: str
    invoice_id: str
    applied: Money
    reason: Confidential
    postings: tuple[Posting, ...]


class InvoiceSettled(Event):
    """Nothing of this invoice is open any more."""

    account_id: str
    invoice_id: str


class InvoiceReopened(Event):
    """Something of a settled invoice is open again."""

    account_id: str
    invoice_id: str
    outstanding: Money


LedgerEvent = InvoicePosted | CreditNotePosted | PaymentRecorded | PaymentReversed | InvoiceSettled | InvoiceReopened


class PostInvoice(Command):
    """Book an issued invoice."""

    account_id: Id
    invoice_id: Id
    due_on: date
    net: Money
    tax: Money


class PostCreditNote(Command):
    """Book an issued credit note."""

    account_id: Id
    invoice_id: Id
    credit_note_id: Id
    net: Money
    tax: Money


class RecordPayment(Command):
    """Book what came in for one invoice."""

    account_id: Id
    payment_id: Id
    invoice_id: Id
    cash: Money
    withholdings: Annotated[tuple[Withholding, ...], Field(max_length=3)] = ()
    received_on: date
    reference: Annotated[str, Field(max_length=200)] = ""


class ReversePayment(Command):
    """Book a payment back."""

    account_id: Id
    payment_id: Id
    reason: Line


LedgerCommand = PostInvoice | PostCreditNote | RecordPayment | ReversePayment


@dataclass(frozen=True, slots=True)
class Claim:
    """One invoice as the ledger sees it."""

    due_on: date
    total: Money
    open: Money
    settled: bool = False


@dataclass(frozen=True, slots=True)
class CustomerAccount:
    """`books` holds the sum of every book; together they are nothing, always."""

    books: Mapping[Book, Money] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    payments: Mapping[str, PaymentRecorded] = field(default_factory=dict)
    reversed: frozenset[str] = frozenset()
    credit_notes: frozenset[str] = frozenset()

    @property
    def balance(self) -> Money:
        """What the customer owes; negative is what he has to his credit."""
        return self.books.get("receivable", ZERO)

    def overdue(self, today: date) -> dict[str, Claim]:
        """The invoices that should have been paid before today."""
        return {id: claim for id, claim in self.claims.items() if claim.open.amount > 0 and claim.due_on < today}


initial_state = CustomerAccount()


def decide(command: LedgerCommand, state: CustomerAccount) -> list[LedgerEvent]:
    """What a request to this ledger leads to."""
    match command:
        case PostInvoice():
            return _post(command, state)
        case PostCreditNote():
            return _credit(command, state)
        case RecordPayment():
            return _pay(command, state)
        case ReversePayment():
            return _reverse(command, state)
        case _:
            assert_never(command)


def _post(command: PostInvoice, state: CustomerAccount) -> list[LedgerEvent]:
    if command.invoice_id in state.claims:
        return []
    owed = command.net + command.tax
    posted = InvoicePosted(
        account_id=command.account_id,
        invoice_id=command.invoice_id,
        due_on=command.due_on,
        total=owed,
        postings=_balanced(("receivable", owed), ("income", -command.net), ("tax", -command.tax)),
    )
    return _and_settled(posted, state, command.account_id, command.invoice_id)


def _credit(command: PostCreditNote, state: CustomerAccount) -> list[LedgerEvent]:
    if command.credit_note_id in state.credit_notes:
        return []
    _claim(state, command.invoice_id)
    given = command.net + command.tax
    posted = CreditNotePosted(
        account_id=command.account_id,
        invoice_id=command.invoice_id,
        credit_note_id=command.credit_note_id,
        total=given,
        postings=_balanced(("receivable", -given), ("income", command.net), ("tax", command.tax)),
    )
    return _and_settled(posted, state, command.account_id, command.invoice_id)


def _pay(command: RecordPayment, state: CustomerAccount) -> list[LedgerEvent]:
    applied = command.cash + total(w.amount for w in command.withholdings)
    earlier = state.payments.get(command.payment_id)
    if earlier is not None:
        same = (earlier.invoice_id, earlier.cash, earlier.withholdings)
        if same == (command.invoice_id, command.cash, command.withholdings):
            return []
        raise Rejected("payment-exists", payment_id=command.payment_id)
    claim = _claim(state, command.invoice_id)
    kinds = [w.kind for w in command.withholdings]
    if len(set(kinds)) != len(kinds) or any(w.amount.amount <= 0 for w in command.withholdings):
        raise Rejected("withholding-invalid")
    if command.cash.amount < 0 or applied.amount <= 0:
        raise Rejected("payment-not-positive")
    if applied > claim.open:
        raise Rejected("payment-exceeds-open", open=str(claim.open.amount))
    recorded = PaymentRecorded(
        account_id=command.account_id,
        payment_id=command.payment_id,
        invoice_id=command.invoice_id,
        cash=command.cash,
        withholdings=command.withholdings,
        applied=applied,
        received_on=command.received_on,
        reference=command.reference,
        postings=_balanced(
            ("bank", command.cash),
            *((w.kind, w.amount) for w in command.withholdings),
            ("receivable", -applied),
        ),
    )
    return _and_settled(recorded, state, command.account_id, command.invoice_id)


def _reverse(command: ReversePayment, state: CustomerAccount) -> list[LedgerEvent]:
    payment = state.payments.get(command.payment_id)
    if payment is None:
        raise Rejected("payment-unknown", payment_id=command.payment_id)
    if command.payment_id in state.reversed:
        return []
    back = PaymentReversed(
        account_id=command.account_id,
        payment_id=command.payment_id,
        invoice_id=payment.invoice_id,
        applied=payment.applied,
        reason=command.reason,
        postings=_balanced(*((p.book, -p.amount) for p in payment.postings)),
    )
    claim = state.claims[payment.invoice_id]
    outstanding = claim.open + payment.applied
    # A credit note may cover the invoice even without the payment: then nothing is open again.
    if not claim.settled or outstanding.amount <= 0:
        return [back]
    return [
        back,
        InvoiceReopened(account_id=command.account_id, invoice_id=payment.invoice_id, outstanding=outstanding),
    ]


def _balanced(*sides: tuple[Book, Money]) -> tuple[Posting, ...]:
    """An entry whose sides add up to nothing; a side of nothing is left out."""
    assert not total(amount for _, amount in sides), "an entry that is not balanced"
    return tuple(Posting(book=book, amount=amount) for book, amount in sides if amount)


def _claim(state: CustomerAccount, invoice_id: str) -> Claim:
    if invoice_id not in state.claims:
        raise Rejected("invoice-unknown", invoice_id=invoice_id)
    return state.claims[invoice_id]


def _and_settled(fact: LedgerEvent, state: CustomerAccount, account: str, invoice_id: str) -> list[LedgerEvent]:
    claim = evolve(state, fact).claims[invoice_id]
    if claim.settled or claim.open.amount > 0:
        return [fact]
    return [fact, InvoiceSettled(account_id=account, invoice_id=invoice_id)]


def evolve(state: CustomerAccount, event: LedgerEvent) -> CustomerAccount:
    """The ledger after one more fact."""
    match event:
        case InvoicePosted(invoice_id=id):
            claim = Claim(event.due_on, event.total, event.total)
            return _booked(replace(state, claims={**state.claims, id: claim}), event.postings)
        case CreditNotePosted(invoice_id=id, total=given):
            noted = replace(state, credit_notes=state.credit_notes | {event.credit_note_id})
            return _booked(_opened(noted, id, -given), event.postings)
        case PaymentRecorded(invoice_id=id, applied=applied):
            noted = replace(state, payments={**state.payments, event.payment_id: event})
            return _booked(_opened(noted, id, -applied), event.postings)
        case PaymentReversed(invoice_id=id, applied=applied):
            noted = replace(state, reversed=state.reversed | {event.payment_id})
            return _booked(_opened(noted, id, applied), event.postings)
        case InvoiceSettled(invoice_id=id):
            return replace(state, claims={**state.claims, id: replace(state.claims[id], settled=True)})
        case InvoiceReopened(invoice_id=id):
            return replace(state, claims={**state.claims, id: replace(state.claims[id], settled=False)})
        case _:
            assert_never(event)


def _opened(state: CustomerAccount, invoice_id: str, by: Money) -> CustomerAccount:
    claim = state.claims[invoice_id]
    return replace(state, claims={**state.claims, invoice_id: replace(claim, open=claim.open + by)})


def _booked(state: CustomerAccount, postings: Sequence[Posting]) -> CustomerAccount:
    books = dict(state.books)
    for posting in postings:
        books[posting.book] = books.get(posting.book, ZERO) + posting.amount
    return replace(state, books=books)


customer_account = Decider(
    "customer_account",
    initial_state,
    decide,
    evolve,
    events={
        "InvoicePosted": InvoicePosted,
        "CreditNotePosted": CreditNotePosted,
        "PaymentRecorded": PaymentRecorded,
        "PaymentReversed": PaymentReversed,
        "InvoiceSettled": InvoiceSettled,
        "InvoiceReopened": InvoiceReopened,
    },
)
