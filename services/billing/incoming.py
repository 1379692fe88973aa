"""What billing reads of identity's facts: who came to the platform, and whether fewer seats would do."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import AwareDatetime

from services.kernel.message import Incoming


class AccountRegistered(Incoming):
    account_id: str
    country: str
    registered_at: AwareDatetime


class SeatReductionReserved(Incoming):
    account_id: str
    order: int
    to: int


class SeatReductionBlocked(Incoming):
    account_id: str
    order: int
    to: int
    active: int


FOLLOWED: Mapping[str, type[Incoming]] = {
    model.__name__: model for model in (AccountRegistered, SeatReductionReserved, SeatReductionBlocked)
}
