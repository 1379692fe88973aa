"""For those who watch over the process: is it up, is it ready for requests."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.calls import json_response
from gateway.health import Health

router = APIRouter(tags=["health"], generate_unique_id_function=lambda route: route.name)


@router.get("/healthz", summary="The process is up", response_model=dict[str, str])
async def healthz() -> Response:
    """Answers as long as the process can answer at all."""
    return json_response({"status": "ok"})


@router.get(
    "/readyz",
    summary="Broker and services answer",
    response_model=dict[str, str],
    responses={503: {"description": "Some part does not answer; which one stands in the body."}},
)
async def readyz(request: Request) -> Response:
    """Each part by name. Revocations that are stale do not make it unready: requests are then checked one by one."""
    health: Health = request.app.state.health
    parts = await health.parts()
    ready = "down" not in parts.values()
    return json_response({"status": "ok" if ready else "unavailable", **parts}, status=200 if ready else 503)


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> Response:
    """The document, which never changes while the process lives."""
    body: bytes | None = getattr(request.app.state, "openapi_document", None)
    if body is None:
        body = request.app.state.openapi_document = orjson.dumps(request.app.openapi())
    return Response(body, media_type="application/json")
