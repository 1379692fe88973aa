"""The door that a public link's secret opens: found by the secret's hash alone, whosever link it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, assert_never

from pydantic import StringConstraints

from services.kernel.domain import Command, Decider, Event, Rejected
from services.media.domain.values import Id

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class LinkDoorMade(Event):
    """The secret of this SHA-256 leads to this link of this account."""

    digest: str
    account_id: str
    link_id: str


class MakeLinkDoor(Command):
    """Let the secret lead there."""

    digest: Digest
    account_id: Id
    link_id: Id


@dataclass(frozen=True, slots=True)
class LinkDoor:
    """Where it leads; nowhere at first."""

    account_id: str = ""
    link_id: str = ""


initial_state = LinkDoor()


def decide(command: MakeLinkDoor, state: LinkDoor) -> list[LinkDoorMade]:
    leads = LinkDoor(command.account_id, command.link_id)
    if state == leads:
        return []
    if state != initial_state:
        raise Rejected("link-exists", link_id=command.link_id)
    return [LinkDoorMade(digest=command.digest, account_id=command.account_id, link_id=command.link_id)]


def evolve(state: LinkDoor, event: LinkDoorMade) -> LinkDoor:
    match event:
        case LinkDoorMade():
            return LinkDoor(event.account_id, event.link_id)
        case _:
            assert_never(event)


link_door: Decider[MakeLinkDoor, LinkDoor, LinkDoorMade] = Decider(
    "link_door", initial_state, decide, evolve, events={"LinkDoorMade": LinkDoorMade}
)
