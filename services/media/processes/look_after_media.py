"""What nobody uses is withdrawn, and forgotten when nobody uses it then; its objects go with it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded
from services.kernel.timers import At, Dispatch
from services.media.domain.medium import MediaForgotten, MediaStored, MediaWithdrawn
from services.media.domain.values import hex_of

UNUSED_FOR = timedelta(hours=72)
WITHDRAWN_FOR = timedelta(hours=24)


def react(fact: Recorded, app: Reacting) -> Iterable[At]:
    """Look again when its time is over."""
    media_id = fact.event.media_id
    # Two accounts may have the same content, each its own item.
    item = f"{fact.tenant}:{hex_of(media_id)}"
    named = {"media_id": media_id}
    match fact.event:
        case MediaStored():
            yield At(fact.at + UNUSED_FOR, f"unused:{item}", Dispatch("withdraw_unused", named))
        case MediaWithdrawn():
            yield At(fact.at + WITHDRAWN_FOR, f"forget:{item}", Dispatch("forget_unused", named))
        case MediaForgotten(objects=objects):
            yield At(fact.at, f"clear:{item}:{fact.id}", Dispatch("clear_objects", {"objects": list(objects)}))


look_after_media = Reaction("look_after_media", ("medium",), react)
