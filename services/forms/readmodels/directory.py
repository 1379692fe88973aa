"""Who held a technician's seat when, and who leads which people; identity's facts without any name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.forms.incoming import Crew, Zoned
from services.kernel.commit import Recorded
from services.kernel.readmodel import ReadModel
from services.kernel.shown import stamp

Document = dict[str, Any]
ACCOUNT = "account"
REMEMBERED = 50


class Directory(ReadModel):
    """One document per person ("user:<id>"), one per team ("team:<id>"), one of the account."""

    name = "directory"
    indexes = ([("tenant", 1), ("kind", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """Whom the fact is about."""
        match fact.event:
            case Zoned():
                return [ACCOUNT]
            case Crew(team_id=team_id):
                return [f"team:{team_id}"]
            case person:
                return [f"user:{person.user_id}"]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The person, team or account afterwards."""
        match fact.event:
            case Zoned(time_zone=time_zone):
                return {"kind": "account", "time_zone": time_zone}
            case Crew():
                return _team(doc, fact)
            case _:
                return _person(doc or {"kind": "user", "role": "", "active": False, "seats": []}, fact)


def _person(doc: Document, fact: Recorded) -> Document:
    active = {"UserActivated": True, "UserDeactivated": False}.get(fact.type, doc["active"])
    role = getattr(fact.event, "role", doc["role"])
    seated = active and role == "technician"
    seats = doc["seats"]
    if seated != bool(seats and seats[-1][1]):
        # Since when he has held a seat, or has held none: work done in the field is judged by its own day.
        seats = [*seats, [stamp(fact.at), seated]][-REMEMBERED:]
    return {**doc, "active": active, "role": role, "seats": seats}


def _team(doc: Document | None, fact: Recorded) -> Document | None:
    event = fact.event
    if fact.type == "TeamCreated":
        return {"kind": "team", "parent": event.parent, "leaders": [], "members": []}
    if doc is None:
        return None  # about a team that is gone
    match fact.type:
        case "TeamMoved":
            return {**doc, "parent": event.parent}
        case "TeamLeadersSet":
            return {**doc, "leaders": list(event.leaders)}
        case "TeamMemberAdded":
            return {**doc, "members": sorted({*doc["members"], event.user_id})}
        case "TeamMemberRemoved":
            return {**doc, "members": [member for member in doc["members"] if member != event.user_id]}
        case _:
            return None
