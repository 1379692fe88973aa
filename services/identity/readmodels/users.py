"""The directory of an account's people, and what one person is told about oneself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from services.identity.domain.account import Account, account
from services.identity.domain.invitation import (
    InvitationAccepted,
    InvitationExpired,
    InvitationIssued,
    InvitationWithdrawn,
    UserInvited,
    UserRegistered,
)
from services.identity.domain.membership import (
    ProfileAssigned,
    UserActivated,
    UserDeactivated,
    UserRenamed,
    UserRoleChanged,
)
from services.identity.domain.permissions import Role, licence_of
from services.identity.domain.second_factor import TotpConfirmed, TotpDisabled
from services.identity.domain.user import User, user
from services.identity.domain.values import Id
from services.identity.entitlements import granted
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.paging import Paged, every, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp


class Users(ReadModel):
    """One document per person."""

    name = "users"
    categories = ("user",)
    indexes = (
        [("tenant", 1), ("sort", 1), ("_id", 1)],
        [("tenant", 1), ("profile_id", 1)],
    )

    def keys(self, fact: Recorded) -> list[str]:
        """Every fact of this stream names its person."""
        return [fact.event.user_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """The person as the directory shows them."""
        match fact.event:
            case UserRegistered() | UserInvited():
                return {
                    "user_id": fact.event.user_id,
                    "email": shown(fact.event.email),
                    "role": fact.event.role,
                    "licence": fact.event.licence,
                    "language": fact.event.language,
                    "status": "invited",
                    "profile_id": None,
                    "totp_enabled": False,
                    "invitation_expires_at": None,
                    "added_at": stamp(fact.at),
                    **_named(fact.event.name),
                }
        if doc is None:
            return None
        return doc | _changes(fact.event)


def _changes(event: Any) -> dict[str, Any]:
    match event:
        case InvitationIssued(expires_at=expires_at):
            return {"status": "invited", "invitation_expires_at": stamp(expires_at)}
        case InvitationExpired():
            return {"status": "invitation-expired"}
        case InvitationWithdrawn():
            return {"status": "withdrawn", "invitation_expires_at": None}
        case InvitationAccepted(name=name) | UserRenamed(name=name):
            return _named(name)
        case UserActivated():
            return {"status": "active", "invitation_expires_at": None}
        case UserDeactivated():
            return {"status": "inactive"}
        case UserRoleChanged(role=role, licence=licence):
            return {"role": role, "licence": licence}
        case ProfileAssigned(profile_id=profile_id):
            return {"profile_id": profile_id}
        case TotpConfirmed():
            return {"totp_enabled": True}
        case TotpDisabled():
            return {"totp_enabled": False}
        case _:
            return {}


def _named(name: Any) -> dict[str, Any]:
    known = shown(name)
    return {"name": known, "sort": (known or "").casefold()}


class FindUsers(Paged):
    """Whom to list: by words of name or address, role, state, team."""

    text: Annotated[str, Field(max_length=120)] | None = None
    role: Role | None = None
    status: Annotated[str, Field(max_length=30)] | None = None
    team_id: Id | None = None


def find_users(query: FindUsers, ask: Ask) -> dict[str, Any]:
    """A page of the directory, by name."""
    exact = {k: v for k, v in {"role": query.role, "status": query.status}.items() if v is not None}
    words: dict[str, Any] = {}
    if query.text:
        like = {"$regex": re.escape(query.text.strip().casefold())}
        words = {"$or": [{"sort": like}, {"email": like}]}
    team: dict[str, Any] = {}
    if query.team_id is not None:
        found = ask.reads["teams"].one(query.team_id)
        team = {"user_id": {"$in": [*found["members"], *found["leaders"]] if found else []}}
    rows, following = page(ask, "users", every(exact, words, team), query, by=[("sort", 1)])
    return {"items": [_view(row) for row in rows], "next": following}


class OneUser(Query):
    """Which person."""

    user_id: Id


def one_user(query: OneUser, ask: Ask) -> dict[str, Any]:
    """One person with the teams they belong to or lead. Raises Rejected("user-unknown")."""
    row = ask.reads["users"].one(query.user_id)
    if row is None:
        raise Rejected("user-unknown", user_id=query.user_id)
    return _view(row) | {"teams": _teams(ask, query.user_id), "version": ask.version(user, query.user_id)}


def _view(row: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in row.items() if k not in ("sort", "id")}


def _teams(ask: Ask, user_id: str) -> list[dict[str, Any]]:
    mine = ask.reads["teams"].find({"$or": [{"members": user_id}, {"leaders": user_id}]})
    return [{"team_id": row["id"], "name": row["name"], "leads": user_id in row["leaders"]} for row in mine]


class Me(Query):
    """Who am I?"""


def me(query: Me, ask: Ask) -> dict[str, Any]:
    """The caller: person, account, permissions as they are now, teams."""
    user_id, tenant = ask.caller.actor, ask.caller.tenant
    person: User = ask.state(user, user_id)
    if person.member.status == "none":
        raise Rejected("user-unknown", user_id=user_id)
    company: Account = ask.state(account, tenant)
    permissions, must_enrol = granted(ask, tenant, person, company)
    return {
        "user_id": user_id,
        "email": shown(person.member.email),
        "name": shown(person.member.name),
        "role": person.member.role,
        "licence": licence_of(person.member.role),
        "language": person.member.language,
        "profile_id": person.member.profile_id,
        "permissions": sorted(permissions),
        "totp_enabled": person.factor.enabled,
        "must_enrol_totp": must_enrol,
        "recovery_codes_left": len(person.factor.recovery_hashes),
        "account": {"account_id": tenant, "name": shown(company.name), "state": company.state},
        "teams": _teams(ask, user_id),
    }


QUERIES: Mapping[str, Answers] = {"users": (FindUsers, find_users), "user": (OneUser, one_user), "me": (Me, me)}
