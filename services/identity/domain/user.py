"""A user is one person in one account: a standing, a password, a second proof, in one stream.

Whatever must end the tokens already handed out raises the person's epoch in the same commit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import assert_never

from services.identity.domain import credentials, invitation, membership, second_factor
from services.identity.domain.credentials import (
    CredentialCommand,
    CredentialEvent,
    Credentials,
    PasswordChanged,
    PasswordReset,
)
from services.identity.domain.invitation import (
    AcceptInvitation,
    InvitationCommand,
    InvitationEvent,
    InviteStaff,
    InviteUser,
    RegisterOwner,
)
from services.identity.domain.membership import (
    Membership,
    MembershipCommand,
    MembershipEvent,
    ProfileAssigned,
    UserDeactivated,
    UserRoleChanged,
)
from services.identity.domain.second_factor import (
    FactorCommand,
    FactorEvent,
    SecondFactor,
    TotpConfirmed,
    TotpDisabled,
)
from services.identity.domain.values import Id
from services.kernel.domain import Command, Decider, Event, Rejected


class UserEpochRaised(Event):
    """Access tokens of an earlier epoch are void; with `ends_sessions`, sessions but `kept_session` too."""

    user_id: str
    epoch: int
    ends_sessions: bool
    kept_session: str | None
    because: str


UserEvent = InvitationEvent | MembershipEvent | CredentialEvent | FactorEvent | UserEpochRaised


class RaiseEpoch(Command):
    """Something outside the person, named by `because`, changed what tokens should say."""

    user_id: Id
    because: str


UserCommand = InvitationCommand | MembershipCommand | CredentialCommand | FactorCommand | RaiseEpoch


@dataclass(frozen=True, slots=True)
class User:
    """`valid_from` is the epoch before which sessions no longer count, but for `kept_session`."""

    member: Membership = field(default_factory=Membership)
    credentials: Credentials = field(default_factory=Credentials)
    factor: SecondFactor = field(default_factory=SecondFactor)
    epoch: int = 0
    valid_from: int = 0
    kept_session: str | None = None
    because: str = ""

    @property
    def active(self) -> bool:
        """Whether the person may work."""
        return self.member.status == "active"

    def entitles(self, session_id: str, epoch: int) -> bool:
        """Whether a session opened in `epoch` may go on."""
        return self.active and (epoch >= self.valid_from or session_id == self.kept_session)


initial_state = User()


def decide(command: UserCommand, state: User) -> list[UserEvent]:
    """What a request about this person leads to, with the epoch raised where tokens must end."""
    facts = _decide(command, state)
    for fact in facts:
        match fact:
            case PasswordChanged(user_id=user_id, kept_session=kept):
                return [*facts, _raise(state, user_id, "PasswordChanged", ends=True, kept=kept)]
            case UserDeactivated(user_id=user_id) | PasswordReset(user_id=user_id):
                return [*facts, _raise(state, user_id, type(fact).__name__, ends=True)]
            case UserRoleChanged() | ProfileAssigned() | TotpConfirmed() | TotpDisabled():
                return [*facts, _raise(state, fact.user_id, type(fact).__name__)]
            case _:
                continue
    return facts


def _raise(state: User, user_id: str, because: str, *, ends: bool = False, kept: str | None = None) -> UserEpochRaised:
    return UserEpochRaised(
        user_id=user_id, epoch=state.epoch + 1, ends_sessions=ends, kept_session=kept, because=because
    )


def _decide(command: UserCommand, state: User) -> list[UserEvent]:
    if state.member.status == "none" and not isinstance(command, RegisterOwner | InviteUser | InviteStaff):
        raise Rejected("user-unknown", user_id=command.user_id)
    if isinstance(command, AcceptInvitation) and command.password_hash == state.credentials.password_hash:
        # The very same acceptance again; whoever else comes with a used link is refused below.
        return []
    if isinstance(command, InvitationCommand):
        return [*invitation.decide(command, state.member)]
    if isinstance(command, MembershipCommand):
        return [*membership.decide(command, state.member)]
    if isinstance(command, CredentialCommand | FactorCommand):
        if not state.active:
            raise Rejected("user-not-active", user_id=command.user_id)
        if isinstance(command, CredentialCommand):
            return [*credentials.decide(command, state.credentials)]
        return [*second_factor.decide(command, state.factor)]
    match command:
        case RaiseEpoch(user_id=user_id, because=because):
            return [] if because == state.because else [_raise(state, user_id, because)]
        case _:
            assert_never(command)


def evolve(state: User, event: UserEvent) -> User:
    """The person after one more fact."""
    if isinstance(event, InvitationEvent):
        return replace(state, member=invitation.evolve(state.member, event))
    if isinstance(event, MembershipEvent):
        return replace(state, member=membership.evolve(state.member, event))
    if isinstance(event, CredentialEvent):
        return replace(state, credentials=credentials.evolve(state.credentials, event))
    if isinstance(event, FactorEvent):
        return replace(state, factor=second_factor.evolve(state.factor, event))
    match event:
        case UserEpochRaised(epoch=epoch, because=because, ends_sessions=False):
            return replace(state, epoch=epoch, because=because)
        case UserEpochRaised(epoch=epoch, because=because, kept_session=kept):
            return replace(state, epoch=epoch, because=because, valid_from=epoch, kept_session=kept)
        case _:
            assert_never(event)


EVENTS: dict[str, type[UserEvent]] = {
    **invitation.EVENTS,
    **membership.EVENTS,
    **credentials.EVENTS,
    **second_factor.EVENTS,
    "UserEpochRaised": UserEpochRaised,
}

user = Decider("user", initial_state, decide, evolve, events=EVENTS, upcasters=membership.UPCASTERS)
