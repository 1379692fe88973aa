"""Pages of a read model: sorted by keys that are never null, continued after the last row of the page before."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from services.kernel.application import Ask, Query
from services.kernel.domain import Rejected

Limit = Annotated[int, Field(ge=1, le=200)]


class Paged(Query):
    """A question whose answer comes in pages."""

    cursor: Annotated[str, Field(max_length=500)] | None = None
    limit: Limit = 50


def page(
    ask: Ask, model: str, filter: Mapping[str, Any], query: Paged, *, by: Sequence[tuple[str, int]]
) -> tuple[list[dict[str, Any]], str | None]:
    """One page of documents, and the cursor of the next. Raises Rejected("cursor-invalid").

    `by` names string or number fields that every document has; the key comes last, so that the order
    is total and no row is shown twice or left out while others come and go.
    """
    sort = [*by, ("_id", 1)]
    asked = dict(filter)
    if query.cursor is not None:
        asked = {"$and": [asked, _beyond(query.cursor, sort)]}
    rows = ask.reads[model].find(asked, sort=sort, limit=query.limit + 1)
    if len(rows) <= query.limit:
        return rows, None
    rows.pop()
    return rows, cursor_of(ask, rows[-1], by=by)


def cursor_of(ask: Ask, row: Mapping[str, Any], *, by: Sequence[tuple[str, int]]) -> str:
    """The cursor of what follows this document."""
    last = [row[name] for name, _ in by] + [f"{ask.caller.tenant}:{row['id']}"]
    return base64.urlsafe_b64encode(json.dumps(last).encode()).rstrip(b"=").decode()


def _beyond(cursor: str, sort: Sequence[tuple[str, int]]) -> dict[str, Any]:
    last = _decoded(cursor, len(sort))
    return {
        "$or": [
            {
                **{name: value for (name, _), value in zip(sort[:i], last, strict=False)},
                sort[i][0]: {"$gt" if sort[i][1] > 0 else "$lt": last[i]},
            }
            for i in range(len(sort))
        ]
    }


def _decoded(cursor: str, length: int) -> list[str | int | float]:
    try:
        last = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as broken:
        raise Rejected("cursor-invalid") from broken
    # What a client sends ends up in a filter: nothing but plain values may come through.
    if not isinstance(last, list) or len(last) != length:
        raise Rejected("cursor-invalid")
    if not all(isinstance(value, str | int | float) for value in last):
        raise Rejected("cursor-invalid")
    return last


def every(*filters: Mapping[str, Any]) -> dict[str, Any]:
    """All of the filters that say anything."""
    wanted = [dict(f) for f in filters if f]
    return {"$and": wanted} if wanted else {}
