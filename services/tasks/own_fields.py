"""Puts the account's own fields in front of what carries their values: customers, processes and tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from services.kernel.application import Ask
from services.kernel.domain import Erased
from services.tasks.domain.field_set import Entity, FieldSet, field_set
from services.tasks.domain.field_values import check_values, merged
from services.tasks.domain.values import Fields

_FIELDS: TypeAdapter[Fields] = TypeAdapter(Fields)


def with_own_fields(
    ask: Ask, entity: Entity, before: Fields | Erased | None, data: Mapping[str, Any]
) -> dict[str, Any]:
    """The request with all values of the fields, refused when they do not fit; `before` None for a new thing.

    What a policy of the service carries out was judged when people asked for it.
    """
    if ask.caller.role == "system" or (before is not None and "fields" not in data):
        return dict(data)
    try:
        given = _FIELDS.validate_python(data.get("fields", {}))
    except ValidationError:
        return dict(data)  # the command's own model says what is wrong with it
    asked: FieldSet = ask.state(field_set, entity)
    captured: Fields = before if isinstance(before, dict) else {}
    values = merged(asked, captured, given)
    check_values(asked, captured, values)
    return {**data, "fields": values} if values or "fields" in data else dict(data)
