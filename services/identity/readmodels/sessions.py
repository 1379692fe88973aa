"""Where a person is logged in: sessions, devices, addresses; and what was revoked of late, for the gateways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field

from services.identity.domain.account import AccountStateChanged
from services.identity.domain.api_token import ApiTokenRevoked
from services.identity.domain.device import DeviceRegistered, DeviceRevoked
from services.identity.domain.origin import OriginObserved
from services.identity.domain.session import ABSOLUTE, SessionOpened, SessionRefreshed, SessionRevoked
from services.identity.domain.user import UserEpochRaised
from services.identity.domain.values import Id
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import PLATFORM, Recorded
from services.kernel.domain import Rejected
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp


class Sessions(ReadModel):
    """One document per session, kept after its end."""

    name = "sessions"
    categories = ("session",)
    indexes = ([("tenant", 1), ("user_id", 1), ("status", 1)],)

    def keys(self, fact: Recorded) -> list[str]:
        """The session the fact is about."""
        return [fact.event.session_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """The session after one more fact."""
        match fact.event:
            case SessionOpened() as opened:
                return {
                    "user_id": opened.user_id,
                    "kind": opened.kind,
                    "device_id": opened.device_id,
                    "label": shown(opened.label),
                    "status": "open",
                    "opened_at": stamp(opened.opened_at),
                    "last_seen_at": stamp(opened.opened_at),
                }
            case SessionRefreshed(refreshed_at=at) if doc is not None:
                return doc | {"last_seen_at": stamp(at)}
            case SessionRevoked(reason=reason) if doc is not None:
                return doc | {"status": "revoked", "reason": reason, "revoked_at": stamp(fact.at)}
            case _:
                return doc


class Devices(ReadModel):
    """One document per person and device."""

    name = "devices"
    categories = ("device",)
    indexes = ([("tenant", 1), ("user_id", 1)],)

    def keys(self, fact: Recorded) -> list[str]:
        """The person's device."""
        return [f"{fact.event.user_id}:{fact.event.device_id}"]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """The device after one more fact."""
        match fact.event:
            case DeviceRegistered() as known:
                return {
                    "device_id": known.device_id,
                    "user_id": known.user_id,
                    "label": shown(known.label),
                    "status": "registered",
                    "registered_at": stamp(known.registered_at),
                }
            case DeviceRevoked() if doc is not None:
                return doc | {"status": "revoked", "revoked_at": stamp(fact.at)}
            case _:
                return doc


class Origins(ReadModel):
    """One document per address of a session or API token; the only place where addresses are read from."""

    name = "origins"
    categories = ("origin",)
    indexes = (
        [("tenant", 1), ("session_id", 1), ("observed_at", -1)],
        [("tenant", 1), ("origin_id", 1)],
    )

    def keys(self, fact: Recorded) -> list[str]:
        """The origin."""
        return [fact.event.origin_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """It is observed once."""
        seen: OriginObserved = fact.event
        return {
            "origin_id": seen.origin_id,
            "user_id": seen.user_id,
            "session_id": seen.session_id,
            "token_id": seen.token_id,
            "ip": shown(seen.ip),
            "observed_at": stamp(seen.observed_at),
        }


class Revocations(ReadModel):
    """What ended or changed its standing, over all accounts: ids and times only, for a gateway that starts."""

    name = "revocations"
    categories = ("session", "user", "api_token", "account")
    indexes = ([("tenant", 1), ("at", 1)],)
    shared = True

    def keys(self, fact: Recorded) -> list[str]:
        """The session, person or token that lost its access."""
        match fact.event:
            case SessionRevoked(session_id=session_id):
                return [f"sessions:{session_id}"]
            case UserEpochRaised(user_id=user_id):
                return [f"epochs:{user_id}"]
            case ApiTokenRevoked(token_id=token_id):
                return [f"api_tokens:{token_id}"]
            case AccountStateChanged(account_id=account_id):
                return [f"accounts:{account_id}"]
            case _:
                return []

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """The latest word on it."""
        match fact.event:
            case UserEpochRaised(epoch=epoch):
                return {"at": stamp(fact.at), "epoch": epoch}
            case AccountStateChanged(state=state, revision=revision):
                return {"at": stamp(fact.at), "epoch": None, "state": state, "revision": revision}
            case _:
                return {"at": stamp(fact.at), "epoch": None}


class MySessions(Query):
    """Whose sessions; without a person, one's own."""

    user_id: Id | None = None


def my_sessions(query: MySessions, ask: Ask) -> dict[str, Any]:
    """Open sessions with device, last address and last sight."""
    user_id = _whose(query.user_id, ask)
    oldest = stamp(ask.now - max(ABSOLUTE.values()))
    wanted = {"user_id": user_id, "status": "open", "opened_at": {"$gt": oldest}}
    rows = ask.reads["sessions"].find(wanted, sort=[("last_seen_at", -1)])
    addresses: dict[str, str | None] = {}
    ids = [row["id"] for row in rows]
    for seen in ask.reads["origins"].find({"session_id": {"$in": ids}}, sort=[("observed_at", 1)]):
        addresses[seen["session_id"]] = seen["ip"]
    sessions = [
        {
            "session_id": (id := row.pop("id")),
            **row,
            "ip": addresses.get(id),
            "current": id == ask.caller.session,
        }
        for row in rows
    ]
    return {"items": sessions, "next": None}


class MyDevices(Query):
    """Whose devices; without a person, one's own."""

    user_id: Id | None = None


def my_devices(query: MyDevices, ask: Ask) -> dict[str, Any]:
    """Every device the person has logged in on."""
    rows = ask.reads["devices"].find({"user_id": _whose(query.user_id, ask)}, sort=[("registered_at", -1)])
    return {"items": [{k: v for k, v in row.items() if k != "id"} for row in rows], "next": None}


def _whose(user_id: str | None, ask: Ask) -> str:
    if user_id in (None, ask.caller.actor):
        return ask.caller.actor
    if "users:edit" not in ask.caller.permissions:
        raise Rejected("forbidden")
    if ask.reads["users"].one(user_id) is None:
        raise Rejected("user-unknown", user_id=user_id)
    return user_id


class RecentRevocations(Query):
    """How far back."""

    minutes: Annotated[int, Field(ge=1, le=60)] = 10


def recent_revocations(query: RecentRevocations, ask: Ask) -> dict[str, Any]:
    """Everything revoked of late in any account; for the gateway only, which is no account's."""
    if ask.caller.tenant != PLATFORM:
        raise Rejected("forbidden")
    since = stamp(ask.now - timedelta(minutes=query.minutes))
    answer: dict[str, dict[str, Any]] = {"sessions": {}, "epochs": {}, "api_tokens": {}, "accounts": {}}
    for row in ask.reads["revocations"].find({"at": {"$gt": since}}):
        kind, id = row["id"].split(":", 1)
        if kind == "accounts":
            answer[kind][id] = {"state": row["state"], "revision": row["revision"]}
        else:
            answer[kind][id] = row["at"] if row["epoch"] is None else row["epoch"]
    return answer


QUERIES: Mapping[str, Answers] = {
    "sessions": (MySessions, my_sessions),
    "devices": (MyDevices, my_devices),
    "revocations": (RecentRevocations, recent_revocations),
}
