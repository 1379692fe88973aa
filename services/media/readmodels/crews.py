"""Who works in which team and who leads it, and how the account stands; identity's facts without any name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.kernel.commit import Recorded
from services.kernel.readmodel import ReadModel
from services.media.incoming import Crew, Joined, Led, Left, Placed, Standing, Zoned

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
        if fact.type == "TeamCreated":
            return {"parent": fact.event.parent, "leaders": [], "members": []}
        if doc is None or fact.type == "TeamDeleted":
            return None
        return doc | _change(doc, fact.event)


def _change(doc: Document, event: Crew) -> Document:
    match event:
        case Placed(parent=parent):
            return {"parent": parent}
        case Led(leaders=leaders):
            return {"leaders": list(leaders)}
        case Joined(user_id=user_id):
            return {"members": [*(member for member in doc["members"] if member != user_id), user_id]}
        case Left(user_id=user_id):
            return {"members": [member for member in doc["members"] if member != user_id]}
        case _:
            return {}
