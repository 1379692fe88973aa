"""The forms that work can ask for, as far as this service needs to know them: which version is published now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.commit import Recorded
from services.kernel.message import Incoming
from services.kernel.readmodel import ReadModel

Document = dict[str, Any]


class FormPublished(Incoming):
    form_id: str
    version: int
    hash: str


class FormActivated(Incoming):
    form_id: str


class FormDeactivated(Incoming):
    form_id: str


FORMS: Mapping[str, type[Incoming]] = {
    model.__name__: model for model in (FormPublished, FormActivated, FormDeactivated)
}


class KnownForms(ReadModel):
    """One document per form that was ever published or switched."""

    name = "known_forms"

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The form."""
        return [fact.event.form_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """Its newest version, and whether work may ask for it."""
        before = doc or {"version": 0, "hash": "", "active": True}
        match fact.event:
            case FormPublished(version=version, hash=hash):
                return {**before, "version": version, "hash": hash}
            case FormActivated():
                return {**before, "active": True}
            case FormDeactivated():
                return {**before, "active": False}
            case _:
                return doc
