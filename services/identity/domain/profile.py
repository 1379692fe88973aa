"""A profile is a named set of permissions that an account gives its people in place of their role's set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, assert_never

from services.identity.domain.permissions import FIELD, PERMISSIONS
from services.identity.domain.values import Confidential, Id, Name
from services.kernel.domain import Command, Decider, Erased, Event, Rejected


class ProfileDefined(Event):
    """The account made a new permission set."""

    profile_id: str
    name: Confidential
    permissions: tuple[str, ...]


class ProfileChanged(Event):
    """The set has another name or other permissions; `revision` counts the changes."""

    profile_id: str
    revision: int
    name: Confidential
    permissions: tuple[str, ...]


class ProfileDeleted(Event):
    """Whoever had this profile falls back to the role's set."""

    profile_id: str
    revision: int


ProfileEvent = ProfileDefined | ProfileChanged | ProfileDeleted


class DefineProfile(Command):
    """Make a new set. `by_permissions` are those of whoever defines it."""

    profile_id: Id
    name: Name
    permissions: frozenset[str]
    by_permissions: frozenset[str]


class ChangeProfile(Command):
    """Replace name and permissions."""

    profile_id: Id
    name: Name
    permissions: frozenset[str]
    by_permissions: frozenset[str]


class DeleteProfile(Command):
    """Remove the set."""

    profile_id: Id


ProfileCommand = DefineProfile | ChangeProfile | DeleteProfile


@dataclass(frozen=True, slots=True)
class Profile:
    """A deleted profile grants nothing and its name is free again."""

    status: Literal["none", "defined", "deleted"] = "none"
    name: str | Erased = ""
    permissions: frozenset[str] = frozenset()
    revision: int = 0


initial_state = Profile()


def decide(command: ProfileCommand, state: Profile) -> list[ProfileEvent]:
    """What a request about this profile leads to."""
    match command:
        case DefineProfile(profile_id=profile_id, name=name, permissions=permissions):
            same = name == state.name and permissions == state.permissions
            if state.status == "defined" and same:
                return []
            if state.status != "none":
                raise Rejected("profile-exists", profile_id=profile_id)
            _demand_grantable(permissions, command.by_permissions)
            return [ProfileDefined(profile_id=profile_id, name=name, permissions=tuple(sorted(permissions)))]
        case DeleteProfile() if state.status == "deleted":
            return []
        case ChangeProfile() | DeleteProfile() if state.status != "defined":
            raise Rejected("profile-unknown", profile_id=command.profile_id)
        case ChangeProfile(profile_id=profile_id, name=name, permissions=permissions):
            if name == state.name and permissions == state.permissions:
                return []
            _demand_grantable(permissions - state.permissions, command.by_permissions)
            return [
                ProfileChanged(
                    profile_id=profile_id,
                    revision=state.revision + 1,
                    name=name,
                    permissions=tuple(sorted(permissions)),
                )
            ]
        case DeleteProfile(profile_id=profile_id):
            return [ProfileDeleted(profile_id=profile_id, revision=state.revision + 1)]
        case _:
            assert_never(command)


def _demand_grantable(permissions: frozenset[str], own: frozenset[str]) -> None:
    """Nobody writes a profile stronger than oneself; field work, which no office role has, may be given."""
    if unknown := permissions - PERMISSIONS:
        raise Rejected("permission-unknown", permissions=sorted(unknown))
    if beyond := permissions - own - FIELD:
        raise Rejected("beyond-own-permissions", permissions=sorted(beyond))


def evolve(state: Profile, event: ProfileEvent) -> Profile:
    """The profile after one more fact."""
    match event:
        case ProfileDefined(name=name, permissions=permissions):
            return Profile(status="defined", name=name, permissions=frozenset(permissions))
        case ProfileChanged(name=name, permissions=permissions, revision=revision):
            return replace(state, name=name, permissions=frozenset(permissions), revision=revision)
        case ProfileDeleted(revision=revision):
            return replace(state, status="deleted", permissions=frozenset(), revision=revision)
        case _:
            assert_never(event)


profile = Decider(
    "profile",
    initial_state,
    decide,
    evolve,
    events={
        "ProfileDefined": ProfileDefined,
        "ProfileChanged": ProfileChanged,
        "ProfileDeleted": ProfileDeleted,
    },
)
