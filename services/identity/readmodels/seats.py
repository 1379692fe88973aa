"""The account's paid seats as its administrators see them: never behind, because the pool itself is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.identity.domain.seat_pool import INCLUDED_SEATS, SeatPool, seat_pool
from services.kernel.application import Answers, Ask, Query


class TheSeats(Query):
    """The seats of the caller's account."""


def the_seats(query: TheSeats, ask: Ask) -> dict[str, Any]:
    """How many there are, how many are taken and by whom, and what reduction is under way."""
    account_id = ask.caller.tenant
    pool: SeatPool = ask.state(seat_pool, account_id)
    people = {row["user_id"]: row["name"] for row in ask.reads["users"].find({"user_id": {"$in": list(pool.seated)}})}
    waiting = pool.reduction
    return {
        "account_id": account_id,
        "included": INCLUDED_SEATS,
        "granted": pool.granted,
        "limit": pool.limit,
        "used": pool.used,
        "free": max(0, pool.limit - pool.used),
        "entitlement_version": pool.entitlement_version,
        "reduction": None
        if waiting is None
        else {
            "order": waiting.order,
            "to": waiting.to,
            "status": "reserved" if waiting.reserved else "awaiting-deactivations",
            "too_many": 0 if waiting.reserved else max(0, pool.used - waiting.to),
        },
        "seated": [
            {"user_id": user_id, "name": people.get(user_id)}
            for user_id in sorted(pool.seated, key=lambda user_id: pool.seated[user_id])
        ],
        "version": ask.version(seat_pool, account_id),
    }


QUERIES: Mapping[str, Answers] = {"seats": (TheSeats, the_seats)}
