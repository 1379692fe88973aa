"""What this service reads of others' facts: who leads whom, the account's time zone, and which evidence is used."""

from __future__ import annotations

from collections.abc import Mapping

from services.kernel.message import Incoming


class Zoned(Incoming):
    """The account, in its time zone."""

    time_zone: str = "America/Bogota"


class Standing(Incoming):
    """How the account stands now."""

    state: str


class Crew(Incoming):
    """A team."""

    team_id: str


class Placed(Crew):
    """A team, and the one above it."""

    parent: str | None = None


class Led(Crew):
    """A team, and all who lead it."""

    leaders: tuple[str, ...]


class Joined(Crew):
    """A team, and somebody who is in it now."""

    user_id: str


class Left(Crew):
    """A team, and somebody who was in it."""

    user_id: str


class DeclaredItem(Incoming):
    """A media item among the answers, and where."""

    id: str
    path: str = ""
    kind: str = "unknown"


class Answered(Incoming):
    """Answers that came, or that were put in the place of others, with all the media they name."""

    submission_id: str
    form_id: str
    task_id: str | None = None
    user_id: str
    media: tuple[DeclaredItem, ...] = ()


DIRECTORY: Mapping[str, type[Incoming]] = {
    "AccountRegistered": Zoned,
    "AccountStateChanged": Standing,
    "TeamCreated": Placed,
    "TeamMoved": Placed,
    "TeamLeadersSet": Led,
    "TeamMemberAdded": Joined,
    "TeamMemberRemoved": Left,
    "TeamDeleted": Crew,
}

SUBMISSIONS: Mapping[str, type[Incoming]] = dict.fromkeys(("SubmissionReceived", "SubmissionAmended"), Answered)
