"""Tokens that are derived, not stored: whoever holds the service's seed can recompute them, nobody else."""

from __future__ import annotations

import base64
import hashlib
import hmac

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class Secrets:
    """Everything this service derives from its seed.

    A mailed token is an HMAC over what it stands for, so no event, database or backup ever holds it,
    and a crash between the fact and the mail loses nothing: the token is simply derived again.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) < 32:
            raise ValueError("the token seed must be at least 32 bytes")
        self._seed = seed

    def derive(self, purpose: str, *parts: str) -> str:
        """256 unguessable bits, URL-safe, for exactly this purpose and these parts."""
        return base64.urlsafe_b64encode(self._mac("token", purpose, *parts)).rstrip(b"=").decode()

    def matches(self, token: str, purpose: str, *parts: str) -> bool:
        """Whether `token` is the derived one; constant time."""
        return hmac.compare_digest(token.encode(), self.derive(purpose, *parts).encode())

    def fingerprint(self, purpose: str, value: str) -> str:
        """A keyed hash that finds a value again without telling it; 128 bits in hex."""
        return self._mac("fingerprint", purpose, value)[:16].hex()

    def signing_key(self) -> Ed25519PrivateKey:
        """The key that signs access tokens."""
        return Ed25519PrivateKey.from_private_bytes(self._mac("signing-key", "access"))

    def _mac(self, *parts: str) -> bytes:
        # Each part carries its length, so that ("a", "bc") and ("ab", "c") differ.
        message = b"".join(len(p.encode()).to_bytes(4, "big") + p.encode() for p in parts)
        return hmac.new(self._seed, message, hashlib.sha256).digest()


def decode_seed(text: str) -> bytes:
    """The seed from its URL-safe base64 form."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
