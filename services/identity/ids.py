"""Ids and one-time secrets that follow from the request itself, so that a repeated request means the same things."""

from __future__ import annotations

from uuid import UUID

from services.kernel.application import Ask


def _uuid(digest: str) -> str:
    # Version 5 says "made from a name", which is what a keyed hash of one is.
    return str(UUID(hex=digest, version=5))


def of_request(ask: Ask, what: str) -> str:
    """The id of the `what` that this very request brings into being."""
    return _uuid(ask.secrets.fingerprint(f"id-of-{what}", f"{ask.caller.tenant}:{ask.command_id}"))


def of_device(ask: Ask, user_id: str, device_id: str) -> str:
    """The id of one person on one device."""
    return _uuid(ask.secrets.fingerprint("id-of-device", f"{user_id}:{device_id}"))


def of_origin(ask: Ask, source: str, ip: str) -> str:
    """The id of one address of one session or API token; the same whoever reports it."""
    return _uuid(ask.secrets.fingerprint("id-of-origin", f"{source}:{ip}"))


def of_login_name(ask: Ask, email: str) -> str:
    """Where the claim on this (normalised) address is kept; tells nothing of the address."""
    return ask.secrets.fingerprint("login-name", email)
