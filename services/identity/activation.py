"""The one way in which people become active in a role, or stop being so; owners and paid seats are counted here.

An account must never be without an active owner, and the count lives in the account's own stream. So a
person leaves the count before ceasing to be an owner and enters it only after having become one: a crash
between the two leaves one owner too few in the count, never one too many. A paid seat is taken before the
person may work on it and given up after: a crash leaves one seat too many taken, never one too few.

Without a free seat nothing happens at all: an invitation stays as good as it was, and can be accepted once
somebody has got up or more seats have been granted.
"""

from __future__ import annotations

from services.identity import seats
from services.identity.domain.account import AddOwner, RemoveOwner, account
from services.identity.domain.invitation import AcceptInvitation
from services.identity.domain.membership import ChangeRole, DeactivateUser, ReactivateUser
from services.identity.domain.permissions import AnyRole, licence_of
from services.identity.domain.user import User, user
from services.kernel.application import Ask
from services.kernel.commands import Receipt
from services.kernel.domain import Rejected

Activating = AcceptInvitation | ReactivateUser | ChangeRole
ATTEMPTS = 3


def carry_out(ask: Ask, command: Activating | DeactivateUser, *, tenant: str | None = None) -> Receipt:
    """Do what makes or ends an active person.

    Raises Rejected ("last-owner", "no-free-seat", or what the user's rules say).
    """
    account_id = tenant or ask.caller.tenant
    person: User = ask.state(user, command.user_id, tenant=account_id)
    before = person.member.role if person.active else None
    after = _role_after(command, person)
    if before == "owner" and after != "owner":
        _demand_possible(command, person)  # a refusal must come before the count is touched
        leave = ask.make(RemoveOwner, {"account_id": account_id, "user_id": command.user_id})
        ask.handle(account, account_id, leave, part="former-owner", tenant=account_id)
    try:
        receipt = _carry_out_seated(ask, command, account_id)
    finally:
        if "operational" in {licence_of(role) for role in (before, after) if role is not None}:
            seats.settle(ask, account_id, command.user_id)
    if after == "owner":
        enter = ask.make(AddOwner, {"account_id": account_id, "user_id": command.user_id})
        ask.handle(account, account_id, enter, part="new-owner", tenant=account_id)
    return receipt


def _carry_out_seated(ask: Ask, command: Activating | DeactivateUser, account_id: str) -> Receipt:
    if earlier := ask.done("user"):
        return earlier  # whoever asks once more may by now find every seat taken
    for attempt in range(1, ATTEMPTS + 1):
        ready = command if isinstance(command, DeactivateUser) else _with_seat(ask, command, account_id)
        try:
            return ask.handle(user, command.user_id, ready, part="user", tenant=account_id)
        except Rejected as refused:
            # The seat was thought unused and taken back, or the role became another one: once more, as it is now.
            if refused.code != "seat-forfeited" or attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt either answers or raises")


def _with_seat(ask: Ask, command: Activating, account_id: str) -> Activating:
    person: User = ask.state(user, command.user_id, tenant=account_id)
    after = _role_after(command, person)
    if person.member.seated or after is None or licence_of(after) != "operational":
        return command
    try:
        _demand_possible(command, person)
    except Rejected:
        return command  # refused by the person's stream, or answered there as a repeat; no seat in any case
    return command.model_copy(update={"seat": seats.take(ask, account_id, command.user_id)})


def _demand_possible(command: Activating | DeactivateUser, person: User) -> None:
    """Raises Rejected when the person's own rules forbid it, whatever seats there are."""
    if isinstance(command, DeactivateUser):
        user.decide(command, person)
    else:
        user.decide(command.model_copy(update={"seat": person.member.spent + 1}), person)


def _role_after(command: Activating | DeactivateUser, person: User) -> AnyRole | None:
    """The role in which the person is active once the command is done; None: not active."""
    match command:
        case DeactivateUser():
            return None
        case ChangeRole(role=role):
            return role if person.active else None
        case _:
            return person.member.role
