"""What billing sells is what may be used: seat limit and account state follow billing's facts, in their order."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.incoming import (
    AppliedReduction,
    ApprovedReduction,
    ChangedStanding,
    EndedReduction,
    GrantedSeats,
)
from services.kernel.application import Dispatch, Reacting
from services.kernel.commit import Recorded

_STATES = {"none": "active", "past_due": "active"}
"""A bill that is late for a few days changes nothing for those who work."""


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """Say the same here."""
    match fact.event:
        case GrantedSeats() as granted:
            yield Dispatch("raise_seat_limit", granted.model_dump())
        case ApprovedReduction() as approved:
            yield Dispatch("reserve_seat_reduction", approved.model_dump())
        case EndedReduction() as ended:
            yield Dispatch("release_seat_reduction", ended.model_dump())
        case AppliedReduction() as applied:
            yield Dispatch("apply_seat_reduction", applied.model_dump())
        case ChangedStanding(account_id=account_id, standing=standing):
            state = _STATES.get(standing, standing)
            yield Dispatch("change_account_state", {"account_id": account_id, "state": state})
