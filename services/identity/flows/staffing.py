"""The operator of the platform lets people of Progresus in, and sends them away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.identity import activation, ids
from services.identity.domain.account import OpenStaffAccount, account
from services.identity.domain.invitation import InviteStaff, ResendInvitation, WithdrawInvitation
from services.identity.domain.login_name import LoginName, login_name
from services.identity.domain.membership import DeactivateUser
from services.identity.domain.staff import OPERATOR, STAFF_ACCOUNT, StaffRole
from services.identity.domain.user import User, user
from services.identity.domain.values import Email, Language, Name
from services.identity.flows.registering import claim, release
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM
from services.kernel.domain import Command, Rejected


class Staff(Command):
    """Whom to ask in, and as what."""

    email: Email
    name: Name
    role: StaffRole
    language: Language = "es"


def invite_staff(ask: Ask) -> dict[str, Any]:
    """Ask a person in; asked again before the link was used, send another link."""
    wanted: Any = ask.make(Staff, ask.data)
    _as_operator(ask)
    opening = ask.make(OpenStaffAccount, {"account_id": STAFF_ACCOUNT})
    ask.handle(account, STAFF_ACCOUNT, opening, part="account")
    known = _known(ask, wanted.email)
    if known is not None and known[1].member.status == "invited":
        again: Any = ask.make(ResendInvitation, {"user_id": known[0]})
        return ask.handle(user, known[0], again, part="again").to_wire() | {"user_id": known[0]}
    user_id = ids.of_request(ask, "staff")
    person = {"user_id": user_id, "email": wanted.email, "name": wanted.name}
    invite = ask.make(InviteStaff, person | {"role": wanted.role, "language": wanted.language})
    claim(ask, wanted.email, STAFF_ACCOUNT, user_id)
    return ask.handle(user, user_id, invite, part="user").to_wire() | {"user_id": user_id}


class Dismissed(Command):
    """Who leaves."""

    email: Email


def dismiss_staff(ask: Ask) -> dict[str, Any]:
    """End a person's access at once. Raises Rejected("user-unknown")."""
    leaving: Any = ask.make(Dismissed, ask.data)
    _as_operator(ask)
    known = _known(ask, leaving.email)
    if known is None:
        raise Rejected("user-unknown")
    user_id, person = known
    if person.member.status == "invited":
        withdraw = ask.make(WithdrawInvitation, {"user_id": user_id, "by_role": OPERATOR})
        receipt = ask.handle(user, user_id, withdraw, part="user")
        release(ask, leaving.email, STAFF_ACCOUNT, user_id)
    else:
        deactivate: Any = ask.make(DeactivateUser, {"user_id": user_id, "by_role": OPERATOR})
        receipt = activation.carry_out(ask, deactivate)
    return receipt.to_wire() | {"user_id": user_id}


def _as_operator(ask: Ask) -> None:
    """Only a program of the platform's own may ask; the gateway never speaks in this role."""
    if ask.caller.role != OPERATOR:
        raise Rejected("forbidden")
    ask.caller = replace(ask.caller, tenant=STAFF_ACCOUNT)


def _known(ask: Ask, email: str) -> tuple[str, User] | None:
    name: LoginName = ask.state(login_name, ids.of_login_name(ask, email), tenant=PLATFORM)
    if name.account_id != STAFF_ACCOUNT or name.user_id is None:
        return None
    return name.user_id, ask.state(user, name.user_id)
