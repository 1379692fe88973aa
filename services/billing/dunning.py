"""What follows from not paying, carried out: steps, the account's standing, reminders at lawful hours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.billing.asking import own_only
from services.billing.domain.calendar import local_day
from services.billing.domain.customer_account import CustomerAccount, customer_account
from services.billing.domain.dunning_case import (
    DAYS_LATE,
    DunningCase,
    NoteReminderSent,
    PutOffReminder,
    TakeStep,
    dunning_case,
)
from services.billing.domain.invoice import invoice
from services.billing.domain.invoice_state import Invoice
from services.billing.domain.office_hours import lawful, next_lawful
from services.billing.domain.standing import LATENESS, ClearDebt, MarkOverdue
from services.billing.domain.subscription import subscription
from services.billing.domain.subscription_state import Dunning, Subscription
from services.billing.mails import reminder
from services.kernel.application import Ask
from services.kernel.domain import Command, Erased


def take_step(ask: Ask) -> Mapping[str, Any]:
    """A step's day has come: it is taken if something of the invoice is still open."""
    own_only(ask.caller)
    id = ask.data["invoice_id"]
    claim = _ledger(ask).claims.get(id)
    if claim is None:
        return {}
    fields = {"invoice_id": id, "step": ask.data["step"], "due_on": claim.due_on, "open": claim.open}
    return _handled(ask, TakeStep, fields)


def judge_standing(ask: Ask) -> Mapping[str, Any]:
    """Put the account where its oldest debt puts it; nowhere if nothing is late."""
    own_only(ask.caller)
    account = ask.caller.tenant
    late = _ledger(ask).overdue(local_day(ask.now))
    if not late:
        command = ask.make(ClearDebt, {"account_id": account})
        return ask.handle(subscription, account, command, part="clear").to_wire()
    id, claim = min(late.items(), key=lambda item: (item[1].due_on, item[0]))
    days = (local_day(ask.now) - claim.due_on).days
    step: Dunning = "past_due"
    if days >= DAYS_LATE["suspended"]:
        step = "suspended"
    elif days >= DAYS_LATE["restricted"]:
        step = "restricted"
    if LATENESS.index(step) < LATENESS.index(_subscription(ask).dunning):
        # What put the account where it is has been paid; the oldest debt that is left is less grave.
        ask.handle(subscription, account, ask.make(ClearDebt, {"account_id": account}), part="clear")
    command = ask.make(MarkOverdue, {"account_id": account, "invoice_id": id, "step": step})
    return ask.handle(subscription, account, command, part="mark").to_wire()


def remind(ask: Ask) -> Mapping[str, Any]:
    """Write to whoever pays, once, at an hour at which that is allowed, if something is still open."""
    own_only(ask.caller)
    id, step = ask.data["invoice_id"], ask.data["step"]
    case: DunningCase = ask.state(dunning_case, id)
    claim = _ledger(ask).claims.get(id)
    owed: Invoice = ask.state(invoice, id)
    details = _subscription(ask).details
    if step in case.sent or claim is None or claim.open.amount <= 0 or owed.issued is None:
        return {}
    if details is None or isinstance(details.email, Erased):
        return {}
    if not lawful(ask.now):
        return _handled(ask, PutOffReminder, {"invoice_id": id, "step": step, "until": next_lawful(ask.now)})
    letter = reminder(details, owed.issued, claim.open)
    ask.ports["mail"]().send(to=details.email, message_id=f"billing.{id}.{step}", **letter)
    return _handled(ask, NoteReminderSent, {"invoice_id": id, "step": step})


def _handled(ask: Ask, command: type[Command], fields: Mapping[str, Any]) -> Mapping[str, Any]:
    made = ask.make(command, {**fields, "account_id": ask.caller.tenant})
    return ask.handle(dunning_case, fields["invoice_id"], made, part=command.__name__).to_wire()


def _ledger(ask: Ask) -> CustomerAccount:
    state: CustomerAccount = ask.state(customer_account, ask.caller.tenant)
    return state


def _subscription(ask: Ask) -> Subscription:
    state: Subscription = ask.state(subscription, ask.caller.tenant)
    return state
