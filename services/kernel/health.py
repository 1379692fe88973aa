"""How a service is doing: how far everyone has followed its log, and what waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.kernel.process import cursor_id
from services.kernel.relay import Checkpoint

if TYPE_CHECKING:
    from services.kernel.platform import Platform


def report(platform: Platform) -> dict[str, Any]:
    """Head of the log and everyone's distance to it; facts on the shelf, streams that stand still, timers.

    `status` is "ok" when the database answers and nothing waits for a person, else "attention". It says
    nothing about processes: a relay that is down shows as a growing lag.
    """
    head = platform.store.head()
    read_models = [_own(platform, name, head) for name in sorted(m.name for m in platform.definition.read_models)]
    foreign = [_foreign(platform, name) for name in sorted(m.name for m in platform.definition.foreign_models)]
    inbox = _inbox(platform)
    timers = {"waiting": platform.timers.waiting(), "overdue": platform.timers.overdue()}
    blocked = inbox["blocked"] + sum(model["blocked"] for model in read_models)
    return {
        "service": platform.definition.name,
        "status": "ok" if blocked + inbox["unreadable"] == 0 else "attention",
        "head": head,
        "relay": _behind(platform, Checkpoint(platform.db).read(), head),
        "read_models": read_models,
        "foreign_models": foreign,
        "reactions": [
            {"name": name, **_behind(platform, _position(platform, cursor_id(name)), head)}
            for name in sorted(r.name for r in platform.definition.reactions)
        ],
        "inbox": inbox,
        "timers": timers,
    }


def handlers(platform: Platform) -> list[str]:
    """The names under which this service's cursors and shelves are kept at present.

    Those of a former generation of a read model are not among them: what it had parked concerns nobody.
    """
    definition, reads = platform.definition, platform.reads
    return [reaction.name for reaction in definition.reactions] + [
        s.handler if s.into is None else f"{s.handler}/{reads.shelf(s.into.name).live()}"
        for s in definition.subscriptions
    ]


def _own(platform: Platform, model: str, head: int) -> dict[str, Any]:
    shelf = platform.reads.shelf(model)
    generation = shelf.live()
    return {
        "name": model,
        "generation": generation,
        **_behind(platform, shelf.position(generation), head),
        "blocked": len(shelf.blocked(generation)),
    }


def _foreign(platform: Platform, model: str) -> dict[str, Any]:
    # What is still to come lies in the broker; here only what came and could not be folded yet.
    generation = platform.reads.shelf(model).live()
    mine = [name for name in handlers(platform) if name.endswith(f"/{generation}")]
    return {
        "name": model,
        "generation": generation,
        "parked": platform.db["inbox_parked"].count_documents({"handler": {"$in": mine}}),
    }


def _behind(platform: Platform, position: int, head: int) -> dict[str, Any]:
    """Position, commits still to follow, and since how long the first of them waits."""
    waiting = platform.store.after(position, 1) if position < head else []
    return {
        "position": position,
        "lag": max(head - position, 0),
        "lag_seconds": _age(platform, waiting[0].at) if waiting else 0.0,
    }


def _position(platform: Platform, cursor: str) -> int:
    row = platform.db["cursors"].find_one({"_id": cursor})
    return int(row["position"]) if row else 0


def _inbox(platform: Platform) -> dict[str, Any]:
    shelf, cursors = platform.db["inbox_parked"], platform.db["inbox_cursors"]
    mine = {"handler": {"$in": handlers(platform)}}
    oldest = shelf.find_one(mine, sort=[("parked_at", 1)], projection={"parked_at": 1})
    unreadable = shelf.count_documents({**mine, "unreadable": True})
    return {
        "parked": shelf.count_documents(mine) - unreadable,
        "unreadable": unreadable,
        "oldest_seconds": _age(platform, oldest["parked_at"]) if oldest else 0.0,
        "blocked": cursors.count_documents({**mine, "blocked.at": {"$exists": True}}),
    }


def _age(platform: Platform, since: datetime) -> float:
    return round(max((platform.clock.now() - since).total_seconds(), 0.0), 3)
