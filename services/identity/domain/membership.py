"""A person's standing in the account: role, profile, active or not; part of the user's stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Literal, assert_never

from pydantic import AwareDatetime

from services.identity.domain.permissions import FIELD, AnyRole, Licence, Role, governs, licence_of
from services.identity.domain.values import Id, Language, Name, Personal
from services.kernel.domain import Command, Erased, Event, Rejected, Upcaster


class UserActivated(Event):
    """The person may work from now on; `seat` is the number of the paid seat, 0 without one."""

    schema_version: ClassVar[int] = 2

    user_id: str
    role: AnyRole
    licence: Licence
    seat: int = 0


class UserDeactivated(Event):
    """The person may not work any more."""

    user_id: str
    role: AnyRole


class UserRenamed(Event):
    """The person goes by another name."""

    user_id: str
    name: Personal


class UserRoleChanged(Event):
    """The person has another role, and with it perhaps another licence; `seat` as in UserActivated."""

    schema_version: ClassVar[int] = 2

    user_id: str
    former_role: AnyRole
    role: AnyRole
    licence: Licence
    seat: int = 0


class SeatForfeited(Event):
    """A paid seat was held for the person, who did not take it up: it counts no more."""

    user_id: str
    number: int


class ProfileAssigned(Event):
    """The person's permissions come from this profile; without one, from the role."""

    user_id: str
    profile_id: str | None


class LoginRefused(Event):
    """Somebody tried to log in as this person and failed."""

    user_id: str
    failed_at: AwareDatetime


MembershipEvent = (
    UserActivated | UserDeactivated | UserRenamed | UserRoleChanged | SeatForfeited | ProfileAssigned | LoginRefused
)


class ChangeRole(Command):
    """Give the person another role."""

    user_id: Id
    role: Role
    by_role: str
    seat: int = 0


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
    seat: int = 0


class ForfeitSeat(Command):
    """The seat of this number goes to others, unless the person works on it."""

    user_id: Id
    number: int


class RenameUser(Command):
    """Correct the person's name."""

    user_id: Id
    name: Name


class NoteRefusedLogin(Command):
    """A log-in failed at `failed_at`."""

    user_id: Id
    failed_at: AwareDatetime


MembershipCommand = (
    ChangeRole | AssignProfile | DeactivateUser | ReactivateUser | ForfeitSeat | RenameUser | NoteRefusedLogin
)


@dataclass(frozen=True, slots=True)
class Membership:
    """`invitation_expires_at` is set while the link `invitation` can still be used.

    `seat` is the number of the seat last worked on; seats up to `spent` were given up and count no more.
    """

    status: Literal["none", "invited", "withdrawn", "active", "inactive"] = "none"
    email: str | Erased = ""
    name: str | Erased = ""
    role: AnyRole = "viewer"
    language: Language = "es"
    profile_id: str | None = None
    invitation: int = 0
    invitation_expires_at: datetime | None = None
    refused_at: datetime | None = None
    seat: int = 0
    spent: int = 0

    @property
    def seated(self) -> bool:
        """Whether the person works on a paid seat."""
        return self.status == "active" and licence_of(self.role) == "operational"


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
            return [activated(user_id, state, command.seat)]
        case ForfeitSeat(user_id=user_id, number=number):
            if state.seated or number <= state.spent:
                return []
            return [SeatForfeited(user_id=user_id, number=number)]
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
    sits = state.status == "active" and licence_of(command.role) == "operational"
    if sits:
        _demand_seat(command.seat, state)
    return [
        UserRoleChanged(
            user_id=command.user_id,
            former_role=state.role,
            role=command.role,
            licence=licence_of(command.role),
            seat=command.seat if sits else 0,
        )
    ]


def activated(user_id: str, state: Membership, seat: int) -> UserActivated:
    """The fact that the person works from now on. Raises Rejected("seat-forfeited") without a seat that counts."""
    licence = licence_of(state.role)
    if licence == "operational":
        _demand_seat(seat, state)
    return UserActivated(
        user_id=user_id, role=state.role, licence=licence, seat=seat if licence == "operational" else 0
    )


def _demand_seat(seat: int, state: Membership) -> None:
    # Between a seat's assignment and this moment it may have been taken back as unused.
    if seat <= state.spent:
        raise Rejected("seat-forfeited", number=seat)


def _assign_profile(command: AssignProfile, state: Membership) -> list[MembershipEvent]:
    if state.profile_id == command.profile_id:
        return []
    if command.by == command.user_id:
        raise Rejected("own-role")
    demand_authority(command.by_role, state.role)
    if not command.granted - FIELD <= command.by_permissions:
        raise Rejected("beyond-own-permissions")
    return [ProfileAssigned(user_id=command.user_id, profile_id=command.profile_id)]


def demand_authority(by_role: str, *roles: AnyRole) -> None:
    """Refuse whoever would decide over someone of a higher role than the own."""
    if not governs(by_role, *roles):
        raise Rejected("role-above-own")


def evolve(state: Membership, event: MembershipEvent) -> Membership:
    """The standing after one more fact."""
    match event:
        case UserActivated(seat=seat):
            return replace(state, status="active", invitation_expires_at=None, seat=seat)
        case UserDeactivated():
            return replace(state, status="inactive", spent=max(state.spent, state.seat))
        case UserRenamed(name=name):
            return replace(state, name=name)
        case UserRoleChanged(role=role, licence="operational", seat=seat):
            return replace(state, role=role, seat=seat)
        case UserRoleChanged(role=role):
            return replace(state, role=role, spent=max(state.spent, state.seat))
        case SeatForfeited(number=number):
            return replace(state, spent=max(state.spent, number))
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
    "SeatForfeited": SeatForfeited,
    "ProfileAssigned": ProfileAssigned,
    "LoginRefused": LoginRefused,
}


def _before_seats_were_counted(fields: dict[str, Any]) -> dict[str, Any]:
    return {**fields, "seat": 0}


UPCASTERS: Mapping[tuple[str, int], Upcaster] = {
    ("UserActivated", 1): _before_seats_were_counted,
    ("UserRoleChanged", 1): _before_seats_were_counted,
}
