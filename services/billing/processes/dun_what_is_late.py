"""Not paying has consequences, day by day; paying ends them at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from services.billing.domain.customer_account import (
    CreditNotePosted,
    InvoicePosted,
    InvoiceReopened,
    InvoiceSettled,
)
from services.billing.domain.dunning_case import (
    DAYS_LATE,
    REMINDERS,
    DunningStepTaken,
    ReminderPutOff,
    Step,
    due_moment,
)
from services.billing.domain.subscription_events import AccountReactivated
from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """Timers for the steps to come; the standing whenever something of it may have changed."""
    match fact.event:
        case InvoicePosted(invoice_id=invoice, due_on=due_on):
            yield from _steps(invoice, due_on)
        case InvoiceReopened() | InvoiceSettled() | CreditNotePosted():
            yield Dispatch("judge_standing")
        case DunningStepTaken(invoice_id=invoice, step=step):
            yield Dispatch("judge_standing")
            if step in REMINDERS:
                # By a timer, which tries again by itself when the mail system is away.
                yield _remind(invoice, step, fact)
        case ReminderPutOff(invoice_id=invoice, step=step, until=until):
            remind = Dispatch("remind", {"invoice_id": invoice, "step": step})
            yield At(until, f"remind:{invoice}:{step}", remind)
        case AccountReactivated(standing=standing) if standing not in ("paused", "cancelled"):
            yield Dispatch("judge_standing")


def _steps(invoice_id: str, due_on: date) -> Iterable[At]:
    for step in DAYS_LATE:
        take = Dispatch("take_step", {"invoice_id": invoice_id, "step": step})
        yield At(due_moment(due_on, step), f"dunning:{invoice_id}:{step}", take)


def _remind(invoice_id: str, step: Step, fact: Recorded) -> At:
    return At(fact.at, f"remind:{invoice_id}:{step}", Dispatch("remind", {"invoice_id": invoice_id, "step": step}))


dun_what_is_late = Reaction("dun_what_is_late", ("customer_account", "dunning_case", "subscription"), react)
