"""A quote that nobody accepts in time expires."""

from __future__ import annotations

from collections.abc import Iterable

from services.billing.domain.subscription_events import SeatUpgradeQuoted
from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[At]:
    """Remember the end."""
    match fact.event:
        case SeatUpgradeQuoted(account_id=account, quote_id=quote, expires_at=expires_at):
            expire = Dispatch("expire_quote", {"account_id": account, "quote_id": quote})
            yield At(expires_at, f"quote:{account}:{quote}", expire)


expire_quote = Reaction("expire_quote", ("subscription",), react)
