"""Forms: edited as drafts, published in versions that never change, exchanged with spreadsheets."""

from __future__ import annotations

import base64
from pathlib import PurePath
from typing import Annotated, Any

from fastapi import File, Path, Query, UploadFile
from fastapi import Form as FormField
from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.calls import json_response
from gateway.door import CallDep, needs, resource
from gateway.errors import Problem
from gateway.findings import told, worded
from gateway.routes.fields import Body, Cursor, Found, Id, Label, Limit, Listed, Moment, Name, PathId, Receipt, given
from gateway.words.forms import FAULT_WORDS, SHEET_WORDS

router = resource("forms")

SERVICE = "forms"
READ, EDIT = "forms:read", "forms:edit"
LOCATION = "/v1/forms/{id}"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST_SHEET = 2 * 1024 * 1024
CONTENT = {
    "languages": ["es"],
    "items": [{"type": "short_text", "name": "contact", "labels": {"es": "Contacto"}, "required": True}],
}

Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000, pattern=r"^[^\x00]*$")]
FormCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{0,40}$")]
Number = Annotated[int, Path(ge=1, le=1_000_000, examples=[1])]


class CreateForm(Body):
    """A new form, still without questions."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    name: Name = Field(examples=["Fire extinguisher inspection"])
    description: Description = ""
    code: FormCode = Field(default="", examples=["INS1"])


class EditForm(Body):
    """Only what is given changes."""

    name: Name | None = Field(default=None, examples=["Monthly inspection"])
    description: Description | None = None
    code: FormCode | None = None


class SaveDraft(Body):
    """The whole content; it may still have faults."""

    content: dict[str, Any] = Field(
        description="Languages, choice lists, capture rules and items, as docs/forms.md describes them.",
        examples=[CONTENT],
    )


class RetireVersion(Body):
    """From when on submissions of this version wait for a supervisor."""

    closes_at: Moment = Field(examples=["2026-12-31T23:59:59Z"])


@router.post("/forms", status_code=201, summary="Create a form", response_model=Receipt, **needs(EDIT))
async def create_form(body: CreateForm, call: CallDep) -> Response:
    """Its questions come with the draft."""
    data = body.data()
    data["form_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "create_form", data, created=LOCATION)


@router.get("/forms", summary="All forms", response_model=Listed, **needs(READ))
async def forms(
    call: CallDep,
    active: bool | None = None,
    published: bool | None = None,
    search: Annotated[Label | None, Query(description="How the name begins.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """By name, with the versions of each."""
    params = given(active=active, published=published, search=search, limit=limit, cursor=cursor)
    return await call.query(SERVICE, "forms", params)


@router.post("/forms/import", status_code=201, summary="Import an XLSForm", response_model=Receipt, **needs(EDIT))
async def import_form(
    call: CallDep,
    file: Annotated[UploadFile, File(description="An XLSForm as XLSX, 2 MiB at most.")],
    form_id: Annotated[Id | None, FormField(description="The form whose draft it becomes; a new one without.")] = None,
) -> Response:
    """The draft of a form, with a report of every row that could not be taken over as it was."""
    name = PurePath((file.filename or "").replace("\\", "/")).name
    if PurePath(name).suffix.lower() != ".xlsx":
        raise Problem("file-type-unsupported", accepted=[".xlsx"])
    data = await file.read(LARGEST_SHEET + 1)
    if not data:
        raise Problem("file-empty")
    if len(data) > LARGEST_SHEET:
        raise Problem("body-too-large", limit=LARGEST_SHEET)
    id = str(form_id) if form_id else call.new_id()
    known = {"form_id": id, "file_name": PurePath(name).stem[:100], "file": base64.b64encode(data).decode()}
    language = call.context.language
    with worded(language, faults=FAULT_WORDS):
        answer = await call.execute(SERVICE, "import_xlsform", known)
    answer["report"] = told(answer["report"], SHEET_WORDS, language)
    answer["faults"] = told(answer["faults"], FAULT_WORDS, language)
    return call.receipt(answer, created=LOCATION)


@router.get("/forms/{form_id}", summary="A form", response_model=Found, **needs(READ))
async def form(form_id: PathId, call: CallDep) -> Response:
    """Its header and its versions."""
    return await call.query(SERVICE, "form", {"form_id": str(form_id)})


@router.patch("/forms/{form_id}", summary="Edit a form's header", response_model=Receipt, **needs(EDIT))
async def edit_form(form_id: PathId, body: EditForm, call: CallDep) -> Response:
    """Name, description and internal code; versions are not touched."""
    data = {name: value for name, value in body.data().items() if value is not None}
    return await call.command(SERVICE, "edit_form_header", {**data, "form_id": str(form_id)})


@router.get("/forms/{form_id}/draft", summary="The draft of a form", **needs(READ))
async def draft(form_id: PathId, call: CallDep) -> Response:
    """Its content, and all that keeps it from being published: each fault with item, code, line and column."""
    answer = await call.ask(SERVICE, "form_draft", {"form_id": str(form_id)})
    return json_response({**answer, "faults": told(answer["faults"], FAULT_WORDS, call.context.language)})


@router.put("/forms/{form_id}/draft", summary="Save the draft of a form", response_model=Receipt, **needs(EDIT))
async def save_draft(form_id: PathId, body: SaveDraft, call: CallDep) -> Response:
    """Replaces the draft as a whole; what is published stays as it is."""
    with worded(call.context.language, faults=FAULT_WORDS):
        return await call.command(SERVICE, "save_form_draft", {**body.data(), "form_id": str(form_id)})


@router.post("/forms/{form_id}/publish", summary="Publish the draft", response_model=Receipt, **needs(EDIT))
async def publish_form(form_id: PathId, call: CallDep) -> Response:
    """A new version that never changes; refused with every fault of the draft."""
    with worded(call.context.language, faults=FAULT_WORDS):
        return await call.command(SERVICE, "publish_form", {"form_id": str(form_id)})


@router.post("/forms/{form_id}/activate", summary="Bring a form into use", response_model=Receipt, **needs(EDIT))
async def activate_form(form_id: PathId, call: CallDep) -> Response:
    """It can be filled in again."""
    return await call.command(SERVICE, "activate_form", {"form_id": str(form_id)})


@router.post("/forms/{form_id}/deactivate", summary="Take a form out of use", response_model=Receipt, **needs(EDIT))
async def deactivate_form(form_id: PathId, call: CallDep) -> Response:
    """Nobody begins to fill it in; what devices hold already still arrives."""
    return await call.command(SERVICE, "deactivate_form", {"form_id": str(form_id)})


@router.get("/forms/{form_id}/versions/{number}", summary="A version of a form", **needs(READ))
async def form_version(form_id: PathId, number: Number, call: CallDep) -> Response:
    """Word for word as it was published; its hash is its ETag, and 304 says that it is known already."""
    answer = await call.ask(SERVICE, "form_version", {"form_id": str(form_id), "version": number})
    tag = f'"{answer["hash"]}"'
    # Versions never change, so that devices need each only once.
    headers = {"ETag": tag, "Cache-Control": "private, max-age=86400"}
    if call.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return json_response(answer, headers=headers)


@router.post(
    "/forms/{form_id}/versions/{number}/retire", summary="Retire a version", response_model=Receipt, **needs(EDIT)
)
async def retire_form_version(form_id: PathId, number: Number, body: RetireVersion, call: CallDep) -> Response:
    """Its submissions are taken until then; what arrives later waits for a supervisor."""
    data = {**body.data(), "form_id": str(form_id), "version": number}
    return await call.command(SERVICE, "retire_form_version", data)


@router.get(
    "/forms/{form_id}/versions/{number}/xlsform",
    summary="A version as XLSForm",
    response_class=Response,
    responses={200: {"content": {XLSX: {"schema": {"type": "string", "format": "binary"}}}}},
    **needs(READ),
)
async def form_xlsform(form_id: PathId, number: Number, call: CallDep) -> Response:
    """A workbook that every tool of the XLSForm family opens, and that comes back as the same content."""
    answer = await call.ask(SERVICE, "form_xlsform", {"form_id": str(form_id), "version": number})
    headers = {"Content-Disposition": f'attachment; filename="form-{form_id}-v{number}.xlsx"'}
    return Response(base64.b64decode(answer["file"]), media_type=XLSX, headers=headers)
