"""A seat and its person agree in the end, whatever died between the one and the other.

Also takes care of people who came to work before their account had a seat pool.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from services.identity.domain.membership import UserActivated, UserDeactivated, UserRoleChanged
from services.identity.domain.seat_pool import SeatAssigned
from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded

TAKEN_UP_WITHIN = timedelta(minutes=2)
"""Far longer than any request that takes a seat may last."""


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """Look again: at once after a change of the person, some time after a seat was taken."""
    match fact.event:
        case SeatAssigned(user_id=user_id, number=number):
            check = Dispatch("settle_seat", {"user_id": user_id})
            yield At(fact.at + TAKEN_UP_WITHIN, f"seat:{fact.tenant}:{user_id}:{number}", check)
        case UserActivated(user_id=user_id, licence="operational") | UserRoleChanged(user_id=user_id):
            yield Dispatch("settle_seat", {"user_id": user_id})
        case UserDeactivated(user_id=user_id, role="technician"):
            yield Dispatch("settle_seat", {"user_id": user_id})


settle_seats = Reaction("settle_seats", categories=("user", "seat_pool"), react=react)
