"""A person proves who they are and gets a session; what failed is answered alike and in equal time."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import StringConstraints

from services.identity import ids, passwords, second_factor, tokens
from services.identity.domain.account import Account, account
from services.identity.domain.credentials import RehashPassword
from services.identity.domain.device import Device, RegisterDevice, device
from services.identity.domain.login_name import LoginName, NoteFailure, NoteSuccess, login_name
from services.identity.domain.origin import ObserveOrigin, origin
from services.identity.domain.session import Kind, OpenSession, RevokeSession, Session, session
from services.identity.domain.user import User, user
from services.identity.domain.values import Email, Id, allows
from services.identity.entitlements import granted
from services.identity.flows.registering import Password
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM
from services.kernel.domain import Command, Rejected

NOBODY = "00000000-0000-0000-0000-000000000000"

Ip = Annotated[str, StringConstraints(max_length=45)]


class Login(Command):
    """What a person types, and what the gateway saw of the device and its address."""

    email: Email
    password: Password
    totp: Annotated[str, StringConstraints(max_length=12)] | None = None
    recovery_code: Annotated[str, StringConstraints(max_length=40)] | None = None
    kind: Kind = "web"
    device_id: Id | None = None
    device_label: Annotated[str, StringConstraints(max_length=200)] = ""
    ip: Ip | None = None


def login(ask: Ask) -> dict[str, Any]:
    """Check everything there is to check, in an order that tells a stranger nothing, and open a session."""
    wanted: Any = ask.make(Login, ask.data)
    name_id = ids.of_login_name(ask, wanted.email)
    name: LoginName = ask.state(login_name, name_id, tenant=PLATFORM)
    # Without a holder the same look-ups are made for nobody, so that an unknown address takes as long.
    tenant, user_id = name.account_id or PLATFORM, name.user_id or NOBODY
    person: User = ask.state(user, user_id, tenant=tenant)
    known_device = _known_device(ask, tenant, user_id, wanted.device_id)
    if wait := name.retry_after(known_device, ask.now):
        raise Rejected("login-delayed", retry_after=wait)
    attempt = {"name_id": name_id, "device_id": known_device}
    if not passwords.matches(person.credentials.password_hash, wanted.password):
        _fail(ask, attempt, "credentials-invalid")
    ask.caller = replace(ask.caller, actor=user_id)
    company: Account = ask.state(account, tenant, tenant=tenant)
    _demand_admitted(ask, person, company, wanted.ip)
    if person.factor.enabled:
        _prove_second_factor(ask, person, wanted, tenant, attempt)
    if known_device in name.failures:
        ask.handle(login_name, name_id, ask.make(NoteSuccess, attempt), part="proven", tenant=PLATFORM)
    if wanted.device_id is not None:
        registered = {"device_id": wanted.device_id, "user_id": user_id, "label": wanted.device_label}
        place = ids.of_device(ask, user_id, wanted.device_id)
        ask.handle(device, place, ask.make(RegisterDevice, registered), part="device", tenant=tenant)
    _rehash(ask, person, wanted.password, tenant)
    return _open(ask, wanted, tenant, person, company)


def _known_device(ask: Ask, tenant: str, user_id: str, device_id: str | None) -> str | None:
    if device_id is None:
        return None
    known: Device = ask.state(device, ids.of_device(ask, user_id, device_id), tenant=tenant)
    return device_id if known.status == "registered" else None


def _fail(ask: Ask, attempt: dict[str, Any], code: str) -> None:
    name_id = attempt["name_id"]
    ask.handle(login_name, name_id, ask.make(NoteFailure, attempt), part="failure", tenant=PLATFORM)
    raise Rejected(code)


def _demand_admitted(ask: Ask, person: User, company: Account, ip: str | None) -> None:
    """What only somebody who knows the password is told."""
    if not person.active:
        raise Rejected("user-inactive")
    if not allows(company.policies.ip_allow_list, ip):
        raise Rejected("ip-not-allowed")
    if person.credentials.expired(company.policies.password_max_age_days, ask.now):
        raise Rejected("password-expired")


def _prove_second_factor(ask: Ask, person: User, wanted: Any, tenant: str, attempt: dict[str, Any]) -> None:
    user_id = ask.caller.actor
    command = second_factor.proof_of(ask, person, user_id, wanted)
    try:
        if command is None:
            raise Rejected("totp-invalid")
        ask.handle(user, user_id, command, part="second-factor", tenant=tenant)
    except Rejected as wrong:
        _fail(ask, attempt, wrong.code)


def _rehash(ask: Ask, person: User, password: str, tenant: str) -> None:
    stored = str(person.credentials.password_hash)
    if passwords.outdated(stored):
        fresh = {"user_id": ask.caller.actor, "password_hash": passwords.hash_of(password), "proven_hash": stored}
        ask.handle(user, ask.caller.actor, ask.make(RehashPassword, fresh), part="rehash", tenant=tenant)


def _open(ask: Ask, wanted: Any, tenant: str, person: User, company: Account) -> dict[str, Any]:
    user_id, session_id = ask.caller.actor, ids.of_request(ask, "session")
    origin_id = None
    if wanted.ip is not None:
        origin_id = ids.of_origin(ask, session_id, wanted.ip)
        seen = {"origin_id": origin_id, "user_id": user_id, "session_id": session_id, "ip": wanted.ip}
        ask.handle(origin, origin_id, ask.make(ObserveOrigin, seen), part="origin", tenant=tenant)
        ask.caller = replace(ask.caller, origin=origin_id)
    opened = {
        "session_id": session_id,
        "user_id": user_id,
        "kind": wanted.kind,
        "device_id": wanted.device_id,
        "label": wanted.device_label,
        "origin_id": origin_id,
        "epoch": person.epoch,
    }
    receipt = ask.handle(session, session_id, ask.make(OpenSession, opened), part="session", tenant=tenant)
    refresh = tokens.derive(ask.secrets, "cor", tenant, session_id, 0)
    begun: Session = ask.state(session, session_id, tenant=tenant)
    if begun.status != "open":
        raise Rejected("session-revoked")  # the same request once more, long after what it opened has ended
    if device_revoked(ask, tenant, begun):
        # Sent away while this log-in was on its way; whoever did that may have found no session on it yet.
        ended = {"session_id": session_id, "reason": "device-revoked"}
        ask.handle(session, session_id, ask.make(RevokeSession, ended), part="ended", tenant=tenant)
        raise Rejected("device-revoked", device_id=wanted.device_id)
    return (
        receipt.to_wire()
        | admission(ask, tenant, begun, session_id, person, company, refresh)
        | {"origin_id": origin_id}
    )


def admission(
    ask: Ask, tenant: str, admitted: Session, session_id: str, person: User, company: Account, refresh_token: str
) -> dict[str, Any]:
    """The tokens and what goes with them: who this is and what they may do."""
    user_id = admitted.user_id
    permissions, must_enrol = granted(ask, tenant, person, company)
    access = tokens.access_token(
        ask,
        tenant=tenant,
        user_id=user_id,
        session_id=session_id,
        role=person.member.role,
        permissions=permissions,
        epoch=person.epoch,
        state=company.state,
        revision=company.revision,
        proven_at=admitted.proven_at or ask.now,
        device_id=admitted.device_id,
        device_key=_key_of(ask, tenant, admitted),
    )
    return {
        "access_token": access,
        "expires_in": int(tokens.ACCESS_LIVES.total_seconds()),
        "refresh_token": refresh_token,
        "user_id": user_id,
        "account_id": tenant,
        "session_id": session_id,
        "role": person.member.role,
        "permissions": sorted(permissions),
        "must_enrol_totp": must_enrol,
        "account_state": company.state,
    }


def device_revoked(ask: Ask, tenant: str, opened: Session) -> bool:
    """Whether the device that this session is on has been sent away."""
    if opened.device_id is None:
        return False
    known: Device = ask.state(device, ids.of_device(ask, opened.user_id, opened.device_id), tenant=tenant)
    return known.status == "revoked"


def _key_of(ask: Ask, tenant: str, admitted: Session) -> str | None:
    if admitted.device_id is None:
        return None
    known: Device = ask.state(device, ids.of_device(ask, admitted.user_id, admitted.device_id), tenant=tenant)
    return known.public_key


def logout(ask: Ask) -> dict[str, Any]:
    """End the present session."""
    if ask.caller.session is None:
        raise Rejected("session-unknown")
    ended = {"session_id": ask.caller.session, "reason": "logout", "user_id": ask.caller.actor}
    return ask.handle(session, ask.caller.session, ask.make(RevokeSession, ended), part="session").to_wire()
