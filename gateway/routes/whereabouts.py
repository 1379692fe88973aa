"""Where people are and were, who is near, and which tasks are where."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from gateway.door import CallDep, needs, resource, signed_in
from gateway.routes.fields import (
    EXAMPLE_ID,
    Body,
    Found,
    Id,
    Listed,
    Moment,
    PathId,
    Position,
    Receipt,
    given,
)
from gateway.routes.tasks import Chosen

router = resource("whereabouts")

SERVICE = "tasks"

Latitude = Annotated[float, Query(ge=-90, le=90, allow_inf_nan=False, examples=[4.65])]
Longitude = Annotated[float, Query(ge=-180, le=180, allow_inf_nan=False, examples=[-74.06])]
Fresh = Annotated[int, Query(ge=1, le=1_440, description="Heard of within so many minutes.")]


class Point(Body):
    """One fix of a device."""

    point_id: Id = Field(examples=[EXAMPLE_ID])
    at: Moment = Field(examples=["2026-12-01T13:00:00Z"])
    position: Position
    battery: int | None = Field(default=None, ge=0, le=100, examples=[64], description="Per cent.")


class RecordPoints(Body):
    """Points of the last days, in any order; what is known already is passed over."""

    device_id: Id | None = None
    points: Annotated[list[Point], Field(min_length=1, max_length=500)]


@router.post("/gps/points", status_code=201, summary="Record points", response_model=Receipt, **needs("gps"))
async def record_points(body: RecordPoints, call: CallDep) -> Response:
    """One's own."""
    return await call.command(SERVICE, "record_points", body.data(), created="/v1/gps/positions")


@router.get("/gps/positions", summary="Last positions", response_model=Listed, **needs("tasks:edit"))
async def positions(
    call: CallDep,
    user_id: Annotated[list[Id] | None, Query(max_length=200, description="Any of these.")] = None,
    team_id: Id | None = None,
    fresh_minutes: Annotated[int | None, Query(ge=1, le=44_640, description="Heard of within so many minutes.")] = None,
) -> Response:
    """Of everybody in view, the latest first, with what is left of the battery."""
    return await call.query(SERVICE, "positions", given(user_ids=user_id, team_id=team_id, fresh_minutes=fresh_minutes))


@router.get("/gps/routes/{user_id}", summary="The route of a day", response_model=Found, **signed_in())
async def route(
    user_id: PathId, call: CallDep, day: Annotated[date | None, Query(examples=["2026-12-01"])] = None
) -> Response:
    """One's own, or that of somebody in view; the day is one of the account's calendar, today when absent."""
    params = {"user_id": str(user_id), **({} if day is None else {"day": day.isoformat()})}
    return await call.query(SERVICE, "route", params)


@router.get("/technicians/nearest", summary="Who is near", response_model=Listed, **needs("tasks:edit"))
async def nearest_technicians(
    call: CallDep,
    lat: Latitude,
    lon: Longitude,
    fresh_minutes: Fresh = 60,
    within_m: Annotated[int | None, Query(ge=1, le=1_000_000)] = None,
    team_id: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=50)] = 10,
) -> Response:
    """Technicians by distance, with how far they are and how many tasks they have begun."""
    params = given(lat=lat, lon=lon, fresh_minutes=fresh_minutes, within_m=within_m, team_id=team_id, limit=limit)
    return await call.query(SERVICE, "nearest_technicians", params)


@router.get("/map", summary="Tasks on the map", response_model=Listed, **needs("tasks:read"))
async def task_map(
    call: CallDep,
    chosen: Chosen,
    south: Latitude,
    west: Longitude,
    north: Latitude,
    east: Longitude,
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 500,
) -> Response:
    """Those at locations within the bounds; `more` says that there are more."""
    bounds = given(south=south, west=west, north=north, east=east, limit=limit)
    return await call.query(SERVICE, "map", chosen | bounds | given(**{"from": start}, to=end))
