"""What this service reads of identity's facts: who holds a seat and since when, who leads whom, the time zone."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.message import Incoming


class Zoned(Incoming):
    """The account, in its time zone."""

    time_zone: str = "America/Bogota"


class Person(Incoming):
    """Somebody."""

    user_id: str


class PersonInRole(Person):
    """Somebody who now has this role."""

    role: str


class Crew(Incoming):
    """A team."""

    team_id: str


class CrewBelow(Crew):
    """A team at this place in the tree."""

    parent: str | None = None


class CrewLed(Crew):
    """A team with these leaders."""

    leaders: tuple[str, ...] = ()


class CrewMember(Crew):
    """A team and one of its people."""

    user_id: str


DIRECTORY: Mapping[str, type[Incoming]] = {
    "AccountRegistered": Zoned,
    **dict.fromkeys(("UserRegistered", "UserInvited", "UserActivated", "UserRoleChanged"), PersonInRole),
    "UserDeactivated": Person,
    **dict.fromkeys(("TeamCreated", "TeamMoved"), CrewBelow),
    "TeamLeadersSet": CrewLed,
    **dict.fromkeys(("TeamMemberAdded", "TeamMemberRemoved"), CrewMember),
    "TeamDeleted": Crew,
}
