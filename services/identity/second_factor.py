"""Checks time-based codes and recovery codes, and makes the secrets that people put into their authenticators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pyotp

from services.identity import proof, tokens
from services.identity.domain.account import Account, account
from services.identity.domain.permissions import demands_totp
from services.identity.domain.second_factor import AcceptTotp, UseRecoveryCode
from services.identity.domain.user import User, user
from services.kernel.application import Ask
from services.kernel.commands import Receipt
from services.kernel.domain import Command, Rejected

ISSUER = "CheckOP"


def accept(ask: Ask, person: User, user_id: str, code: str) -> Command | None:
    """The command for a right code of this moment; None for a wrong one. Whether it is spent the decider says."""
    timecode = _timecode(ask, person.factor.secret, code)
    if timecode is None:
        return None
    return ask.make(AcceptTotp, {"user_id": user_id, "timecode": timecode})


class Typed(Protocol):
    """What a person typed of the second factor."""

    totp: str | None
    recovery_code: str | None


def proof_of(ask: Ask, person: User, user_id: str, typed: Typed) -> Command | None:
    """The command that counts what was typed as proof; None for a wrong code. Raises Rejected("totp-required")."""
    if typed.recovery_code is not None:
        return recovery(ask, user_id, typed.recovery_code)
    if typed.totp is None:
        raise Rejected("totp-required")
    return accept(ask, person, user_id, typed.totp)


def recovery(ask: Ask, user_id: str, code: str) -> Command:
    """The command for a recovery code; whether it is still good is the decider's to say."""
    return ask.make(UseRecoveryCode, {"user_id": user_id, "code_hash": tokens.recovery_hash(code)})


def _timecode(ask: Ask, secret: object, code: str) -> int | None:
    code = code.replace(" ", "")
    if not isinstance(secret, str) or not secret or len(code) != 6 or not (code.isascii() and code.isdigit()):
        return None
    try:
        # One step only: a code is good for its own 30 seconds.
        return pyotp.TOTP(secret).verify_and_get_timecode(code, for_time=ask.now, valid_window=0)
    except pyotp.exceptions.OTPVerificationError:
        return None


def prepare_enrolment(ask: Ask) -> Mapping[str, Any]:
    """A fresh secret for whoever proves the password."""
    proof.demand_password(ask, str(ask.data.get("password", "")))
    return {"user_id": ask.caller.actor, "secret": pyotp.random_base32()}


def answer_enrolment(ask: Ask, receipt: Receipt, person: User) -> Mapping[str, Any]:
    """The secret, in words and as the address an authenticator's camera reads."""
    secret = str(person.factor.pending)
    uri = pyotp.TOTP(secret).provisioning_uri(name=str(person.member.email), issuer_name=ISSUER)
    return {"secret": secret, "otpauth_uri": uri}


def prepare_confirmation(ask: Ask) -> Mapping[str, Any]:
    """The code shown for the pending secret, and the hashes of new recovery codes."""
    user_id = ask.caller.actor
    person: User = ask.state(user, user_id)
    hashes = tuple(tokens.recovery_hash(code) for code in tokens.recovery_codes(ask, user_id))
    if person.factor.enabled and person.factor.recovery_hashes & set(hashes):
        # This very request was carried out before, and its answer was lost; the code has run out since.
        secret, timecode = str(person.factor.secret), person.factor.last_timecode
    else:
        secret = str(person.factor.pending)
        shown = _timecode(ask, secret, str(ask.data.get("code", "")))
        if shown is None:
            raise Rejected("totp-invalid")
        timecode = shown
    return {"user_id": user_id, "secret": secret, "timecode": timecode, "recovery_hashes": hashes}


def answer_confirmation(ask: Ask, receipt: Receipt, person: User) -> Mapping[str, Any]:
    """The recovery codes; only this request can name them."""
    codes = tokens.recovery_codes(ask, ask.caller.actor)
    mine = {tokens.recovery_hash(code) for code in codes} & person.factor.recovery_hashes
    return {"recovery_codes": [code for code in codes if tokens.recovery_hash(code) in mine]}


def prepare_disabling(ask: Ask) -> Mapping[str, Any]:
    """Whoever proves the password may give the second proof up, where the account does not demand it."""
    person = proof.demand_password(ask, str(ask.data.get("password", "")))
    company: Account = ask.state(account, ask.caller.tenant)
    required = demands_totp(person.member.role, company.policies.required_mfa_roles)
    return {"user_id": ask.caller.actor, "required": required}
