"""Who did what, when, from where."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.responses import Response, StreamingResponse

from gateway.calls import Call
from gateway.door import CallDep, needs, resource
from gateway.errors import Problem
from gateway.routes.fields import Cursor, Id, Limit, Listed, Moment, given
from services.kernel import logging

router = resource("history")

SERVICE = "identity"
READ = "history:read"
ROWS_PER_CHUNK = 200

log = logging.get(__name__)


def _filters(
    since: Annotated[Moment | None, Query(examples=["2026-11-01T00:00:00Z"])] = None,
    until: Annotated[Moment | None, Query(examples=["2026-12-01T00:00:00Z"])] = None,
    actor: Annotated[Id | None, Query(description="Who did it.")] = None,
    service: Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]+$")] = None,
    type: Annotated[str | None, Query(max_length=80, pattern=r"^[A-Za-z]+$", examples=["TaskAdvanced"])] = None,
    module: Annotated[str | None, Query(max_length=40, pattern=r"^[a-z_]+$")] = None,
) -> dict[str, Any]:
    return given(since=since, until=until, actor=actor, service=service, type=type, module=module)


Filters = Annotated[dict[str, Any], Depends(_filters)]


@router.get("/history", summary="The history", response_model=Listed, **needs(READ))
async def history(call: CallDep, filters: Filters, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """The latest first."""
    return await call.query(SERVICE, "history", filters | given(limit=limit, cursor=cursor))


@router.get(
    "/history.csv",
    summary="The history as CSV",
    response_class=Response,
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "All of it, streamed."}},
    **needs(READ),
)
async def history_csv(call: CallDep, filters: Filters) -> Response:
    """Everything that matches, however much it is."""
    first = await call.ask(SERVICE, "history_csv", filters | {"limit": ROWS_PER_CHUNK})
    return StreamingResponse(
        _pages(call, filters, first),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="history.csv"'},
    )


async def _pages(call: Call, filters: dict[str, Any], page: dict[str, Any]) -> AsyncIterator[str]:
    yield page["text"]
    while (cursor := page.get("next")) is not None:
        try:
            page = await call.ask(SERVICE, "history_csv", filters | {"limit": ROWS_PER_CHUNK, "cursor": cursor})
        except Problem as problem:
            # The status has been sent: only a connection cut short can tell that lines are missing.
            log.warning("export_cut_short", code=problem.code, correlation_id=call.context.correlation_id)
            raise
        yield page["text"]
