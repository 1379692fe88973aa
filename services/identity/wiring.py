"""Identity put together."""

from __future__ import annotations

from services.identity.commands import COMMANDS
from services.identity.domain.account import account
from services.identity.domain.api_token import api_token
from services.identity.domain.device import device
from services.identity.domain.login_name import login_name
from services.identity.domain.origin import origin
from services.identity.domain.profile import profile
from services.identity.domain.seat_pool import seat_pool
from services.identity.domain.session import session
from services.identity.domain.team import team
from services.identity.domain.user import user
from services.identity.incoming import EVERYTHING, OF_BILLING
from services.identity.processes import follow_billing
from services.identity.processes.expire_invitation import expire_invitation
from services.identity.processes.follow_login_names import follow_login_names
from services.identity.processes.raise_epochs_when_profile_changes import raise_epochs_when_profile_changes
from services.identity.processes.revoke_sessions_of_revoked_device import revoke_sessions_of_revoked_device
from services.identity.processes.revoke_sessions_when_user_ends import revoke_sessions_when_user_ends
from services.identity.processes.send_invitation_mail import send_invitation_mail
from services.identity.processes.send_password_reset_mail import send_password_reset_mail
from services.identity.processes.send_security_mail import send_security_mail
from services.identity.processes.settle_seats import settle_seats
from services.identity.readmodels import (
    accounts,
    api_tokens,
    history,
    names,
    seats,
    sessions,
    teams,
    tokens_checked,
    users,
)
from services.kernel.application import ServiceDefinition, Subscription


def define() -> ServiceDefinition:
    """The whole service as data."""
    told = history.History()
    return ServiceDefinition(
        name="identity",
        deciders=(account, login_name, user, session, device, origin, team, profile, api_token, seat_pool),
        commands=COMMANDS,
        queries={
            **accounts.QUERIES,
            **users.QUERIES,
            **seats.QUERIES,
            **teams.QUERIES,
            **sessions.QUERIES,
            **api_tokens.QUERIES,
            **history.QUERIES,
            **names.QUERIES,
            **tokens_checked.QUERIES,
        },
        read_models=(
            accounts.Accounts(),
            users.Users(),
            teams.Teams(),
            teams.Profiles(),
            sessions.Sessions(),
            sessions.Devices(),
            sessions.Origins(),
            sessions.Revocations(),
            api_tokens.ApiTokens(),
        ),
        reactions=(
            send_invitation_mail,
            send_password_reset_mail,
            send_security_mail,
            expire_invitation,
            revoke_sessions_when_user_ends,
            revoke_sessions_of_revoked_device,
            raise_epochs_when_profile_changes,
            follow_login_names,
            settle_seats,
        ),
        subscriptions=(
            Subscription("identity.history.identity", "identity", ("*",), models=EVERYTHING, into=told),
            Subscription("identity.history.tasks", "tasks", ("*",), models=EVERYTHING, into=told),
            Subscription("identity.history.forms", "forms", ("*",), models=EVERYTHING, into=told),
            Subscription("identity.history.billing", "billing", ("*",), models=EVERYTHING, into=told),
            Subscription(
                "identity.billing", "billing", ("subscription",), models=OF_BILLING, react=follow_billing.react
            ),
        ),
    )
