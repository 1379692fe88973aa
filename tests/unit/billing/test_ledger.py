"""The ledger is balanced in every entry, the balance is its replay, and paid is paid: cash and what was withheld."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from services.billing.domain.customer_account import (
    Claim,
    CreditNotePosted,
    InvoicePosted,
    InvoiceReopened,
    InvoiceSettled,
    PaymentRecorded,
    PaymentReversed,
    PostCreditNote,
    Posting,
    PostInvoice,
    RecordPayment,
    ReversePayment,
    Withholding,
    customer_account,
)
from services.billing.domain.money import Money, total
from services.kernel.testing.given import Given, given
from tests.examples.billing import ANDES, CREDIT, PAYMENT, ask, carry_out, uuid

INVOICE = uuid(31)
DUE = date(2026, 3, 17)
POST = ask(PostInvoice, invoice_id=INVOICE, due_on=DUE, net="1000000", tax="190000")


def pay(cash: str, withheld: dict[str, str] | None = None, id: str = PAYMENT, **changes: Any) -> RecordPayment:
    kept = [{"kind": kind, "amount": amount} for kind, amount in (withheld or {}).items()]
    fields = {"payment_id": id, "invoice_id": INVOICE, "cash": cash, "withholdings": kept, "received_on": DUE}
    return ask(RecordPayment, **fields | changes)


def after(*commands: Any) -> Given:
    at = given(customer_account)
    for command in commands:
        at = Given(customer_account, [*at._events, *at.when(command)._decide()])
    return at


def entry(**sides: str) -> tuple[Posting, ...]:
    return tuple(Posting(book=book, amount=Money.of(amount)) for book, amount in sides.items())  # type: ignore[arg-type]


def test_an_invoice_is_owed_once() -> None:
    owed = (
        given(customer_account)
        .when(POST)
        .then(
            InvoicePosted(
                account_id=ANDES,
                invoice_id=INVOICE,
                due_on=DUE,
                total=Money.of("1190000"),
                postings=entry(receivable="1190000", income="-1000000", tax="-190000"),
            )
        )
    )
    owed.when(POST).then_nothing()
    assert owed.state.balance == Money.of("1190000")


def test_an_invoice_over_nothing_is_settled_at_once() -> None:
    facts = given(customer_account).when(POST.model_copy(update={"net": Money.of(0), "tax": Money.of(0)}))._decide()
    assert isinstance(facts[-1], InvoiceSettled)


def test_cash_and_withholdings_together_settle_it() -> None:
    kept = {"retefuente": "35000", "reteiva": "28500", "reteica": "9660"}
    paid = (
        after(POST)
        .when(pay("1116840", kept))
        .then(
            PaymentRecorded(
                account_id=ANDES,
                payment_id=PAYMENT,
                invoice_id=INVOICE,
                cash=Money.of("1116840"),
                withholdings=tuple(Withholding(kind=k, amount=Money.of(v)) for k, v in kept.items()),  # type: ignore[arg-type]
                applied=Money.of("1190000"),
                received_on=DUE,
                reference="",
                postings=entry(bank="1116840", **kept, receivable="-1190000"),
            ),
            InvoiceSettled(account_id=ANDES, invoice_id=INVOICE),
        )
    )
    assert paid.state.balance == Money.of(0)
    paid.when(pay("1116840", kept)).then_nothing()


def test_part_of_it_leaves_the_rest_open() -> None:
    part = after(POST).when(pay("190000")).then_repeating_adds_nothing()
    assert part.state.claims[INVOICE] == Claim(DUE, Money.of("1190000"), Money.of("1000000"))
    part.when(pay("1000000.01", id=uuid(33))).then_rejected("payment-exceeds-open")


@pytest.mark.parametrize(
    ("payment", "code"),
    [
        (pay("0"), "payment-not-positive"),
        (pay("-1", {"reteica": "2"}), "payment-not-positive"),
        (pay("1", {"reteica": "0"}), "withholding-invalid"),
        (pay("1190001"), "payment-exceeds-open"),
        (pay("1", invoice_id=uuid(77)), "invoice-unknown"),
        (
            pay("1").model_copy(update={"withholdings": (Withholding(kind="reteica", amount=Money.of(1)),) * 2}),
            "withholding-invalid",
        ),
    ],
)
def test_what_is_no_payment(payment: RecordPayment, code: str) -> None:
    after(POST).when(payment).then_rejected(code)


def test_one_id_is_one_payment() -> None:
    after(POST, pay("1")).when(pay("2")).then_rejected("payment-exists")


BACK = ask(ReversePayment, payment_id=PAYMENT, reason="Cheque devuelto")
BOOKED_BACK = PaymentReversed(
    account_id=ANDES,
    payment_id=PAYMENT,
    invoice_id=INVOICE,
    applied=Money.of("1190000"),
    reason="Cheque devuelto",
    postings=entry(bank="-1190000", receivable="1190000"),
)
NOTE = ask(PostCreditNote, invoice_id=INVOICE, credit_note_id=CREDIT, net="1000000", tax="190000")


def test_a_payment_that_did_not_hold_is_booked_back() -> None:
    reversed_ = (
        after(POST, pay("1190000"))
        .when(BACK)
        .then(
            BOOKED_BACK,
            InvoiceReopened(account_id=ANDES, invoice_id=INVOICE, outstanding=Money.of("1190000")),
        )
    )
    reversed_.when(BACK).then_nothing()
    assert reversed_.state.balance == Money.of("1190000")
    (only,) = after(POST, pay("1")).when(BACK)._decide()
    assert isinstance(only, PaymentReversed)
    after(POST).when(BACK).then_rejected("payment-unknown")


def test_a_credit_note_lowers_what_is_owed_and_may_settle_it() -> None:
    credited = (
        after(POST)
        .when(NOTE)
        .then(
            CreditNotePosted(
                account_id=ANDES,
                invoice_id=INVOICE,
                credit_note_id=CREDIT,
                total=Money.of("1190000"),
                postings=entry(receivable="-1190000", income="1000000", tax="190000"),
            ),
            InvoiceSettled(account_id=ANDES, invoice_id=INVOICE),
        )
    )
    credited.when(NOTE).then_nothing()
    given(customer_account).when(NOTE).then_rejected("invoice-unknown")
    assert after(POST, pay("1190000"), NOTE).state.balance == Money.of("-1190000")


def test_an_invoice_that_a_credit_note_covers_stays_settled_when_its_payment_is_booked_back() -> None:
    reversed_ = after(POST, pay("1190000"), NOTE).when(BACK).then(BOOKED_BACK)
    assert reversed_.state.claims[INVOICE].settled
    assert reversed_.state.balance == Money.of(0)


def test_late_is_what_is_open_after_its_day() -> None:
    state = after(POST).state
    assert state.overdue(DUE) == {}
    assert list(state.overdue(date(2026, 3, 18))) == [INVOICE]
    assert after(POST, pay("1190000")).state.overdue(date(2026, 3, 18)) == {}


CENTS = st.integers(min_value=0, max_value=10**10).map(lambda n: str(Decimal(n) / 100))
INVOICES = [uuid(n) for n in (51, 52)]
COMMANDS = st.one_of(
    st.builds(
        lambda id, net, tax: ask(PostInvoice, invoice_id=id, due_on=DUE, net=net, tax=tax),
        st.sampled_from(INVOICES), CENTS, CENTS,
    ),
    st.builds(
        lambda id, n, cash, kept: pay(cash, {"retefuente": kept}, uuid(60 + n), invoice_id=id),
        st.sampled_from(INVOICES), st.integers(min_value=0, max_value=4), CENTS, CENTS,
    ),
    st.builds(
        lambda n: ask(ReversePayment, payment_id=uuid(60 + n), reason="x"), st.integers(min_value=0, max_value=4)
    ),
    st.builds(
        lambda id, n, net: ask(PostCreditNote, invoice_id=id, credit_note_id=uuid(70 + n), net=net, tax="0"),
        st.sampled_from(INVOICES), st.integers(min_value=0, max_value=3), CENTS,
    ),
)  # fmt: skip


@settings(max_examples=150)
@examples(st.lists(COMMANDS, max_size=25))
def test_every_entry_and_all_books_together_are_balanced(commands: list[Any]) -> None:
    state: Any = customer_account.initial_state
    facts: list[Any] = []
    for command in commands:
        state, new, _ = carry_out(customer_account, command, state)
        facts += new
    nothing = Money.of(0)
    for fact in facts:
        if hasattr(fact, "postings"):
            assert total(p.amount for p in fact.postings) == nothing
    assert total(state.books.values()) == nothing
    assert customer_account.replay(facts) == state
    assert state.balance == total(claim.open for claim in state.claims.values())
    for id, claim in state.claims.items():
        assert claim.settled == (claim.open.amount <= 0)
        paid = [p for p in state.payments.values() if p.invoice_id == id and p.payment_id not in state.reversed]
        for payment in paid:
            assert payment.cash + total(w.amount for w in payment.withholdings) == payment.applied
