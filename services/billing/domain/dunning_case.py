"""A dunning case is what has been done about one invoice that was not paid in time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, assert_never

from pydantic import AwareDatetime

from services.billing.domain.calendar import BOGOTA
from services.billing.domain.money import Money
from services.billing.domain.values import Id
from services.kernel.domain import Command, Decider, Event

Step = Literal["reminder1", "reminder2", "reminder3", "reminder4", "restricted", "suspended"]
DAYS_LATE: dict[Step, int] = {
    "reminder1": 1,
    "reminder2": 5,
    "reminder3": 10,
    "reminder4": 20,
    "restricted": 30,
    "suspended": 60,
}
REMINDERS: frozenset[Step] = frozenset({"reminder1", "reminder2", "reminder3", "reminder4"})
AT = time(9)


def due_moment(due_on: date, step: Step) -> datetime:
    """When a step is due: nine in the morning in Bogotá, so many days after the invoice was."""
    return datetime.combine(due_on + timedelta(days=DAYS_LATE[step]), AT, tzinfo=BOGOTA).astimezone(UTC)


class InvoiceOverdue(Event):
    """The day by which the invoice should have been paid has passed."""

    account_id: str
    invoice_id: str
    due_on: date
    open: Money


class DunningStepTaken(Event):
    """The next thing that follows from not paying."""

    account_id: str
    invoice_id: str
    step: Step
    open: Money


class ReminderPutOff(Event):
    """A reminder that may not be sent at this hour waits until it may."""

    account_id: str
    invoice_id: str
    step: Step
    until: AwareDatetime


class ReminderSent(Event):
    """The reminder has gone out."""

    account_id: str
    invoice_id: str
    step: Step


DunningEvent = InvoiceOverdue | DunningStepTaken | ReminderPutOff | ReminderSent


class TakeStep(Command):
    """So many days have passed; `open` is what is still owed of the invoice."""

    account_id: Id
    invoice_id: Id
    due_on: date
    step: Step
    open: Money


class PutOffReminder(Command):
    """Not at this hour."""

    account_id: Id
    invoice_id: Id
    step: Step
    until: AwareDatetime


class NoteReminderSent(Command):
    """It was handed to the mail system."""

    account_id: Id
    invoice_id: Id
    step: Step


DunningCommand = TakeStep | PutOffReminder | NoteReminderSent


@dataclass(frozen=True, slots=True)
class DunningCase:
    """`put_off`: until when each reminder waits."""

    overdue: bool = False
    taken: frozenset[Step] = frozenset()
    sent: frozenset[Step] = frozenset()
    put_off: tuple[tuple[Step, datetime], ...] = ()


initial_state = DunningCase()


def decide(command: DunningCommand, state: DunningCase) -> list[DunningEvent]:
    """What follows for this invoice."""
    account, invoice, step = command.account_id, command.invoice_id, command.step
    match command:
        case TakeStep(due_on=due_on, open=owed):
            if owed.amount <= 0 or step in state.taken or command.at < due_moment(due_on, step):
                return []
            taken = DunningStepTaken(account_id=account, invoice_id=invoice, step=step, open=owed)
            if state.overdue:
                return [taken]
            return [InvoiceOverdue(account_id=account, invoice_id=invoice, due_on=due_on, open=owed), taken]
        case PutOffReminder(until=until):
            if step in state.sent or (step, until) in state.put_off:
                return []
            return [ReminderPutOff(account_id=account, invoice_id=invoice, step=step, until=until)]
        case NoteReminderSent():
            return [] if step in state.sent else [ReminderSent(account_id=account, invoice_id=invoice, step=step)]
        case _:
            assert_never(command)


def evolve(state: DunningCase, event: DunningEvent) -> DunningCase:
    """The case after one more fact."""
    match event:
        case InvoiceOverdue():
            return replace(state, overdue=True)
        case DunningStepTaken(step=step):
            return replace(state, taken=state.taken | {step})
        case ReminderPutOff(step=step, until=until):
            return replace(state, put_off=(*state.put_off, (step, until)))
        case ReminderSent(step=step):
            return replace(state, sent=state.sent | {step})
        case _:
            assert_never(event)


EVENTS: dict[str, type[DunningEvent]] = {
    "InvoiceOverdue": InvoiceOverdue,
    "DunningStepTaken": DunningStepTaken,
    "ReminderPutOff": ReminderPutOff,
    "ReminderSent": ReminderSent,
}

dunning_case = Decider("dunning_case", initial_state, decide, evolve, events=EVENTS)
