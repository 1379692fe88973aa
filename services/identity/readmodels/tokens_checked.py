"""What the gateway asks before it lets anybody in: keys, sessions, API tokens, and whom a mailed link is for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from services.identity import tokens
from services.identity.domain.account import Account, account
from services.identity.domain.api_token import ApiToken, api_token
from services.identity.domain.session import Session, session
from services.identity.domain.user import User, user
from services.identity.domain.values import Id, allows
from services.identity.entitlements import granted
from services.identity.flows.enrolling import DeviceStanding, device_standing
from services.identity.flows.inviting import invitation_behind
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import PLATFORM
from services.kernel.domain import Rejected
from services.kernel.shown import shown, stamp


class SigningKeys(Query):
    """The public keys of access tokens."""


def signing_keys(query: SigningKeys, ask: Ask) -> dict[str, Any]:
    """A JSON Web Key Set."""
    return {"keys": [tokens.signing_jwk(ask.secrets)]}


class SessionOfTenant(BaseModel):
    """A session as an access token names it."""

    tenant: Id
    session_id: Id


class SessionStatus(Query):
    """Which sessions."""

    sessions: Annotated[tuple[SessionOfTenant, ...], Field(max_length=200)]


def session_status(query: SessionStatus, ask: Ask) -> dict[str, Any]:
    """Of each session: whether it goes on, whose it is, from which epoch tokens count, how the account stands.

    Never behind.
    """
    if ask.caller.tenant != PLATFORM and any(s.tenant != ask.caller.tenant for s in query.sessions):
        raise Rejected("forbidden")
    answer = {}
    for asked in query.sessions:
        opened: Session = ask.state(session, asked.session_id, tenant=asked.tenant)
        person: User = ask.state(user, opened.user_id, tenant=asked.tenant)
        company: Account = ask.state(account, asked.tenant, tenant=asked.tenant)
        entitled = person.entitles(asked.session_id, opened.epoch)
        answer[asked.session_id] = {
            "active": opened.status == "open" and entitled,
            "user_id": opened.user_id,
            "epoch": person.epoch,
            "state": company.state,
            "revision": company.revision,
        }
    return {"sessions": answer}


class AuthenticateApiToken(Query):
    """The key as it came, and the address it came from."""

    token: Annotated[str, Field(max_length=200)]
    ip: Annotated[str, Field(max_length=45)] | None = None


def authenticate_api_token(query: AuthenticateApiToken, ask: Ask) -> dict[str, Any]:
    """For whom the key acts and what it may do: never more than its maker may now. One answer for all refusals."""
    where = tokens.read_api_key(query.token)
    if where is None:
        raise Rejected("token-invalid")
    tenant, token_id = where
    known: ApiToken = ask.state(api_token, token_id, tenant=tenant)
    person: User = ask.state(user, known.user_id, tenant=tenant)
    company: Account = ask.state(account, tenant, tenant=tenant)
    right = known.secret_hash == tokens.hash_of(query.token) and known.usable(ask.now)
    admitted = allows(known.ip_allow_list, query.ip) and allows(company.policies.ip_allow_list, query.ip)
    if not (right and admitted and person.active):
        raise Rejected("token-invalid")
    permissions, _ = granted(ask, tenant, person, company)
    return {
        "tenant": tenant,
        "user_id": known.user_id,
        "token_id": token_id,
        "role": person.member.role,
        "permissions": sorted(known.scopes & permissions),
        "epoch": person.epoch,
        "state": company.state,
        "revision": company.revision,
        "expires_at": stamp(known.expires_at) if known.expires_at else None,
    }


class InvitationBehind(Query):
    """The token of a mailed link."""

    token: Annotated[str, Field(max_length=300)]


def invitation(query: InvitationBehind, ask: Ask) -> dict[str, Any]:
    """Whom the link invites to what. Raises Rejected("invitation-invalid" or "invitation-expired")."""
    link, person, company = invitation_behind(ask, query.token)
    member = person.member
    if member.status != "invited" or link.number != member.invitation:
        raise Rejected("invitation-invalid")
    if member.invitation_expires_at is None or ask.now >= member.invitation_expires_at:
        raise Rejected("invitation-expired")
    return {
        "account_name": shown(company.name),
        "email": shown(member.email),
        "name": shown(member.name),
        "role": member.role,
        "language": member.language,
        "expires_at": stamp(member.invitation_expires_at),
    }


QUERIES: Mapping[str, Answers] = {
    "signing_keys": (SigningKeys, signing_keys),
    "session_status": (SessionStatus, session_status),
    "device_standing": (DeviceStanding, device_standing),
    "authenticate_api_token": (AuthenticateApiToken, authenticate_api_token),
    "invitation": (InvitationBehind, invitation),
}
