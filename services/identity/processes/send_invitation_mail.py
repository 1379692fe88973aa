"""Whoever is invited gets a mail with the link; the link's token is derived, so no fact ever held it."""

from __future__ import annotations

from services.identity.domain.invitation import InvitationIssued
from services.identity.processes import mailing
from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> None:
    """Write to the invited person."""
    match fact.event:
        case InvitationIssued(user_id=user_id, number=number):
            address = mailing.link(app, "invitation", "inv", fact.tenant, user_id, number)
            mailing.send(fact, app, user_id, "invitation", address)


send_invitation_mail = Reaction("send_invitation_mail", categories=("user",), react=react)
