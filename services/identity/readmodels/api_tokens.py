"""The account's API tokens, without their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.identity.domain.api_token import ApiTokenCreated, ApiTokenRevoked, ApiTokenUsed
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp


class ApiTokens(ReadModel):
    """One document per token, kept after its end."""

    name = "api_tokens"
    categories = ("api_token",)
    indexes = ([("tenant", 1), ("created_at", -1)],)

    def keys(self, fact: Recorded) -> list[str]:
        """The token the fact is about."""
        return [fact.event.token_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """The token after one more fact."""
        match fact.event:
            case ApiTokenCreated(ip_allow_list=networks) as created:
                return {
                    "user_id": created.user_id,
                    "name": shown(created.name),
                    "scopes": list(created.scopes),
                    "status": "active",
                    "created_at": stamp(fact.at),
                    "expires_at": stamp(created.expires_at),
                    "ip_allow_list": [] if isinstance(networks, Erased) else list(networks),
                    "last_used_on": None,
                }
            case ApiTokenUsed(day=day) if doc is not None:
                return doc | {"last_used_on": day.isoformat()}
            case ApiTokenRevoked() if doc is not None:
                return doc | {"status": "revoked"}
            case _:
                return doc


class AllApiTokens(Query):
    """The account's tokens."""


def all_api_tokens(query: AllApiTokens, ask: Ask) -> dict[str, Any]:
    """Newest first; an expired one says so."""
    rows = ask.reads["api_tokens"].find({}, sort=[("created_at", -1)])
    now = stamp(ask.now)
    return {
        "next": None,
        "items": [
            {"token_id": row.pop("id"), **row}
            | ({"status": "expired"} if row["status"] == "active" and row["expires_at"] <= now else {})
            for row in rows
        ],
    }


QUERIES: Mapping[str, Answers] = {"api_tokens": (AllApiTokens, all_api_tokens)}
