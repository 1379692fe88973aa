"""People are asked into an account, come in through a mailed link, or are asked no longer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.identity import activation, ids, passwords, seats, tokens
from services.identity.domain.account import Account, account
from services.identity.domain.invitation import (
    AcceptInvitation,
    ExpireInvitation,
    InviteUser,
    ResendInvitation,
    WithdrawInvitation,
)
from services.identity.domain.password_rules import demand_good
from services.identity.domain.permissions import Role
from services.identity.domain.user import User, user
from services.identity.domain.values import Email, Language, Name
from services.identity.flows.registering import Password, claim, release
from services.kernel.application import Ask
from services.kernel.domain import Command, Rejected


class Invite(Command):
    """Whom to ask in, and as what; without a language, the account's."""

    email: Email
    name: Name
    role: Role
    language: Language | None = None


def invite_user(ask: Ask) -> dict[str, Any]:
    """Ask a person in; the mail follows from the fact."""
    wanted: Any = ask.make(Invite, ask.data)
    tenant = ask.caller.tenant
    company: Account = ask.state(account, tenant)
    if company.status == "none":
        raise Rejected("account-unknown", account_id=tenant)
    user_id = ids.of_request(ask, "user")
    invite: Any = ask.make(
        InviteUser,
        {
            "user_id": user_id,
            "email": wanted.email,
            "name": wanted.name,
            "role": wanted.role,
            "language": wanted.language or company.language,
            "by_role": ask.caller.role,
        },
    )
    user.decide(invite, ask.state(user, user_id))  # a refusal must come before the address is claimed
    claim(ask, wanted.email, tenant, user_id)
    return ask.handle(user, user_id, invite, part="user").to_wire() | {"user_id": user_id}


def resend_invitation(ask: Ask) -> dict[str, Any]:
    """Send another link; the address is claimed again in case the first link had expired."""
    resend: Any = ask.make(ResendInvitation, ask.data)
    person: User = ask.state(user, resend.user_id)
    user.decide(resend, person)
    claim(ask, str(person.member.email), ask.caller.tenant, resend.user_id)
    return ask.handle(user, resend.user_id, resend, part="user").to_wire()


def withdraw_invitation(ask: Ask) -> dict[str, Any]:
    """Ask the person in no longer and free the address."""
    withdraw: Any = ask.make(WithdrawInvitation, {**ask.data, "by_role": ask.caller.role})
    receipt = ask.handle(user, withdraw.user_id, withdraw, part="user")
    _release(ask, withdraw.user_id)
    seats.settle(ask, ask.caller.tenant, withdraw.user_id)
    return receipt.to_wire()


def expire_invitation(ask: Ask) -> dict[str, Any]:
    """The link's time is over; the address is free until it is sent again."""
    expire: Any = ask.make(ExpireInvitation, ask.data)
    receipt = ask.handle(user, expire.user_id, expire, part="user")
    person: User = ask.state(user, expire.user_id)
    if person.member.status == "invited" and person.member.invitation_expires_at is None:
        _release(ask, expire.user_id)
        seats.settle(ask, ask.caller.tenant, expire.user_id)
    return receipt.to_wire()


def _release(ask: Ask, user_id: str) -> None:
    person: User = ask.state(user, user_id)
    release(ask, str(person.member.email), ask.caller.tenant, user_id)


class Accept(Command):
    """What the invited person types."""

    token: str
    name: Name
    password: Password


def accept_invitation(ask: Ask) -> dict[str, Any]:
    """Come in through the link: the person is active from now on and can log in.

    Raises Rejected("no-free-seat") for a technician when all seats are taken; the link stays good.
    """
    wanted: Any = ask.make(Accept, ask.data)
    link, person, company = invitation_behind(ask, wanted.token)
    demand_good(wanted.password, (wanted.name, str(company.name), str(person.member.email).split("@")[0]))
    ask.caller = replace(ask.caller, actor=link.id)
    accept: Any = ask.make(
        AcceptInvitation,
        {
            "user_id": link.id,
            "number": link.number,
            "name": wanted.name,
            "password_hash": passwords.hash_of(wanted.password),
        },
    )
    receipt = activation.carry_out(ask, accept, tenant=link.tenant)
    return receipt.to_wire() | {"account_id": link.tenant, "user_id": link.id}


def invitation_behind(ask: Ask, token: str) -> tuple[tokens.Derived, User, Account]:
    """Whom a link belongs to. Raises Rejected("invitation-invalid")."""
    link = tokens.read(ask.secrets, "inv", token)
    if link is None:
        raise Rejected("invitation-invalid")
    return link, ask.state(user, link.id, tenant=link.tenant), ask.state(account, link.tenant, tenant=link.tenant)
