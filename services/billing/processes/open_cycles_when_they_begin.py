"""A timer stands at the beginning of each subscription's next cycle; a cycle that has begun is billed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from services.billing.biller import cycle_of
from services.billing.domain.subscription_events import (
    AccountReactivated,
    BillingCycleOpened,
    BillingCycleSkipped,
    SubscriptionStarted,
)
from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """Bill what has begun; wake up for what follows."""
    match fact.event:
        case SubscriptionStarted(cycle_start=start):
            yield _wake(fact.tenant, start)
        case BillingCycleOpened(cycle_end=end) as opened:
            yield _wake(fact.tenant, end)
            yield Dispatch("bill_cycle", cycle_of(opened))
        case BillingCycleSkipped(cycle_end=end):
            yield _wake(fact.tenant, end)
        case AccountReactivated(cycle_start=start) if start is not None:
            yield _wake(fact.tenant, start)


def _wake(account: str, at: datetime) -> At:
    return At(at, f"cycle:{account}:{at:%Y-%m-%d}", Dispatch("open_cycles"))


open_cycles_when_they_begin = Reaction("open_cycles_when_they_begin", ("subscription",), react)
