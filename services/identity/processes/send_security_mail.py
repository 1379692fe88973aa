"""People hear of what they should notice: a stolen token, a new password, a change of the second proof."""

from __future__ import annotations

from services.identity.domain.credentials import PasswordChanged, PasswordReset
from services.identity.domain.second_factor import TotpConfirmed, TotpDisabled
from services.identity.domain.session import RefreshReused
from services.identity.processes import mailing
from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded


def react(fact: Recorded, app: Reacting) -> None:
    """Write to the person concerned."""
    match fact.event:
        case RefreshReused(user_id=user_id):
            mailing.send(fact, app, user_id, "refresh-reused")
        case PasswordChanged(user_id=user_id) | PasswordReset(user_id=user_id):
            mailing.send(fact, app, user_id, "password-changed")
        case TotpConfirmed(user_id=user_id):
            mailing.send(fact, app, user_id, "totp-confirmed")
        case TotpDisabled(user_id=user_id):
            mailing.send(fact, app, user_id, "totp-disabled")


send_security_mail = Reaction("send_security_mail", categories=("user", "session"), react=react)
