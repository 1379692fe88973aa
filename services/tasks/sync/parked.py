"""Work that could not take effect waits for a supervisor: to be let through, given back to its author, or put aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.kernel.application import Ask
from services.kernel.domain import Command, Erased, Rejected
from services.tasks.domain.field_command import (
    CommandAnswered,
    FieldCommand,
    ReleaseParkedWork,
    field_command,
)
from services.tasks.domain.values import Id
from services.tasks.standing import demand, view
from services.tasks.sync.push import carry_out
from services.tasks.sync.rules import KINDS, parked_as
from services.tasks.sync.wire import FieldWork

OF_A_TECHNICIAN = frozenset({"tasks:read", "tasks:execute", "customers:read", "offline", "gps"})


class Chosen(Command):
    """Which parked work; with `reassign`, its task is given to its author first."""

    work_id: Id
    reassign: bool = False


def release(ask: Ask) -> Mapping[str, Any]:
    """Try the command once more, as its author did it. Raises Rejected("still-parked") when it still cannot be."""
    demand(ask.caller, "tasks:edit")
    chosen: Any = ask.make(Chosen, ask.data)
    parked = _parked(ask, chosen.work_id)
    if parked.end is None:
        answered = parked.answered
        assert answered is not None
        work = _evidence(answered)
        kind = KINDS.get(work.type)
        if kind is None or kind.rule == "relayed":
            raise Rejected("still-parked", why=answered.code or "")
        if chosen.reassign and kind.about == "task":
            given = {"task_id": work.subject_id, "user_id": answered.user_id}
            ask.request("assign_task", given, f"{ask.command_id}/reassign", given)
        _carry_out_as(ask, answered, work)
    command = ask.make(ReleaseParkedWork, {"work_id": chosen.work_id, "status": "applied"})
    return ask.handle(field_command, chosen.work_id, command, part="release").to_wire()


def discard(ask: Ask) -> Mapping[str, Any]:
    """Who may put parked work aside."""
    demand(ask.caller, "tasks:edit")
    _demand_in_view(ask, ask.state(field_command, str(ask.data.get("work_id"))).answered)
    return ask.data


def _demand_in_view(ask: Ask, answered: CommandAnswered | None) -> None:
    seen = view(ask)
    if answered is not None and not seen.everything and answered.user_id not in {seen.user_id, *seen.people}:
        raise Rejected("parked-work-unknown", work_id=answered.work_id)


def _carry_out_as(ask: Ask, answered: CommandAnswered, work: FieldWork) -> None:
    supervisor = ask.caller
    # What is let through is the author's work; that a supervisor let it through is the release's own fact.
    ask.caller = replace(supervisor, actor=answered.user_id, role="technician", permissions=OF_A_TECHNICIAN)
    try:
        carry_out(ask, f"released/{answered.work_id}", work, KINDS[work.type])
    except Rejected as refused:
        raise Rejected("still-parked", why=parked_as(refused.code), facts=refused.details) from refused
    finally:
        ask.caller = supervisor


def _parked(ask: Ask, work_id: str) -> FieldCommand:
    parked: FieldCommand = ask.state(field_command, work_id)
    if parked.answered is None or parked.answered.status != "parked":
        raise Rejected("parked-work-unknown", work_id=work_id)
    if parked.end == "discarded":
        raise Rejected("parked-work-discarded", work_id=work_id)
    _demand_in_view(ask, parked.answered)
    return parked


def _evidence(answered: CommandAnswered) -> FieldWork:
    if not isinstance(answered.evidence, dict) or isinstance(answered.evidence, Erased):
        raise Rejected("erased")
    return FieldWork.model_validate({**answered.evidence, "sent": answered.evidence})
