"""Whoever is logged in already proves anew who they are, before something that cannot be taken back lightly."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints

from services.identity import proof, second_factor, tokens
from services.identity.domain.account import Account, account
from services.identity.domain.session import ProveSession, Session, session
from services.identity.domain.user import User, user
from services.identity.flows.logging_in import admission
from services.identity.flows.registering import Password
from services.kernel.application import Ask
from services.kernel.domain import Command, Rejected


class Prove(Command):
    """What a person types once more."""

    password: Password
    totp: Annotated[str, StringConstraints(max_length=12)] | None = None
    recovery_code: Annotated[str, StringConstraints(max_length=40)] | None = None


def prove_session(ask: Ask) -> dict[str, Any]:
    """A fresh access token that says when; the refresh token stays the one it was."""
    wanted: Any = ask.make(Prove, ask.data)
    session_id, user_id, tenant = ask.caller.session, ask.caller.actor, ask.caller.tenant
    if session_id is None:
        raise Rejected("session-unknown")
    before: Session = ask.state(session, session_id)
    if ask.done("session") is None:
        person = proof.demand_password(ask, wanted.password)
        if person.factor.enabled:
            _prove_second_factor(ask, person, wanted)
    command = ask.make(ProveSession, {"session_id": session_id, "user_id": user_id})
    receipt = ask.handle(session, session_id, command, part="session")
    person = ask.state(user, user_id)
    if not person.entitles(session_id, before.epoch):
        raise Rejected("session-revoked")
    company: Account = ask.state(account, tenant)
    after: Session = ask.state(session, session_id)
    refresh_token = tokens.derive(ask.secrets, "cor", tenant, session_id, after.generation)
    return receipt.to_wire() | admission(ask, tenant, after, session_id, person, company, refresh_token)


def _prove_second_factor(ask: Ask, person: User, wanted: Any) -> None:
    user_id = ask.caller.actor
    command = second_factor.proof_of(ask, person, user_id, wanted)
    if command is None:
        raise Rejected("totp-invalid")
    ask.handle(user, user_id, command, part="second-factor")
