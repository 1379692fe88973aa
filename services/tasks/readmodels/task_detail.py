"""One task in full: everything said about it, its stages, its subtasks and its whole history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp
from services.tasks.domain.evidence_events import (
    EvidenceEvent,
    FormAnswerCompleted,
    FormAnswerDiscarded,
    FormAnswered,
    FormAnswerReleased,
    TaskNoted,
)
from services.tasks.domain.task_events import (
    OpeningAbandoned,
    SubtaskExpected,
    TaskDescribed,
    TaskFieldsChanged,
    TaskOpened,
)
from services.tasks.readmodels.task_board import STATUSES, card, named
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
        before = {"answers": [], "notes": [], "history": [], **(doc or {})}
        changed = card(doc if doc and "title" in doc else None, fact)
        if changed is None and not isinstance(fact.event, EvidenceEvent):
            return doc
        # Answers may be here before the task they are for: they wait in a document that is not shown yet.
        return {**before, **(changed or {}), **said(before, fact), "history": [*before["history"], *_told(fact)]}


def said(doc: Document, fact: Recorded) -> Document:
    """What is told about the task that its card leaves out: answers, notes, description, own fields."""
    event = fact.event
    match event:
        case FormAnswered():
            return {"answers": [*_others(doc, event.submission_id), _answer(event, stamp(fact.at))]}
        case FormAnswerCompleted(submission_id=id):
            return _answered(doc, id, complete=True)
        case FormAnswerReleased(submission_id=id):
            return _answered(doc, id, parked=None)
        case FormAnswerDiscarded(submission_id=id):
            return {"answers": _others(doc, id)}
        case TaskNoted(note_id=id, user_id=user_id, text=text):
            note = {"note_id": id, "user_id": user_id, "at": stamp(fact.at), "text": shown(text)}
            return {"notes": [*doc["notes"], note]}
        case TaskOpened(description=description, fields=fields):
            return {"description": shown(description), "fields": shown(fields) or {}}
        case TaskDescribed(description=description):
            return {"description": shown(description)}
        case TaskFieldsChanged(fields=fields):
            return {"fields": shown(fields) or {}}
        case _:
            return {}


def _answer(event: FormAnswered, at: str) -> Document:
    return {"answered_at": at, **event.model_dump(mode="json", exclude={"task_id"})}


def _others(doc: Document, submission_id: str) -> list[Document]:
    return [answer for answer in doc["answers"] if answer["submission_id"] != submission_id]


def _answered(doc: Document, submission_id: str, **changes: Any) -> Document:
    return {
        "answers": [
            {**answer, **changes} if answer["submission_id"] == submission_id else answer for answer in doc["answers"]
        ]
    }


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
    if doc is None or "title" not in doc or not view(ask).shows(doc):
        raise Rejected("task-unknown", task_id=query.task_id)
    (task,) = named(ask, [doc])
    names = doc["stage_names"]
    children = ask.reads["task_board"].find({"parent_id": query.task_id}, sort=[("_id", 1)], limit=200)
    later_work = ask.reads["task_board"].find({"follows.task_id": query.task_id}, sort=[("_id", 1)], limit=200)
    return {
        **task,
        "subtask_counts": _counts(ask, query.task_id) if children else {},
        "stages": [{**stage, "name": names.get(stage["stage_id"])} for stage in doc["stages"]],
        "subtasks": [_in_short(child) for child in children],
        "follow_ups": [_in_short(later) for later in later_work],
    }


def _in_short(row: Document) -> Document:
    return {name: row[name] for name in ("id", "title", "status", "stage", "user_id", "blocks_parent")}


def _counts(ask: Ask, parent_id: str) -> Document:
    """How far the subtasks are as a whole, and how many of them the task itself still waits for."""
    board = ask.reads["task_board"]
    below: Document = {"parent_id": parent_id}
    return {
        **{status: board.count({**below, "status": status}) for status in STATUSES},
        "blocking": board.count({**below, "blocks_parent": True, "status": {"$in": ["pending", "in_progress"]}}),
    }


QUERIES: Mapping[str, Answers] = {"task": (TaskQuery, find_task)}
