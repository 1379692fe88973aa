"""Tables of everything as XLSX or CSV, and evidence as ZIP: written in the background, fetched when they are ready."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import Request
from pydantic import Field, StringConstraints
from starlette.responses import Response, StreamingResponse

from gateway.calls import Call, json_response
from gateway.door import CallDep, needs, resource
from gateway.errors import Problem
from gateway.files import headers_of
from gateway.messages import describe
from gateway.ranges import wanted_part
from gateway.routes.fields import (
    EXAMPLE_ID,
    PRINTABLE,
    Body,
    Cursor,
    Found,
    Id,
    Language,
    Limit,
    Listed,
    Moment,
    PathId,
    Receipt,
    given,
)
from gateway.routes.tasks import TaskChoice
from gateway.sealed_files import Ticket, sealed_file
from gateway.uploads import ObjectStore

router = resource("exports")

READ, EDIT = "exports:read", "exports:edit"

Kind = Literal["tasks", "customers", "submissions", "media"]
KINDS: Mapping[str, str] = {"tasks": "tasks", "customers": "tasks", "submissions": "forms", "media": "media"}
"""Which service writes the exports of which kind."""

SERVICES = tuple(dict.fromkeys(KINDS.values()))


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_CONTENT = {
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": _BINARY,
    "application/zip": _BINARY,
    "text/csv": _BINARY,
}


class TaskFilters(TaskChoice):
    """Which tasks; `since` and `until` are about when they were opened."""

    since: Moment | None = None
    until: Moment | None = None


class CustomerFilters(Body):
    """Which customers: those whose code or a word of whose name begins so."""

    text: Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE)] | None = None


class SubmissionFilters(Body):
    """Which submissions of which form, in all its versions; `since` and `until` are about when they were received.

    Choices are told by label, by code or by both; with `split` each option of a multiple choice has a column too.
    """

    form_id: Id = Field(examples=[EXAMPLE_ID])
    task_id: Id | None = None
    user_id: Id | None = None
    status: list[Literal["accepted", "parked", "released", "discarded"]] = Field(default_factory=list, max_length=4)
    complete: bool | None = None
    since: Moment | None = None
    until: Moment | None = None
    choices: Literal["labels", "codes", "both"] = "both"
    split: bool = False


class MediaFilters(Body):
    """Which evidence: that of a task, a submission, a form or a person; `since` and `until` are about when it was
    handed in."""

    task_id: Id | None = None
    submission_id: Id | None = None
    form_id: Id | None = None
    user_id: Id | None = None
    since: Moment | None = None
    until: Moment | None = None


class RequestExport(Body):
    """What is wanted, as which file, in which language. Without filters, everything the caller may see.

    Submissions need the form of which they are. Media come as ZIP: the originals as they were taken, with a manifest
    (CSV and JSON) and `SHA256SUMS`.
    """

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    kind: Kind = Field(examples=["tasks"])
    format: Literal["xlsx", "csv", "zip"] | None = Field(
        default=None, description="XLSX unless said otherwise; CSV of several tables is a ZIP with one file each."
    )
    language: Language = "es"
    filters: TaskFilters | CustomerFilters | SubmissionFilters | MediaFilters | None = Field(
        default=None, examples=[{"status": ["completed"]}]
    )


@router.post("/exports", status_code=201, summary="Ask for an export", response_model=Receipt, **needs(EDIT))
async def request_export(body: RequestExport, call: CallDep) -> Response:
    """Written in the background; its page tells how far it is. The file is kept for seven days."""
    data = body.data()
    data["export_id"] = data.pop("id", None) or call.new_id()
    if data.get("format") is None:
        data.pop("format", None)
    data["filters"] = {name: value for name, value in (data.get("filters") or {}).items() if value is not None}
    return await call.command(KINDS[body.kind], "request_export", data, created="/v1/exports/{id}")


@router.get("/exports", summary="Exports", response_model=Listed, **needs(READ))
async def exports(call: CallDep, kind: Kind | None = None, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """One's own, the newest first; owner and administrators see everybody's."""
    asked = given(kind=kind, limit=limit, cursor=cursor)
    pages = [await _present(call, service, asked) for service in ([KINDS[kind]] if kind else SERVICES)]
    found = sorted((item for page in pages for item in page["items"]), key=lambda item: str(item["id"]))
    found.sort(key=lambda item: str(item["requested_at"]), reverse=True)
    shown, more = found[:limit], len(found) > limit or any(page["next"] for page in pages)
    following = shown[-1]["cursor"] if shown and more else None
    items = [_told(call, {name: value for name, value in item.items() if name != "cursor"}) for item in shown]
    return json_response({"items": items, "next": following})


@router.get("/exports/{export_id}", summary="An export", response_model=Found, **needs(READ))
async def show_export(export_id: PathId, call: CallDep) -> Response:
    """How many of how many are written; when it is ready, rows per table, size and SHA-256 of the file.

    What failed says why: `failed` has a code and a text.
    """
    _, found = await _wherever(call, "export", export_id)
    return json_response(_told(call, found))


@router.get(
    "/exports/{export_id}/file",
    summary="The file of an export",
    response_class=Response,
    responses={
        200: {
            "description": "The file, with its SHA-256 as ETag and in `Repr-Digest`.",
            "content": _CONTENT,
        },
        206: {
            "description": "The part asked for with `Range`; `If-Range` with the ETag makes sure it is the same file.",
            "content": _CONTENT,
        },
    },
    **needs(READ),
)
async def export_file(request: Request, export_id: PathId, call: CallDep) -> Response:
    """Streamed; a download that broke off goes on with `Range`."""
    service, found = await _wherever(call, "export_file", export_id)
    if service == "media":
        return await sealed_file(request, request.app.state.objects, Ticket.of(found), "attachment")
    size, sha256 = int(found["size"]), str(found["sha256"])
    part = wanted_part(request.headers, size, f'"{sha256}"')
    headers = headers_of(size, sha256, part, "attachment", str(found["file_name"]))
    objects: ObjectStore = request.app.state.objects
    start, length = (part.start, part.length) if part else (0, size)
    content = await objects.stream(str(found["object_key"]), start, length)
    return StreamingResponse(content, 206 if part else 200, headers, str(found["content_type"]))


@router.delete("/exports/{export_id}", summary="Delete an export", response_model=Receipt, **needs(EDIT))
async def delete_export(export_id: PathId, call: CallDep) -> Response:
    """Stops it while it is written; takes its file away when it is ready."""
    service, _ = await _wherever(call, "export", export_id)
    return await call.command(service, "delete_export", {"export_id": str(export_id)})


def _told(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    """The export, with words for why it failed."""
    code = found.get("failed")
    if not code:
        return found
    _, _, detail = describe(code, call.context.language, {})
    return {**found, "failed": {"code": code, "detail": detail}}


async def _wherever(call: Call, query: str, export_id: Id) -> tuple[str, dict[str, Any]]:
    """The service that has this export, and its answer. Raises Problem."""
    unknown = Problem("export-unknown", export_id=str(export_id))
    for service in SERVICES:
        try:
            return service, await call.ask(service, query, {"export_id": str(export_id)})
        except Problem as problem:
            # A position that the caller has seen may be another service's.
            if problem.code not in ("export-unknown", "position-ahead"):
                raise
            unknown = problem
    raise unknown


async def _present(call: Call, service: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    try:
        page: dict[str, Any] = await call.ask(service, "exports", asked)
    except Problem as problem:
        if problem.code != "position-ahead" or len(SERVICES) == 1:
            raise
        page = await call.ask_present(service, "exports", asked)
    return page
