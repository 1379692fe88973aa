"""Reports: a task or a submission as a PDF with its evidence, kept up to date."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import Request
from pydantic import Field
from starlette.responses import Response

from gateway.calls import Call, json_response
from gateway.door import CallDep, needs, resource
from gateway.messages import describe
from gateway.routes.fields import EXAMPLE_ID, Body, Cursor, Found, Id, Language, Limit, Listed, PathId, Receipt, given
from gateway.sealed_files import Ticket, sealed_file
from gateway.uploads import ObjectStore

router = resource("reports")

SERVICE = "media"
READ, EDIT = "submissions:read", "exports:edit"
Kind = Literal["task", "submission"]


class RequestReport(Body):
    """What the report is about; in the language that the account has settled on, when nothing is said."""

    kind: Kind = Field(examples=["task"])
    subject_id: Id = Field(examples=[EXAMPLE_ID])
    language: Language | None = None


@router.post("/reports", status_code=201, summary="Ask for a report", response_model=Receipt, **needs(EDIT))
async def request_report(body: RequestReport, call: CallDep) -> Response:
    """Made in the background, once per task or submission and language: whoever asks again finds the same report.

    When what it shows changes, the next edition takes its place.
    """
    subject = str(body.subject_id)
    # Only the service that has it knows whether the caller may see it.
    if body.kind == "task":
        await call.ask_present("tasks", "task", {"task_id": subject})
    else:
        await call.ask_present("forms", "submission_status", {"submission_id": subject})
    return await call.command(SERVICE, "request_report", body.data(), created="/v1/reports/{id}")


@router.get("/reports", summary="Reports", response_model=Listed, **needs(READ))
async def reports(call: CallDep, subject_id: Id | None = None, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Those one has asked for, the newest first; owner, administrators and viewers see everybody's."""
    found = await call.ask(SERVICE, "reports", given(subject_id=subject_id, limit=limit, cursor=cursor))
    return json_response({**found, "items": [_told(call, item) for item in found["items"]]})


@router.get("/reports/{report_id}", summary="A report", response_model=Found, **needs(READ))
async def show_report(report_id: PathId, call: CallDep) -> Response:
    """How it stands: edition, pages, size and SHA-256 of the file. What failed says why."""
    return json_response(_told(call, await call.ask(SERVICE, "report", {"report_id": str(report_id)})))


_PDF = {"content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}}


@router.get(
    "/reports/{report_id}/file",
    summary="The file of a report",
    response_class=Response,
    responses={
        200: {"description": "The latest edition; its SHA-256 is the ETag.", **_PDF},
        206: {"description": "The part asked for with `Range`.", **_PDF},
        304: {"description": "The caller has it already (`If-None-Match`)."},
    },
    **needs(READ),
)
async def report_file(report_id: PathId, request: Request, call: CallDep) -> Response:
    """A PDF for the archive (PDF/A), to be read by people and by machines."""
    answer = await call.ask(SERVICE, "report_file", {"report_id": str(report_id)})
    objects: ObjectStore = request.app.state.objects
    return await sealed_file(request, objects, Ticket.of(answer), "inline")


@router.delete("/reports/{report_id}", summary="Delete a report", response_model=Receipt, **needs(EDIT))
async def delete_report(report_id: PathId, call: CallDep) -> Response:
    """No edition is kept; links to it show nothing any more."""
    return await call.command(SERVICE, "delete_report", {"report_id": str(report_id)})


def _told(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    """The report, with words for why it failed."""
    code = found.get("failed")
    if not code:
        return found
    _, _, detail = describe(code, call.context.language, {})
    return {**found, "failed": {"code": code, "detail": detail}}
