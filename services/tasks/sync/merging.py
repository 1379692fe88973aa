"""Two people changed the same thing without knowing of each other: fields that differ merge, one field tells both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Ask
from services.kernel.commit import Recorded
from services.kernel.domain import Erased
from services.kernel.shown import stamp
from services.tasks.domain.customer import CustomerEdited, Profile, customer
from services.tasks.domain.task import task
from services.tasks.domain.task_events import Task, TaskFieldsChanged
from services.tasks.sync.wire import FieldWork

Values = dict[str, Any]
FIELDS = "fields"


def merged(ask: Ask, work: FieldWork, data: Values) -> Values:
    """The request with the account's own fields completed: a device sends those that it changed."""
    if not isinstance(given := data.get(FIELDS), dict):
        return data
    if work.type == "task.edit":
        known: Task = ask.state(task, str(work.subject_id))
        present = known.fields
    else:
        profile = ask.state(customer, str(work.subject_id)).profile
        present = profile.fields if isinstance(profile, Profile) else {}
    return {**data, FIELDS: {**({} if isinstance(present, Erased) else present), **given}}


def conflicts_of(ask: Ask, work: FieldWork, facts: Sequence[Recorded]) -> list[Values]:
    """Which of the fields that these facts changed somebody else had changed since the device last saw them."""
    if work.base_version is None or not work.type.endswith(".edit"):
        return []
    decider = task if work.type == "task.edit" else customer
    ours = [fact for fact in facts if changes(fact)]
    if not ours:
        return []
    between = [
        fact
        for fact in ask.facts(decider, str(work.subject_id))
        if work.base_version < fact.version < ours[0].version and fact.actor != ask.caller.actor
    ]
    theirs: dict[str, tuple[Any, Recorded]] = {
        name: (value, fact) for fact in between for name, value in changes(fact).items()
    }
    kept = {name: value for fact in ours for name, value in changes(fact).items()}
    return [
        {
            "field": name,
            "kept": value,
            "other": theirs[name][0],
            "other_by": theirs[name][1].actor,
            "other_at": stamp(theirs[name][1].at),
        }
        for name, value in kept.items()
        if name in theirs and theirs[name][0] != value
    ]


def changes(fact: Recorded) -> Mapping[str, Any]:
    """The fields that a fact gave new values to, by name; nothing for facts that are no edits."""
    event = fact.event
    match event:
        case TaskFieldsChanged(changed=changed, fields=fields):
            known = {} if isinstance(fields, Erased) else fields
            return {f"{FIELDS}.{name}": known.get(name) for name in changed}
        case CustomerEdited(changed=changed, profile=profile):
            shown = {} if isinstance(profile, Erased) else profile.model_dump(mode="json")
            return {name: shown.get(name) for name in changed}
    told = event.model_dump(mode="json")
    before = [name for name in told if name.startswith("from_")]
    return {name.removeprefix("from_"): told.get(name.removeprefix("from_")) for name in before if fact.type in _EDITS}


_EDITS = frozenset(
    {
        "TaskRetitled",
        "TaskDescribed",
        "TaskReclassified",
        "TaskCustomerChanged",
        "TaskRescheduled",
        "TaskReprioritised",
        "TaskFormsChanged",
        "TaskServicesChanged",
    }
)
