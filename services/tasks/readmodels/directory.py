"""Identity's people and teams as far as work is concerned: roles and membership, no names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.kernel.commit import Recorded
from services.kernel.readmodel import ReadModel
from services.tasks.incoming import (
    AccountRegistered,
    TeamCreated,
    TeamDeleted,
    TeamLeadersSet,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamMoved,
    UserActivated,
    UserDeactivated,
    UserInvited,
    UserRegistered,
    UserRoleChanged,
)

Document = dict[str, Any]
ACCOUNT = "account"


class Directory(ReadModel):
    """One document per person ("user:<id>"), per team ("team:<id>") and one of the account."""

    name = "directory"
    indexes = ([("tenant", 1), ("kind", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The person or team the fact is about."""
        event = fact.event
        if isinstance(event, AccountRegistered):
            return [ACCOUNT]
        if team_id := getattr(event, "team_id", None):
            return [f"team:{team_id}"]
        return [f"user:{event.user_id}"]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The person, team or account afterwards."""
        match fact.event:
            case AccountRegistered(time_zone=time_zone):
                return {"kind": "account", "time_zone": time_zone}
            case UserRegistered(role=role) | UserInvited(role=role):
                return {"kind": "user", "role": role, "active": False}
            case UserActivated(role=role):
                return {"kind": "user", "role": role, "active": True}
            case UserDeactivated():
                return {**(doc or {"kind": "user", "role": ""}), "active": False}
            case UserRoleChanged(role=role):
                return {**(doc or {"kind": "user", "active": False}), "role": role}
            case TeamCreated(parent=parent):
                return {"kind": "team", "parent": parent, "leaders": [], "members": []}
            case TeamDeleted():
                return None
        if doc is None:
            return None  # about a team that is gone
        match fact.event:
            case TeamMoved(parent=parent):
                return {**doc, "parent": parent}
            case TeamLeadersSet(leaders=leaders):
                return {**doc, "leaders": list(leaders)}
            case TeamMemberAdded(user_id=user_id):
                return {**doc, "members": sorted({*doc["members"], user_id})}
            case TeamMemberRemoved(user_id=user_id):
                return {**doc, "members": [member for member in doc["members"] if member != user_id]}
            case _:
                return doc
