"""Sends a device what changed for its person since it last asked, or everything when that cannot be said any more.

The cursor is a place in this service's log. Ours have no gaps and the order of commits, so what a reader has
passed stays passed; a cursor over places that can become visible late would lose facts for ever.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import heapq
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated, Any

from pydantic import Field

from services.kernel.application import Answers, Ask, Query
from services.kernel.domain import Rejected
from services.kernel.shown import stamp
from services.tasks.domain.device_log import DeviceLog, device_log
from services.tasks.domain.values import Id
from services.tasks.readmodels.field_feed import COMES_ALONG, for_device
from services.tasks.standing import demand, teams_of
from services.tasks.sync.push import log_id

Document = dict[str, Any]
Change = dict[str, Any]

AHEAD = timedelta(days=14)
BEHIND = timedelta(days=7)
KEPT = timedelta(days=90)
"""How long what left a device's scope is told; a device that stayed away for longer begins anew."""
DRIFT = timedelta(hours=1)
BUDGET, WARNED = 10_000, 8_000
FEED = "field_feed"
VERSION = 1


class PullQuery(Query):
    """What is new for a device's person behind the cursor; without one, everything."""

    device_id: Id
    cursor: Annotated[str, Field(max_length=600)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 500


@dataclass(frozen=True, slots=True)
class Cursor:
    """`position` of the log up to which is known; `at` when the window was last looked at; `after`: in a snapshot."""

    position: int
    at: str
    scope: str
    after: str | None = None
    sent: int = 0

    def to_text(self) -> str:
        """Opaque to clients."""
        fields = [VERSION, self.position, self.at, self.scope, self.after, self.sent]
        return base64.urlsafe_b64encode(json.dumps(fields, separators=(",", ":")).encode()).rstrip(b"=").decode()

    @classmethod
    def of(cls, text: str) -> Cursor | None:
        """What `to_text` wrote; None for another version's. Raises Rejected("cursor-invalid")."""
        try:
            version, position, at, scope, after, sent = json.loads(
                base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            )
            if version != VERSION:
                return None
            datetime.fromisoformat(at)
            cursor = cls(int(position), str(at), str(scope), None if after is None else str(after), int(sent))
        except (binascii.Error, ValueError, TypeError) as broken:
            raise Rejected("cursor-invalid") from broken
        return cursor


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose work a person carries: his own and his teams'; what begins within two weeks or ended within one."""

    keys: tuple[str, ...]
    now: datetime

    @property
    def name(self) -> str:
        """Another scope has another name, and its devices begin anew."""
        return hashlib.sha256("\n".join(self.keys).encode()).hexdigest()[:16]

    @property
    def now_text(self) -> str:
        """The moment of the window."""
        return stamp(self.now)

    def horizon(self, at: datetime | None = None) -> str:
        """Work that begins later is not carried yet."""
        return stamp((at or self.now) + AHEAD)

    def past(self, at: datetime | None = None) -> str:
        """Work that ended earlier is not carried any more."""
        return stamp((at or self.now) - BEHIND)

    def holds(self, doc: Document) -> bool:
        """Whether this task is carried now."""
        whose = not set(self.keys).isdisjoint(doc["whose"])
        return whose and doc["begins"] <= self.horizon() and doc["closed_at"] > self.past()

    def filter(self) -> Document:
        """The same as a filter of documents."""
        return {
            "kind": "task",
            "whose": {"$in": list(self.keys)},
            "begins": {"$lte": self.horizon()},
            "closed_at": {"$gt": self.past()},
        }


def pull(query: PullQuery, ask: Ask) -> Mapping[str, Any]:
    """One page. `through_seq`: up to which of its own commands the device sees everything in what it has pulled."""
    demand(ask.caller, "offline")
    scope = Scope(tuple(sorted({ask.caller.actor, *teams_of(ask).joined_by(ask.caller.actor)})), ask.now)
    cursor = Cursor.of(query.cursor) if query.cursor else None
    reset = cursor is None or _useless(cursor, scope, ask)
    if cursor is None or reset:
        cursor = Cursor(ask.followed(FEED), scope.now_text, scope.name, after="")
    page = _snapshot if cursor.after is not None else _delta
    changes, following, more = page(ask, scope, cursor, query.limit)
    own: DeviceLog = ask.state_at(device_log, log_id(query.device_id, ask.caller.actor), following.position)
    answer: Document = {
        "changes": changes,
        "cursor": following.to_text(),
        "more": more,
        "through_seq": 0 if following.after is not None else own.last_seq,
        "scope_hash": scope.name,
        "reset": reset,
        "forms": _forms(ask, scope),
    }
    if reset:
        answer["budget"] = _budget(ask, scope)
    return answer


def _useless(cursor: Cursor, scope: Scope, ask: Ask) -> bool:
    too_old = datetime.fromisoformat(cursor.at) < scope.now - KEPT
    return cursor.scope != scope.name or too_old or cursor.position > ask.followed(FEED)


def _snapshot(ask: Ask, scope: Scope, cursor: Cursor, limit: int) -> tuple[list[Change], Cursor, bool]:
    """Everything that is carried, in the order of keys; what changes meanwhile comes with the first delta."""
    behind = {"_id": {"$gt": f"{ask.caller.tenant}:{cursor.after}"}} if cursor.after else {}
    rows = ask.reads[FEED].find({**scope.filter(), **behind}, sort=[("_id", 1)], limit=min(limit, BUDGET))
    sent = cursor.sent + len(rows)
    last = len(rows) < limit or sent >= BUDGET
    following = replace(cursor, after=None if last else rows[-1]["id"], sent=sent)
    # It shows the place where it was begun; what has happened since is for the asking.
    return _with_what_comes_along(ask, rows), following, not last or cursor.position < ask.followed(FEED)


def _delta(ask: Ask, scope: Scope, cursor: Cursor, limit: int) -> tuple[list[Change], Cursor, bool]:
    end = ask.followed(FEED)
    span = {"$gt": cursor.position, "$lte": end}
    feed = ask.reads[FEED]
    tasks = feed.find(
        {"kind": "task", "ever": {"$in": list(scope.keys)}, "pos": span}, sort=[("pos", 1)], limit=limit + 1
    )
    others = feed.find({"kind": {"$in": list(COMES_ALONG)}, "pos": span}, sort=[("pos", 1)], limit=limit + 1)
    # Of each kind only what lies before the end of the other's page is known to be complete.
    ends = [rows[limit]["pos"] - 1 for rows in (tasks, others) if len(rows) > limit]
    until = min([end, *ends])
    rows = [row for row in heapq.merge(tasks, others, key=lambda row: int(row["pos"])) if row["pos"] <= until]
    taken = list(islice(rows, limit))
    if len(rows) > len(taken):
        until = rows[len(taken)]["pos"] - 1
        taken = [row for row in taken if row["pos"] <= until]
    carried = [row for row in taken if row["kind"] == "task" and scope.holds(row)]
    left = [row for row in taken if row["kind"] == "task" and not scope.holds(row)]
    changes = [
        *_removals(scope, left),
        *_with_what_comes_along(ask, carried),
        *_carried_along(ask, scope, [row for row in taken if row["kind"] != "task"], carried),
    ]
    following = replace(cursor, position=until)
    if scope.now - datetime.fromisoformat(cursor.at) >= DRIFT:
        changes += _drifted(ask, scope, datetime.fromisoformat(cursor.at))
        following = replace(following, at=scope.now_text)
    return changes, following, until < end


def _drifted(ask: Ask, scope: Scope, at: datetime) -> list[Change]:
    """What came into the window or fell out of it by nothing but the passing of time."""
    feed, whose = ask.reads[FEED], {"kind": "task", "whose": {"$in": list(scope.keys)}}
    come = feed.find({**whose, "begins": {"$gt": scope.horizon(at), "$lte": scope.horizon()}})
    gone = feed.find({**whose, "closed_at": {"$gt": scope.past(at), "$lte": scope.past()}})
    return _with_what_comes_along(ask, [row for row in come if scope.holds(row)]) + _removals(scope, gone)


def _with_what_comes_along(ask: Ask, rows: Iterable[Document]) -> list[Change]:
    rows = list(rows)
    wanted = [f"{ask.caller.tenant}:{name}" for name in sorted({name for row in rows for name in row["names"]})]
    along = ask.reads[FEED].find({"_id": {"$in": wanted}}) if wanted else []
    return [_put(row) for row in (*along, *rows)]


def _carried_along(ask: Ask, scope: Scope, others: list[Document], sent: list[Document]) -> list[Change]:
    """What changed by itself, of that which some carried task names and which was not just sent with one."""
    told = {name for row in sent for name in row["names"]}
    names = [row["id"] for row in others if row["id"] not in told]
    if not names:
        return []
    carried = set(ask.reads[FEED].distinct("names", {**scope.filter(), "names": {"$in": names}}))
    return [_put(row) for row in others if row["id"] in carried and row["id"] not in told]


def _put(row: Document) -> Change:
    kind, id = row["id"].split(":", 1)
    return {"op": "put", "kind": kind, "id": id, "version": row["data"]["version"], "data": for_device(row)}


def _removals(scope: Scope, rows: Iterable[Document]) -> list[Change]:
    keys = set(scope.keys)
    return [
        {
            "op": "remove",
            "kind": "task",
            "id": row["id"].removeprefix("task:"),
            "why": "unassigned" if keys.isdisjoint(row["whose"]) else "out_of_window",
        }
        for row in rows
    ]


def _forms(ask: Ask, scope: Scope) -> list[Document]:
    """The published version of every form that carried tasks ask for; its content is fetched by id and version."""
    wanted = ask.reads[FEED].distinct("data.form_ids", scope.filter())
    ids = [f"{ask.caller.tenant}:{id}" for id in sorted(wanted)]
    known = ask.reads["known_forms"].find({"_id": {"$in": ids}}, sort=[("_id", 1)]) if ids else []
    return [{name: row[name] for name in ("id", "version", "hash")} for row in known if row["active"]]


def _budget(ask: Ask, scope: Scope) -> Document:
    count = ask.reads[FEED].count(scope.filter())
    return {"documents": count, "limit": BUDGET, "warn": count >= WARNED, "exceeded": count > BUDGET}


QUERIES: Mapping[str, Answers] = {"sync_pull": (PullQuery, pull)}
