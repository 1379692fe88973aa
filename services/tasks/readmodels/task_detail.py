"""One task in full: everything said about it, its stages, its subtasks and its whole history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.projection import ReadModel
from services.kernel.shown import shown, stamp
from services.tasks.domain.task_events import (
    OpeningAbandoned,
    SubtaskExpected,
    TaskDescribed,
    TaskFieldsChanged,
    TaskOpened,
)
from services.tasks.readmodels.task_board import card, named
from services.tasks.standing import demand, view

Document = dict[str, Any]
NOT_TOLD = {"task_id", "stages", "stage_names", "opening"}
"""What a history entry need not repeat: it is elsewhere in the document, or bookkeeping."""


class TaskDetail(ReadModel):
    """One document per task."""

    name = "task_detail"
    categories = ("task",)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The task."""
        return [fact.event.task_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The task and one more line of its history."""
        changed = card(doc, fact)
        if changed is None:
            return None
        return {**changed, **_more(fact.event), "history": [*changed.get("history", []), *_told(fact)]}


def _more(event: Any) -> Document:
    match event:
        case TaskOpened(description=description, fields=fields):
            return {"description": shown(description), "fields": shown(fields) or {}}
        case TaskDescribed(description=description):
            return {"description": shown(description)}
        case TaskFieldsChanged(fields=fields):
            return {"fields": shown(fields) or {}}
        case _:
            return {}


def _told(fact: Recorded) -> list[Document]:
    """Who did what when, with the values before and after it."""
    if isinstance(fact.event, SubtaskExpected | OpeningAbandoned):
        return []
    facts = fact.event.model_dump(mode="json", exclude=NOT_TOLD)
    return [
        {
            "at": stamp(fact.at),
            "by": fact.actor,
            "what": fact.type,
            "version": fact.version,
            "from": {name.removeprefix("from_"): v for name, v in facts.items() if name.startswith("from_")},
            "to": {name.removeprefix("to_"): v for name, v in facts.items() if not name.startswith("from_")},
        }
    ]


class TaskQuery(Query):
    """One task."""

    task_id: str


def find_task(query: TaskQuery, ask: Ask) -> Mapping[str, Any]:
    """The task. Raises Rejected("task-unknown"), also for one that is out of the caller's view."""
    demand(ask.caller, "tasks:read")
    doc = ask.reads["task_detail"].one(query.task_id)
    if doc is None or not view(ask).shows(doc):
        raise Rejected("task-unknown", task_id=query.task_id)
    (task,) = named(ask, [doc])
    names = doc["stage_names"]
    children = ask.reads["task_board"].find({"parent_id": query.task_id}, sort=[("_id", 1)], limit=200)
    return {
        **task,
        "stages": [{**stage, "name": names.get(stage["stage_id"])} for stage in doc["stages"]],
        "subtasks": [
            {name: child[name] for name in ("id", "title", "status", "stage", "user_id", "blocks_parent")}
            for child in children
        ],
    }


QUERIES: Mapping[str, Answers] = {"task": (TaskQuery, find_task)}
