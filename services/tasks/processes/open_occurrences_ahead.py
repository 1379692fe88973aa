"""When recurring work is planned, changed or ended, its tasks follow; then a timer waits for the next to come near."""

from __future__ import annotations

from collections.abc import Iterable

from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded
from services.kernel.shown import stamp
from services.tasks.domain.recurrence import (
    OccurrencesOpened,
    RecurrenceChanged,
    RecurrenceEnded,
    RecurrenceStarted,
)
from services.tasks.recurring.opening import AHEAD


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """Now, at once again while there is more, or a fortnight before the following one."""
    match fact.event:
        case (
            RecurrenceStarted(recurrence_id=id)
            | RecurrenceChanged(recurrence_id=id)
            | RecurrenceEnded(recurrence_id=id)
        ):
            yield Dispatch("open_occurrences", {"recurrence_id": id})
        case OccurrencesOpened(recurrence_id=id, more=True):
            yield Dispatch("open_occurrences", {"recurrence_id": id})
        case OccurrencesOpened(recurrence_id=id, following=following) if following is not None:
            # Accounts choose ids themselves, and one account's timer must not move another's.
            timer_id = f"open-occurrences:{fact.tenant}:{id}:{stamp(following)}"
            yield At(following - AHEAD, timer_id, Dispatch("open_occurrences", {"recurrence_id": id}))


open_occurrences_ahead = Reaction("open_occurrences_ahead", ("recurrence",), react)
