"""Work that follows from a failed answer: one task per submission and field, below the original or after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from services.kernel.application import Ask
from services.kernel.domain import Erased, Rejected
from services.tasks.domain.task import task
from services.tasks.domain.task_events import FollowedUp, Task
from services.tasks.domain.task_planning import OpenTask, PlanningFacts
from services.tasks.incoming import FollowUpNeeded
from services.tasks.standing import demand_system
from services.tasks.work import opening_facts

Fields = Mapping[str, Any]
LONGEST_TITLE = 200


def following_up(ask: Ask) -> Fields:
    """What the follow-up is: the kind of work that the form names, or else that of the original, at its place."""
    demand_system(ask.caller)
    needed = FollowUpNeeded.model_validate(ask.data)
    original: Task = ask.state(task, needed.task_id) if needed.task_id else task.initial_state
    reason = FollowedUp(
        submission_id=needed.submission_id,
        form_id=needed.form_id,
        field=needed.field,
        task_id=needed.task_id if original.opened else None,
    )
    fields = {
        "task_id": str(uuid5(UUID(needed.submission_id), f"follow-up:{needed.field}")),
        "title": _title(original, needed.field),
        "priority": needed.priority,
        "customer_id": original.customer_id,
        "location_id": original.location_id,
        "equipment_id": original.equipment_id,
        "team_id": original.team_id,
        "parent_id": None if original.opened is None or original.closed else needed.task_id,
    }
    kind, facts = _kind(ask, needed, original, fields)
    return {**fields, **kind, "facts": facts.model_copy(update={"follows": reason})}


def _kind(
    ask: Ask, needed: FollowUpNeeded, original: Task, fields: dict[str, Any]
) -> tuple[dict[str, str | None], PlanningFacts]:
    """The first that can be opened. What no longer fits of place and team is left out rather than the work itself."""
    named = {"process_id": needed.process_id, "subprocess_id": needed.subprocess_id}
    same: dict[str, str | None] = {"process_id": original.process_id, "subprocess_id": original.subprocess_id}
    kinds = [kind for kind in (named, same) if all(kind.values())]
    refused = Rejected("process-unknown", process_id=needed.process_id)
    for doubtful in ((), ("equipment_id",), ("equipment_id", "team_id"), ("equipment_id", "team_id", "location_id")):
        fields.update(dict.fromkeys(doubtful))
        for kind in kinds:
            wanted = ask.make(OpenTask, {**fields, **kind})
            assert isinstance(wanted, OpenTask)
            try:
                return kind, opening_facts(ask, wanted)
            except Rejected as no:
                refused = no
    raise refused


def _title(original: Task, field: str) -> str:
    if original.opened is None or isinstance(original.title, Erased):
        return field[:LONGEST_TITLE]
    room = LONGEST_TITLE - len(field) - len(" · ")
    return f"{original.title[: max(room, 0)]} · {field}"[:LONGEST_TITLE]
