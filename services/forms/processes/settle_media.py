"""A media item and a submission that declares it find each other, whichever came first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from services.forms.domain.medium import MediumRejected, MediumStored
from services.forms.domain.submission_events import SubmissionAmended, SubmissionReceived
from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded
from services.kernel.timers import At, Dispatch

AGAIN_AFTER = timedelta(minutes=1)


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """Look from whichever side is new."""
    match fact.event:
        case SubmissionReceived() | SubmissionAmended():
            awaited = sorted({medium.id for medium in fact.event.media} - set(fact.event.arrived))
            if awaited:
                ids = {"submission_id": fact.event.submission_id, "media_ids": awaited}
                yield Dispatch("settle_media", ids)
        case MediumStored() | MediumRejected():
            settle = Dispatch("settle_media", {"media_id": fact.event.media_id})
            yield settle
            # The list of who waits may be a moment behind; a submission that is in it by then is found.
            yield At(app.now + AGAIN_AFTER, f"settle:{fact.id}", settle)


settle_media = Reaction("settle_media", categories=("submission", "medium"), react=react)
