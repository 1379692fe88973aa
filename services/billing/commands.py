"""The commands of this service: their names, the aggregate that decides, and what it must know first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.billing import dunning, selling, staff, sweeping
from services.billing.asking import EDIT, STAFF, account_named, demand, own_only
from services.billing.biller import Biller
from services.billing.domain.catalog import PricePlan, SetTax, catalog
from services.billing.domain.customer_account import (
    PostCreditNote,
    PostInvoice,
    RecordPayment,
    ReversePayment,
    customer_account,
)
from services.billing.domain.invoice import RetrySubmission, invoice
from services.billing.domain.invoice_credit import DraftCreditNote
from services.billing.domain.number_range import AuthoriseRange, number_range
from services.billing.domain.seat_reduction import (
    ApproveSeatReduction,
    CancelSeatReduction,
    NoteBlock,
    NoteReservation,
    RejectSeatReduction,
    RequestSeatReduction,
)
from services.billing.domain.seat_upgrade import AcceptQuote, DeclineQuote, ExpireQuote, QuoteSeats
from services.billing.domain.standing import (
    CancelSubscription,
    ChooseInterval,
    KeepSubscription,
    PauseSubscription,
    ResumeSubscription,
    UnparkAccount,
)
from services.billing.domain.subscription import SetBillingDetails, StartSubscription, subscription
from services.billing.einvoicing import EInvoicing
from services.billing.printing import print_document
from services.billing.selling import own
from services.billing.settings import BillingSettings
from services.kernel.application import Ask, Do, On


def commands(settings: BillingSettings, einvoicing: EInvoicing) -> Mapping[str, On | Do]:
    """The whole table."""

    def biller(ask: Ask) -> Biller:
        return Biller(ask, settings, einvoicing)

    return {
        **_of_customers(settings),
        **_of_staff(),
        "sweep_billing": Do(lambda ask: sweeping.sweep(ask, biller(ask))),
        # The service's own: its reactions, timers and subscriptions ask for these, nobody else may.
        "start_subscription": On(subscription, StartSubscription, id="account_id", prepare=_own_reaction),
        "note_reservation": On(subscription, NoteReservation, id="account_id", prepare=_own_reaction),
        "note_block": On(subscription, NoteBlock, id="account_id", prepare=_own_reaction),
        "expire_quote": On(subscription, ExpireQuote, id="account_id", prepare=_own_reaction),
        "open_cycles": _system(lambda ask: {"opened": biller(ask).open_and_bill(ask.caller.tenant)}),
        "bill_cycle": _system(lambda ask: _billed(ask, biller(ask))),
        "see_through": _system(lambda ask: _seen_through(ask, biller(ask))),
        "see_held_through": _system(lambda ask: sweeping.see_held_through(ask, biller(ask))),
        "post_invoice": On(customer_account, PostInvoice, id="account_id", prepare=_own_reaction),
        "post_credit_note": On(customer_account, PostCreditNote, id="account_id", prepare=_own_reaction),
        "print_document": print_document(settings),
        "take_step": Do(dunning.take_step),
        "judge_standing": Do(dunning.judge_standing),
        "remind": Do(dunning.remind),
    }


def _of_customers(settings: BillingSettings) -> Mapping[str, On | Do]:
    quoting = selling.quoting(settings)
    return {
        "quote_seats": On(subscription, QuoteSeats, id="account_id", prepare=quoting, answer=selling.quoted),
        "accept_quote": On(
            subscription, AcceptQuote, id="account_id", prepare=selling.accepting, answer=selling.granted
        ),
        "decline_quote": On(subscription, DeclineQuote, id="account_id", prepare=own),
        "cancel_seat_reduction": Do(_cancel_reduction),
        "set_billing_details": On(subscription, SetBillingDetails, id="account_id", prepare=own),
        "choose_interval": On(subscription, ChooseInterval, id="account_id", prepare=own),
        "pause_subscription": On(subscription, PauseSubscription, id="account_id", prepare=own),
        "resume_subscription": On(subscription, ResumeSubscription, id="account_id", prepare=own),
        "cancel_subscription": On(subscription, CancelSubscription, id="account_id", prepare=own),
        "keep_subscription": On(subscription, KeepSubscription, id="account_id", prepare=own),
    }


def _of_staff() -> Mapping[str, On | Do]:
    return {
        "request_seat_reduction": staff.of_account(subscription, RequestSeatReduction, "account_id"),
        "approve_seat_reduction": staff.of_account(subscription, ApproveSeatReduction, "account_id"),
        "reject_seat_reduction": staff.of_account(subscription, RejectSeatReduction, "account_id"),
        "unpark_account": staff.of_account(subscription, UnparkAccount, "account_id"),
        "record_payment": staff.of_account(customer_account, RecordPayment, "account_id"),
        "reverse_payment": staff.of_account(customer_account, ReversePayment, "account_id"),
        "credit_invoice": staff.of_account(invoice, DraftCreditNote, "invoice_id"),
        "retry_einvoice": staff.of_account(invoice, RetrySubmission, "invoice_id"),
        "price_plan": staff.of_platform(catalog, PricePlan),
        "set_tax": staff.of_platform(catalog, SetTax),
        "authorise_range": staff.of_platform(number_range, AuthoriseRange, "prefix"),
    }


def _own_reaction(ask: Ask) -> Mapping[str, Any]:
    own_only(ask.caller)
    return ask.data


def _system(run: Callable[[Ask], Mapping[str, Any]]) -> Do:
    def checked(ask: Ask) -> Mapping[str, Any]:
        own_only(ask.caller)
        return run(ask)

    return Do(checked)


def _cancel_reduction(ask: Ask) -> Mapping[str, Any]:
    """Keeping one's seats is for the customer to decide, and for the staff."""
    if STAFF in ask.caller.permissions:
        account = account_named(ask)
    else:
        demand(ask.caller, EDIT)
        account = ask.caller.tenant
    command = ask.make(CancelSeatReduction, {**ask.data, "account_id": account})
    return ask.handle(subscription, account, command, part="cancel", tenant=account).to_wire()


def _billed(ask: Ask, biller: Biller) -> Mapping[str, Any]:
    biller.bill(ask.caller.tenant, ask.data)
    return {}


def _seen_through(ask: Ask, biller: Biller) -> Mapping[str, Any]:
    biller.see_through(ask.caller.tenant, ask.data["invoice_id"], ask.data["document_id"])
    return {}
