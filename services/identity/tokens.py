"""The texts that prove something: access tokens, refresh tokens, mailed links and API keys."""

from __future__ import annotations

import base64
import hashlib
import string
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.kernel.application import Ask
from services.kernel.secrets import Secrets

ISSUER = AUDIENCE = "checkop"
ACCESS_LIVES = timedelta(minutes=5)

_ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase

Purpose = Literal["cor", "inv", "rst"]
"""What a derived token is for: to refresh a session, to accept an invitation, to reset a password."""


@dataclass(frozen=True, slots=True)
class Derived:
    """What a derived token stands for: the `number`-th of its kind for this aggregate."""

    tenant: str
    id: str
    number: int


def derive(secrets: Secrets, purpose: Purpose, tenant: str, id: str, number: int) -> str:
    """The text `<purpose>.<tenant>.<id>.<number>.<mac>`; it can always be made again, so it is never stored."""
    return f"{purpose}.{tenant}.{id}.{number}.{secrets.derive(purpose, tenant, id, str(number))}"


def read(secrets: Secrets, purpose: Purpose, token: str) -> Derived | None:
    """What the token stands for, or None when it is not one of ours."""
    parts = token.split(".")
    if len(parts) != 5 or parts[0] != purpose or not (parts[3].isascii() and parts[3].isdigit()):
        return None
    _, tenant, id, number, mac = parts
    if len(number) > 9 or not mac.isascii() or not secrets.matches(mac, purpose, tenant, id, number):
        return None
    return Derived(tenant, id, int(number))


def access_token(
    ask: Ask,
    *,
    tenant: str,
    user_id: str,
    session_id: str,
    role: str,
    permissions: frozenset[str],
    epoch: int,
    state: str,
    revision: int,
    proven_at: datetime,
    device_id: str | None = None,
    device_key: str | None = None,
) -> str:
    """A signed statement, good for five minutes, of who this is, what they may do, and how the account stands.

    `auth_time` is when the person last typed the password, as OpenID Connect means it; `cnf` is the key that an
    enrolled device signs with, as RFC 7800 means it.
    """
    issued = int(ask.now.timestamp())
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": user_id,
        "tid": tenant,
        "sid": session_id,
        "role": role,
        "perms": sorted(permissions),
        "epoch": epoch,
        "acc": state,
        "acr": revision,
        "auth_time": int(proven_at.timestamp()),
        "iat": issued,
        "exp": issued + int(ACCESS_LIVES.total_seconds()),
    }
    if device_id is not None and device_key is not None:
        claims |= {"did": device_id, "cnf": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": device_key}}}
    key = ask.secrets.signing_key()
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": signing_jwk(ask.secrets)["kid"]})


def signing_jwk(secrets: Secrets) -> dict[str, Any]:
    """The public half of the signing key; its id is its RFC 7638 thumbprint."""
    raw = secrets.signing_key().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    x = _base64url(raw)
    thumbprint = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": _base64url(thumbprint), "alg": "EdDSA", "use": "sig"}


def api_key(secrets: Secrets, tenant: str, token_id: str, command_id: str) -> str:
    """The text `cop_<account and token>_<secret and checksum>`; scanners can tell it from random text."""
    where = _to_text(UUID(tenant).int << 128 | UUID(token_id).int, 43)
    secret = hashlib.sha256(secrets.derive("api-key", tenant, token_id, command_id).encode()).digest()
    body = f"cop_{where}_{_to_text(int.from_bytes(secret, 'big'), 43)}"
    return body + _to_text(zlib.crc32(body.encode()), 6)


def read_api_key(key: str) -> tuple[str, str] | None:
    """Account and token id of a well-formed key; whether it opens anything is the token's to say."""
    if len(key) != 97 or not key.startswith("cop_") or not key.isascii():
        return None
    body, checksum = key[:-6], key[-6:]
    where = _from_text(key[4:47])
    if key[47] != "_" or where is None or where >= 1 << 256 or checksum != _to_text(zlib.crc32(body.encode()), 6):
        return None
    return str(UUID(int=where >> 128)), str(UUID(int=where & (1 << 128) - 1))


def hash_of(secret: str) -> str:
    """The form in which a long random secret is kept; being random it needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def recovery_codes(ask: Ask, user_id: str) -> list[str]:
    """Ten codes of 120 bits in groups that can be copied by hand; a repeated request gets the same."""
    codes = []
    for n in range(10):
        secret = ask.secrets.derive("recovery-code", user_id, ask.command_id, str(n)).encode()
        text = base64.b32encode(hashlib.sha256(secret).digest()[:15]).decode()
        codes.append("-".join(text[i : i + 6] for i in range(0, 24, 6)))
    return codes


def recovery_hash(code: str) -> str:
    """How a typed recovery code is looked up: case and grouping do not matter."""
    return hash_of("".join(code.split()).replace("-", "").upper())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _to_text(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _from_text(text: str) -> int | None:
    number = 0
    for letter in text:
        digit = _ALPHABET.find(letter)
        if digit < 0:
            return None
        number = number * len(_ALPHABET) + digit
    return number
