"""Who asks, whose submissions are his to see, and who held a seat when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from services.forms.readmodels.directory import ACCOUNT
from services.kernel.application import Ask
from services.kernel.commit import Caller
from services.kernel.domain import Rejected
from services.kernel.shown import stamp

EVERYBODYS = frozenset({"owner", "admin", "viewer", "system"})
DEFAULT_ZONE = "America/Bogota"
READ, EDIT, EXECUTE = "submissions:read", "submissions:edit", "tasks:execute"


def demand(caller: Caller, *permissions: str) -> None:
    """Refuse a caller who has none of these permissions. The system's own policies pass."""
    if caller.role == "system" or caller.permissions & set(permissions):
        return
    raise Rejected("forbidden", permission=permissions[0])


def people_seen(ask: Ask) -> frozenset[str] | None:
    """Whose submissions the caller sees: None is everybody's.

    Owner, admin and viewer see all of the account; everybody else what he himself handed in and, as a leader, what
    the people of his teams and of the teams below did.
    """
    caller = ask.caller
    if caller.role in EVERYBODYS:
        return None
    teams = {doc["id"].removeprefix("team:"): doc for doc in ask.reads["directory"].find({"kind": "team"})}
    mine = {id for id, team in teams.items() if caller.actor in team["leaders"]}
    while grown := {id for id, team in teams.items() if team["parent"] in mine} - mine:
        mine |= grown
    people = {person for id in mine for person in (*teams[id]["members"], *teams[id]["leaders"])}
    return frozenset(people | {caller.actor})


def check_seen(ask: Ask, submission_id: str, user_id: str) -> None:
    """Refuse what is out of the caller's view as if it did not exist."""
    seen = people_seen(ask)
    if seen is not None and user_id not in seen:
        raise Rejected("submission-unknown", submission_id=submission_id)


def held_seat(person: Mapping[str, Any] | None, at: datetime) -> bool:
    """Whether the person could work in the field at that moment, as far as is known here.

    Somebody whom this service has not heard of yet comes with a token that identity has checked.
    """
    if person is None or not person["seats"]:
        return person is None
    before = [seated for since, seated in person["seats"] if since <= stamp(at)]
    return bool(before and before[-1])


def zone_of(ask: Ask) -> tzinfo:
    """The account's time zone."""
    account = ask.reads["directory"].one(ACCOUNT)
    return ZoneInfo(account["time_zone"] if account else DEFAULT_ZONE)
