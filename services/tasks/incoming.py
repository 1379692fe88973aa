"""What this service reads of others' facts: identity's people, teams and time zone, and what was handed in to forms."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.message import Incoming
from services.tasks.domain.values import Priority


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


class SubmissionReceived(Incoming):
    submission_id: str
    form_id: str
    version: int
    task_id: str | None
    photos: int
    signatures: int
    complete: bool
    parked: str | None


class SubmissionAmended(Incoming):
    submission_id: str
    form_id: str
    version: int
    task_id: str | None
    photos: int
    signatures: int
    complete: bool
    amendment: int


class SubmissionCompleted(Incoming):
    submission_id: str
    task_id: str | None


class SubmissionReleased(Incoming):
    submission_id: str
    task_id: str | None


class SubmissionDiscarded(Incoming):
    submission_id: str
    task_id: str | None


class FollowUpNeeded(Incoming):
    task_id: str | None
    submission_id: str
    form_id: str
    field: str
    priority: Priority
    process_id: str | None
    subprocess_id: str | None


SUBMISSIONS: Mapping[str, type[Incoming]] = {
    model.__name__: model
    for model in (
        SubmissionReceived,
        SubmissionAmended,
        SubmissionCompleted,
        SubmissionReleased,
        SubmissionDiscarded,
        FollowUpNeeded,
    )
}
