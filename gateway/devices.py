"""What an enrolled phone proves with every request: that it, and nobody who copied its tokens, has sent just this."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import Request

from gateway.errors import Problem
from gateway.principals import Principal

SIGNATURE = "device-signature"
TIME = "device-time"
DIGEST = "content-digest"
PROTOCOL, SPOKEN = "sync-protocol", "1"
_DEVICE = "checkop.device"
QUARANTINE = timedelta(hours=72)
"""How long a phone that may not work any more can still hand in what was done before."""
KEPT_IN_QUARANTINE = frozenset({"device_revoked", "seat_inactive"})


@dataclass(frozen=True, slots=True)
class Device:
    """The phone behind a request. `ended`: why its work takes no effect by itself, and since when."""

    id: str
    received_at: datetime
    offset_ms: int
    ended: str | None = None
    ended_at: datetime | None = None


def check_signature(request: Request, principal: Principal) -> None:
    """Raises Problem when the request does not bear the phone's own signature.

    Signed are, line by line: the method, the path with its query, the Content-Digest header (empty without
    a body), the Device-Time header and the device's id. An old request sent again by somebody else does no harm:
    its commands are settled already, and what it would read is the phone's own.
    """
    if principal.device is None or principal.device_key is None:
        raise Problem("device-not-enrolled")
    try:
        signature = _bytes(request.headers.get(SIGNATURE, ""))
        Ed25519PublicKey.from_public_bytes(_bytes(principal.device_key)).verify(
            signature, signed_text(request, principal.device).encode()
        )
    except (InvalidSignature, ValueError, binascii.Error):
        raise Problem("device-signature-invalid") from None


def signed_text(request: Request, device_id: str) -> str:
    """What the signature is over."""
    query = request.scope["query_string"].decode("latin-1")
    target = request.scope["path"] + (f"?{query}" if query else "")
    headers = request.headers
    return "\n".join((request.method, target, headers.get(DIGEST, ""), headers.get(TIME, ""), device_id))


def check_body(request: Request, body: bytes) -> None:
    """Raises Problem when the body is not the one that was signed."""
    expected = base64.b64encode(hashlib.sha256(body).digest()).decode()
    if request.headers.get(DIGEST) != f"sha-256=:{expected}:":
        raise Problem("header-invalid", header="Content-Digest")


def clock_of(request: Request) -> tuple[datetime, int]:
    """When the request came (UTC), and how many milliseconds the phone's clock was ahead then. Raises Problem."""
    if request.headers.get(PROTOCOL) != SPOKEN:
        raise Problem("header-invalid", header="Sync-Protocol")
    received_at = datetime.now(UTC)
    try:
        told = datetime.fromisoformat(request.headers.get(TIME, ""))
        if told.tzinfo is None:
            raise ValueError("without an offset")
        return received_at, round((told - received_at).total_seconds() * 1_000)
    except (ValueError, OverflowError):
        raise Problem("header-invalid", header="Device-Time") from None


def ending(told: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Why and since when the phone may not. Raises Problem once even its finished work comes too late."""
    if told["ended"] is None:
        return {}
    ended_at = datetime.fromisoformat(told["ended_at"]) if told["ended_at"] else None
    if told["ended"] not in KEPT_IN_QUARANTINE or ended_at is None or now - ended_at > QUARANTINE:
        raise Problem("device-revoked", wipe=True)
    return {"ended": told["ended"], "ended_at": ended_at}


def device_of(request: Request) -> Device:
    """The phone that the doorkeeper has admitted."""
    device: Device = request.scope[_DEVICE]
    return device


def is_phone(request: Request) -> bool:
    """Whether the doorkeeper has admitted a phone by its signature, where others may come, too."""
    return _DEVICE in request.scope


def admit(request: Request, device: Device) -> None:
    """Let the route's function know which phone it is."""
    request.scope[_DEVICE] = device


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
