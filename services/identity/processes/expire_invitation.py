"""A link that nobody used in 72 hours expires and frees the address it was sent to."""

from __future__ import annotations

from collections.abc import Iterable

from services.identity.domain.invitation import InvitationIssued
from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> Iterable[At]:
    """Remember the end of the link."""
    match fact.event:
        case InvitationIssued(user_id=user_id, number=number, expires_at=expires_at):
            expire = Dispatch("expire_invitation", {"user_id": user_id, "number": number})
            yield At(expires_at, f"invitation:{fact.tenant}:{user_id}:{number}", expire)


expire_invitation = Reaction("expire_invitation", categories=("user",), react=react)
