"""Values as documents hold them, and pages of lists that can be continued."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from pydantic import Field

from services.kernel.domain import Erased, Rejected

Cursor = Annotated[str, Field(max_length=600)] | None
Limit = Annotated[int, Field(ge=1, le=500)]


def text(value: str | Erased | None) -> str | None:
    """A personal field; nothing once it has been erased."""
    return None if isinstance(value, Erased) else value


def stamp(at: datetime) -> str:
    """A moment as text that sorts like time and needs no conversion on its way out."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def after(cursor: Cursor, fields: Sequence[str], direction: int = 1) -> dict[str, Any]:
    """The filter of what follows `cursor` in the order of two fields. Raises Rejected("cursor-invalid")."""
    if cursor is None:
        return {}
    try:
        first, second = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError, TypeError):
        raise Rejected("cursor-invalid") from None
    if not (isinstance(first, str) and isinstance(second, str)):
        raise Rejected("cursor-invalid")
    beyond = "$gt" if direction > 0 else "$lt"
    return {"$or": [{fields[0]: {beyond: first}}, {fields[0]: first, fields[1]: {beyond: second}}]}


def page(rows: Sequence[Mapping[str, Any]], limit: int, fields: Sequence[str]) -> tuple[list[Any], str | None]:
    """The first `limit` of one row more than asked for, and the cursor to go on with if there was that one."""
    shown = list(rows[:limit])
    if len(rows) <= limit:
        return shown, None
    last = orjson.dumps([shown[-1][fields[0]], shown[-1][fields[1]]])
    return shown, base64.urlsafe_b64encode(last).rstrip(b"=").decode()


def every(*filters: Mapping[str, Any]) -> dict[str, Any]:
    """All of the filters that say anything."""
    wanted = [dict(f) for f in filters if f]
    return {"$and": wanted} if wanted else {}
