"""An invoice is written once, numbered once, valid once; what is on it never changes, and no more is given back."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as examples
from hypothesis import strategies as st

from services.billing.domain.invoice import (
    ChooseBlock,
    DraftInvoice,
    HoldInvoice,
    NoteDocumentStored,
    NoteSubmission,
    NumberDocument,
    RetrySubmission,
    invoice,
)
from services.billing.domain.invoice_credit import DraftCreditNote
from services.billing.domain.invoice_events import (
    CreditNoteIssued,
    DocumentBlockChosen,
    DocumentNumbered,
    EInvoiceAccepted,
    EInvoiceRejected,
    EInvoiceRetried,
    EInvoiceSubmitted,
    InvoiceDocumentStored,
    InvoiceHeld,
    InvoiceIssued,
)
from services.billing.domain.invoice_lines import InvoiceLine, lines_of, total_of
from services.billing.domain.money import Money, total
from services.billing.domain.values import invoice_id
from services.kernel.domain import Rejected
from services.kernel.testing.given import Given, given
from tests.examples.billing import ANDES, CREDIT, DETAILS, FIRST, SECOND, ask, carry_out, uuid

GOLDEN = Path(__file__).parent / "golden"
ID = invoice_id(ANDES, FIRST, "cycle")
IDS = {"invoice_id": ID, "document_id": ID}
SOLD = {
    "included": 10,
    "base_fee": Money.of("890000"),
    "extra_seat": Money.of("79000"),
    "tax_code": "IVA19",
    "tax_rate": Decimal("0.19"),
    "tax_basis": "E.T. art. 468",
    "rounding": "half_up",
}


def drafting(seats: int = 13, **changes: Any) -> DraftInvoice:
    sold = SOLD | {name: value for name, value in changes.items() if name in (*SOLD, "discount_rate")}
    fields = {
        "invoice_id": ID,
        "kind": "cycle",
        "cycle_start": FIRST,
        "cycle_end": SECOND,
        "seats": seats,
        "price_version": 1,
        "lines": lines_of(seats=seats, **sold),
        "rounding": sold["rounding"],
        "due_days": 15,
        **{name: DETAILS[name] for name in ("language", "legal_name", "tax_id", "address", "city")},
    }
    return ask(DraftInvoice, **fields)


CHOOSE = ask(ChooseBlock, **IDS, prefix="CHK", block=1)
NUMBER = ask(NumberDocument, **IDS, prefix="CHK", number=7, resolution="DIAN 1")


def note(outcome: str, attempt: int = 1, **changes: Any) -> NoteSubmission:
    return ask(NoteSubmission, **{**IDS, "attempt": attempt, "outcome": outcome, **changes})


ACCEPTED = note("accepted", cufe="abc")


def after(*commands: Any) -> Given:
    at = given(invoice)
    for command in commands:
        at = Given(invoice, [*at._events, *at.when(command)._decide()])
    return at


@pytest.mark.parametrize(
    ("name", "seats", "changes"),
    [
        ("plan-only", 10, {}),
        ("extra-seats", 13, {}),
        ("excluded", 25, {"tax_code": "EXCL_476_21", "tax_rate": Decimal(0), "tax_basis": "E.T. art. 476 num. 21"}),
        ("export", 12, {"tax_code": "EXP_481C", "tax_rate": Decimal(0), "tax_basis": "E.T. art. 481 lit. c"}),
        ("discount", 11, {"discount_rate": Decimal("0.1")}),
        ("odd-cents-half-up", 13, {"extra_seat": Money.of("33333.25"), "base_fee": Money.of("1.50")}),
        (
            "odd-cents-half-even",
            13,
            {"extra_seat": Money.of("33333.25"), "base_fee": Money.of("1.50"), "rounding": "half_even"},
        ),
    ],
)
def test_golden_invoices(name: str, seats: int, changes: dict[str, Any]) -> None:
    (drafted,) = given(invoice).when(drafting(seats, **changes))._decide()
    expected = json.loads((GOLDEN / f"{name}.json").read_text())
    assert drafted.model_dump(mode="json") == expected


def test_a_draft_is_written_once_and_never_again() -> None:
    written = given(invoice).when(drafting()).then_repeating_adds_nothing()
    written.when(drafting(seats=20)).then_nothing()


def test_an_invoice_waits_for_what_it_lacks() -> None:
    hold = ask(HoldInvoice, invoice_id=ID, cycle_start=FIRST, reason="tax-not-set")
    held = (
        given(invoice)
        .when(hold)
        .then(InvoiceHeld(account_id=ANDES, invoice_id=ID, cycle_start=FIRST, reason="tax-not-set"))
    )
    held.when(hold).then_nothing()
    other = hold.model_copy(update={"reason": "price-not-set"})
    held.when(other).then_repeating_adds_nothing()
    after(hold, drafting()).when(hold).then_nothing()


def test_a_block_is_left_only_when_it_has_proven_full() -> None:
    drafted = after(drafting())
    chosen = drafted.when(CHOOSE).then(
        DocumentBlockChosen(account_id=ANDES, invoice_id=ID, document_id=ID, prefix="CHK", block=1)
    )
    chosen.when(CHOOSE).then_nothing()
    chosen.when(CHOOSE.model_copy(update={"block": 2})).then_nothing()
    next_one = CHOOSE.model_copy(update={"block": 2, "full": 1})
    chosen.when(next_one).then_repeating_adds_nothing()
    after(drafting(), CHOOSE, NUMBER).when(next_one).then_nothing()


def test_a_document_gets_one_number() -> None:
    numbered = (
        after(drafting(), CHOOSE)
        .when(NUMBER)
        .then(
            DocumentNumbered(
                account_id=ANDES,
                invoice_id=ID,
                document_id=ID,
                kind="invoice",
                prefix="CHK",
                number=7,
                resolution="DIAN 1",
            )
        )
    )
    numbered.when(NUMBER).then_nothing()
    numbered.when(NUMBER.model_copy(update={"number": 8})).then_nothing()


@pytest.mark.parametrize("command", [CHOOSE, NUMBER, ACCEPTED, ask(RetrySubmission, **IDS)])
def test_what_is_not_written_cannot_go_on(command: Any) -> None:
    given(invoice).when(command).then_rejected("invoice-unknown")


NUMBERED = (drafting(), CHOOSE, NUMBER)
ISSUED = InvoiceIssued(
    account_id=ANDES,
    invoice_id=ID,
    prefix="CHK",
    number=7,
    cufe="abc",
    issued_on=date(2026, 3, 2),
    due_on=date(2026, 3, 17),
    net=Money.of("1127000"),
    tax=Money.of("214130"),
    total=Money.of("1341130"),
)


def test_it_is_issued_when_the_authority_accepts_it() -> None:
    issued = (
        after(*NUMBERED)
        .when(ACCEPTED)
        .then(EInvoiceAccepted(account_id=ANDES, invoice_id=ID, document_id=ID, cufe="abc"), ISSUED)
    )
    issued.when(ACCEPTED).then_nothing()
    issued.when(note("accepted", 2, cufe="another")).then_nothing()
    issued.when(note("rejected", 2, rules=("FAD06",))).then_nothing()
    issued.when(ask(RetrySubmission, **IDS)).then_rejected("document-accepted")


def test_no_number_no_submission() -> None:
    after(drafting()).when(ACCEPTED).then_nothing()


def test_the_authority_may_take_its_time() -> None:
    def submitted(attempt: int, outcome: Any) -> EInvoiceSubmitted:
        return EInvoiceSubmitted(account_id=ANDES, invoice_id=ID, document_id=ID, attempt=attempt, outcome=outcome)

    once = after(*NUMBERED).when(note("unreachable")).then(submitted(1, "unreachable"))
    once.when(note("unreachable")).then_nothing()
    twice = once.when(note("pending", 2)).then(submitted(2, "pending"))
    twice.when(note("accepted", 3, cufe="abc"))._decide()


def test_a_refused_invoice_waits_for_a_person() -> None:
    no = note("rejected", rules=("FAD06", "FAK24"))
    refused = (
        after(*NUMBERED)
        .when(no)
        .then(EInvoiceRejected(account_id=ANDES, invoice_id=ID, document_id=ID, rules=("FAD06", "FAK24")))
    )
    refused.when(no).then_nothing()
    refused.when(ACCEPTED).then_nothing()
    again = ask(RetrySubmission, **IDS)
    mended = refused.when(again).then(EInvoiceRetried(account_id=ANDES, invoice_id=ID, document_id=ID))
    mended.when(again).then_nothing()
    mended.when(ACCEPTED).then(EInvoiceAccepted(account_id=ANDES, invoice_id=ID, document_id=ID, cufe="abc"), ISSUED)


def test_its_paper_is_noted_once() -> None:
    stored = ask(NoteDocumentStored, **IDS, object_key="k.pdf", sha256="aa", size=1)
    after(*NUMBERED, ACCEPTED).when(stored).then(
        InvoiceDocumentStored(account_id=ANDES, invoice_id=ID, document_id=ID, object_key="k.pdf", sha256="aa", size=1)
    ).when(stored).then_nothing()


def credit(amounts: dict[int, str], id: str = CREDIT) -> DraftCreditNote:
    lines = [{"line_no": number, "amount": amount} for number, amount in amounts.items()]
    return ask(DraftCreditNote, invoice_id=ID, credit_note_id=id, lines=lines, reason="Licencia no usada")


VALID = (*NUMBERED, ACCEPTED)


def test_a_credit_note_gives_net_and_tax_back() -> None:
    (drafted,) = after(*VALID).when(credit({2: "79000"}))._decide()
    assert (drafted.tax, drafted.total) == (Money.of("15010"), Money.of("94010"))
    after(*VALID).when(credit({2: "79000"})).then_repeating_adds_nothing()
    after(*VALID, credit({2: "79000"})).when(credit({2: "1"})).then_rejected("credit-note-exists")


@pytest.mark.parametrize(
    ("amounts", "code"),
    [
        ({1: "890000.01"}, "credit-exceeds-line"),
        ({2: "0"}, "credit-exceeds-line"),
        ({2: "-1"}, "credit-exceeds-line"),
        ({3: "1"}, "invoice-line-unknown"),
    ],
)
def test_no_more_is_given_back_than_stands_on_the_line(amounts: dict[int, str], code: str) -> None:
    after(*VALID).when(credit(amounts)).then_rejected(code)


def test_credits_of_one_line_add_up() -> None:
    first = credit({2: "200000"})
    after(*VALID, first).when(credit({2: "37000.01"}, uuid(23))).then_rejected("credit-exceeds-line")
    (rest,) = after(*VALID, first).when(credit({2: "37000"}, uuid(23)))._decide()
    assert rest.tax == Money.of("45030") - Money.of("38000")
    twice = credit({2: "1"}).model_copy(update={"lines": credit({2: "1"}).lines * 2})
    after(*VALID).when(twice).then_rejected("credit-line-twice")


def test_what_is_not_issued_is_not_credited() -> None:
    after(*NUMBERED).when(credit({2: "1"})).then_rejected("invoice-not-issued")


def test_a_credit_note_is_numbered_and_validated_like_an_invoice() -> None:
    ids = {"invoice_id": ID, "document_id": CREDIT}
    told = after(
        *VALID,
        credit({2: "79000"}),
        ask(ChooseBlock, **ids, prefix="NC", block=1),
        ask(NumberDocument, **ids, prefix="NC", number=1, resolution="NC"),
    )
    accept = ask(NoteSubmission, **ids, attempt=1, outcome="accepted", cufe="cude")
    told.when(accept).then(
        EInvoiceAccepted(account_id=ANDES, invoice_id=ID, document_id=CREDIT, cufe="cude"),
        CreditNoteIssued(
            account_id=ANDES,
            invoice_id=ID,
            credit_note_id=CREDIT,
            prefix="NC",
            number=1,
            cude="cude",
            issued_on=date(2026, 3, 2),
            net=Money.of("79000"),
            tax=Money.of("15010"),
            total=Money.of("94010"),
        ),
    ).when(accept).then_nothing()


MONEY = st.integers(min_value=0, max_value=10**11).map(lambda n: Money.of(Decimal(n) / 100))
RATES = st.integers(min_value=0, max_value=10_000).map(lambda n: Decimal(n) / 10_000)


@st.composite
def invoices(draw: Any) -> tuple[InvoiceLine, ...]:
    return lines_of(
        seats=draw(st.integers(min_value=10, max_value=5000)),
        included=10,
        base_fee=draw(MONEY),
        extra_seat=draw(MONEY),
        tax_code="IVA19",
        tax_rate=draw(RATES),
        tax_basis="x",
        rounding=draw(st.sampled_from(["half_up", "half_even"])),
        discount_rate=draw(RATES),
    )


@examples(invoices())
def test_the_total_is_the_sum_of_its_parts(lines: tuple[InvoiceLine, ...]) -> None:
    by_hand = sum((line.amount.amount + line.tax.amount - line.discount.amount for line in lines), Decimal(0))
    assert total_of(lines).amount == by_hand
    assert total(line.due for line in lines) == total_of(lines)
    assert all(line.amount == line.unit_price.times(line.quantity) for line in lines)


@examples(
    invoices(),
    st.lists(st.tuples(st.integers(min_value=1, max_value=2), st.integers(min_value=1, max_value=10**12)), max_size=8),
)
def test_whatever_is_credited_never_exceeds_the_invoice(
    lines: tuple[InvoiceLine, ...], wanted: list[tuple[int, int]]
) -> None:
    draft = drafting().model_copy(update={"lines": lines})
    state = after(draft, CHOOSE, NUMBER, ACCEPTED).state
    given_back = Money.of(0)
    for turn, (number, cents) in enumerate(wanted):
        state, facts, refused = carry_out(invoice, credit({number: str(Decimal(cents) / 100)}, uuid(100 + turn)), state)
        assert refused is None or isinstance(refused, Rejected)
        given_back += total(fact.total for fact in facts)
    assert given_back <= state.draft.total
    for line in lines:
        net, tax = state.given_back(line.line_no)
        assert net <= line.amount - line.discount
        assert tax <= line.tax
