"""When a price, a tax or a number range is there at last, what waited for it is done."""

from __future__ import annotations

from collections.abc import Iterable

from services.billing.domain.catalog import PlanPriced, TaxTreatmentSet
from services.billing.domain.number_range import RangeAuthorised
from services.kernel.application import Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """Sweep."""
    if isinstance(fact.event, PlanPriced | TaxTreatmentSet | RangeAuthorised):
        yield Dispatch("sweep_billing")


sweep_when_platform_is_set_up = Reaction("sweep_when_platform_is_set_up", ("catalog", "number_range"), react)
