"""What people and teams are called: for other services' workers, which keep no names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Field

from services.identity.domain.values import Id
from services.kernel.application import Answers, Ask, Query
from services.kernel.domain import Rejected

Ids = Annotated[tuple[Id, ...], Field(max_length=500)]


class NamesQuery(Query):
    """Whose names."""

    users: Ids = ()
    teams: Ids = ()


def names(query: NamesQuery, ask: Ask) -> Mapping[str, Any]:
    """The names that are known, by id."""
    if ask.caller.role != "system":
        raise Rejected("forbidden")
    return {"users": _called(ask, "users", query.users), "teams": _called(ask, "teams", query.teams)}


def _called(ask: Ask, model: str, ids: Sequence[str]) -> dict[str, str]:
    keys = [f"{ask.caller.tenant}:{id}" for id in ids]
    rows = ask.reads[model].find({"_id": {"$in": keys}}) if keys else []
    return {row["id"]: row["name"] for row in rows if row["name"]}


QUERIES: Mapping[str, Answers] = {"names": (NamesQuery, names)}
