"""What waits for a person: streams that stand still, facts that came too early, messages nobody can read."""

from __future__ import annotations

from typing import Any

from services.kernel import health
from services.kernel.handlers import of_reaction, of_subscription
from services.kernel.inbox import Handler, Inbox, cursor_id
from services.kernel.message import Unreadable
from services.kernel.platform import Platform

Row = dict[str, Any]


class NothingThere(Exception):
    """No such handler, or nothing of that stream waits there."""


def parked(platform: Platform) -> list[Row]:
    """Every stream that does not move, with the version it waits for or stumbled over, and why."""
    rows = _standing_still(platform) + _waiting(platform) + _unreadable(platform) + _unfolded(platform)
    return [{"service": platform.definition.name, **row} for row in rows]


def unpark(platform: Platform, handler: str, stream: str, *, skip: bool) -> Row:
    """Let a stream go on, over the fact that stopped it (`skip`) or with it. Raises NothingThere."""
    found = _handler(platform, handler)
    inbox = Inbox(platform.db, found, platform.clock)
    at = {"handler": found.name, "stream": stream}
    if platform.db["inbox_parked"].find_one({**at, "unreadable": True}) is not None:
        return _unpark_unreadable(platform, inbox, at, skip)
    cursor = {"_id": cursor_id(found.name, stream)}
    blocked = platform.db["inbox_cursors"].find_one({**cursor, "blocked": {"$exists": True}})
    waiting = platform.db["inbox_parked"].find_one(at)
    if blocked is None and waiting is None:
        raise NothingThere(f"nothing of {stream} waits at {found.name}")
    if skip and blocked is None:
        # A gap is filled by the source; to pass over it would lose a fact that is merely late.
        raise NothingThere(f"{stream} waits at {found.name} for an earlier fact, it is not blocked: replay it")
    applied = inbox.unpark(stream, skip=skip)
    now = platform.db["inbox_cursors"].find_one(cursor) or {"version": 0}
    # What another consumer has just applied may lie there a moment longer, but waits for nothing.
    waiting_still = {**at, "version": {"$gt": now["version"]}}
    return {
        "handler": found.name,
        "stream": stream,
        "skipped": blocked["blocked"]["version"] if skip and blocked else None,
        "applied": applied,
        "blocked_again": now["blocked"]["reason"] if "blocked" in now else None,
        "still_waiting": platform.db["inbox_parked"].count_documents(waiting_still),
    }


def _standing_still(platform: Platform) -> list[Row]:
    query = {"handler": {"$in": health.handlers(platform)}, "blocked.at": {"$exists": True}}
    return [
        {
            "kind": "blocked",
            "handler": row["handler"],
            "stream": row["stream"],
            "version": row["blocked"]["version"],
            "since": row["blocked"]["at"],
            "waiting": platform.db["inbox_parked"].count_documents(
                {"handler": row["handler"], "stream": row["stream"]}
            ),
            "reason": row["blocked"]["reason"],
        }
        for row in platform.db["inbox_cursors"].find(query).sort("blocked.at", 1)
    ]


def _waiting(platform: Platform) -> list[Row]:
    groups = platform.db["inbox_parked"].aggregate(
        [
            {"$match": {"handler": {"$in": health.handlers(platform)}, "unreadable": None}},
            {
                "$group": {
                    "_id": {"handler": "$handler", "stream": "$stream"},
                    "since": {"$min": "$parked_at"},
                    "waiting": {"$sum": 1},
                }
            },
            {"$sort": {"since": 1}},
        ]
    )
    rows = []
    for group in groups:
        at = group["_id"]
        cursor = platform.db["inbox_cursors"].find_one({"_id": cursor_id(**at)}) or {"version": 0}
        if "blocked" not in cursor:
            missing = cursor["version"] + 1
            why = f"version {missing} has not come"
            rows.append(
                {
                    "kind": "gap",
                    **at,
                    "version": missing,
                    "since": group["since"],
                    "waiting": group["waiting"],
                    "reason": why,
                }
            )
    return rows


def _unreadable(platform: Platform) -> list[Row]:
    query = {"handler": {"$in": health.handlers(platform)}, "unreadable": True}
    return [
        {
            "kind": "unreadable",
            "handler": row["handler"],
            "stream": row["stream"],
            "version": 0,
            "since": row["parked_at"],
            "waiting": 1,
            "reason": row["reason"],
        }
        for row in platform.db["inbox_parked"].find(query).sort("parked_at", 1)
    ]


def _unfolded(platform: Platform) -> list[Row]:
    rows = []
    for model in platform.definition.read_models:
        shelf = platform.reads.shelf(model.name)
        generation = shelf.live()
        rows += [
            {
                "kind": "read model",
                "handler": generation,
                "stream": stream,
                "version": stop["version"],
                "since": stop["at"],
                "waiting": 0,
                "reason": stop["reason"],
            }
            for stream, stop in sorted(shelf.blocked(generation).items())
        ]
    return rows


def _handler(platform: Platform, name: str) -> Handler:
    """By the name in the list, or for a read model's subscription without its generation."""
    for reaction in platform.definition.reactions:
        if reaction.name == name:
            return of_reaction(reaction, platform)
    for subscription in platform.definition.subscriptions:
        handler = of_subscription(subscription, platform)
        if name in (handler.name, subscription.handler):
            return handler
    if any(name == model.name or name.startswith(f"{model.name}@") for model in platform.definition.read_models):
        raise NothingThere(f"{name} is a read model of own facts: mend the code, then rebuild it")
    raise NothingThere(f"no handler {name}; there are: {', '.join(health.handlers(platform)) or 'none'}")


def _unpark_unreadable(platform: Platform, inbox: Inbox, at: Row, skip: bool) -> Row:
    shelf = platform.db["inbox_parked"]
    row = shelf.find_one({**at, "unreadable": True})
    assert row is not None
    applied, again = 0, None
    if not skip:
        try:
            applied = int(inbox.receive(inbox.read(row["body"]), row["body"]) == "applied")
        except Unreadable as unreadable:
            again = str(unreadable)[:300]
    if again is None:
        shelf.delete_one({"_id": row["_id"]})
    return {**at, "skipped": 0 if skip else None, "applied": applied, "blocked_again": again, "still_waiting": 0}
