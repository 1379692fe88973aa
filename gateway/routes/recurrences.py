"""Recurring work: planned once, done again and again."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import (
    PRINTABLE,
    Body,
    Cursor,
    Found,
    Id,
    Limit,
    Listed,
    Moment,
    PathId,
    Receipt,
    given,
)
from gateway.routes.tasks import EditWork, Work

router = resource("recurrences")

SERVICE = "tasks"
EDIT = "tasks:edit"

Rule = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500, pattern=PRINTABLE)]
WallClock = Annotated[str, StringConstraints(pattern=r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$")]
Zone = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]
Minutes = Annotated[int, Field(ge=1, le=44_640)]
Upcoming = Annotated[int, Query(ge=1, le=50, description="How many times to come.")]


class StartRecurrence(Work):
    """A plan and a rule of RFC 5545 that says when, on the wall clock of a time zone."""

    rule: Rule = Field(examples=["FREQ=MONTHLY;BYDAY=-1FR"])
    starts: WallClock = Field(examples=["2026-12-01T08:00"], description="Where the rule begins, without a zone.")
    zone: Zone | None = Field(default=None, examples=["America/Bogota"], description="The account's when absent.")
    minutes: Minutes | None = Field(default=None, examples=[120], description="How long the window is.")


class ChangeRecurrence(EditWork):
    """Only what is given changes, for the times that have not begun; null clears what can be absent."""

    rule: Rule | None = Field(default=None, examples=["FREQ=WEEKLY;BYDAY=MO"])
    starts: WallClock | None = None
    zone: Zone | None = None
    minutes: Minutes | None = None
    user_id: Id | None = None
    team_id: Id | None = None


class SkipOccurrence(Body):
    """The time that is left out."""

    start: Moment = Field(examples=["2026-12-25T13:00:00Z"])


@router.post("/recurrences", status_code=201, summary="Plan recurring work", response_model=Receipt, **needs(EDIT))
async def start_recurrence(body: StartRecurrence, call: CallDep) -> Response:
    """Its tasks are opened a fortnight ahead, each exactly once."""
    data = {name: value for name, value in body.data().items() if name != "zone" or value is not None}
    data["recurrence_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "start_recurrence", data, created="/v1/recurrences/{id}")


@router.get("/recurrences", summary="All recurring work", response_model=Listed, **needs(EDIT))
async def recurrences(
    call: CallDep,
    status: Literal["active", "finished", "ended"] | None = None,
    customer_id: Id | None = None,
    process_id: Id | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The newest first."""
    params = given(status=status, customer_id=customer_id, process_id=process_id, limit=limit, cursor=cursor)
    return await call.query(SERVICE, "recurrences", params)


@router.get("/recurrences/preview", summary="Try a rule", response_model=Found, **needs(EDIT))
async def preview_recurrence(
    call: CallDep,
    rule: Annotated[str, Query(min_length=1, max_length=500, pattern=PRINTABLE, examples=["FREQ=DAILY"])],
    starts: Annotated[
        str, Query(pattern=r"^2[0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}$", examples=["2026-12-01T08:00"])
    ],
    zone: Annotated[str | None, Query(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")] = None,
    after: Moment | None = None,
    upcoming: Upcoming = 10,
) -> Response:
    """When it would come true; nothing is planned by asking."""
    params = given(rule=rule, starts=starts, zone=zone, after=after, upcoming=upcoming)
    return await call.query(SERVICE, "preview_recurrence", params)


@router.get("/recurrences/{recurrence_id}", summary="Recurring work", response_model=Found, **needs(EDIT))
async def recurrence(recurrence_id: PathId, call: CallDep, upcoming: Upcoming = 10) -> Response:
    """The plan, what came of the latest times, and the times to come."""
    params = {"recurrence_id": str(recurrence_id), "upcoming": upcoming}
    return await call.query(SERVICE, "recurrence", params)


@router.patch("/recurrences/{recurrence_id}", summary="Change recurring work", response_model=Receipt, **needs(EDIT))
async def change_recurrence(recurrence_id: PathId, body: ChangeRecurrence, call: CallDep) -> Response:
    """Tasks that are open and have not begun follow; those changed by hand keep what was changed."""
    data = {**body.cleared(), "recurrence_id": str(recurrence_id)}
    return await call.command(SERVICE, "change_recurrence", data)


@router.post("/recurrences/{recurrence_id}/skip", summary="Leave one time out", response_model=Receipt, **needs(EDIT))
async def skip_occurrence(recurrence_id: PathId, body: SkipOccurrence, call: CallDep) -> Response:
    """Its task is cancelled when it is open already."""
    return await call.command(SERVICE, "skip_occurrence", {**body.data(), "recurrence_id": str(recurrence_id)})


@router.post("/recurrences/{recurrence_id}/end", summary="End recurring work", response_model=Receipt, **needs(EDIT))
async def end_recurrence(recurrence_id: PathId, call: CallDep) -> Response:
    """Tasks to come that nobody has begun are cancelled."""
    return await call.command(SERVICE, "end_recurrence", {"recurrence_id": str(recurrence_id)})
