"""What the service of media says of an item is noted, so that the submissions that wait for it can be told."""

from __future__ import annotations

from collections.abc import Iterable

from services.forms.incoming import MediaRejected, MediaStored, MediaWithdrawn
from services.kernel.application import Dispatch, Reacting
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """Stored, refused, or withdrawn."""
    match fact.event:
        case MediaStored() as stored:
            yield Dispatch("media_stored", stored.model_dump())
        case MediaRejected() as rejected:
            yield Dispatch("media_rejected", rejected.model_dump())
        case MediaWithdrawn() as withdrawn:
            yield Dispatch("media_withdrawn", withdrawn.model_dump())
