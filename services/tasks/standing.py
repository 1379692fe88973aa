"""Who asks, and which work is his to see: pure rules over the directory's documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.kernel.application import Ask
from services.kernel.commit import Caller
from services.kernel.domain import Rejected
from services.tasks.readmodels.directory import ACCOUNT

SEES_ALL = frozenset({"owner", "admin", "viewer", "system"})
DEFAULT_TIME_ZONE = "America/Bogota"


def demand(caller: Caller, *permissions: str) -> None:
    """Refuse a caller who holds none of these permissions; the system's own policies hold all."""
    if caller.role != "system" and not caller.permissions.intersection(permissions):
        raise Rejected("forbidden", permission=permissions[0])


def demand_system(caller: Caller) -> None:
    """Refuse everybody: what follows is for the service's own policies and timers."""
    if caller.role != "system":
        raise Rejected("forbidden")


def manages(caller: Caller) -> bool:
    """Whether the caller plans work for others, rather than only doing his own."""
    return caller.role == "system" or "tasks:edit" in caller.permissions


@dataclass(frozen=True, slots=True)
class View:
    """Which tasks somebody sees. `people` are those whose own tasks he sees as their team's leader."""

    everything: bool = False
    user_id: str = ""
    teams: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    unassigned: bool = False

    def shows(self, task: Mapping[str, Any]) -> bool:
        """Whether a task with these `user_id`, `team_id`, `opened_by` is in view."""
        return (
            self.everything
            or self.user_id in (task["user_id"], task["opened_by"])
            or task["team_id"] in self.teams
            or task["user_id"] in self.people
            or (self.unassigned and task["user_id"] is None and task["team_id"] is None)
        )

    def filter(self) -> dict[str, Any]:
        """The same as a filter of documents."""
        if self.everything:
            return {}
        wanted: list[dict[str, Any]] = [
            {"user_id": {"$in": sorted({self.user_id, *self.people})}},
            {"opened_by": self.user_id},
        ]
        if self.teams:
            wanted.append({"team_id": {"$in": sorted(self.teams)}})
        if self.unassigned:
            wanted.append({"user_id": None, "team_id": None})
        return {"$or": wanted}


@dataclass(frozen=True, slots=True)
class Team:
    """A team as the directory knows it."""

    id: str
    parent: str | None = None
    leaders: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Teams:
    """All teams of an account."""

    teams: Mapping[str, Team] = field(default_factory=dict)

    @classmethod
    def of(cls, documents: Iterable[Mapping[str, Any]]) -> Teams:
        """From the directory's documents of kind team."""
        teams = (
            Team(
                id=doc["id"].removeprefix("team:"),
                parent=doc["parent"],
                leaders=frozenset(doc["leaders"]),
                members=frozenset(doc["members"]),
            )
            for doc in documents
        )
        return cls({team.id: team for team in teams})

    def joined_by(self, user_id: str) -> frozenset[str]:
        """The teams somebody belongs to or leads; these he may claim work of."""
        return frozenset(t.id for t in self.teams.values() if user_id in t.leaders or user_id in t.members)

    def led_by(self, user_id: str) -> frozenset[str]:
        """The teams somebody leads, with all the teams below them."""
        led = {team.id for team in self.teams.values() if user_id in team.leaders}
        # The directory follows identity fact by fact, so a circle cannot last; a set ends one anyway.
        while below := {t.id for t in self.teams.values() if t.parent in led} - led:
            led |= below
        return frozenset(led)

    def people_of(self, team_ids: Iterable[str]) -> frozenset[str]:
        """Everybody in these teams."""
        found = (self.teams[id] for id in team_ids)
        return frozenset(person for team in found for person in team.members | team.leaders)


def view_of(role: str, user_id: str, teams: Teams) -> View:
    """What this person sees.

    Owner, admin and viewer: everything. Others: their own tasks, those they opened, those of the teams
    they belong to, and as leaders also the child teams' and their people's. A supervisor moreover sees
    what nobody has yet.
    """
    if role in SEES_ALL:
        return View(everything=True)
    led = teams.led_by(user_id)
    return View(
        user_id=user_id,
        teams=teams.joined_by(user_id) | led,
        people=teams.people_of(led),
        unassigned=role == "supervisor",
    )


def teams_of(ask: Ask) -> Teams:
    """The account's teams."""
    return Teams.of(ask.reads["directory"].find({"kind": "team"}))


def view(ask: Ask) -> View:
    """What the caller sees; asks for the teams only where they matter."""
    if ask.caller.role in SEES_ALL:
        return View(everything=True)
    return view_of(ask.caller.role, ask.caller.actor, teams_of(ask))


def check_user(ask: Ask, user_id: str) -> None:
    """Refuse somebody who cannot be given work: unknown here, not active, or not on a technician's seat."""
    person = ask.reads["directory"].one(f"user:{user_id}")
    if person is None:
        raise Rejected("assignee-unknown", user_id=user_id)
    if person["role"] != "technician" or not person["active"]:
        raise Rejected("assignee-not-operational", user_id=user_id)


def check_team(ask: Ask, team_id: str, code: str = "assignee-unknown") -> None:
    """Refuse a team that the directory does not have."""
    if ask.reads["directory"].one(f"team:{team_id}") is None:
        raise Rejected(code, team_id=team_id)


def time_zone(ask: Ask) -> str:
    """The account's time zone."""
    account = ask.reads["directory"].one(ACCOUNT)
    return account["time_zone"] if account else DEFAULT_TIME_ZONE
