"""One decision over many tasks: each is asked for by itself, and each has its own answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from services.kernel.application import Ask
from services.kernel.commit import VersionConflict
from services.kernel.domain import Command, Rejected
from services.tasks.domain.values import Id, Reason, Window
from services.tasks.standing import demand

Result = dict[str, Any]


class DecideOverTasks(Command):
    """Assign, cancel or reschedule up to two hundred tasks; only what belongs to the action may be given."""

    action: Literal["assign", "cancel", "reschedule"]
    task_ids: Annotated[tuple[Id, ...], Field(min_length=1, max_length=200)]
    user_id: Id | None = None
    team_id: Id | None = None
    reason: Reason = ""
    window: Window | None = None


TELLS: Mapping[str, frozenset[str]] = {
    "assign": frozenset({"user_id", "team_id"}),
    "cancel": frozenset({"reason"}),
    "reschedule": frozenset({"window"}),
}
COMMANDS: Mapping[str, str] = {"assign": "assign_task", "cancel": "cancel_task", "reschedule": "edit_task"}


def decide_over_tasks(ask: Ask) -> Mapping[str, Any]:
    """One result per task, in the order in which they were named.

    Every task is a request of its own, named after this one and the task: whatever breaks this one off, its
    repeat finds what was done and goes on with the rest.
    """
    demand(ask.caller, "tasks:edit")
    wanted = ask.make(DecideOverTasks, ask.data)
    assert isinstance(wanted, DecideOverTasks)
    given = {name: ask.data[name] for name in TELLS[wanted.action] if name in ask.data}
    others = wanted.model_fields_set - {"action", "task_ids", "at", "by"} - given.keys()
    if strange := sorted(name for name in others if getattr(wanted, name)):
        errors = [{"loc": [name], "msg": f"not for {wanted.action}", "type": "extra_forbidden"} for name in strange]
        raise Rejected("invalid", errors=errors)
    if wanted.action == "cancel" and not wanted.reason:
        raise Rejected("reason-required")
    if wanted.action == "reschedule" and wanted.window is None:
        raise Rejected("invalid", errors=[{"loc": ["window"], "msg": "Field required", "type": "missing"}])
    results = [_decide(ask, COMMANDS[wanted.action], id, given) for id in dict.fromkeys(wanted.task_ids)]
    done = [result for result in results if result["status"] == "done"]
    return {
        "results": results,
        "done": len(done),
        "refused": len(results) - len(done),
        "position": max((result["position"] for result in done), default=0),
    }


def _decide(ask: Ask, command: str, task_id: str, given: Mapping[str, Any]) -> Result:
    data = {"task_id": task_id, **given}
    try:
        answer = ask.request(command, data, f"{ask.command_id}/{task_id}", data)
    except Rejected as refused:
        if refused.code == "idempotency-key-reused":
            raise
        return {"task_id": task_id, "status": "refused", "code": refused.code, "details": refused.details}
    except VersionConflict:
        return {"task_id": task_id, "status": "refused", "code": "version-conflict", "details": {}}
    return {"task_id": task_id, "status": "done", "version": answer["version"], "position": answer["position"]}
