"""When a profile changes, the tokens of everybody who has it are renewed, so that they say what is allowed now."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain.profile import ProfileChanged, ProfileDeleted
from services.kernel.application import Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """Raise the epoch of each person with this profile."""
    match fact.event:
        case ProfileChanged(profile_id=profile_id) | ProfileDeleted(profile_id=profile_id):
            because = f"profile:{profile_id}:{fact.event.revision}"
            for row in app.reads(fact)["users"].find({"profile_id": profile_id}):
                yield Dispatch("raise_epoch", {"user_id": row["id"], "because": because})


raise_epochs_when_profile_changes = Reaction("raise_epochs_when_profile_changes", categories=("profile",), react=react)
