"""Evidence: announced before it is sent, found again, and fetched in the form that is wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import Path, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway import devices
from gateway.calls import Call, json_response
from gateway.door import CallDep, brings_evidence, needs, resource
from gateway.errors import Problem
from gateway.messages import describe
from gateway.receiving import tus
from gateway.receiving.incoming import Incoming
from gateway.routes import uploads
from gateway.routes.fields import EXAMPLE_ID, Body, Cursor, Found, Id, Limit, Listed, given
from gateway.routes.submissions import Hash, MediaType
from gateway.sealed_files import Ticket, sealed_file
from gateway.uploads import ObjectStore

router = resource("media")

SERVICE = "media"
READ = "submissions:read"
FORM_LASTS = timedelta(minutes=15)
EXAMPLE = "sha256:" + "3f" * 32

Kind = Literal["image", "video", "sound", "document"]
Rendition = Literal["original", "screen", "thumbnail", "poster", "outside"]
MediaId = Annotated[str, Path(pattern=r"^sha256:[0-9a-f]{64}$", examples=[EXAMPLE])]


class Question(Body):
    """The question that the file answers."""

    form_id: Id = Field(examples=[EXAMPLE_ID])
    version: int = Field(ge=1, le=1_000_000, examples=[1])
    name: Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Plan(Body):
    """A file that is to come, named by the hash of its bytes.

    With `field`, what the question does not allow is refused before a byte is sent.
    """

    id: Hash = Field(examples=[EXAMPLE])
    bytes: int = Field(ge=1, le=2**40, examples=[48_211])
    type: MediaType = Field(examples=["image/jpeg"])
    name: Annotated[str, StringConstraints(max_length=1_000)] | None = None
    via: Literal["tus", "form"] = "tus"
    field: Question | None = None


@router.post("/media", status_code=201, summary="Announce evidence", response_model=Found, **brings_evidence())
async def plan_upload(body: Plan, request: Request, call: CallDep) -> Response:
    """200 `exists`: nothing needs to be sent. 201: where the bytes go; a form is sent to the object store as it is
    told, with the file as last field, and `complete` is called afterwards."""
    if devices.is_phone(request):
        devices.check_body(request, await request.body())
    if body.bytes > request.app.state.max_media_bytes:
        raise Problem("too-heavy", limit=request.app.state.max_media_bytes)
    if body.field is not None:
        await _check_question(call, body, body.field)
    wanted = tus.Announced(body.id, body.bytes, body.type, tus.file_name(body.name or "") or None)
    begun = await uploads.begin(request, call, wanted, body.via)
    upload_id = str(begun["id"])
    if begun["stored"]:
        await uploads.abort(call, upload_id)
        return json_response({"status": "exists", "id": body.id})
    told = {"status": "wanted", "id": body.id, "upload_id": upload_id, "expires_at": begun["expires_at"]}
    location = uploads.LOCATION.format(id=upload_id)
    plan = {"tus": location} if body.via == "tus" else {"form": await _form(request, call, upload_id, body)}
    return json_response({**told, **plan}, status=201, headers={"Location": location})


async def _check_question(call: Call, body: Plan, field: Question) -> None:
    asked = {"form_id": str(field.form_id), "version": field.version, "field": field.name}
    limits = await call.ask_present("forms", "media_limits", asked)
    if limits["types"] and not body.type.startswith(tuple(limits["types"])):
        raise Problem("media-type-not-allowed", accepted=limits["types"])
    if limits["max_bytes"] is not None and body.bytes > limits["max_bytes"]:
        raise Problem("too-heavy", limit=limits["max_bytes"])


async def _form(request: Request, call: Call, upload_id: str, body: Plan) -> dict[str, Any]:
    incoming: Incoming = request.app.state.incoming
    until = datetime.now(UTC) + FORM_LASTS
    url, fields = await incoming.form(call.principal.tenant, upload_id, body.bytes, body.type, until)
    complete = f"{uploads.LOCATION.format(id=upload_id)}/complete"
    return {"url": url, "fields": fields, "expires_at": until.isoformat(timespec="seconds"), "complete": complete}


@router.get("/media", summary="Evidence", response_model=Listed, **needs(READ))
async def media(
    call: CallDep,
    task_id: Id | None = None,
    submission_id: Id | None = None,
    user_id: Id | None = None,
    kind: Kind | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """What is kept, the latest first. Technicians see what they brought, leaders what their people did."""
    asked = given(task_id=task_id, submission_id=submission_id, user_id=user_id, kind=kind, limit=limit, cursor=cursor)
    return await call.query(SERVICE, "media", asked)


@router.get("/media/{media_id}", summary="An item of evidence", response_model=Found, **needs(READ))
async def medium(media_id: MediaId, call: CallDep) -> Response:
    """What it is, where it is used, what the camera wrote into it, and in which forms there is a file of it.

    What was refused says why: `code` and `detail`.
    """
    found = await call.ask(SERVICE, "medium", {"media_id": media_id})
    code = found.get("code")
    return json_response({**found, "detail": describe(code, call.context.language, {})[2]} if code else found)


_BINARY = {"schema": {"type": "string", "format": "binary"}}
_FILE = {
    "content": {"image/*": _BINARY, "video/*": _BINARY, "audio/*": _BINARY, "application/*": _BINARY, "text/*": _BINARY}
}


@router.get(
    "/media/{media_id}/file",
    summary="A file of an item",
    response_class=Response,
    responses={
        200: {"description": "The file; its SHA-256 is the ETag.", **_FILE},
        206: {"description": "The part asked for with `Range`.", **_FILE},
        304: {"description": "The caller has it already (`If-None-Match`)."},
    },
    **needs(READ),
)
async def media_file(media_id: MediaId, request: Request, call: CallDep, rendition: Rendition = "original") -> Response:
    """The original as it was taken, with all that the camera wrote into it; or a form of it made to be looked at:
    `screen` (1600 pixels), `thumbnail` (320), a video's `poster`, and `outside`, which tells nothing but itself."""
    answer = await call.ask(SERVICE, "media_file", {"media_id": media_id, "rendition": rendition})
    objects: ObjectStore = request.app.state.objects
    return await sealed_file(request, objects, Ticket.of(answer), "attachment" if rendition == "original" else "inline")
