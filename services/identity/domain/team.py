"""The teams of an account: a tree of groups, each with leaders and members.

The whole tree is one stream (its id is the account's), because "no team below itself" is a rule about
all of them at once and two moves may race.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from pydantic import Field

from services.identity.domain.values import Confidential, Id, Name
from services.kernel.domain import Command, Decider, Erased, Event, Rejected


class TeamCreated(Event):
    """A new team, below `parent` or at the top."""

    team_id: str
    name: Confidential
    parent: str | None


class TeamRenamed(Event):
    """The team goes by another name."""

    team_id: str
    name: Confidential


class TeamMoved(Event):
    """The team, with all below it, stands somewhere else."""

    team_id: str
    parent: str | None


class TeamLeadersSet(Event):
    """These people, and only these, lead the team."""

    team_id: str
    leaders: tuple[str, ...]


class TeamMemberAdded(Event):
    """One more person belongs to the team."""

    team_id: str
    user_id: str


class TeamMemberRemoved(Event):
    """The person no longer belongs to the team."""

    team_id: str
    user_id: str


class TeamDeleted(Event):
    """The team is no more."""

    team_id: str


TeamEvent = TeamCreated | TeamRenamed | TeamMoved | TeamLeadersSet | TeamMemberAdded | TeamMemberRemoved | TeamDeleted


class CreateTeam(Command):
    """Begin a team."""

    account_id: Id
    team_id: Id
    name: Name
    parent: Id | None = None


class RenameTeam(Command):
    """Give it another name."""

    account_id: Id
    team_id: Id
    name: Name


class MoveTeam(Command):
    """Put it below another team, or at the top."""

    account_id: Id
    team_id: Id
    parent: Id | None = None


class SetTeamLeaders(Command):
    """Say who leads it."""

    account_id: Id
    team_id: Id
    leaders: Annotated[tuple[Id, ...], Field(max_length=50)]


class AddTeamMember(Command):
    """Take a person in."""

    account_id: Id
    team_id: Id
    user_id: Id


class RemoveTeamMember(Command):
    """Let a person go."""

    account_id: Id
    team_id: Id
    user_id: Id


class DeleteTeam(Command):
    """End it; teams below it must have gone before."""

    account_id: Id
    team_id: Id


TeamCommand = CreateTeam | RenameTeam | MoveTeam | SetTeamLeaders | AddTeamMember | RemoveTeamMember | DeleteTeam


@dataclass(frozen=True, slots=True)
class Team:
    """One group."""

    name: str | Erased
    parent: str | None
    leaders: tuple[str, ...] = ()
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Teams:
    """All groups of the account, and the ids of those that have gone."""

    teams: Mapping[str, Team] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()

    def above(self, team_id: str | None) -> list[str]:
        """The team itself and all it stands below."""
        chain: list[str] = []
        while team_id is not None:
            chain.append(team_id)
            team_id = self.teams[team_id].parent
        return chain


initial_state = Teams()


def decide(command: TeamCommand, state: Teams) -> list[TeamEvent]:
    """What a request about the account's teams leads to."""
    team_id = command.team_id
    if isinstance(command, CreateTeam):
        return _create(command, state)
    if isinstance(command, DeleteTeam) and team_id in state.deleted:
        return []
    team = state.teams.get(team_id)
    if team is None:
        raise Rejected("team-unknown", team_id=team_id)
    match command:
        case RenameTeam(name=name):
            return [] if name == team.name else [TeamRenamed(team_id=team_id, name=name)]
        case MoveTeam(parent=parent):
            _demand_known(parent, state)
            if team_id in state.above(parent):
                raise Rejected("team-cycle", team_id=team_id, parent=parent)
            return [] if parent == team.parent else [TeamMoved(team_id=team_id, parent=parent)]
        case SetTeamLeaders(leaders=leaders):
            wanted = tuple(dict.fromkeys(leaders))
            return [] if wanted == team.leaders else [TeamLeadersSet(team_id=team_id, leaders=wanted)]
        case AddTeamMember(user_id=user_id):
            return [] if user_id in team.members else [TeamMemberAdded(team_id=team_id, user_id=user_id)]
        case RemoveTeamMember(user_id=user_id):
            return [TeamMemberRemoved(team_id=team_id, user_id=user_id)] if user_id in team.members else []
        case DeleteTeam():
            if any(other.parent == team_id for other in state.teams.values()):
                raise Rejected("team-has-children", team_id=team_id)
            return [TeamDeleted(team_id=team_id)]
        case _:
            assert_never(command)


def _create(command: CreateTeam, state: Teams) -> list[TeamEvent]:
    existing = state.teams.get(command.team_id)
    if existing is not None:
        if (existing.name, existing.parent) == (command.name, command.parent):
            return []
        raise Rejected("team-exists", team_id=command.team_id)
    if command.team_id in state.deleted:
        raise Rejected("team-exists", team_id=command.team_id)
    _demand_known(command.parent, state)
    return [TeamCreated(team_id=command.team_id, name=command.name, parent=command.parent)]


def _demand_known(parent: str | None, state: Teams) -> None:
    if parent is not None and parent not in state.teams:
        raise Rejected("team-unknown", team_id=parent)


def evolve(state: Teams, event: TeamEvent) -> Teams:
    """The teams after one more fact."""
    match event:
        case TeamCreated(team_id=team_id, name=name, parent=parent):
            return replace(state, teams={**state.teams, team_id: Team(name, parent)})
        case TeamDeleted(team_id=team_id):
            rest = {other: team for other, team in state.teams.items() if other != team_id}
            return Teams(teams=rest, deleted=state.deleted | {team_id})
        case _:
            team = _evolve_team(state.teams[event.team_id], event)
            return replace(state, teams={**state.teams, event.team_id: team})


def _evolve_team(
    team: Team, event: TeamRenamed | TeamMoved | TeamLeadersSet | TeamMemberAdded | TeamMemberRemoved
) -> Team:
    match event:
        case TeamRenamed(name=name):
            return replace(team, name=name)
        case TeamMoved(parent=parent):
            return replace(team, parent=parent)
        case TeamLeadersSet(leaders=leaders):
            return replace(team, leaders=leaders)
        case TeamMemberAdded(user_id=user_id):
            return replace(team, members=team.members | {user_id})
        case TeamMemberRemoved(user_id=user_id):
            return replace(team, members=team.members - {user_id})
        case _:
            assert_never(event)


team = Decider(
    "team",
    initial_state,
    decide,
    evolve,
    events={
        "TeamCreated": TeamCreated,
        "TeamRenamed": TeamRenamed,
        "TeamMoved": TeamMoved,
        "TeamLeadersSet": TeamLeadersSet,
        "TeamMemberAdded": TeamMemberAdded,
        "TeamMemberRemoved": TeamMemberRemoved,
        "TeamDeleted": TeamDeleted,
    },
)
