"""What this service reads of others' facts: who holds a seat and leads whom, the time zone, which media are there."""

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


class MediaNamed(Incoming):
    """A media item."""

    media_id: str


class MediaStored(MediaNamed):
    """The bytes are there and verified: what they are, measures in pixels, length in seconds."""

    bytes: int
    type: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


class MediaRejected(MediaNamed):
    """The bytes were refused."""

    code: str


class MediaWithdrawn(MediaNamed):
    """Nobody has used it for long; its bytes will go."""


MEDIA: Mapping[str, type[Incoming]] = {
    "MediaStored": MediaStored,
    "MediaRejected": MediaRejected,
    "MediaWithdrawn": MediaWithdrawn,
}
