"""What may be given back of an invoice: of each line never more than stands on it."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from services.billing.domain.invoice_events import CreditNoteDrafted, InvoiceEvent
from services.billing.domain.invoice_lines import CreditLine, InvoiceLine
from services.billing.domain.invoice_state import Invoice
from services.billing.domain.money import Money, total
from services.billing.domain.values import Id, Line
from services.kernel.domain import Command, Rejected


class CreditWanted(BaseModel):
    """How much of a line's net amount is to be given back; its tax follows."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    line_no: int
    amount: Money


class DraftCreditNote(Command):
    """Give part of an issued invoice back."""

    account_id: Id
    invoice_id: Id
    credit_note_id: Id
    lines: Annotated[tuple[CreditWanted, ...], Field(min_length=1, max_length=50)]
    reason: Line


def decide(command: DraftCreditNote, state: Invoice) -> list[InvoiceEvent]:
    """The credit note, if every line still holds that much."""
    if state.issued is None or state.draft is None:
        raise Rejected("invoice-not-issued", invoice_id=command.invoice_id)
    earlier = state.credits.get(command.credit_note_id)
    wanted = [(line.line_no, line.amount) for line in command.lines]
    if earlier is not None:
        if [(line.line_no, line.amount) for line in earlier.lines] == wanted:
            return []
        raise Rejected("credit-note-exists", credit_note_id=command.credit_note_id)
    if len({number for number, _ in wanted}) != len(wanted):
        raise Rejected("credit-line-twice")
    by_number = {line.line_no: line for line in state.draft.lines}
    lines = tuple(_credit(by_number.get(number), number, amount, state) for number, amount in wanted)
    tax = total(line.tax for line in lines)
    return [
        CreditNoteDrafted(
            account_id=command.account_id,
            invoice_id=command.invoice_id,
            credit_note_id=command.credit_note_id,
            lines=lines,
            tax=tax,
            total=total(line.amount for line in lines) + tax,
            reason=command.reason,
        )
    ]


def _credit(line: InvoiceLine | None, number: int, amount: Money, state: Invoice) -> CreditLine:
    if line is None:
        raise Rejected("invoice-line-unknown", line_no=number)
    given, tax_given = state.given_back(number)
    left = line.amount - line.discount - given
    if amount.amount <= 0 or amount > left:
        raise Rejected("credit-exceeds-line", line_no=number, left=str(left.amount))
    assert state.draft is not None
    # The last credit of a line takes the tax that is left, so that rounding never credits a cent too much.
    tax_left = line.tax - tax_given
    tax = tax_left if amount == left else min(amount.share(Decimal(line.tax_rate), state.draft.rounding), tax_left)
    return CreditLine(line_no=number, amount=amount, tax=tax)
