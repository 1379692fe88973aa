"""A track is where somebody's device was in the course of a day; points are added in batches and each counts once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, assert_never

from pydantic import AwareDatetime, Field

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, Subject
from services.tasks.domain.values import Id, Position, Value

MOST_POINTS = 20_000
"""On one track: one every four seconds, day and night."""

Percent = Annotated[int, Field(ge=0, le=100)]


class Point(Value):
    """One fix: when by the device's clock, where, and how much battery was left."""

    point_id: Id
    at: AwareDatetime
    position: Position
    battery: Percent | None = None


class PointsRecorded(Event):
    """More of where somebody was; `zone` says whose midnight parts one day from the next."""

    user_id: str
    day: date
    zone: str
    device_id: str | None
    point_ids: tuple[str, ...]
    points: Annotated[tuple[Point, ...] | Erased, Subject("user_id")]


TrackEvent = PointsRecorded


class RecordPoints(Command):
    """Add points; those that are known, or were taken at a known moment, are passed over."""

    track_id: str
    user_id: Id
    day: date
    zone: str
    device_id: Id | None = None
    points: Annotated[tuple[Point, ...], Field(min_length=1, max_length=500)]


TrackCommand = RecordPoints


@dataclass(frozen=True, slots=True)
class Track:
    """Which points there are."""

    ids: frozenset[str] = frozenset()
    times: frozenset[AwareDatetime] = frozenset()


initial_state = Track()


def track_id(user_id: str, day: date) -> str:
    """The id of somebody's track of a day."""
    return f"{user_id}.{day.isoformat()}"


def decide(command: TrackCommand, state: Track) -> list[TrackEvent]:
    match command:
        case RecordPoints():
            new = _new(command.points, state)
            if not new:
                return []
            if len(state.ids) + len(new) > MOST_POINTS:
                raise Rejected("track-full", most=MOST_POINTS)
            return [
                PointsRecorded(
                    user_id=command.user_id,
                    day=command.day,
                    zone=command.zone,
                    device_id=command.device_id,
                    point_ids=tuple(point.point_id for point in new),
                    points=new,
                )
            ]
        case _:
            assert_never(command)


def _new(points: tuple[Point, ...], state: Track) -> tuple[Point, ...]:
    ids, times, new = set(state.ids), set(state.times), []
    for point in points:
        if point.point_id not in ids and point.at not in times:
            ids.add(point.point_id)
            times.add(point.at)
            new.append(point)
    return tuple(new)


def evolve(state: Track, event: TrackEvent) -> Track:
    match event:
        case PointsRecorded(point_ids=ids, points=points):
            times = () if isinstance(points, Erased) else tuple(point.at for point in points)
            return replace(state, ids=state.ids.union(ids), times=state.times.union(times))
        case _:
            assert_never(event)


track: Decider[TrackCommand, Track, TrackEvent] = Decider(
    "track", initial_state, decide, evolve, events={"PointsRecorded": PointsRecorded}
)
