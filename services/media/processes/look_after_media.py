"""What nobody uses is withdrawn, and forgotten when nobody uses it then; its objects go with it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded
from services.kernel.timers import At, Dispatch
from services.media.domain.medium import MediaForgotten, MediaStored, MediaWithdrawn, medium
from services.media.domain.public_link import PublicLinkCreated, Target
from services.media.domain.values import hex_of
from services.media.incoming import Answered

UNUSED_FOR = timedelta(hours=72)
WITHDRAWN_FOR = timedelta(hours=24)
LOOK_AGAIN = timedelta(minutes=1)


def react(fact: Recorded, app: Reacting) -> Iterable[At]:
    """Look again when its time is over."""
    match fact.event:
        case MediaStored(media_id=media_id):
            yield _unused(media_id, f"unused:{_item(fact, media_id)}", fact.at + UNUSED_FOR)
        case PublicLinkCreated(target=Target(kind="media", id=media_id), expires_at=ends):
            # Perhaps nothing but the link kept it.
            yield _unused(media_id, f"unused:{_item(fact, media_id)}:{fact.event.link_id}", ends + UNUSED_FOR)
        case MediaWithdrawn(media_id=media_id):
            named = {"media_id": media_id}
            # Who came to use it while it was being withdrawn is known by then.
            yield At(fact.at + LOOK_AGAIN, f"restore:{_item(fact, media_id)}", Dispatch("restore_used", named))
            yield At(fact.at + WITHDRAWN_FOR, f"forget:{_item(fact, media_id)}", Dispatch("forget_unused", named))
        case MediaForgotten(media_id=media_id, objects=objects):
            gone = Dispatch("clear_objects", {"objects": list(objects)})
            yield At(fact.at, f"clear:{_item(fact, media_id)}:{fact.position}", gone)


def _item(fact: Recorded, media_id: str) -> str:
    # Two accounts may have the same content, each its own item.
    return f"{fact.tenant}:{hex_of(media_id)}"


def _unused(media_id: str, timer_id: str, due: datetime) -> At:
    return At(due, timer_id, Dispatch("withdraw_unused", {"media_id": media_id}))


def follow_answers(fact: Recorded, app: Reacting) -> Iterable[At]:
    """What was withdrawn and is named by answers now comes back."""
    answered: Answered = fact.event
    for media_id in dict.fromkeys(item.id for item in answered.media):
        if app.state(medium, fact.tenant, hex_of(media_id)).status == "withdrawn":
            named = {"media_id": media_id}
            yield At(fact.at + LOOK_AGAIN, f"restore:{_item(fact, media_id)}", Dispatch("restore_used", named))


look_after_media = Reaction("look_after_media", ("medium", "public_link"), react)
