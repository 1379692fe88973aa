"""The people of Progresus, who serve every account: their roles, and what each of them may do on the `/ops` side.

They are users of one reserved account, and hold nothing in anybody else's: what they do to an account is
recorded in that account's own streams, under their name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

STAFF_ACCOUNT = "00000000-0000-4000-8000-5747aff00001"
"""The reserved account, the same on every platform."""
STAFF_COMPANY = "Progresus S.A.S."
OPERATOR = "operator"
"""The role of whoever runs the platform's programs; no token ever carries it."""

StaffRole = Literal["staff:commercial", "staff:finance", "staff:support", "staff:legal", "staff:compliance"]
STAFF_ROLES: tuple[StaffRole, ...] = get_args(StaffRole)

STAFF_PERMISSIONS: Mapping[str, frozenset[str]] = {
    "staff:commercial": frozenset({"ops:accounts", "ops:billing", "ops:downgrades"}),
    "staff:finance": frozenset({"ops:accounts", "ops:billing", "ops:payments", "ops:catalog"}),
    "staff:support": frozenset({"ops:accounts"}),
    "staff:legal": frozenset({"ops:accounts"}),
    "staff:compliance": frozenset({"ops:accounts"}),
}
