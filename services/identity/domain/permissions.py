"""What each role may do, what a profile may add or take away, and who may decide over whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["owner", "admin", "supervisor", "viewer", "technician"]
Licence = Literal["standard", "operational"]

ROLES: tuple[Role, ...] = get_args(Role)
MODULES = (
    "accounts",
    "users",
    "teams",
    "profiles",
    "processes",
    "customers",
    "tasks",
    "history",
    "imports",
    "tokens",
)

FIELD = frozenset({"tasks:execute", "offline", "gps"})
"""Field work: only a person on a paid seat may ever hold these."""

OFFICE = frozenset(f"{module}:{way}" for module in MODULES for way in ("read", "edit"))
PERMISSIONS = OFFICE | FIELD

ROLE_PERMISSIONS: Mapping[Role, frozenset[str]] = {
    "owner": OFFICE,
    "admin": OFFICE,
    "supervisor": frozenset(
        {
            "tasks:read",
            "tasks:edit",
            "customers:read",
            "customers:edit",
            "imports:read",
            "imports:edit",
            "processes:read",
            "users:read",
            "teams:read",
            "history:read",
        }
    ),
    "viewer": frozenset({"tasks:read", "customers:read", "processes:read", "users:read", "teams:read"}),
    "technician": frozenset({"tasks:read", "customers:read", "processes:read"}) | FIELD,
}

_RANK: Mapping[str, int] = {"owner": 4, "admin": 3, "supervisor": 2, "viewer": 1, "technician": 1}


def licence_of(role: Role) -> Licence:
    """Technicians sit on paid seats; everybody else is free."""
    return "operational" if role == "technician" else "standard"


def effective(role: Role, profile: frozenset[str] | None) -> frozenset[str]:
    """What a person may do: the role's set, or the profile's in its place, within the licence.

    The owner's set is not negotiable, so that no profile can lock an account out of itself.
    """
    if role == "owner" or profile is None:
        return ROLE_PERMISSIONS[role]
    return profile & (PERMISSIONS if licence_of(role) == "operational" else OFFICE)


def governs(actor: str, *roles: str) -> bool:
    """Whether someone of role `actor` may decide over all of `roles`: never over one above the own."""
    return all(_RANK.get(actor, 0) >= _RANK[role] for role in roles)
