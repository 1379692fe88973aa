"""Passwords are changed by who knows them, and reset through a mailed link by who has forgotten them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from services.identity import ids, passwords, proof, tokens
from services.identity.domain.account import Account, account
from services.identity.domain.credentials import ChangePassword, RequestPasswordReset, ResetPassword
from services.identity.domain.login_name import AskReset, login_name
from services.identity.domain.membership import NoteRefusedLogin
from services.identity.domain.password_rules import demand_good
from services.identity.domain.user import User, user
from services.identity.domain.values import Email, Id
from services.identity.flows.registering import Password
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM
from services.kernel.domain import Command, Rejected


class Change(Command):
    """The password as it was, and as it shall be."""

    current_password: Password
    new_password: Password


def change_password(ask: Ask) -> dict[str, Any]:
    """Replace the own password; every other session ends."""
    wanted: Any = ask.make(Change, ask.data)
    user_id = ask.caller.actor
    person: User = ask.state(user, user_id)
    if person.credentials.changed_by_request != ask.command_id:
        person = proof.demand_password(ask, wanted.current_password)
    _demand_good(ask, person, wanted.new_password, ask.caller.tenant)
    changed = {
        "user_id": user_id,
        "password_hash": passwords.hash_of(wanted.new_password),
        "proven_hash": str(person.credentials.password_hash),
        "kept_session": ask.caller.session,
        "request": ask.command_id,
    }
    return ask.handle(user, user_id, ask.make(ChangePassword, changed), part="user").to_wire()


class Forgotten(Command):
    """Whose password was forgotten."""

    email: Email


def request_password_reset(ask: Ask) -> dict[str, Any]:
    """Note the wish; the answer is the same whether anybody has this address, and so is the time it takes."""
    wanted: Any = ask.make(Forgotten, ask.data)
    name_id = ids.of_login_name(ask, wanted.email)
    ask.handle(login_name, name_id, ask.make(AskReset, {"name_id": name_id}), part="asked", tenant=PLATFORM)
    return {}


class OfPerson(Command):
    """A person of some account, as a fact about a log-in name tells it."""

    account_id: Id
    user_id: Id


def start_password_reset(ask: Ask) -> dict[str, Any]:
    """Make the link of a person who asked for it; somebody who may not work gets none."""
    whose: Any = ask.make(OfPerson, ask.data)
    person: User = ask.state(user, whose.user_id, tenant=whose.account_id)
    if not person.active:
        return {}
    request = ask.make(RequestPasswordReset, {"user_id": whose.user_id})
    return ask.handle(user, whose.user_id, request, part="user", tenant=whose.account_id).to_wire()


class Reset(Command):
    """The mailed link's token, and the password as it shall be."""

    token: str
    password: Password


def reset_password(ask: Ask) -> dict[str, Any]:
    """Use the link: a new password, and no session goes on."""
    wanted: Any = ask.make(Reset, ask.data)
    link = tokens.read(ask.secrets, "rst", wanted.token)
    if link is None:
        raise Rejected("reset-invalid")
    person: User = ask.state(user, link.id, tenant=link.tenant)
    _demand_good(ask, person, wanted.password, link.tenant)
    ask.caller = replace(ask.caller, actor=link.id)
    reset = {"user_id": link.id, "number": link.number, "password_hash": passwords.hash_of(wanted.password)}
    return ask.handle(user, link.id, ask.make(ResetPassword, reset), part="user", tenant=link.tenant).to_wire()


def _demand_good(ask: Ask, person: User, password: str, tenant: str) -> None:
    company: Account = ask.state(account, tenant, tenant=tenant)
    email = str(person.member.email).split("@")[0]
    demand_good(password, (str(person.member.name), str(company.name), email))


def note_refused_login(ask: Ask) -> dict[str, Any]:
    """Let the person's account see in its history that somebody failed to log in."""
    whose: Any = ask.make(OfPerson, {k: v for k, v in ask.data.items() if k != "failed_at"})
    refused = {"user_id": whose.user_id, "failed_at": ask.data.get("failed_at")}
    command = ask.make(NoteRefusedLogin, refused)
    return ask.handle(user, whose.user_id, command, part="user", tenant=whose.account_id).to_wire()
