"""Who works in which team and who leads it, and how the account stands; identity's facts without any name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.kernel.commit import Recorded
from services.kernel.projection import ReadModel
from services.media.incoming import Crew, Standing, Zoned

Document = dict[str, Any]
ACCOUNT = "account"


class Crews(ReadModel):
    """One document per team, and one of the account."""

    name = "crews"
    indexes = ([("tenant", 1), ("leaders", 1)], [("tenant", 1), ("parent", 1)])

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The team or the account."""
        return [fact.event.team_id if isinstance(fact.event, Crew) else ACCOUNT]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The team or the account afterwards."""
        match fact.event:
            case Zoned(time_zone=time_zone):
                return {**(doc or {}), "time_zone": time_zone}
            case Standing(state=state):
                return {**(doc or {"time_zone": Zoned().time_zone}), "state": state}
        crew: Crew = fact.event
        if fact.type == "TeamCreated":
            return {"parent": crew.parent, "leaders": [], "members": []}
        if doc is None or fact.type == "TeamDeleted":
            return None
        return doc | _change(doc, fact.type, crew)


def _change(doc: Document, what: str, crew: Crew) -> Document:
    others = [member for member in doc["members"] if member != crew.user_id]
    changes: dict[str, Document] = {
        "TeamMoved": {"parent": crew.parent},
        "TeamLeadersSet": {"leaders": list(crew.leaders or ())},
        "TeamMemberAdded": {"members": [*others, crew.user_id]},
        "TeamMemberRemoved": {"members": others},
    }
    return changes[what]
