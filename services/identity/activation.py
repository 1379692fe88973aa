"""The one way in which people become active in a role, or stop being so; owners are counted here.

An account must never be without an active owner, and the count lives in the account's own stream. So a
person leaves the count before ceasing to be an owner and enters it only after having become one: a crash
between the two leaves one owner too few in the count, never one too many. Paid seats belong to the same
moments, and to this module.
"""

from __future__ import annotations

from services.identity.domain.account import AddOwner, RemoveOwner, account
from services.identity.domain.invitation import AcceptInvitation
from services.identity.domain.membership import ChangeRole, DeactivateUser, ReactivateUser
from services.identity.domain.permissions import Role
from services.identity.domain.user import User, user
from services.kernel.application import Ask
from services.kernel.commands import Receipt


def carry_out(
    ask: Ask, command: AcceptInvitation | ReactivateUser | ChangeRole | DeactivateUser, *, tenant: str | None = None
) -> Receipt:
    """Do what makes or ends an active person. Raises Rejected ("last-owner", or what the user's rules say)."""
    account_id = tenant or ask.caller.tenant
    person: User = ask.state(user, command.user_id, tenant=account_id)
    before = person.member.role if person.active else None
    after = _role_after(command, person)
    if before == "owner" and after != "owner":
        user.decide(command, person)  # a refusal must come before the count is touched
        leave = ask.make(RemoveOwner, {"account_id": account_id, "user_id": command.user_id})
        ask.handle(account, account_id, leave, part="former-owner", tenant=account_id)
    receipt = ask.handle(user, command.user_id, command, part="user", tenant=account_id)
    if after == "owner":
        enter = ask.make(AddOwner, {"account_id": account_id, "user_id": command.user_id})
        ask.handle(account, account_id, enter, part="new-owner", tenant=account_id)
    return receipt


def _role_after(command: AcceptInvitation | ReactivateUser | ChangeRole | DeactivateUser, person: User) -> Role | None:
    """The role in which the person is active once the command is done; None: not active."""
    match command:
        case DeactivateUser():
            return None
        case ChangeRole(role=role):
            return role if person.active else None
        case _:
            return person.member.role
