"""What technicians did without a network and what could not take effect by itself: a supervisor decides."""

from __future__ import annotations

from typing import Literal

from pydantic import Field
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import Body, Cursor, Found, Id, Limit, Listed, PathId, Reason, Receipt, given

router = resource("parked-work")

SERVICE = "tasks"
EDIT = "tasks:edit"


class Release(Body):
    """Try it once more; with `reassign`, its task is given (back) to whoever did it first."""

    reassign: bool = Field(default=False, examples=[True])


class Discard(Body):
    """Why it shall have no effect; what was handed in stays in the log."""

    reason: Reason = Field(examples=["The visit was made twice."])


@router.get("/parked-work", summary="Parked work", response_model=Listed, **needs(EDIT))
async def parked_work(
    call: CallDep,
    state: Literal["waiting", "released", "discarded"] = "waiting",
    user_id: Id | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The oldest first, of the people one leads."""
    return await call.query(SERVICE, "parked_work", given(state=state, user_id=user_id, limit=limit, cursor=cursor))


@router.get("/parked-work/{work_id}", summary="One parked command", response_model=Found, **needs(EDIT))
async def one_parked_work(work_id: PathId, call: CallDep) -> Response:
    """With everything the phone sent."""
    return await call.query(SERVICE, "one_parked_work", {"work_id": str(work_id)})


@router.post("/parked-work/{work_id}/release", summary="Let it take effect", response_model=Receipt, **needs(EDIT))
async def release_parked_work(work_id: PathId, call: CallDep, body: Release | None = None) -> Response:
    """As the work of whoever did it. A second time changes nothing."""
    data = {**(body.data() if body else {}), "work_id": str(work_id)}
    return await call.command(SERVICE, "release_parked_work", data)


@router.post("/parked-work/{work_id}/discard", summary="Put it aside", response_model=Receipt, **needs(EDIT))
async def discard_parked_work(work_id: PathId, body: Discard, call: CallDep) -> Response:
    """For good, with a reason."""
    return await call.command(SERVICE, "discard_parked_work", {**body.data(), "work_id": str(work_id)})
