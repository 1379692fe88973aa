"""Whoever forgot the password gets a mail with a single-use link."""

from __future__ import annotations

from services.identity.domain.credentials import PasswordResetRequested
from services.identity.processes import mailing
from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> None:
    """Write to the person."""
    match fact.event:
        case PasswordResetRequested(user_id=user_id, number=number):
            address = mailing.link(app, "password-reset", "rst", fact.tenant, user_id, number)
            mailing.send(fact, app, user_id, "password-reset", address)


send_password_reset_mail = Reaction("send_password_reset_mail", categories=("user",), react=react)
