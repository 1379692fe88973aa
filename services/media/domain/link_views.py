"""Who looked through a public link, and when: one view after the other, for the account that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, assert_never

from pydantic import StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, TenantData
from services.media.domain.values import Id

Address = Annotated[str, StringConstraints(max_length=64)]
Agent = Annotated[str, StringConstraints(max_length=300)]


class PublicLinkViewed(Event):
    """Somebody saw what is behind it, the how manieth time; from which address, with which program."""

    link_id: str
    number: int
    address: Annotated[str | Erased, TenantData()]
    agent: Annotated[str | Erased, TenantData()]


class NoteView(Command):
    """Remember that it was seen."""

    link_id: Id
    address: Address
    agent: Agent = ""


@dataclass(frozen=True, slots=True)
class LinkViews:
    """How many there were."""

    number: int = 0


initial_state = LinkViews()


def decide(command: NoteView, state: LinkViews) -> list[PublicLinkViewed]:
    # One and the same view comes again under the same command id, which the log takes once.
    seen = {"address": command.address, "agent": command.agent}
    return [PublicLinkViewed(link_id=command.link_id, number=state.number + 1, **seen)]


def evolve(state: LinkViews, event: PublicLinkViewed) -> LinkViews:
    match event:
        case PublicLinkViewed(number=number):
            return LinkViews(number)
        case _:
            assert_never(event)


link_views: Decider[NoteView, LinkViews, PublicLinkViewed] = Decider(
    "link_views",
    initial_state,
    decide,
    evolve,
    events={"PublicLinkViewed": PublicLinkViewed},
    by_last=True,
)
