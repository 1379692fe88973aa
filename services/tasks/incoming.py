"""What this service reads of identity's facts: who may be given work, in which teams, in which time zone."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.message import Incoming


class AccountRegistered(Incoming):
    time_zone: str = "America/Bogota"


class UserRegistered(Incoming):
    user_id: str
    role: str


class UserInvited(Incoming):
    user_id: str
    role: str


class UserActivated(Incoming):
    user_id: str
    role: str


class UserDeactivated(Incoming):
    user_id: str


class UserRoleChanged(Incoming):
    user_id: str
    role: str


class TeamCreated(Incoming):
    team_id: str
    parent: str | None = None


class TeamMoved(Incoming):
    team_id: str
    parent: str | None = None


class TeamLeadersSet(Incoming):
    team_id: str
    leaders: tuple[str, ...] = ()


class TeamMemberAdded(Incoming):
    team_id: str
    user_id: str


class TeamMemberRemoved(Incoming):
    team_id: str
    user_id: str


class TeamDeleted(Incoming):
    team_id: str


DIRECTORY: Mapping[str, type[Incoming]] = {
    model.__name__: model
    for model in (
        AccountRegistered,
        UserRegistered,
        UserInvited,
        UserActivated,
        UserDeactivated,
        UserRoleChanged,
        TeamCreated,
        TeamMoved,
        TeamLeadersSet,
        TeamMemberAdded,
        TeamMemberRemoved,
        TeamDeleted,
    )
}
