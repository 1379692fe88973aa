"""An upload that is complete is looked at, one that is not complete in time ends, and its bytes never stay behind."""

from __future__ import annotations

from collections.abc import Iterable

from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded
from services.kernel.timers import At, Dispatch
from services.media.domain.upload import UploadAborted, UploadBegun, UploadExpired, UploadFinished, UploadSettled


def react(fact: Recorded, app: Reacting) -> Iterable[At]:
    """By timers, which try again by themselves while the object store is away."""
    upload_id = fact.event.upload_id
    named = {"upload_id": upload_id}
    match fact.event:
        case UploadBegun(expires_at=expires_at):
            yield At(expires_at, f"expire-upload:{upload_id}", Dispatch("expire_upload", named))
        case UploadFinished():
            yield At(fact.at, f"verify-upload:{upload_id}", Dispatch("verify_upload", named))
        case UploadSettled() | UploadAborted() | UploadExpired():
            yield At(fact.at, f"clear-upload:{upload_id}", Dispatch("clear_upload", named))


see_uploads_through = Reaction("see_uploads_through", ("upload",), react)
