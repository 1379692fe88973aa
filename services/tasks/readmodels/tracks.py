"""Where people are and were: the last position of each, and the route of each day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.readmodel import ReadModel
from services.kernel.shown import stamp
from services.tasks.domain.track import Point, PointsRecorded, track_id
from services.tasks.domain.values import Position, distance_m
from services.tasks.standing import demand, teams_of, time_zone, view

Document = dict[str, Any]
CLOCK_OFF = timedelta(minutes=5)
"""A point from further in the future says that the device's clock is wrong; it is never anybody's last one."""
LONGEST_BATCH = timedelta(days=3)
"""What is recorded together was taken within that time."""
FARTHEST_M = 20_100_000
MOST_PEOPLE = 5_000


def points_of(fact: Recorded) -> tuple[Point, ...]:
    """The points of a fact; none once the person was erased."""
    event: PointsRecorded = fact.event
    return () if isinstance(event.points, Erased) else event.points


def _shown(point: Point) -> Document:
    return {"at": stamp(point.at), **point.position.model_dump(), "battery": point.battery}


class LastPositions(ReadModel):
    """One document per person."""

    name = "last_positions"
    categories = ("track",)
    indexes = ([("tenant", 1), ("at", -1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The person."""
        return [fact.event.user_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The latest fix, whatever the order in which they came."""
        until = stamp(fact.at + CLOCK_OFF)
        fixes = [_shown(point) for point in points_of(fact)]
        latest = max((fix for fix in fixes if fix["at"] <= until), key=lambda fix: str(fix["at"]), default=None)
        if latest is None or (doc is not None and doc["at"] >= latest["at"]):
            return doc
        return {**latest, "device_id": fact.event.device_id, "received_at": stamp(fact.at)}


class Routes(ReadModel):
    """One document per track. A batch that reaches over midnight stands on the track of the day it began in."""

    name = "routes"
    categories = ("track",)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The track."""
        return [track_id(fact.event.user_id, fact.event.day)] if points_of(fact) else []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The points in the order of the device's clock."""
        known = doc["points"] if doc else []
        new = [{"id": point.point_id, **_shown(point)} for point in points_of(fact)]
        return {"zone": fact.event.zone, "points": sorted([*known, *new], key=lambda point: str(point["at"]))}


class PositionsQuery(Query):
    """Where the people in view are, or some of them; with `fresh_minutes`, those who were heard of since."""

    user_ids: Annotated[tuple[str, ...], Field(max_length=200)] = ()
    team_id: str | None = None
    fresh_minutes: Annotated[int, Field(ge=1, le=44_640)] | None = None


class RouteQuery(Query):
    """Where somebody was on a day of the account's calendar; today when no day is said."""

    user_id: str
    day: date | None = None


class NearestQuery(Query):
    """Who is nearest to a point, by where they were in the last minutes."""

    lat: Annotated[float, Field(ge=-90, le=90)]
    lon: Annotated[float, Field(ge=-180, le=180)]
    fresh_minutes: Annotated[int, Field(ge=1, le=1_440)] = 60
    within_m: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    team_id: str | None = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


def find_positions(query: PositionsQuery, ask: Ask) -> Mapping[str, Any]:
    """The last fix of each, the latest first."""
    demand(ask.caller, "tasks:edit")
    wanted = _people(ask, query.team_id)
    if query.user_ids:
        asked = frozenset(query.user_ids)
        wanted = asked if wanted is None else asked & wanted
    return {"items": _last(ask, wanted, query.fresh_minutes)}


def find_route(query: RouteQuery, ask: Ask) -> Mapping[str, Any]:
    """The points of the day, and how long the way through them is. One's own, or that of people in view."""
    if query.user_id != ask.caller.actor:
        demand(ask.caller, "tasks:edit")
        people = _people(ask, None)
        known = ask.reads["directory"].one(f"user:{query.user_id}")
        if known is None or (people is not None and query.user_id not in people):
            raise Rejected("user-unknown", user_id=query.user_id)
    day = query.day or ask.now.astimezone(ZoneInfo(time_zone(ask))).date()
    points = _of_day(ask, query.user_id, day)
    fixes = [Position(lat=point["lat"], lon=point["lon"]) for point in points]
    return {
        "user_id": query.user_id,
        "day": day.isoformat(),
        "points": points,
        "length_m": round(sum(distance_m(one, other) for one, other in pairwise(fixes))),
    }


def _of_day(ask: Ask, user_id: str, day: date) -> list[Document]:
    found: dict[str, Document] = {}
    for back in range(LONGEST_BATCH.days + 1):
        doc = ask.reads["routes"].one(track_id(user_id, day - timedelta(days=back)))
        for point in doc["points"] if doc else ():
            if _day_of(point["at"], doc["zone"]) == day:
                found.setdefault(point["at"], point)
    return [found[at] for at in sorted(found)]


def _day_of(at: str, zone: str) -> date:
    return datetime.fromisoformat(at).astimezone(ZoneInfo(zone)).date()


def find_nearest(query: NearestQuery, ask: Ask) -> Mapping[str, Any]:
    """Technicians who can be given work, the nearest first, with how far they are and what they have begun."""
    demand(ask.caller, "tasks:edit")
    active = ask.reads["directory"].find({"kind": "user", "role": "technician", "active": True})
    people = frozenset(doc["id"].removeprefix("user:") for doc in active)
    in_view = _people(ask, query.team_id)
    here = Position(lat=query.lat, lon=query.lon)
    found = [
        {**row, "away_m": round(distance_m(here, Position(lat=row["lat"], lon=row["lon"])))}
        for row in _last(ask, people if in_view is None else people & in_view, query.fresh_minutes)
    ]
    near = sorted((row for row in found if row["away_m"] <= (query.within_m or FARTHEST_M)), key=_by_distance)
    board = ask.reads["task_board"]
    return {
        "items": [
            {**row, "in_progress": board.count({"user_id": row["user_id"], "status": "in_progress"})}
            for row in near[: query.limit]
        ]
    }


def _by_distance(row: Document) -> tuple[int, str]:
    return row["away_m"], row["user_id"]


def _last(ask: Ask, people: Iterable[str] | None, fresh_minutes: int | None) -> list[Document]:
    wanted: Document = {}
    if fresh_minutes is not None:
        wanted["at"] = {"$gte": stamp(ask.now - timedelta(minutes=fresh_minutes))}
    rows = ask.reads["last_positions"].find(wanted, sort=[("at", -1)], limit=MOST_PEOPLE)
    in_view = None if people is None else frozenset(people)
    return [{"user_id": row.pop("id"), **row} for row in rows if in_view is None or row["id"] in in_view]


def _people(ask: Ask, team_id: str | None) -> frozenset[str] | None:
    """Whose positions the caller may see: everybody's (None), or those of his teams' people."""
    seen = view(ask)
    teams = teams_of(ask)
    if team_id is not None:
        hidden = team_id not in teams.teams or not (seen.everything or team_id in seen.teams)
        return frozenset() if hidden else teams.people_of([team_id])
    return None if seen.everything else teams.people_of(seen.teams)


QUERIES: Mapping[str, Answers] = {
    "positions": (PositionsQuery, find_positions),
    "route": (RouteQuery, find_route),
    "nearest_technicians": (NearestQuery, find_nearest),
}
