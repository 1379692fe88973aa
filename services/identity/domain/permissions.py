"""What each role may do, what a profile may add or take away, and who may decide over whom."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, get_args

from services.identity.domain.staff import OPERATOR, STAFF_PERMISSIONS, STAFF_ROLES, StaffRole

Role = Literal["owner", "admin", "supervisor", "viewer", "technician"]
AnyRole = Role | StaffRole
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
    "forms",
    "submissions",
    "links",
    "history",
    "imports",
    "exports",
    "tokens",
    "billing",
)

FIELD = frozenset({"tasks:execute", "offline", "gps"})
"""Field work: only a person on a paid seat may ever hold these."""

OWNERS_OWN = frozenset({"accounts:close"})
"""To let the account rest or leave; no profile and no other role can give it."""

OFFICE = frozenset(f"{module}:{way}" for module in MODULES for way in ("read", "edit"))
PERMISSIONS = OFFICE | FIELD

ROLE_PERMISSIONS: Mapping[str, frozenset[str]] = {
    "owner": OFFICE | OWNERS_OWN,
    "admin": OFFICE,
    "supervisor": frozenset(
        {
            "tasks:read",
            "tasks:edit",
            "forms:read",
            "submissions:read",
            "submissions:edit",
            "links:read",
            "links:edit",
            "customers:read",
            "customers:edit",
            "imports:read",
            "imports:edit",
            "exports:read",
            "exports:edit",
            "processes:read",
            "users:read",
            "teams:read",
            "history:read",
        }
    ),
    "viewer": frozenset(
        {
            "tasks:read",
            "forms:read",
            "submissions:read",
            "links:read",
            "customers:read",
            "exports:read",
            "exports:edit",
            "processes:read",
            "users:read",
            "teams:read",
        }
    ),
    "technician": FIELD
    | frozenset({"tasks:read", "forms:read", "submissions:read", "customers:read", "processes:read"}),
    **STAFF_PERMISSIONS,
}

_RANK: Mapping[str, int] = {
    OPERATOR: 6,
    # Above every role an account has: nobody decides over these but the operator, whatever the account.
    **dict.fromkeys(STAFF_ROLES, 5),
    "owner": 4,
    "admin": 3,
    "supervisor": 2,
    "viewer": 1,
    "technician": 1,
}
_WITH_TOTP = frozenset(STAFF_ROLES)
"""Roles that work with a second proof only, whatever an account's policies say."""


def demands_totp(role: AnyRole, by_policy: Collection[str]) -> bool:
    """Whether the role may do nothing without an authenticator."""
    return role in _WITH_TOTP or role in by_policy


def licence_of(role: AnyRole) -> Licence:
    """Technicians sit on paid seats; everybody else is free."""
    return "operational" if role == "technician" else "standard"


def effective(role: AnyRole, profile: frozenset[str] | None) -> frozenset[str]:
    """What a person may do: the role's set, or the profile's in its place, within the licence.

    The owner's set is not negotiable, so that no profile can lock an account out of itself; nor is the staff's.
    """
    if role == "owner" or role in STAFF_PERMISSIONS or profile is None:
        return ROLE_PERMISSIONS[role]
    return profile & (PERMISSIONS if licence_of(role) == "operational" else OFFICE)


def governs(actor: str, *roles: str) -> bool:
    """Whether someone of role `actor` may decide over all of `roles`: never over one above the own."""
    return all(_RANK.get(actor, 0) >= _RANK[role] for role in roles)
