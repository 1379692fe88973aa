"""What happens to a log-in name reaches its holder's account: failed log-ins, forgotten passwords, stray claims.

A name belongs to no account, and what is done for it at once must not show whether anybody holds it; so
the holder's part follows here.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from services.identity.domain.login_name import LoginFailed, LoginNameClaimed, ResetAsked
from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded

CLAIM_USED_WITHIN = timedelta(hours=1)


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """Tell the holder's account."""
    match fact.event:
        case LoginNameClaimed(name_id=name_id, account_id=account_id, user_id=user_id):
            holder = {"name_id": name_id, "account_id": account_id, "user_id": user_id}
            check = Dispatch("release_unused_login_name", holder)
            yield At(fact.at + CLAIM_USED_WITHIN, f"login-name:{name_id}:{user_id}", check)
        case LoginFailed(account_id=str() as account_id, user_id=str() as user_id, failed_at=failed_at):
            refused = {"account_id": account_id, "user_id": user_id, "failed_at": failed_at.isoformat()}
            yield Dispatch("note_refused_login", refused)
        case ResetAsked(account_id=str() as account_id, user_id=str() as user_id):
            yield Dispatch("start_password_reset", {"account_id": account_id, "user_id": user_id})


follow_login_names = Reaction("follow_login_names", categories=("login_name",), react=react)
