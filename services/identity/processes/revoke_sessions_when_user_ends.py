"""When a person's sessions end all at once, each of them is revoked, so that lists and gateways show it.

They are void already: the person's epoch says so, also of a session this list has not seen yet.
"""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain.user import UserEpochRaised
from services.kernel.application import Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """End every open session but the one that is kept."""
    match fact.event:
        case UserEpochRaised(user_id=user_id, ends_sessions=True, kept_session=kept, because=because):
            for row in app.reads(fact)["sessions"].find({"user_id": user_id, "status": "open"}):
                if row["id"] != kept:
                    yield Dispatch("end_session", {"session_id": row["id"], "reason": because})


revoke_sessions_when_user_ends = Reaction("revoke_sessions_when_user_ends", categories=("user",), react=react)
