"""A new account gets a subscription; what identity says of a reduction moves it on."""

from __future__ import annotations

from collections.abc import Iterable

from services.billing.incoming import AccountRegistered, SeatReductionBlocked, SeatReductionReserved
from services.kernel.application import Dispatch, Reacting
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """One command of the subscription."""
    match fact.event:
        case AccountRegistered() as came:
            yield Dispatch("start_subscription", came.model_dump(mode="json"))
        case SeatReductionReserved() as reserved:
            yield Dispatch("note_reservation", reserved.model_dump(mode="json"))
        case SeatReductionBlocked() as blocked:
            yield Dispatch("note_block", blocked.model_dump(mode="json"))
