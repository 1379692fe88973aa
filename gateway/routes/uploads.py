"""Evidence on its way in: begun, sent in pieces over whatever line there is, finished, or given up (tus 1.0.0)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from starlette.responses import Response

from gateway import devices
from gateway.calls import Call, json_response
from gateway.door import CallDep, anybody, brings_evidence, resource
from gateway.errors import Problem
from gateway.messages import describe
from gateway.receiving import tus
from gateway.receiving.incoming import Incoming
from gateway.receiving.inflow import Inflow
from gateway.receiving.lanes import Lanes
from gateway.receiving.taking import room, take
from gateway.routes.fields import Found, PathId

router = resource("uploads")

SERVICE = "media"
LOCATION = "/v1/uploads/{id}"
_BYTES = {"type": "integer", "minimum": 0, "maximum": 2**31}
_HEADERS: Mapping[str, dict[str, Any]] = {
    "Tus-Resumable": {"schema": {"type": "string", "const": tus.VERSION}, "example": tus.VERSION, "required": True},
    "Upload-Length": {"schema": _BYTES, "example": 48_211, "required": True},
    "Upload-Offset": {"schema": _BYTES, "example": 0, "required": True},
    "Upload-Metadata": {
        "schema": {"type": "string"},
        "description": "`sha256` (hex or base64), `filetype`, `filename`; each value in base64.",
        "example": tus.metadata_text("sha256:" + "ab" * 32, "image/jpeg", "foto.jpg"),
        "required": True,
    },
    "Upload-Checksum": {"schema": {"type": "string"}, "example": "sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
}
_OCTETS = {tus.OFFSET_OCTETS: {"schema": {"type": "string", "format": "binary"}}}


def _headers(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "in": "header", **_HEADERS[name]} for name in names]


@router.options("/uploads", status_code=204, summary="What this tus server can do", **anybody())
async def offer_uploads(request: Request, call: CallDep) -> Response:
    """Versions, extensions, the largest file, the kinds of checksum."""
    return Response(status_code=204, headers=tus.offered(request.app.state.max_media_bytes))


@router.post(
    "/uploads",
    status_code=201,
    summary="Begin an upload",
    response_class=Response,
    **brings_evidence(parameters=_headers("Tus-Resumable", "Upload-Length", "Upload-Metadata")),
)
async def begin_upload(request: Request, call: CallDep) -> Response:
    """The `Location` takes the bytes until `Upload-Expires`."""
    tus.check_version(call.headers)
    wanted = tus.announced(call.headers, request.app.state.max_media_bytes)
    begun = await begin(request, call, wanted, "tus")
    headers = {"Location": LOCATION.format(id=begun["id"]), "Upload-Expires": tus.http_date(expiry(begun))}
    return Response(status_code=201, headers=headers)


@router.head(
    "/uploads/{upload_id}",
    summary="How far an upload is",
    response_class=Response,
    **brings_evidence(parameters=_headers("Tus-Resumable")),
)
async def show_offset(upload_id: PathId, request: Request, call: CallDep) -> Response:
    """`Upload-Offset` is the first byte that has not come yet."""
    tus.check_version(call.headers)
    found = await own(call, str(upload_id))
    reached = await advance(request, call, found)
    told = {
        "Upload-Length": str(found["bytes"]),
        "Upload-Metadata": tus.metadata_text(found["media_id"], found["type"], found.get("name")),
    }
    return Response(headers=tus.progress(reached, expiry(found)) | told)


@router.patch(
    "/uploads/{upload_id}",
    status_code=204,
    summary="Send bytes",
    response_class=Response,
    **brings_evidence(
        parameters=_headers("Tus-Resumable", "Upload-Offset", "Upload-Checksum"), requestBody={"content": _OCTETS}
    ),
)
async def take_bytes(upload_id: PathId, request: Request, call: CallDep) -> Response:
    """From `Upload-Offset` on, as many as one likes; up to 64 MiB at once with a checksum. What came before a line
    broke is kept, unless there is a checksum: then all of it must have come."""
    tus.check_version(call.headers)
    if call.headers.get("content-type") != tus.OFFSET_OCTETS:
        raise Problem("media-type-unsupported", accepted=tus.OFFSET_OCTETS)
    offset = tus.number(call.headers, "Upload-Offset")
    checks = tus.checksums(call.headers)
    if devices.is_phone(request) and devices.DIGEST not in call.headers:
        # Without it anybody's bytes could stand under the phone's signature.
        raise Problem("header-invalid", header="Content-Digest")
    found = await own(call, str(upload_id))
    reached = await advance(request, call, found)
    if offset != reached:
        raise Problem("offset-mismatch", headers=tus.progress(reached), offset=reached)
    announced = call.headers.get("content-length", "")
    most = room(found["bytes"] - offset, int(announced) if announced.isdigit() else None, bool(checks))
    incoming: Incoming = request.app.state.incoming
    lanes: Lanes = request.app.state.lanes
    async with lanes.one(call.principal.actor):
        whose = (call.principal.tenant, str(upload_id))
        reached = await take(Inflow(request.stream(), most), incoming, whose, offset, checks)
    if reached == found["bytes"] and found["status"] == "open":
        await _finish(call, found)
    return Response(status_code=204, headers=tus.progress(reached, expiry(found)))


@router.delete(
    "/uploads/{upload_id}",
    status_code=204,
    summary="Give an upload up",
    response_class=Response,
    **brings_evidence(parameters=_headers("Tus-Resumable")),
)
async def abort_upload(upload_id: PathId, call: CallDep) -> Response:
    """What has come of it is thrown away."""
    tus.check_version(call.headers)
    await own(call, str(upload_id))
    await abort(call, str(upload_id))
    return Response(status_code=204)


@router.get("/uploads/{upload_id}", summary="An upload", response_model=Found, **brings_evidence())
async def show_upload(upload_id: PathId, call: CallDep) -> Response:
    """`open` while bytes are missing, `finished` while they are looked at, then `stored`, or `rejected` and why."""
    found = await call.ask(SERVICE, "upload", {"upload_id": str(upload_id)})
    code = found.get("code")
    detail = describe(code, call.context.language, {})[2] if code else None
    return json_response({**found, "detail": detail})


@router.post(
    "/uploads/{upload_id}/complete", summary="Say that all has been sent", response_model=Found, **brings_evidence()
)
async def complete_upload(upload_id: PathId, request: Request, call: CallDep) -> Response:
    """For what a browser sent by itself; refused while bytes are missing. Then the file is looked at."""
    found = await own(call, str(upload_id))
    reached = await advance(request, call, found)
    if reached < found["bytes"]:
        raise Problem("upload-incomplete", offset=reached, bytes=found["bytes"])
    status = "finished" if found["status"] == "open" else found["status"]
    return json_response({**found, "status": status})


async def begin(request: Request, call: Call, wanted: tus.Announced, via: str) -> dict[str, Any]:
    """Announce an upload to the service that will look at it; its answer. Raises Problem."""
    data = {
        "upload_id": call.new_id(),
        "media_id": wanted.media_id,
        "bytes": wanted.bytes,
        "type": wanted.type,
        "via": via,
        **({"name": wanted.name} if wanted.name else {}),
    }
    command = "begin_upload_from_device" if devices.is_phone(request) else "begin_upload"
    return await call.execute(SERVICE, command, data)


async def abort(call: Call, upload_id: str) -> None:
    """Tell that nothing more comes. Raises Problem when all has come already."""
    await call.execute_as(SERVICE, "abort_upload", {"upload_id": upload_id}, f"upload/{upload_id}/abort")


async def own(call: Call, upload_id: str) -> dict[str, Any]:
    """An upload of the caller's that may still go on. Raises Problem for everything else."""
    found: dict[str, Any] = await call.ask(SERVICE, "upload", {"upload_id": upload_id})
    if found["status"] == "aborted":
        raise Problem("upload-aborted")
    if found["status"] == "expired" or (found["status"] == "open" and expiry(found) <= datetime.now(UTC)):
        raise Problem("upload-expired")
    return found


async def advance(request: Request, call: Call, found: Mapping[str, Any]) -> int:
    """How far the upload is; when all is there and nobody has said so, this does. Raises Problem."""
    if found["status"] != "open":
        return int(found["bytes"])
    incoming: Incoming = request.app.state.incoming
    reached = min(await incoming.reached(call.principal.tenant, str(found["id"])), int(found["bytes"]))
    if reached == found["bytes"]:
        await _finish(call, found)
    return reached


async def _finish(call: Call, found: Mapping[str, Any]) -> None:
    id = str(found["id"])
    await call.execute_as(SERVICE, "finish_upload", {"upload_id": id}, f"upload/{id}/finish")


def expiry(told: Mapping[str, Any]) -> datetime:
    """Until when an upload is waited for."""
    return datetime.fromisoformat(told["expires_at"])
