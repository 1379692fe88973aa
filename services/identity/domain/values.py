"""The words identity's facts are made of: ids, names, addresses, languages, and what of them is personal."""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, StringConstraints

from services.kernel.domain import Erased, Subject, TenantData

_ADDRESS = re.compile(r"[^@\s<>\"(),:;\\\[\]]{1,64}@[^@\s<>\"(),:;\\\[\]]+\.[^@\s<>\"(),:;\\\[\].]{2,}")


def normalise_email(text: str) -> str:
    """The one form in which an address is compared, stored and written to. Raises ValueError."""
    address = unicodedata.normalize("NFKC", text).strip().casefold()
    if len(address) > 254 or not _ADDRESS.fullmatch(address):
        raise ValueError("not an e-mail address")
    return address


def normalise_network(text: str) -> str:
    """A single address or a CIDR block in canonical form. Raises ValueError."""
    return str(ipaddress.ip_network(text.strip(), strict=False))


def allows(networks: tuple[str, ...], ip: str | None) -> bool:
    """Whether `ip` lies in one of the networks; an empty list allows everybody."""
    if not networks:
        return True
    if ip is None:
        return False
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in ipaddress.ip_network(network) for network in networks)


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as unknown:
        raise ValueError("not a time zone") from unknown
    return name


Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Email = Annotated[str, AfterValidator(normalise_email)]
Network = Annotated[str, AfterValidator(normalise_network)]
TimeZone = Annotated[str, StringConstraints(max_length=64), AfterValidator(_known_zone)]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Language = Literal["es", "en"]

Personal = Annotated[str | Erased, Subject("user_id")]
Confidential = Annotated[str | Erased, TenantData()]
