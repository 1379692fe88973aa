"""A refresh token is exchanged for its successor and a new access token."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.identity import tokens
from services.identity.domain.account import Account, account
from services.identity.domain.session import RefreshSession, Session, session
from services.identity.domain.user import User, user
from services.identity.domain.values import allows
from services.identity.flows.logging_in import Ip, admission, device_revoked
from services.kernel.application import Ask
from services.kernel.domain import Command, Rejected


class Refresh(Command):
    """The token, and the address the request came from."""

    refresh_token: str
    ip: Ip | None = None


def refresh(ask: Ask) -> dict[str, Any]:
    """Go on with a session; whatever is no longer right ends it."""
    wanted: Any = ask.make(Refresh, ask.data)
    token = tokens.read(ask.secrets, "cor", wanted.refresh_token)
    if token is None:
        raise Rejected("token-invalid")
    tenant = token.tenant
    before: Session = ask.state(session, token.id, tenant=tenant)
    person: User = ask.state(user, before.user_id, tenant=tenant)
    company: Account = ask.state(account, tenant, tenant=tenant)
    if not allows(company.policies.ip_allow_list, wanted.ip):
        raise Rejected("ip-not-allowed")
    ask.caller = replace(ask.caller, actor=before.user_id)
    command = ask.make(
        RefreshSession,
        {
            "session_id": token.id,
            "generation": token.number,
            "entitled": person.entitles(token.id, before.epoch) and not device_revoked(ask, tenant, before),
            "idle_minutes": company.policies.inactivity_minutes,
        },
    )
    receipt = ask.handle(session, token.id, command, part="session", tenant=tenant)
    after: Session = ask.state(session, token.id, tenant=tenant)
    if after.status == "revoked":
        raise Rejected("session-revoked")
    if after.generation != token.number + 1:
        # The same request once more, long after others have followed it: its answer is no longer good.
        raise Rejected("refresh-token-used")
    successor = tokens.derive(ask.secrets, "cor", tenant, token.id, after.generation)
    return receipt.to_wire() | admission(ask, tenant, after, token.id, person, company, successor)
