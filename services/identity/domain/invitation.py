"""How a person comes into an account: by opening it, or through a link; part of the user's stream."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import assert_never

from pydantic import AwareDatetime

from services.identity.domain.credentials import PasswordSet
from services.identity.domain.membership import Membership, UserActivated, activated, demand_authority
from services.identity.domain.permissions import AnyRole, Licence, Role, licence_of
from services.identity.domain.staff import StaffRole
from services.identity.domain.values import Email, Id, Language, Name, Personal
from services.kernel.domain import Command, Event, Rejected

INVITATION_VALID_FOR = timedelta(hours=72)


class UserRegistered(Event):
    """The person opened the account and is its first owner."""

    user_id: str
    email: Personal
    name: Personal
    role: AnyRole
    licence: Licence
    language: Language


class UserInvited(Event):
    """Somebody asked this person in, for this role."""

    user_id: str
    email: Personal
    name: Personal
    role: AnyRole
    licence: Licence
    language: Language


class InvitationIssued(Event):
    """A single-use link was made; it replaces any earlier one."""

    user_id: str
    number: int
    expires_at: AwareDatetime


class InvitationExpired(Event):
    """Nobody used the link in time."""

    user_id: str
    number: int


class InvitationWithdrawn(Event):
    """The person is no longer asked in."""

    user_id: str


class InvitationAccepted(Event):
    """The person came in through the link and gave a name."""

    user_id: str
    number: int
    name: Personal


InvitationEvent = (
    UserRegistered | UserInvited | InvitationIssued | InvitationExpired | InvitationWithdrawn | InvitationAccepted
)
Arrival = InvitationEvent | PasswordSet | UserActivated


class RegisterOwner(Command):
    """The first person of a new account, with a password at once."""

    user_id: Id
    email: Email
    name: Name
    language: Language
    password_hash: str


class InviteUser(Command):
    """Ask a person in. `by_role` is the role of whoever invites."""

    user_id: Id
    email: Email
    name: Name
    role: Role
    language: Language
    by_role: str


class InviteStaff(Command):
    """Ask a person of Progresus in; only the operator of the platform does."""

    user_id: Id
    email: Email
    name: Name
    role: StaffRole
    language: Language


class ResendInvitation(Command):
    """Make a new link; the former one no longer works."""

    user_id: Id


class WithdrawInvitation(Command):
    """Ask the person in no longer."""

    user_id: Id
    by_role: str


class ExpireInvitation(Command):
    """The link `number` has reached its end."""

    user_id: Id
    number: int


class AcceptInvitation(Command):
    """Use the link `number`; whoever is to work in the field sits on the paid seat `seat`."""

    user_id: Id
    number: int
    name: Name
    password_hash: str
    seat: int = 0


InvitationCommand = (
    RegisterOwner
    | InviteUser
    | InviteStaff
    | ResendInvitation
    | WithdrawInvitation
    | ExpireInvitation
    | AcceptInvitation
)


def decide(command: InvitationCommand, state: Membership) -> list[Arrival]:
    """What a request about a person's coming in leads to."""
    if isinstance(command, RegisterOwner | InviteUser | InviteStaff):
        return _begin(command, state)
    user_id, at = command.user_id, command.at
    match command:
        case ResendInvitation():
            if state.status != "invited":
                raise Rejected("user-not-invited", user_id=user_id)
            expires_at = at + INVITATION_VALID_FOR
            if expires_at == state.invitation_expires_at:
                return []
            return [InvitationIssued(user_id=user_id, number=state.invitation + 1, expires_at=expires_at)]
        case WithdrawInvitation(by_role=by_role):
            demand_authority(by_role, state.role)
            if state.status == "withdrawn":
                return []
            if state.status != "invited":
                raise Rejected("user-not-invited", user_id=user_id)
            return [InvitationWithdrawn(user_id=user_id)]
        case ExpireInvitation(number=number):
            due = state.invitation_expires_at
            if state.status != "invited" or number != state.invitation or due is None or at < due:
                return []
            return [InvitationExpired(user_id=user_id, number=number)]
        case AcceptInvitation(number=number):
            if number != state.invitation or state.status != "invited":
                raise Rejected("invitation-invalid")
            if state.invitation_expires_at is None or at >= state.invitation_expires_at:
                raise Rejected("invitation-expired")
            return [
                InvitationAccepted(user_id=user_id, number=number, name=command.name),
                PasswordSet(user_id=user_id, password_hash=command.password_hash, set_at=at),
                activated(user_id, state, command.seat),
            ]
        case _:
            assert_never(command)


def _begin(command: RegisterOwner | InviteUser | InviteStaff, state: Membership) -> list[Arrival]:
    if state.status != "none":
        if command.email == state.email:
            return []
        raise Rejected("user-exists", user_id=command.user_id)
    user_id, language = command.user_id, command.language
    if isinstance(command, InviteUser):
        demand_authority(command.by_role, command.role)
    if isinstance(command, InviteUser | InviteStaff):
        return [
            UserInvited(
                user_id=user_id,
                email=command.email,
                name=command.name,
                role=command.role,
                licence=licence_of(command.role),
                language=language,
            ),
            InvitationIssued(user_id=user_id, number=1, expires_at=command.at + INVITATION_VALID_FOR),
        ]
    return [
        UserRegistered(
            user_id=user_id,
            email=command.email,
            name=command.name,
            role="owner",
            licence="standard",
            language=language,
        ),
        PasswordSet(user_id=user_id, password_hash=command.password_hash, set_at=command.at),
        UserActivated(user_id=user_id, role="owner", licence="standard"),
    ]


def evolve(state: Membership, event: InvitationEvent) -> Membership:
    """The standing after one more fact."""
    match event:
        case UserRegistered() | UserInvited():
            return replace(
                state,
                status="invited",
                email=event.email,
                name=event.name,
                role=event.role,
                language=event.language,
            )
        case InvitationIssued(number=number, expires_at=expires_at):
            return replace(state, invitation=number, invitation_expires_at=expires_at)
        case InvitationExpired():
            return replace(state, invitation_expires_at=None)
        case InvitationWithdrawn():
            return replace(state, status="withdrawn", invitation_expires_at=None)
        case InvitationAccepted(name=name):
            return replace(state, name=name)
        case _:
            assert_never(event)


EVENTS: dict[str, type[InvitationEvent]] = {
    "UserRegistered": UserRegistered,
    "UserInvited": UserInvited,
    "InvitationIssued": InvitationIssued,
    "InvitationExpired": InvitationExpired,
    "InvitationWithdrawn": InvitationWithdrawn,
    "InvitationAccepted": InvitationAccepted,
}
