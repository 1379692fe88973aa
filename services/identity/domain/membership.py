"""A person's standing in the account: role, profile, active or not; part of the user's stream."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, assert_never

from pydantic import AwareDatetime

from services.identity.domain.permissions import FIELD, Licence, Role, governs, licence_of
from services.identity.domain.values import Id, Language, Name, Personal
from services.kernel.domain import Command, Erased, Event, Rejected


class UserActivated(Event):
    """The person may work from now on."""

    user_id: str
    role: Role
    licence: Licence


class UserDeactivated(Event):
    """The person may not work any more."""

    user_id: str
    role: Role


class UserRenamed(Event):
    """The person goes by another name."""

    user_id: str
    name: Personal


class UserRoleChanged(Event):
    """The person has another role, and with it perhaps another licence."""

    user_id: str
    former_role: Role
    role: Role
    licence: Licence


class ProfileAssigned(Event):
    """The person's permissions come from this profile; without one, from the role."""

    user_id: str
    profile_id: str | None


class LoginRefused(Event):
    """Somebody tried to log in as this person and failed."""

    user_id: str
    failed_at: AwareDatetime


MembershipEvent = UserActivated | UserDeactivated | UserRenamed | UserRoleChanged | ProfileAssigned | LoginRefused


class ChangeRole(Command):
    """Give the person another role."""

    user_id: Id
    role: Role
    by_role: str


class AssignProfile(Command):
    """Let a profile define the person's permissions. `granted` are the profile's, `by_*` the assigner's."""

    user_id: Id
    profile_id: Id | None
    granted: frozenset[str]
    by_role: str
    by_permissions: frozenset[str]


class DeactivateUser(Command):
    """End the person's access; an open invitation is withdrawn."""

    user_id: Id
    by_role: str


class ReactivateUser(Command):
    """Let the person work again."""

    user_id: Id
    by_role: str


class RenameUser(Command):
    """Correct the person's name."""

    user_id: Id
    name: Name


class NoteRefusedLogin(Command):
    """A log-in failed at `failed_at`."""

    user_id: Id
    failed_at: AwareDatetime


MembershipCommand = ChangeRole | AssignProfile | DeactivateUser | ReactivateUser | RenameUser | NoteRefusedLogin


@dataclass(frozen=True, slots=True)
class Membership:
    """`invitation_expires_at` is set while the link `invitation` can still be used."""

    status: Literal["none", "invited", "withdrawn", "active", "inactive"] = "none"
    email: str | Erased = ""
    name: str | Erased = ""
    role: Role = "viewer"
    language: Language = "es"
    profile_id: str | None = None
    invitation: int = 0
    invitation_expires_at: datetime | None = None
    refused_at: datetime | None = None


def decide(command: MembershipCommand, state: Membership) -> list[MembershipEvent]:
    """What a request about a known person's standing leads to."""
    match command:
        case ChangeRole():
            return _change_role(command, state)
        case AssignProfile():
            return _assign_profile(command, state)
        case DeactivateUser(user_id=user_id, by_role=by_role):
            if command.by == user_id:
                raise Rejected("cannot-deactivate-yourself")
            demand_authority(by_role, state.role)
            if state.status not in ("active", "inactive"):
                raise Rejected("user-not-active", user_id=user_id)
            return [UserDeactivated(user_id=user_id, role=state.role)] if state.status == "active" else []
        case ReactivateUser(user_id=user_id, by_role=by_role):
            demand_authority(by_role, state.role)
            if state.status == "active":
                return []
            if state.status != "inactive":
                raise Rejected("user-not-active", user_id=user_id)
            return [UserActivated(user_id=user_id, role=state.role, licence=licence_of(state.role))]
        case RenameUser(user_id=user_id, name=name):
            return [] if name == state.name else [UserRenamed(user_id=user_id, name=name)]
        case NoteRefusedLogin(user_id=user_id, failed_at=failed_at):
            return [] if failed_at == state.refused_at else [LoginRefused(user_id=user_id, failed_at=failed_at)]
        case _:
            assert_never(command)


def _change_role(command: ChangeRole, state: Membership) -> list[MembershipEvent]:
    if command.by == command.user_id:
        raise Rejected("own-role")
    demand_authority(command.by_role, state.role, command.role)
    if command.role == state.role:
        return []
    return [
        UserRoleChanged(
            user_id=command.user_id,
            former_role=state.role,
            role=command.role,
            licence=licence_of(command.role),
        )
    ]


def _assign_profile(command: AssignProfile, state: Membership) -> list[MembershipEvent]:
    if state.profile_id == command.profile_id:
        return []
    if command.by == command.user_id:
        raise Rejected("own-role")
    demand_authority(command.by_role, state.role)
    if not command.granted - FIELD <= command.by_permissions:
        raise Rejected("beyond-own-permissions")
    return [ProfileAssigned(user_id=command.user_id, profile_id=command.profile_id)]


def demand_authority(by_role: str, *roles: Role) -> None:
    """Refuse whoever would decide over someone of a higher role than the own."""
    if not governs(by_role, *roles):
        raise Rejected("role-above-own")


def evolve(state: Membership, event: MembershipEvent) -> Membership:
    """The standing after one more fact."""
    match event:
        case UserActivated():
            return replace(state, status="active", invitation_expires_at=None)
        case UserDeactivated():
            return replace(state, status="inactive")
        case UserRenamed(name=name):
            return replace(state, name=name)
        case UserRoleChanged(role=role):
            return replace(state, role=role)
        case ProfileAssigned(profile_id=profile_id):
            return replace(state, profile_id=profile_id)
        case LoginRefused(failed_at=failed_at):
            return replace(state, refused_at=failed_at)
        case _:
            assert_never(event)


EVENTS: dict[str, type[MembershipEvent]] = {
    "UserActivated": UserActivated,
    "UserDeactivated": UserDeactivated,
    "UserRenamed": UserRenamed,
    "UserRoleChanged": UserRoleChanged,
    "ProfileAssigned": ProfileAssigned,
    "LoginRefused": LoginRefused,
}
