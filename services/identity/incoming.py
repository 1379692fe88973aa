"""How identity reads facts that come by way of the broker: any fact for the history, billing's for seats and states."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.message import Incoming


class AnyFact(Incoming):
    """A fact whose fields are kept as they came; the history shows them and decides nothing by them."""


EVERYTHING: Mapping[str, type[Incoming]] = {"*": AnyFact}


class GrantedSeats(Incoming):
    """So many seats are sold in all."""

    account_id: str
    seats: int
    entitlement_version: int


class ApprovedReduction(Incoming):
    """Fewer seats shall be sold; identity holds the lower limit first."""

    account_id: str
    order: int
    to: int


class EndedReduction(Incoming):
    """No fewer seats after all."""

    account_id: str
    order: int


class AppliedReduction(Incoming):
    """Fewer seats are sold from now on."""

    account_id: str
    order: int
    seats: int
    entitlement_version: int


class ChangedStanding(Incoming):
    """How the account stands after the fact, whatever its name."""

    account_id: str
    standing: str


OF_BILLING: Mapping[str, type[Incoming]] = {
    "SubscriptionStarted": GrantedSeats,
    "SeatsGranted": GrantedSeats,
    "SeatReductionApproved": ApprovedReduction,
    "SeatReductionRejected": EndedReduction,
    "SeatReductionCancelled": EndedReduction,
    "SeatReductionApplied": AppliedReduction,
    "AccountPastDue": ChangedStanding,
    "AccountRestricted": ChangedStanding,
    "AccountSuspended": ChangedStanding,
    "AccountPaused": ChangedStanding,
    "AccountReactivated": ChangedStanding,
    "SubscriptionCancelled": ChangedStanding,
}
