"""Customers and tasks from spreadsheets: uploaded, tried without effect, then applied or discarded."""

from __future__ import annotations

from pathlib import PurePath
from typing import Annotated, Literal

from fastapi import File, Form, Request, UploadFile
from pydantic import Field
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.errors import Problem
from gateway.routes.fields import Body, Cursor, Found, Limit, Listed, PathId, Receipt, given
from gateway.uploads import ObjectStore

router = resource("imports")

SERVICE = "tasks"
READ, EDIT = "imports:read", "imports:edit"
LONGEST_NAME = 120

_TYPES = {
    ".csv": "text/csv",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


class ApplyImport(Body):
    """Whether good rows are taken although others are bad."""

    skip_bad_rows: bool = Field(default=False, description="Without it, an import with bad rows is refused.")


@router.post("/imports", status_code=201, summary="Upload a file for a dry run", response_model=Receipt, **needs(EDIT))
async def request_import(
    request: Request,
    call: CallDep,
    kind: Annotated[Literal["customers", "tasks"], Form(examples=["customers"])],
    file: Annotated[UploadFile, File(description="XLSX or CSV, 6 MiB at most.")],
) -> Response:
    """Every row is checked, nothing is created. The import's page tells errors by row and column."""
    name = _printable(file.filename or "")
    content_type = _TYPES.get(PurePath(name).suffix.lower())
    if content_type is None:
        raise Problem("file-type-unsupported", accepted=sorted(_TYPES))
    if not file.size:
        raise Problem("file-empty")
    import_id = call.new_id()
    objects: ObjectStore = request.app.state.objects
    stored = await objects.put(f"{call.principal.tenant}/imports/{import_id}", file.file, content_type)
    data = {
        "import_id": import_id,
        "kind": kind,
        "object_key": stored.key,
        "sha256": stored.sha256,
        "size": stored.size,
        "file_name": name,
    }
    try:
        return await call.command(SERVICE, "request_import", data, created="/v1/imports/{id}")
    except Problem as problem:
        if problem.refused:
            await objects.remove(stored)
        raise


def _printable(name: str) -> str:
    base = PurePath(name.replace("\\", "/")).name
    return "".join(c for c in base if c.isprintable())[-LONGEST_NAME:]


@router.get("/imports", summary="All imports", response_model=Listed, **needs(READ))
async def imports(
    call: CallDep, kind: Literal["customers", "tasks"] | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """The latest first."""
    return await call.query(SERVICE, "imports", given(kind=kind, limit=limit, cursor=cursor))


@router.get("/imports/{import_id}", summary="An import", response_model=Found, **needs(READ))
async def show_import(import_id: PathId, call: CallDep) -> Response:
    """Its state, its counts, and its errors by row and column."""
    return await call.query(SERVICE, "import", {"import_id": str(import_id)})


@router.post("/imports/{import_id}/apply", summary="Apply an import", response_model=Receipt, **needs(EDIT))
async def apply_import(import_id: PathId, call: CallDep, body: ApplyImport | None = None) -> Response:
    """Creates what the dry run found right, row by row."""
    data = body.data() if body else {}
    return await call.command(SERVICE, "apply_import", {**data, "import_id": str(import_id)})


@router.post("/imports/{import_id}/discard", summary="Discard an import", response_model=Receipt, **needs(EDIT))
async def discard_import(import_id: PathId, call: CallDep) -> Response:
    """Nothing will come of it."""
    return await call.command(SERVICE, "discard_import", {"import_id": str(import_id)})
