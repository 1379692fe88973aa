"""The conflict rules: for every kind of command a device can send, how it meets what happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from services.tasks.sync.wire import FieldWork

Rule = Literal["append", "create", "fields", "transition", "relayed"]
"""append: always taken, never in conflict · create: with the id the device made · fields: disjoint ones merge,
the same one goes to whoever arrives last with both values told · transition: judged by how things stand now ·
relayed: another service has taken it, here it gets its number."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of command: its rule, what it is about, and the service's own command that carries it out."""

    rule: Rule
    about: Literal["task", "customer", "submission", "user"]
    command: str = ""
    data: Callable[[FieldWork], Mapping[str, Any]] = lambda work: work.body


def _of_task(work: FieldWork) -> Mapping[str, Any]:
    return {**work.body, "task_id": work.subject_id}


def _of_customer(work: FieldWork) -> Mapping[str, Any]:
    return {**work.body, "customer_id": work.subject_id}


def _note(work: FieldWork) -> Mapping[str, Any]:
    return {"task_id": work.subject_id, "note_id": work.id, "text": work.body.get("text")}


KINDS: Mapping[str, Kind] = {
    "task.create": Kind("create", "task", "open_task", _of_task),
    "task.edit": Kind("fields", "task", "edit_task", _of_task),
    "task.claim": Kind("transition", "task", "claim_task", _of_task),
    "task.start": Kind("transition", "task", "start_task", _of_task),
    "task.advance": Kind("transition", "task", "advance_task", _of_task),
    "task.note": Kind("append", "task", "note_task", _note),
    "customer.create": Kind("create", "customer", "create_customer", _of_customer),
    "customer.edit": Kind("fields", "customer", "edit_customer", _of_customer),
    "location.add": Kind("append", "customer", "add_location", _of_customer),
    "gps.record": Kind("append", "user", "record_points"),
    "submission.submit": Kind("relayed", "submission"),
    "submission.amend": Kind("relayed", "submission"),
}

ONLINE_ONLY = (
    "task.assign",
    "task.cancel",
    "task.reopen",
    "user.",
    "team.",
    "seat.",
    "profile.",
    "process.",
    "form.",
    "account.",
    "billing.",
    "deletion.",
)
"""Assignment, licences, deletion, configuration: nobody decides these without seeing how things stand."""

SCHEMAS = frozenset({1})
"""The numbers of the commands' wire forms that are understood; one is kept for twelve months after its successor."""

PARKED_AS: Mapping[str, str] = {
    "not-the-assignee": "not_assignee",
    "not-in-team": "not_assignee",
    "forbidden": "not_assignee",
    "task-already-claimed": "not_assignee",
}
"""Refusals that devices know by another name; every other one keeps its own, written with underscores."""

GONE = frozenset({"erased"})


def is_online_only(type: str) -> bool:
    """Whether a command of this type is never taken from a device."""
    return type.startswith(ONLINE_ONLY)


def parked_as(code: str) -> str:
    """The stable code under which a device and a supervisor see why a command waits."""
    return PARKED_AS.get(code, code.replace("-", "_"))
