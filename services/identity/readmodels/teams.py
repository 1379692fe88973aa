"""The teams of an account with their people, and the profiles that define permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.identity.domain.permissions import PERMISSIONS, ROLE_PERMISSIONS
from services.identity.domain.profile import ProfileChanged, ProfileDefined, ProfileDeleted
from services.identity.domain.team import (
    TeamCreated,
    TeamDeleted,
    TeamLeadersSet,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamMoved,
    TeamRenamed,
    team,
)
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown


class Teams(ReadModel):
    """One document per team."""

    name = "teams"
    categories = ("team",)
    indexes = ([("tenant", 1), ("members", 1)], [("tenant", 1), ("leaders", 1)])

    def keys(self, fact: Recorded) -> list[str]:
        """The team the fact is about."""
        return [fact.event.team_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """The team after one more fact."""
        match fact.event:
            case TeamCreated(name=name, parent=parent):
                return {"name": shown(name), "parent": parent, "leaders": [], "members": []}
            case TeamDeleted():
                return None
        if doc is None:
            return None
        match fact.event:
            case TeamRenamed(name=name):
                return doc | {"name": shown(name)}
            case TeamMoved(parent=parent):
                return doc | {"parent": parent}
            case TeamLeadersSet(leaders=leaders):
                return doc | {"leaders": list(leaders)}
            case TeamMemberAdded(user_id=user_id):
                return doc | {"members": [*doc["members"], user_id]}
            case TeamMemberRemoved(user_id=user_id):
                return doc | {"members": [m for m in doc["members"] if m != user_id]}
            case _:
                return doc


class Profiles(ReadModel):
    """One document per profile that has not been deleted."""

    name = "profiles"
    categories = ("profile",)

    def keys(self, fact: Recorded) -> list[str]:
        """The profile the fact is about."""
        return [fact.event.profile_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """The profile after one more fact."""
        match fact.event:
            case ProfileDefined(name=name, permissions=permissions):
                return {"name": shown(name), "permissions": list(permissions), "version": fact.version}
            case ProfileChanged(name=name, permissions=permissions):
                return {"name": shown(name), "permissions": list(permissions), "version": fact.version}
            case ProfileDeleted():
                return None
            case _:
                return doc


class AllTeams(Query):
    """The account's tree of teams."""


def all_teams(query: AllTeams, ask: Ask) -> dict[str, Any]:
    """Every team; the tree follows from `parent`. `version` is the tree's."""
    rows = ask.reads["teams"].find({}, sort=[("name", 1)])
    teams = [{"team_id": row.pop("id"), **row} for row in rows]
    return {"items": teams, "next": None, "version": ask.version(team, ask.caller.tenant)}


class AllProfiles(Query):
    """The account's permission sets."""


def all_profiles(query: AllProfiles, ask: Ask) -> dict[str, Any]:
    """Own profiles, the roles' sets they may replace, and every permission there is."""
    rows = ask.reads["profiles"].find({}, sort=[("name", 1)])
    return {
        "next": None,
        "items": [{"profile_id": row.pop("id"), **row} for row in rows],
        "roles": {role: sorted(permissions) for role, permissions in ROLE_PERMISSIONS.items()},
        "permissions": sorted(PERMISSIONS),
    }


QUERIES: Mapping[str, Answers] = {"teams": (AllTeams, all_teams), "profiles": (AllProfiles, all_profiles)}
