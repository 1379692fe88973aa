"""Forms in and out as spreadsheets: an imported one becomes a draft with a report, a version becomes a workbook."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from services.forms import contents
from services.forms.asking import checked
from services.forms.domain.form import CreateForm, Form, SaveDraft, form
from services.forms.domain.schema import Content
from services.forms.domain.values import Id
from services.forms.standing import demand
from services.forms.xlsform.reader import Unreadable
from services.forms.xlsform.reading import Imported, read_xlsform
from services.forms.xlsform.writing import write_xlsform
from services.kernel import offload
from services.kernel.application import Answers, Ask, Query
from services.kernel.domain import Erased, Rejected

LARGEST = 2 * 1024 * 1024
READ, EDIT = "forms:read", "forms:edit"


class Upload(Query):
    """A workbook, and the form whose draft it becomes."""

    form_id: Id
    file: Annotated[str, Field(max_length=LARGEST * 4 // 3 + 100)]
    file_name: Annotated[str, Field(max_length=120)] = ""


class XlsformQuery(Query):
    """A version to be written as a workbook."""

    form_id: str
    version: Annotated[int, Field(ge=1)]


def import_xlsform(ask: Ask) -> Mapping[str, Any]:
    """The form is made where it is missing; the draft is what the workbook says."""
    demand(ask.caller, EDIT)
    upload = checked(Upload, ask.data)
    # Unpacking and reading thousands of cells takes longer than others should have to wait.
    read = offload.run(_read, upload.file)
    document = read.content.to_json()
    content = contents.parsed(document)
    known: Form = ask.state(form, upload.form_id)
    if not known.exists:
        name = (read.title or upload.file_name).strip()[:120] or "XLSForm"
        made = ask.make(CreateForm, {"form_id": upload.form_id, "name": name})
        ask.handle(form, upload.form_id, made, part="create")
    hash = contents.keep(ask, content)
    saved = ask.make(SaveDraft, {"form_id": upload.form_id, "hash": hash})
    receipt = ask.handle(form, upload.form_id, saved, part="draft")
    return {
        **receipt.to_wire(),
        "hash": hash,
        "report": [remark.model_dump() for remark in read.report],
        "faults": contents.faults_of(document),
    }


def _read(file: str) -> Imported:
    try:
        return read_xlsform(base64.b64decode(file, validate=True))
    except binascii.Error:
        raise Rejected("xlsform-unreadable", why="file-unreadable") from None
    except Unreadable as useless:
        raise Rejected("xlsform-unreadable", why=useless.why) from None


def find_xlsform(query: XlsformQuery, ask: Ask) -> Mapping[str, Any]:
    """The workbook of a version."""
    demand(ask.caller, READ)
    known: Form = ask.state(form, query.form_id)
    if not known.exists:
        raise Rejected("form-unknown", form_id=query.form_id)
    version = known.named(query.version)
    document = contents.load(ask, version.hash) if version is not None else None
    if version is None or document is None:
        raise Rejected("form-version-unknown", form_id=query.form_id, version=query.version)
    name, _, code = known.header
    written = offload.run(
        write_xlsform,
        Content.model_validate(document),
        title=query.form_id if isinstance(name, Erased) else name,
        form_id=code if isinstance(code, str) and code else query.form_id,
        version=str(query.version),
    )
    return {"file": base64.b64encode(written).decode(), "hash": version.hash}


QUERIES: Mapping[str, Answers] = {"form_xlsform": (XlsformQuery, find_xlsform)}
