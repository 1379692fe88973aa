"""The board and the agenda: one document per task, found by where it stands, whose it is and when it is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.paging import Limit, Paged, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import NEVER, shown, stamp, stamped, without
from services.tasks.domain.saved_filters import Choice
from services.tasks.domain.task_events import (
    StagesInherited,
    TaskAdvanced,
    TaskAssigned,
    TaskCancelled,
    TaskClaimed,
    TaskCustomerChanged,
    TaskEquipmentChanged,
    TaskFollowsUp,
    TaskFormsChanged,
    TaskOpened,
    TaskReclassified,
    TaskReopened,
    TaskReprioritised,
    TaskRescheduled,
    TaskRetitled,
    TaskServicesChanged,
)
from services.tasks.domain.values import Priority, Window
from services.tasks.standing import demand, view

Document = dict[str, Any]
Status = Literal["pending", "in_progress", "completed", "cancelled"]
STATUSES: tuple[Status, ...] = ("pending", "in_progress", "completed", "cancelled")
RANKS: Mapping[Priority, int] = {"urgent": 0, "high": 1, "normal": 2, "low": 3}
FOR_FINDING = ("rank", "due", "starts", "ends", "stages", "stage_names")


class TaskBoard(ReadModel):
    """One document per task."""

    name = "task_board"
    categories = ("task",)
    indexes = (
        [("tenant", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("status", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("user_id", 1), ("status", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("team_id", 1), ("status", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("subprocess_id", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("customer_id", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("location_id", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("equipment_id", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("service_ids", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("parent_id", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("recurrence_id", 1), ("due", 1), ("_id", 1)],
        [("tenant", 1), ("follows.task_id", 1), ("_id", 1)],
        [("tenant", 1), ("starts", 1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The task."""
        return [fact.event.task_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The task's card as it is now."""
        return card(doc, fact)


def card(doc: Document | None, fact: Recorded) -> Document | None:
    """A task in short; None until it is opened."""
    if isinstance(fact.event, TaskOpened):
        doc = _opened(fact.event, stamp(fact.at))
    if doc is None:
        return None
    changed = {**doc, **_changes(doc, fact), "version": fact.version, "updated_at": stamp(fact.at)}
    changed["stage_name"] = changed["stage_names"].get(changed["stage"])
    return changed


def _opened(event: TaskOpened, at: str) -> Document:
    return {
        "title": shown(event.title),
        "process_id": event.process_id,
        "subprocess_id": event.subprocess_id,
        "list_id": event.list_id,
        "form_ids": list(event.form_ids),
        "service_ids": list(event.service_ids),
        "customer_id": event.customer_id,
        "location_id": event.location_id,
        "equipment_id": event.equipment_id,
        "user_id": None,
        "team_id": None,
        "parent_id": event.parent_id,
        "recurrence_id": event.recurrence_id,
        "follows": None,
        "blocks_parent": event.blocks_parent,
        "opened_by": event.opened_by,
        "opened_at": at,
        "completed_at": None,
        **_staged(event),
        **_scheduled(event.window),
        **_prioritised(event.priority),
    }


def _changes(doc: Document, fact: Recorded) -> Document:
    match fact.event:
        case TaskAssigned(user_id=user_id, team_id=team_id) | TaskClaimed(user_id=user_id, team_id=team_id):
            return {"user_id": user_id, "team_id": team_id}
        case TaskFollowsUp(follows=follows):
            return {"follows": follows.model_dump()}
        case TaskAdvanced(to_stage=stage, generic_state=generic_state):
            at = doc["completed_at"] or stamp(fact.at) if generic_state == "completed" else None
            return {"stage": stage, "status": generic_state, "completed_at": at}
        case TaskReopened(to_stage=stage, generic_state=generic_state):
            return {"stage": stage, "status": generic_state, "completed_at": None}
        case TaskCancelled():
            return {"status": "cancelled"}
        case TaskRetitled(title=title):
            return {"title": shown(title)}
        case TaskReclassified(process_id=process_id, subprocess_id=subprocess_id):
            return {"process_id": process_id, "subprocess_id": subprocess_id}
        case StagesInherited():
            return {"list_id": fact.event.list_id, **_staged(fact.event)}
        case TaskCustomerChanged(customer_id=customer_id, location_id=location_id):
            return {"customer_id": customer_id, "location_id": location_id}
        case TaskEquipmentChanged(equipment_id=equipment_id):
            return {"equipment_id": equipment_id}
        case TaskRescheduled(window=window):
            return _scheduled(window)
        case TaskReprioritised(priority=priority):
            return _prioritised(priority)
        case TaskFormsChanged(form_ids=form_ids):
            return {"form_ids": list(form_ids)}
        case TaskServicesChanged(service_ids=service_ids):
            return {"service_ids": list(service_ids)}
        case _:
            return {}


def _staged(event: TaskOpened | StagesInherited) -> Document:
    return {
        "stages": [stage.model_dump(mode="json") for stage in event.stages],
        "stage_names": {} if isinstance(event.stage_names, Erased) else event.stage_names,
        "stage": event.stages[0].stage_id,
        "status": "pending",
    }


def _scheduled(window: Window) -> Document:
    """A window with one end counts as that moment; without any, the task is on no agenda and never due."""
    start, end = stamped(window.start), stamped(window.end)
    return {
        "window": {"start": start, "end": end},
        "starts": start or end or NEVER,
        "ends": end or start or "",
        "due": end or NEVER,
    }


def _prioritised(priority: Priority) -> Document:
    return {"priority": priority, "rank": RANKS[priority]}


class Chosen(Choice, Query):
    """Which tasks: each filter narrows."""


class BoardQuery(Chosen, Paged):
    """A page of the board, with the number of tasks in each column.

    The columns are the generic states with "cancelled", or the stages of a process's list.
    """

    order: Literal["due", "priority", "newest"] = "due"
    columns: Literal["status", "stage", "none"] = "status"


class AgendaQuery(Chosen):
    """What happens between two moments, in order of start."""

    from_: Annotated[AwareDatetime, Field(alias="from")]
    to: AwareDatetime
    cursor: Annotated[str, Field(max_length=500)] | None = None
    limit: Limit = 100


ORDERS: Mapping[str, Sequence[tuple[str, int]]] = {
    "due": [("due", 1)],
    "priority": [("rank", 1), ("due", 1)],
    "newest": [("opened_at", -1)],
}
_EQUAL = (
    "stage", "user_id", "team_id", "process_id", "subprocess_id",
    "customer_id", "location_id", "equipment_id", "parent_id", "recurrence_id",
    "priority",
)  # fmt: skip


def chosen_filter(query: Chosen, ask: Ask) -> list[Mapping[str, Any]]:
    """What is chosen, as far as the caller sees it."""
    equal = {name: value for name in _EQUAL if (value := getattr(query, name)) is not None}
    wanted: list[Mapping[str, Any]] = [view(ask).filter(), equal]
    if query.service_id is not None:
        wanted.append({"service_ids": query.service_id})
    if query.unassigned:
        wanted.append({"user_id": None})
    if query.overdue:
        wanted.append({"due": {"$lt": stamp(ask.now)}, "status": {"$in": ["pending", "in_progress"]}})
    return [part for part in wanted if part]


def narrowed(query: Chosen, ask: Ask) -> Mapping[str, Any]:
    """What a query chooses of what its caller sees, as a filter of tasks."""
    status = [{"status": {"$in": list(query.status)}}] if query.status else []
    return _all([*chosen_filter(query, ask), *status])


def _all(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"$and": list(parts)} if parts else {}


def find_board(query: BoardQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of cards; the columns' counts come with the first page only."""
    demand(ask.caller, "tasks:read")
    chosen = chosen_filter(query, ask)
    rows, following = page(ask, "task_board", narrowed(query, ask), query, by=ORDERS[query.order])
    answer = {"items": named(ask, rows), "next": following}
    if query.cursor is None and query.columns != "none":
        answer["columns"] = _columns(query, ask, chosen)
    return answer


def _columns(query: BoardQuery, ask: Ask, chosen: Sequence[Mapping[str, Any]]) -> list[Document]:
    board = ask.reads["task_board"]
    if query.columns == "status":
        return [{"status": s, "count": board.count(_all([*chosen, {"status": s}]))} for s in STATUSES]
    process = ask.reads["processes"].one(query.process_id or "")
    if process is None:
        raise Rejected("process-unknown", process_id=query.process_id)
    pipeline = ask.reads["status_lists"].one(process["list_id"] or "") or {"stages": []}
    return [
        {
            "stage": stage["stage_id"],
            "name": stage["name"],
            "status": stage["generic_state"],
            "count": board.count(_all([*chosen, {"stage": stage["stage_id"], "status": stage["generic_state"]}])),
        }
        for stage in pipeline["stages"]
    ]


def find_agenda(query: AgendaQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of what overlaps the time asked for."""
    demand(ask.caller, "tasks:read")
    parts: list[Mapping[str, Any]] = [
        *chosen_filter(query, ask),
        {"starts": {"$lt": stamp(query.to)}, "ends": {"$gte": stamp(query.from_)}},
    ]
    if query.status:
        parts.append({"status": {"$in": list(query.status)}})
    paged = Paged(cursor=query.cursor, limit=query.limit)
    rows, following = page(ask, "task_board", _all(parts), paged, by=[("starts", 1)])
    return {"items": named(ask, rows), "next": following}


def named(ask: Ask, rows: Sequence[Document]) -> list[Document]:
    """Cards for people: with the names of customer, equipment, process and subprocess as they are now."""
    customers = _by_id(ask, "customers", {row["customer_id"] for row in rows})
    equipment = _by_id(ask, "equipment", {row.get("equipment_id") for row in rows})
    processes = _by_id(ask, "processes", {row["process_id"] for row in rows})
    subprocesses = {s["subprocess_id"]: s for p in processes.values() for s in p["subprocesses"]}
    now = stamp(ask.now)
    return [
        {
            **without(row, *FOR_FINDING),
            "customer_name": customers.get(row["customer_id"], {}).get("name"),
            "equipment_name": equipment.get(row.get("equipment_id"), {}).get("name"),
            "process_name": processes.get(row["process_id"], {}).get("name"),
            "subprocess_name": subprocesses.get(row["subprocess_id"], {}).get("name"),
            "overdue": row["due"] < now and row["status"] in ("pending", "in_progress"),
        }
        for row in rows
    ]


def _by_id(ask: Ask, model: str, ids: set[str | None]) -> dict[str | None, Document]:
    wanted = [f"{ask.caller.tenant}:{id}" for id in sorted(filter(None, ids))]
    return {row["id"]: row for row in ask.reads[model].find({"_id": {"$in": wanted}})} if wanted else {}


QUERIES: Mapping[str, Answers] = {"task_board": (BoardQuery, find_board), "agenda": (AgendaQuery, find_agenda)}
