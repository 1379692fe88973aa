"""The account's forms with their versions, and what a form or a version asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from services.forms.contents import faults_of, load
from services.forms.domain.form import (
    DraftSaved,
    Form,
    FormActivated,
    FormCreated,
    FormDeactivated,
    FormHeaderEdited,
    FormPublished,
    VersionRetired,
    form,
)
from services.forms.standing import demand
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.paging import Paged, every, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import searchable, shown, stamp, without

Document = dict[str, Any]
READ, EDIT, EXECUTE = "forms:read", "forms:edit", "tasks:execute"


class Forms(ReadModel):
    """One document per form."""

    name = "forms"
    categories = ("form",)
    indexes = ([("tenant", 1), ("sort", 1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The form."""
        return [fact.event.form_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The form as it is now."""
        if isinstance(fact.event, FormCreated):
            doc = {"active": False, "published": 0, "draft": None, "versions": [], "created_at": stamp(fact.at)}
        if doc is None:
            return None
        return {**doc, **_changes(doc, fact), "version": fact.version, "updated_at": stamp(fact.at)}


def _changes(doc: Document, fact: Recorded) -> Document:
    match fact.event:
        case (
            FormCreated(name=name, description=description, code=code)
            | FormHeaderEdited(name=name, description=description, code=code)
        ):
            words = {"name": shown(name), "description": shown(description), "code": shown(code)}
            return {**words, "sort": searchable(name)}
        case DraftSaved(hash=hash):
            return {"draft": {"hash": hash, "saved_at": stamp(fact.at)}}
        case FormPublished(version=version, hash=hash, active=active):
            made = {"version": version, "hash": hash, "published_at": stamp(fact.at), "closes_at": None}
            return {"published": version, "active": active, "versions": [*doc["versions"], made]}
        case FormActivated():
            return {"active": True}
        case FormDeactivated():
            return {"active": False}
        case VersionRetired(version=version, closes_at=closes_at):
            closed = {"closes_at": stamp(closes_at)}
            return {"versions": [{**one, **closed} if one["version"] == version else one for one in doc["versions"]]}
        case _:
            return {}


class FormsQuery(Paged):
    """All forms, by name; only those in use or not in use where `active` says so."""

    active: bool | None = None
    published: bool | None = None
    search: Annotated[str, Field(max_length=120)] | None = None


class FormQuery(Query):
    """One form."""

    form_id: str


class VersionQuery(Query):
    """One version of a form; the newest unless said otherwise."""

    form_id: str
    version: Annotated[int, Field(ge=1)] | None = None


def find_forms(query: FormsQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of forms."""
    demand(ask.caller, READ, EXECUTE)
    wanted: list[Mapping[str, Any]] = []
    if query.active is not None:
        wanted.append({"active": query.active})
    if query.published is not None:
        wanted.append({"published": {"$gt": 0} if query.published else 0})
    if query.search:
        begin = searchable(query.search)
        wanted.append({"sort": {"$gte": begin, "$lt": begin + "\U0010ffff"}})
    rows, following = page(ask, "forms", every(*wanted), query, by=[("sort", 1)])
    return {"items": [without(row, "sort") for row in rows], "next": following}


def find_form(query: FormQuery, ask: Ask) -> Mapping[str, Any]:
    """One form in short."""
    demand(ask.caller, READ, EXECUTE)
    return without(_row(query.form_id, ask), "sort")


def find_draft(query: FormQuery, ask: Ask) -> Mapping[str, Any]:
    """The draft's content, and everything that keeps it from being published."""
    demand(ask.caller, READ)
    known = _known(query.form_id, ask)
    document = load(ask, known.draft) if known.draft else None
    return {
        "form_id": query.form_id,
        "hash": known.draft,
        "content": document,
        "faults": faults_of(document),
    }


def find_version(query: VersionQuery, ask: Ask) -> Mapping[str, Any]:
    """What a version asks, word for word as it was published."""
    demand(ask.caller, READ, EXECUTE)
    known = _known(query.form_id, ask)
    number = query.version or known.latest
    version = known.named(number)
    document = load(ask, version.hash) if version is not None else None
    if version is None or document is None:
        raise Rejected("form-version-unknown", form_id=query.form_id, version=number)
    # Its place in a list of versions is not what an ETag means here, so it goes by another name.
    return {
        "form_id": query.form_id,
        "number": number,
        "hash": version.hash,
        "closes_at": stamp(version.closes_at) if version.closes_at else None,
        "content": document,
    }


def _known(form_id: str, ask: Ask) -> Form:
    known: Form = ask.state(form, form_id)
    if not known.exists:
        raise Rejected("form-unknown", form_id=form_id)
    return known


def _row(form_id: str, ask: Ask) -> Document:
    row: Document | None = ask.reads["forms"].one(form_id)
    if row is None:
        raise Rejected("form-unknown", form_id=form_id)
    return row


QUERIES: Mapping[str, Answers] = {
    "forms": (FormsQuery, find_forms),
    "form": (FormQuery, find_form),
    "form_draft": (FormQuery, find_draft),
    "form_version": (VersionQuery, find_version),
}
