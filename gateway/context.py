"""What is known about one HTTP request before anybody has looked at who sent it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

import uuid_utils

from gateway.settings import Network

SCOPE_KEY = "checkop"

_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


@dataclass(slots=True)
class Context:
    """One request's ids and circumstances; it lies in the ASGI scope under `SCOPE_KEY`."""

    correlation_id: str
    language: str = "en"
    ip: str = ""
    traceparent: str = ""
    user_agent: str = ""
    tenant: str = ""
    actor: str = ""
    problem: str = ""


def context_of(scope: Any) -> Context:
    """The context that the outermost middleware made."""
    context: Context = scope[SCOPE_KEY]
    return context


def correlation_id(header: bytes) -> str:
    """The caller's correlation id when it looks like a UUID, else a fresh one: it ends up in every log line."""
    text = header.decode("latin-1")
    return text.lower() if _UUID.fullmatch(text) else str(uuid_utils.uuid4())


def traceparent(header: bytes) -> str:
    """A W3C trace context that is well formed, else nothing."""
    text = header.decode("latin-1")
    return text if _TRACEPARENT.fullmatch(text) else ""


def preferred_language(header: bytes) -> str:
    """`es` or `en`, whichever the Accept-Language header weighs more; English when it names neither."""
    best, best_weight = "en", 0.0
    for part in header.decode("latin-1").split(",")[:16]:
        tag, _, parameters = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        if language not in ("es", "en"):
            continue
        weight = _weight(parameters)
        if weight > best_weight:
            best, best_weight = language, weight
    return best


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def client_ip(peer: str, forwarded_for: Iterable[str], trusted: Sequence[Network]) -> str:
    """Who is really asking: the socket's peer, or the last address that no trusted proxy vouches past.

    Each proxy appends the peer it saw, so the chain is read from its end for as long as the
    address read last belongs to a trusted proxy; whatever a client wrote in front is never reached.
    """
    current = _address(peer)
    if current is None:
        return peer
    hops = [hop.strip() for header in forwarded_for for hop in header.split(",")]
    while hops and any(current in network for network in trusted):
        candidate = _address(hops.pop())
        if candidate is None:
            break
        current = candidate
    return str(current)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket shows IPv4 peers in IPv6 clothes; policies are written in IPv4.
    return getattr(parsed, "ipv4_mapped", None) or parsed
