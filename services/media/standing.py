"""Who asks, and whose evidence is his to see."""

from __future__ import annotations

from services.kernel.application import Ask
from services.kernel.commit import Caller
from services.kernel.domain import Rejected
from services.media.domain.medium import Medium, medium
from services.media.domain.values import hex_of
from services.media.readmodels.crews import ACCOUNT

SEES_ALL = frozenset({"owner", "admin", "viewer", "system"})
DEFAULT_TIME_ZONE = "America/Bogota"
READ, EDIT, EXECUTE = "submissions:read", "submissions:edit", "tasks:execute"


def demand(caller: Caller, *permissions: str) -> None:
    """Refuse a caller who holds none of these permissions. The system's own policies pass."""
    if caller.role != "system" and caller.permissions.isdisjoint(permissions):
        raise Rejected("forbidden", permission=permissions[0])


def demand_system(caller: Caller) -> None:
    """Refuse everybody: what follows is for the service's own policies and timers, and for its peers."""
    if caller.role != "system":
        raise Rejected("forbidden")


def people_seen(ask: Ask) -> frozenset[str] | None:
    """Whose evidence the caller sees; None is everybody's. A leader sees that of his teams and of those below."""
    if ask.caller.role in SEES_ALL:
        return None
    crews, me = ask.reads["crews"], ask.caller.actor
    people, known = {me}, set[str]()
    ahead = crews.find({"leaders": me})
    while ahead:
        for crew in ahead:
            people.update(crew["members"], crew["leaders"])
        known.update(crew["id"] for crew in ahead)
        below = crews.find({"parent": {"$in": [crew["id"] for crew in ahead]}})
        ahead = [crew for crew in below if crew["id"] not in known]
    return frozenset(people)


def check_medium_seen(ask: Ask, media_id: str) -> Medium:
    """An item as of now, if the caller may see it: he brought it, or somebody whose evidence he sees used it.

    Raises Rejected("medium-unknown") for everything else, as if it did not exist.
    """
    demand(ask.caller, READ, EDIT, EXECUTE)
    known: Medium = ask.state(medium, hex_of(media_id))
    if known.status in ("none", "forgotten") or not _may_see(ask, known, media_id):
        raise Rejected("medium-unknown", media_id=media_id)
    return known


def _may_see(ask: Ask, known: Medium, media_id: str) -> bool:
    brought_by = known.stored and known.stored.uploaded_by
    if brought_by == ask.caller.actor:
        return True
    # Who only works in the field sees what is his; the office sees that of its people.
    office = ask.caller.role == "system" or READ in ask.caller.permissions
    seen = people_seen(ask) if office else frozenset({ask.caller.actor})
    if seen is None or brought_by in seen:
        return True
    return bool(ask.reads["uses"].find({"media.id": media_id, "user_id": {"$in": sorted(seen)}}, limit=1))


def time_zone(ask: Ask) -> str:
    """The account's time zone, by name."""
    account = ask.reads["crews"].one(ACCOUNT)
    return str(account["time_zone"]) if account else DEFAULT_TIME_ZONE
