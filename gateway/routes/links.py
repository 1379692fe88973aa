"""Public links: made and ended by the account, opened by whoever holds one."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Path, Request
from pydantic import Field, StringConstraints
from starlette.responses import PlainTextResponse, Response

from gateway.calls import json_response
from gateway.door import CallDep, needs, open_to_all, resource
from gateway.errors import Problem
from gateway.public_views import PublicViews, ended_page
from gateway.routes.fields import (
    Body,
    Cursor,
    Found,
    Id,
    Language,
    Limit,
    Listed,
    PathId,
    Receipt,
    Text,
    given,
)
from gateway.sealed_files import Ticket, sealed_file

router = resource("public-links")
public = resource("public-links", prefix="")

SERVICE = "media"
READ, EDIT = "links:read", "links:edit"
MediaId = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
EXAMPLE_MEDIA = "sha256:" + "9f" * 32
INLINE = ("image/", "video/", "audio/", "application/pdf")
HIDDEN = {"X-Robots-Tag": "noindex, nofollow, noarchive"}
_SHOWN = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A browser's own page around a photo or a film may show just that, and run nothing."""
_NOT_IN_A_SANDBOX = ("video/", "audio/", "application/pdf")
"""Inside one a browser's player may not fetch what it plays, and its reader of PDFs does not work."""
_BINARY = {"schema": {"type": "string", "format": "binary"}}


class MediaTarget(Body):
    """A photo, a film, a recording or a document."""

    kind: Literal["media"]
    id: MediaId = Field(examples=[EXAMPLE_MEDIA])


class ReportTarget(Body):
    """A report, always in its latest edition."""

    kind: Literal["report"]
    id: Id


class CreatePublicLink(Body):
    """What the outside world shall see, and for how many days; as the account has settled, when nothing is said."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    target: MediaTarget | ReportTarget = Field(discriminator="kind", examples=[{"kind": "media", "id": EXAMPLE_MEDIA}])
    days: int | None = Field(default=None, ge=1, le=365, examples=[30])


class RevokePublicLink(Body):
    """Why it ends."""

    reason: Annotated[Text, Field(max_length=1_000)] = ""


class EvidenceSettings(Body):
    """How the account's evidence leaves the house; `logo` is a picture that it has stored."""

    logo: MediaId | None = None
    language: Language = "es"
    link_days: int = Field(default=30, ge=1, le=365)
    footer: Annotated[Text, Field(max_length=300)] = ""


@router.post("/public-links", status_code=201, summary="Make a public link", response_model=Receipt, **needs(EDIT))
async def create_public_link(request: Request, body: CreatePublicLink, call: CallDep) -> Response:
    """The address is told now and never again: only a hash of its secret is kept."""
    data = body.data()
    data["link_id"] = data.pop("id", None) or call.new_id()
    made = await call.execute(SERVICE, "create_public_link", data)
    path = f"/p/{made.pop('token')}"
    return call.receipt(
        {**made, "path": path, "url": f"{request.app.state.public_url}{path}"}, created="/v1/public-links/{id}"
    )


@router.get("/public-links", summary="Public links", response_model=Listed, **needs(READ))
async def public_links(
    call: CallDep,
    target_id: Annotated[str | None, StringConstraints(max_length=80, pattern=r"^[0-9a-z:-]+$")] = None,
    status: Literal["open", "ended"] | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The newest first, each with how often it was looked at."""
    asked = given(target_id=target_id, status=status, limit=limit, cursor=cursor)
    return await call.query(SERVICE, "public_links", asked)


@router.get("/public-links/{link_id}", summary="A public link", response_model=Found, **needs(READ))
async def show_public_link(link_id: PathId, call: CallDep) -> Response:
    """With the latest views: when, from which address, with which program."""
    return await call.query(SERVICE, "public_link", {"link_id": str(link_id)})


@router.post("/public-links/{link_id}/revoke", summary="End a public link", response_model=Receipt, **needs(EDIT))
async def revoke_public_link(link_id: PathId, call: CallDep, body: RevokePublicLink | None = None) -> Response:
    """From this moment on nobody sees anything through it."""
    data = body.data() if body else {}
    return await call.command(SERVICE, "revoke_public_link", {**data, "link_id": str(link_id)})


@router.get("/evidence-settings", summary="How evidence leaves", response_model=Found, **needs("accounts:read"))
async def evidence_settings(call: CallDep) -> Response:
    """Logo, language and last line of reports; how many days a link lives."""
    return json_response(await call.ask(SERVICE, "evidence_settings"))


@router.put(
    "/evidence-settings", summary="Settle how evidence leaves", response_model=Receipt, **needs("accounts:edit")
)
async def set_evidence_settings(body: EvidenceSettings, call: CallDep) -> Response:
    """All of it at once: what is left out is as it was in the beginning."""
    return await call.command(SERVICE, "set_evidence_settings", body.data())


@public.get(
    "/p/{token}",
    summary="Open a public link",
    response_class=Response,
    responses={
        200: {"description": "What is behind it, without what the camera wrote into it.", "content": {"*/*": _BINARY}},
        206: {"description": "The part asked for with `Range`.", "content": {"*/*": _BINARY}},
    },
    **open_to_all(),
)
async def open_public_link(request: Request, token: Annotated[str, Path(max_length=200)], call: CallDep) -> Response:
    """Looking changes nothing; it is written down who looked."""
    views: PublicViews = request.app.state.public_views
    try:
        found = await views.open(call, token)
    except Problem as problem:
        if problem.code not in ("link-unknown", "link-ended") or "text/html" not in request.headers.get("accept", ""):
            problem.headers.update(HIDDEN)
            raise
        return ended_page(call.context, problem, HIDDEN)
    ticket = Ticket.of(found)
    shown: Literal["inline", "attachment"] = "inline" if ticket.type.startswith(INLINE) else "attachment"
    # Nobody keeps a copy that would outlive the link.
    policy = _SHOWN if ticket.type.startswith(_NOT_IN_A_SANDBOX) else f"{_SHOWN}; sandbox"
    answer = await sealed_file(request, request.app.state.objects, ticket, shown, cache="no-store", policy=policy)
    answer.headers.update(HIDDEN)
    views.seen(call, found, request)
    return answer


@public.get("/robots.txt", summary="What search engines may read", response_class=PlainTextResponse, **open_to_all())
async def robots() -> Response:
    """Nothing."""
    return PlainTextResponse("User-agent: *\nDisallow: /\n")
