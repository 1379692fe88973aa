"""What the account asks for beyond the usual, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown
from services.tasks.domain.field_set import (
    Entity,
    FieldActivated,
    FieldChanged,
    FieldDeactivated,
    FieldDefined,
    FieldsArranged,
)
from services.tasks.standing import demand

Document = dict[str, Any]


class FieldSets(ReadModel):
    """One document per kind of thing that fields are asked about."""

    name = "field_sets"
    categories = ("field_set",)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The kind of thing."""
        return [fact.event.entity]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """All fields and sections as they are now."""
        known = doc or {"fields": [], "sections": []}
        return {**known, **_changes(known, fact.event), "version": fact.version}


def _changes(doc: Document, event: Any) -> Document:
    match event:
        case FieldDefined() | FieldChanged():
            return _put(doc, event.key, {**event.rules.model_dump(mode="json"), **_texts(event)})
        case FieldDeactivated(key=key):
            return _put(doc, key, {"active": False})
        case FieldActivated(key=key):
            return _put(doc, key, {"active": True})
        case FieldsArranged(sections=sections, section_names=names):
            known = {} if isinstance(names, Erased) else names
            return {
                "sections": [
                    {"section_id": s.section_id, "name": known.get(s.section_id), "keys": list(s.keys)}
                    for s in sections
                ]
            }
        case _:
            return {}


def _texts(event: FieldDefined | FieldChanged) -> Document:
    return {"label": shown(event.label), "options": list(shown(event.options) or ())}


def _put(doc: Document, key: str, changes: Document) -> Document:
    known = [field["key"] for field in doc["fields"]]
    if key not in known:
        return {"fields": [*doc["fields"], {"key": key, "active": True, **changes}]}
    return {"fields": [{**field, **changes} if field["key"] == key else field for field in doc["fields"]]}


class DynamicFieldsQuery(Query):
    """The fields of one kind of thing, or of all."""

    entity: Entity | None = None


def find_fields(query: DynamicFieldsQuery, ask: Ask) -> Mapping[str, Any]:
    """Per kind of thing its sections with their fields; those in no section come last, in one without a name."""
    demand(ask.caller, "processes:read")
    wanted = {} if query.entity is None else {"_id": f"{ask.caller.tenant}:{query.entity}"}
    rows = ask.reads["field_sets"].find(wanted, sort=[("_id", 1)])
    return {"items": [_arranged(row) for row in rows]}


def _arranged(row: Document) -> Document:
    fields = {field["key"]: field for field in row["fields"]}
    sections = [
        {"section_id": s["section_id"], "name": s["name"], "fields": [fields.pop(key) for key in s["keys"]]}
        for s in row["sections"]
    ]
    if fields:
        sections.append({"section_id": None, "name": None, "fields": list(fields.values())})
    return {"entity": row["id"], "sections": sections, "version": row["version"]}


QUERIES: Mapping[str, Answers] = {"dynamic_fields": (DynamicFieldsQuery, find_fields)}
