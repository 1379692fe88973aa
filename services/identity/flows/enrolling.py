"""A phone is bound to a key that never leaves it, so that what it sends is known to be its own, even much later."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field

from services.identity import ids, tokens
from services.identity.domain.account import Account, account
from services.identity.domain.device import Device, EnrolDevice, device
from services.identity.domain.membership import UserDeactivated, UserRoleChanged
from services.identity.domain.session import Session, session
from services.identity.domain.user import User, user
from services.identity.domain.values import Id
from services.identity.flows.logging_in import admission
from services.kernel.application import Ask, Query
from services.kernel.commit import PLATFORM
from services.kernel.domain import Command, Rejected
from services.kernel.shown import stamped

Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{43}$")]
Signature = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{86}$")]


class Enrol(Command):
    """The public key, and the text `checkop-enrol:<device>:<person>` signed with the private one."""

    device_id: Id
    public_key: Key
    proof: Signature


def enrol_device(ask: Ask) -> dict[str, Any]:
    """Bind the device that the person is logged in on; a fresh access token names the key."""
    wanted: Any = ask.make(Enrol, ask.data)
    session_id, user_id, tenant = ask.caller.session, ask.caller.actor, ask.caller.tenant
    if session_id is None:
        raise Rejected("session-unknown")
    admitted: Session = ask.state(session, session_id)
    if admitted.device_id != wanted.device_id or admitted.user_id != user_id:
        raise Rejected("device-session-required")
    if not signed(wanted.public_key, f"checkop-enrol:{wanted.device_id}:{user_id}", wanted.proof):
        raise Rejected("proof-invalid")
    place = ids.of_device(ask, user_id, wanted.device_id)
    command = ask.make(
        EnrolDevice, {"device_id": wanted.device_id, "user_id": user_id, "public_key": wanted.public_key}
    )
    receipt = ask.handle(device, place, command, part="device")
    person: User = ask.state(user, user_id)
    if admitted.status != "open" or not person.entitles(session_id, admitted.epoch):
        raise Rejected("session-revoked")
    company: Account = ask.state(account, tenant)
    refresh_token = tokens.derive(ask.secrets, "cor", tenant, session_id, admitted.generation)
    answer = receipt.to_wire() | admission(ask, tenant, admitted, session_id, person, company, refresh_token)
    return answer | {"id": wanted.device_id, "device_id": wanted.device_id}


def signed(public_key: str, text: str, signature: str) -> bool:
    """Whether the holder of the private key has signed this text."""
    try:
        key = Ed25519PublicKey.from_public_bytes(_bytes(public_key))
        key.verify(_bytes(signature), text.encode())
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class DeviceStanding(Query):
    """Which device of which person; the gateway asks, who has verified a token that names both."""

    tenant: Id
    device_id: Id
    user_id: Id


def device_standing(query: DeviceStanding, ask: Ask) -> dict[str, Any]:
    """Whether work of this device takes effect: since when it does not, and why. Never behind."""
    if ask.caller.tenant not in (PLATFORM, query.tenant):
        raise Rejected("forbidden")
    known: Device = ask.state(device, ids.of_device(ask, query.user_id, query.device_id), tenant=query.tenant)
    person: User = ask.state(user, query.user_id, tenant=query.tenant)
    if known.status == "revoked":
        return {"ended": "device_revoked", "ended_at": stamped(known.revoked_at)}
    if known.status == "none" or known.public_key is None:
        return {"ended": "device_unknown", "ended_at": None}
    if not person.member.seated:
        ends = [
            fact.at
            for fact in ask.facts(user, query.user_id, tenant=query.tenant)
            if isinstance(fact.event, UserDeactivated | UserRoleChanged)
        ]
        return {"ended": "seat_inactive", "ended_at": stamped(ends[-1] if ends else None)}
    return {"ended": None, "ended_at": None}
