"""The biller: opens the cycles that have begun, writes their invoices, numbers them and has them validated.

Every step asks the log what is done already, so it may be run by a timer, by a reaction and by a sweep at
once, again, or years later: the outcome is the same.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.billing.asking import the_catalog
from services.billing.domain.calendar import local_day
from services.billing.domain.cycles import due
from services.billing.domain.invoice import (
    ChooseBlock,
    DraftInvoice,
    HoldInvoice,
    NoteSubmission,
    NumberDocument,
    invoice,
)
from services.billing.domain.invoice_lines import lines_of
from services.billing.domain.invoice_state import Document, Invoice
from services.billing.domain.number_block import AllocateNumber, CloseBlock, NumberBlock, number_block
from services.billing.domain.number_range import NumberRange, OpenBlock, number_range
from services.billing.domain.subscription import OpenCycles, subscription
from services.billing.domain.subscription_events import BillingCycleOpened
from services.billing.domain.subscription_state import Subscription
from services.billing.einvoicing import Answer, EInvoicing, Unreachable
from services.billing.settings import BillingSettings
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM, VersionConflict
from services.kernel.domain import Rejected

MISSING = frozenset({"price-not-set", "tax-not-set", "billing-details-not-set"})
"""What an invoice may wait for; none of it is ever guessed."""
PATIENCE = 20
# Numbers come one after the other: within a process one stands in line here instead of losing races at the store.
_in_line = threading.Lock()


class Biller:
    """One request's work on the invoices of any accounts."""

    def __init__(self, ask: Ask, settings: BillingSettings, einvoicing: EInvoicing) -> None:
        self._ask = ask
        self._settings = settings
        self._einvoicing = einvoicing

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Of what documents are numbered."""
        return (self._settings.invoice_prefix, self._settings.credit_note_prefix)

    def open_and_bill(self, account: str) -> int:
        """Put the cycles that have begun into the log and bill them; answers how many."""
        ask = self._ask
        before: Subscription = ask.state(subscription, account, tenant=account)
        begun = [fact for fact in due(before, ask.now) if isinstance(fact, BillingCycleOpened)]
        command = ask.make(OpenCycles, {"account_id": account})
        ask.handle(subscription, account, command, part=f"open/{account}", tenant=account)
        after: Subscription = ask.state(subscription, account, tenant=account)
        # Somebody else may have opened them first, or a change of plan come between: that is billed by its own facts.
        for fact in begun:
            if after.cycles == before.cycles + len(begun) and after.last_invoice == begun[-1].invoice_id:
                self.bill(account, cycle_of(fact))
        return len(begun)

    def bill(self, account: str, cycle: Mapping[str, Any]) -> None:
        """See the invoice of this cycle through as far as it can go now."""
        id = cycle["invoice_id"]
        if self._invoice(account, id).draft is None and not self._drafted(account, cycle):
            return
        self.see_through(account, id, id)

    def see_through(self, account: str, invoice_id: str, document_id: str) -> None:
        """Number a document and hand it in."""
        state = self._invoice(account, invoice_id)
        document = state.documents.get(document_id)
        if document is None:
            raise Rejected("invoice-unknown", invoice_id=invoice_id)
        if not document.number:
            self._number(account, invoice_id, document_id, document)
        self.submit(account, invoice_id, document_id)

    def submit(self, account: str, invoice_id: str, document_id: str) -> None:
        """Hand a numbered document in, or ask what has become of it; whatever is answered is noted."""
        state = self._invoice(account, invoice_id)
        document = state.documents[document_id]
        if not document.number or document.status in ("accepted", "rejected"):
            return
        attempt = document.attempts + 1
        try:
            if document.awaited:
                answers = self._einvoicing.status(document_id)
            else:
                answers = self._einvoicing.submit(document_id, _handed_in(state, document_id, document))
        except Unreachable:
            self._note(account, invoice_id, document_id, attempt, "unreachable", Answer("pending"))
            return
        for number, answer in enumerate(answers):
            self._note(account, invoice_id, document_id, attempt + number, answer.outcome, answer)

    def _note(
        self, account: str, invoice_id: str, document_id: str, attempt: int, outcome: str, answer: Answer
    ) -> None:
        fields = {
            "account_id": account,
            "invoice_id": invoice_id,
            "document_id": document_id,
            "attempt": attempt,
            "outcome": outcome,
            "cufe": answer.cufe,
            "rules": answer.rules,
        }
        note = self._ask.make(NoteSubmission, fields)
        self._ask.handle(invoice, invoice_id, note, part=f"note/{document_id}/{attempt}", tenant=account)

    def _invoice(self, account: str, invoice_id: str) -> Invoice:
        state: Invoice = self._ask.state(invoice, invoice_id, tenant=account)
        return state

    def _drafted(self, account: str, cycle: Mapping[str, Any]) -> bool:
        ask, id = self._ask, cycle["invoice_id"]
        try:
            command: Any = ask.make(DraftInvoice, self._draft(account, cycle))
        except Rejected as refused:
            if refused.code not in MISSING:
                raise
            held = {
                "account_id": account,
                "invoice_id": id,
                "cycle_start": cycle["cycle_start"],
                "reason": refused.code,
            }
            ask.handle(invoice, id, ask.make(HoldInvoice, held), part=f"hold/{id}/{refused.code}", tenant=account)
            return False
        ask.handle(invoice, id, command, part=f"draft/{id}", tenant=account)
        return True

    def _draft(self, account: str, cycle: Mapping[str, Any]) -> dict[str, Any]:
        known = the_catalog(self._ask)
        day = local_day(_moment(cycle["cycle_start"]))
        price = known.price(cycle["plan"], cycle["interval"], day)
        tax = known.tax("domestic" if cycle["country"] == "CO" else "export", day)
        buyer: Subscription = self._ask.state(subscription, account, tenant=account)
        if not buyer.reachable or buyer.details is None:
            raise Rejected("billing-details-not-set", account_id=account)
        return {
            "account_id": account,
            "invoice_id": cycle["invoice_id"],
            "kind": "cycle",
            "cycle_start": cycle["cycle_start"],
            "cycle_end": cycle["cycle_end"],
            "seats": cycle["seats"],
            "price_version": price.price_version,
            "lines": lines_of(
                seats=cycle["seats"],
                included=cycle["included"],
                base_fee=price.base_fee,
                extra_seat=price.extra_seat,
                tax_code=tax.tax_code,
                tax_rate=tax.rate,
                tax_basis=tax.basis,
                rounding=self._settings.rounding,
            ),
            "rounding": self._settings.rounding,
            "due_days": self._settings.due_days,
            **buyer.details.model_dump(include={"language", "legal_name", "tax_id", "address", "city"}),
        }

    def _number(self, account: str, invoice_id: str, document_id: str, document: Document) -> None:
        """Choose a block, take a number from it, write it on the document; each step is a fact of its own."""
        prefix = document.prefix or (
            self._settings.invoice_prefix if document.kind == "invoice" else self._settings.credit_note_prefix
        )
        ids = {"account_id": account, "invoice_id": invoice_id, "document_id": document_id}
        block = document.block
        while True:
            if not block:
                block = self._current_block(prefix, after=0)
                self._choose(ids, prefix, block, full=0)
                block = self._block_of(account, invoice_id, document_id)
            number, resolution = self._allocated(prefix, block, document_id)
            if number:
                break
            full, block = block, self._current_block(prefix, after=block)
            self._choose(ids, prefix, block, full=full)
            block = self._block_of(account, invoice_id, document_id)
        numbered = {**ids, "prefix": prefix, "number": number, "resolution": resolution}
        command = self._ask.make(NumberDocument, numbered)
        self._ask.handle(invoice, invoice_id, command, part=f"number/{document_id}", tenant=account)

    def _choose(self, ids: Mapping[str, str], prefix: str, block: int, full: int) -> None:
        command = self._ask.make(ChooseBlock, {**ids, "prefix": prefix, "block": block, "full": full})
        part = f"block/{ids['document_id']}/{full}"
        self._ask.handle(invoice, ids["invoice_id"], command, part=part, tenant=ids["account_id"])

    def _block_of(self, account: str, invoice_id: str, document_id: str) -> int:
        # Another biller may have chosen before us: what is in the log counts.
        return self._invoice(account, invoice_id).documents[document_id].block

    def _current_block(self, prefix: str, after: int) -> int:
        """The block numbers come from now; the next one is opened when `after` was the last. Raises Rejected."""
        state = self._range(prefix)
        if len(state.blocks) <= after:
            command = self._ask.make(OpenBlock, {"prefix": prefix, "after": after})
            self._ask.handle(number_range, prefix, command, part=f"open/{prefix}/{after}", tenant=PLATFORM)
            state = self._range(prefix)
        return len(state.blocks)

    def _allocated(self, prefix: str, block: int, document_id: str) -> tuple[int, str]:
        """The document's number in this block, or 0 where the block has none left."""
        state = self._range(prefix)
        opened = state.blocks[block - 1]
        authorised = next(a for a in state.authorised if a.resolution == opened.resolution)
        limits = {"prefix": prefix, "block": block, "first": opened.first, "last": opened.last}
        stream = f"{prefix}:{block}"
        if local_day(self._ask.now) > authorised.valid_to:
            close = self._ask.make(CloseBlock, limits)
            self._ask.handle(number_block, stream, close, part=f"close/{stream}", tenant=PLATFORM)
        take = self._ask.make(AllocateNumber, {**limits, "document_id": document_id})
        part = f"allocate/{stream}/{document_id}"
        for patience in range(PATIENCE, -1, -1):
            try:
                with _in_line:
                    self._ask.handle(number_block, stream, take, part=part, tenant=PLATFORM)
                break
            except VersionConflict:
                # Every invoice of the platform queues here; whoever loses once more simply stands in line again.
                if not patience:
                    raise
            except Rejected as refused:
                if refused.code != "block-full":
                    raise
                return 0, ""
        given: NumberBlock = self._ask.state(number_block, stream, tenant=PLATFORM)
        return given.numbers[document_id], opened.resolution

    def _range(self, prefix: str) -> NumberRange:
        state: NumberRange = self._ask.state(number_range, prefix, tenant=PLATFORM)
        return state


def cycle_of(fact: BillingCycleOpened) -> dict[str, Any]:
    """What the biller needs of a cycle, in a form that a command can carry."""
    wanted = {"invoice_id", "cycle_start", "cycle_end", "seats", "included", "plan", "interval", "country"}
    return fact.model_dump(mode="json", include=wanted)


def _moment(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def _handed_in(state: Invoice, document_id: str, document: Document) -> dict[str, Any]:
    draft = state.draft
    assert draft is not None
    number = {"prefix": document.prefix, "number": document.number, "resolution": document.resolution}
    if document.kind == "invoice":
        return {**draft.model_dump(mode="json"), **number}
    return {**state.credits[document_id].model_dump(mode="json"), **number, "buyer": draft.tax_id}
