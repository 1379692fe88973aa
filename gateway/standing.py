"""What the people of an account may do while it is restricted, suspended, paused or cancelled: one table.

Billing decides how an account stands, identity writes it into tokens and publishes every change; here it is
obeyed. Log-in, one's own password and the like are never refused: who cannot come in cannot pay either.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from gateway.errors import Problem
from gateway.principals import Principal

Kind = Literal["own", "read", "billing-read", "billing", "field", "finish", "safety", "plan", "ops"]
"""What a request is for.

own: signing in and out, one's own password and devices · read: looking at things, exports, live facts ·
billing-read: plan, seats, invoices, balance · billing: to pay, to buy, to pause, to resume · field: taking on
work in the field · finish: bringing work to its end that one has already · safety: ending somebody's access ·
plan: every other change · ops: what staff does.
"""

ALL = frozenset({"owner", "admin", "supervisor", "viewer", "technician"})
OFFICE = frozenset({"owner", "admin"})
OWNER = frozenset({"owner"})
NOBODY: frozenset[str] = frozenset()

STANDING: Mapping[str, Mapping[Kind, frozenset[str]]] = {
    "restricted": {
        "read": ALL,
        "billing-read": ALL,
        "billing": ALL,
        "field": ALL,
        "finish": ALL,
        "safety": ALL,
        "plan": NOBODY,
    },
    "suspended": {
        "read": OFFICE,
        "billing-read": OFFICE,
        "billing": OFFICE,
        "field": NOBODY,
        "finish": ALL,
        "safety": OFFICE,
        "plan": NOBODY,
    },
    "paused": {
        "read": ALL,
        "billing-read": ALL,
        "billing": OWNER,
        "field": NOBODY,
        "finish": NOBODY,
        "safety": OFFICE,
        "plan": NOBODY,
    },
    "cancelled": {
        "read": OWNER,
        "billing-read": OWNER,
        "billing": OWNER,
        "field": NOBODY,
        "finish": NOBODY,
        "safety": OWNER,
        "plan": NOBODY,
    },
}
"""Who may do what in which state, as far as permissions allow it. What is not in it is not refused."""

BY_NAME: Mapping[str, Kind] = {
    "follow": "read",
    "request_export": "read",
    "delete_export": "read",
    "claim_task": "field",
    "start_task": "finish",
    "advance_task": "finish",
    "note_task": "finish",
    "record_points": "finish",
    "save_filter": "read",
    "change_filter": "read",
    "remove_filter": "read",
    "submit_answers": "finish",
    "amend_submission": "finish",
    "create_public_link": "read",
    "revoke_public_link": "safety",
    "begin_upload": "finish",
    "plan_upload": "finish",
    "show_offset": "finish",
    "take_bytes": "finish",
    "complete_upload": "finish",
    "abort_upload": "finish",
    "show_upload": "finish",
    "deactivate_user": "safety",
    "withdraw_invitation": "safety",
    "revoke_device_of": "safety",
    "revoke_api_token": "safety",
}
"""Operations whose kind does not follow from method and permission."""


def kind_of(name: str, *, safe: bool, access: str, permission: str | None) -> Kind:
    """What requests to the operation of this name are for. `safe`: it only reads."""
    if name in BY_NAME:
        return BY_NAME[name]
    module = (permission or "").partition(":")[0]
    if access != "permission":
        return "own"
    if module == "ops":
        return "ops"
    if module == "billing" or permission == "accounts:close":
        return "billing-read" if safe else "billing"
    return "read" if safe else "plan"


def allowed(state: str, role: str) -> dict[Kind, bool]:
    """The row of the table for this role, as clients show it."""
    return {kind: refusal(state, role, kind) is None for kind in get_args(Kind) if kind not in ("own", "ops")}


def refusal(state: str, role: str, kind: Kind) -> Problem | None:
    """Why somebody of this role may not do this now, in words that say what would help; None: it may be done."""
    if kind in ("own", "ops"):
        return None
    rules = STANDING.get(state)
    if rules is None or role in rules[kind]:
        return None
    match state:
        case "restricted":
            return Problem("account-restricted", state=state)
        case "suspended":
            return Problem("account-suspended", state=state)
        case "paused":
            return Problem("account-paused", state=state)
        case _:
            return Problem("account-cancelled", state=state)


class Standings:
    """How accounts stand whose standing changed of late; a token made since then says it by itself."""

    def __init__(self, remembered_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._remembered = remembered_seconds
        self._clock = clock
        self._known: dict[str, tuple[int, str, float]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def learn(self, account_id: str, state: str, revision: int) -> None:
        """The account stands so since its change number `revision`. An older word changes nothing."""
        known = self._known.get(account_id)
        if known is None or known[0] <= revision:
            self._known[account_id] = (revision, state, self._clock())

    def of(self, principal: Principal) -> str:
        """How the caller's account stands: by the token or by what was heard, whichever is later."""
        known = self._known.get(principal.tenant)
        return known[1] if known is not None and known[0] > principal.revision else principal.state

    def forget(self) -> None:
        """Drop what every token still in use says by itself."""
        limit = self._clock() - self._remembered
        self._known = {id: entry for id, entry in self._known.items() if entry[2] > limit}


def of_sync(refused: Problem) -> Problem:
    """The same refusal as phones know it: they keep what they have, and come again or not."""
    state = refused.facts.get("state")
    if state == "paused":
        return Problem("sync-paused", state=state)
    return Problem("sync-ended", state=state)
