"""What people may say about recurring work, checked against the calendar and the account before it is decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.kernel import offload
from services.kernel.application import Ask
from services.kernel.domain import Erased, Rejected
from services.tasks.domain.recurrence import (
    EndRecurrence,
    Plan,
    Recurrence,
    SkipOccurrence,
    StartRecurrence,
    Timing,
    recurrence,
)
from services.tasks.domain.task import task
from services.tasks.domain.task_events import Task
from services.tasks.domain.task_execution import CancelTask, ExecutionFacts
from services.tasks.domain.task_planning import OpenTask, Outline, Wording
from services.tasks.domain.values import Fields as FieldValues
from services.tasks.own_fields import with_own_fields
from services.tasks.recurring import rule
from services.tasks.standing import demand, time_zone, view
from services.tasks.work import opening_facts

Fields = Mapping[str, Any]
FARTHEST = 10
"""Years between now and a beginning."""
SKIPPED = "occurrence-skipped"
"""Why a task was cancelled, where nobody typed a reason."""


def starting(ask: Ask) -> Fields:
    """Who may plan recurring work, and that the plan can come true."""
    demand(ask.caller, "tasks:edit")
    id = {"recurrence_id": ask.data.get("recurrence_id")}
    known: Recurrence = ask.state(recurrence, str(id["recurrence_id"]))
    fields = _parts({"zone": time_zone(ask), **ask.data})
    if known.plan is None:
        _check(ask, fields)
    return {**id, **fields}


def changing(ask: Ask) -> Fields:
    """The plan as it would be with what is given changed."""
    demand(ask.caller, "tasks:edit")
    id = str(ask.data.get("recurrence_id"))
    plan = visible(ask, id).plan
    assert plan is not None
    wording: Fields = {} if isinstance(plan.wording, Erased) else plan.wording.model_dump(mode="json")
    before = {**plan.timing.model_dump(mode="json"), **plan.outline.model_dump(mode="json"), **wording}
    moved = ask.data.get("customer_id", before["customer_id"]) != before["customer_id"]
    if moved:
        before |= {"location_id": None, "equipment_id": None}
    fields = _parts({**before, **ask.data})
    _check(ask, fields, {} if isinstance(plan.wording, Erased) else plan.wording.fields)
    return {"recurrence_id": id, **fields}


def ending(ask: Ask) -> Fields:
    """Who may end recurring work."""
    demand(ask.caller, "tasks:edit")
    wanted = ask.make(EndRecurrence, ask.data)
    assert isinstance(wanted, EndRecurrence)
    visible(ask, wanted.recurrence_id)
    return ask.data


def skip_occurrence(ask: Ask) -> Fields:
    """Leave one time out; its task, if there is one already, is cancelled first."""
    demand(ask.caller, "tasks:edit")
    wanted = ask.make(SkipOccurrence, ask.data)
    assert isinstance(wanted, SkipOccurrence)
    known = visible(ask, wanted.recurrence_id)
    assert known.plan is not None
    task_id = known.opened.get(wanted.start)
    if wanted.start not in known.opened and not rule.occurs(known.plan.timing, wanted.start):
        raise Rejected("occurrence-unknown", start=wanted.start.isoformat())
    if task_id is not None:
        work: Task = ask.state(task, task_id)
        if not work.cancelled:
            why = {"task_id": task_id, "reason": SKIPPED, "facts": ExecutionFacts(manages=True)}
            ask.handle(task, task_id, ask.make(CancelTask, why), part="task")
    return ask.handle(recurrence, wanted.recurrence_id, wanted, part="skip").to_wire()


def visible(ask: Ask, recurrence_id: str) -> Recurrence:
    """The recurrence, unless its tasks would be out of the caller's view. Raises Rejected."""
    known: Recurrence = ask.state(recurrence, recurrence_id)
    if known.plan is None or not view(ask).shows(_owner(known.plan, known.planned_by)):
        raise Rejected("recurrence-unknown", recurrence_id=recurrence_id)
    return known


def _owner(plan: Plan, planned_by: str) -> dict[str, Any]:
    return {"user_id": plan.outline.user_id, "team_id": plan.outline.team_id, "opened_by": planned_by}


def _parts(data: Fields) -> dict[str, Any]:
    """The flat request taken apart; what belongs nowhere stays where the command's own model refuses it."""
    parts: dict[str, Any] = {}
    for name, model in (("timing", Timing), ("outline", Outline), ("wording", Wording)):
        parts[name] = {field: data[field] for field in model.model_fields if field in data}
    known = {field for part in parts.values() for field in part}
    parts["timing"] |= {field: value for field, value in data.items() if field not in known | {"recurrence_id"}}
    if isinstance(said := parts["timing"].get("rule"), str):
        parts["timing"]["rule"] = rule.normal(said)
    return parts


def _check(ask: Ask, fields: Fields, captured: FieldValues | None = None) -> None:
    asked = ask.make(StartRecurrence, {"recurrence_id": ask.new_id(), **fields})
    assert isinstance(asked, StartRecurrence)
    offload.run(rule.check, asked.timing)
    if abs(int(asked.timing.starts[:4]) - ask.now.year) > FARTHEST:
        raise Rejected("recurrence-start-out-of-range", years=FARTHEST)
    with_own_fields(ask, "task", captured, fields["wording"])
    wanted = ask.make(OpenTask, {"task_id": ask.new_id(), **fields["outline"], **fields["wording"]})
    assert isinstance(wanted, OpenTask)
    opening_facts(ask, wanted)
