"""A public link: whoever holds it sees one photo, film, document or report, until it ends or is revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, Field, StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.media.domain.values import Hash, Id, Value

LONGEST_DAYS = 365
Days = Annotated[int, Field(ge=1, le=LONGEST_DAYS)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]
Ended = Literal["revoked", "expired"]


class Target(Value):
    """What a link shows: a media item by its name, or a report by its id, always as it is at that moment."""

    kind: Literal["media", "report"]
    id: Hash | Id


class PublicLinkCreated(Event):
    """Somebody let the outside world see this. The link's secret is nowhere in the log."""

    link_id: str
    target: Target
    created_by: str
    expires_at: AwareDatetime


class PublicLinkRevoked(Event):
    """Nobody sees anything through it any more."""

    link_id: str
    revoked_by: str
    reason: Annotated[str | Erased, TenantData()]


class CreatePublicLink(Command):
    """Let the outside world see this for so many days."""

    link_id: Id
    target: Target
    days: Days


class RevokePublicLink(Command):
    """End it now."""

    link_id: Id
    reason: Reason = ""


PublicLinkEvent = PublicLinkCreated | PublicLinkRevoked
PublicLinkCommand = CreatePublicLink | RevokePublicLink


@dataclass(frozen=True, slots=True)
class PublicLink:
    """The link as it is now."""

    created: PublicLinkCreated | None = None
    revoked: bool = False

    def ended(self, now: datetime) -> Ended | None:
        """Why nobody sees anything through it at this moment; None: it is open."""
        if self.revoked:
            return "revoked"
        return "expired" if self.created is None or now >= self.created.expires_at else None


initial_state = PublicLink()


def decide(command: PublicLinkCommand, state: PublicLink) -> list[PublicLinkEvent]:
    match command:
        case CreatePublicLink(link_id=link_id, target=target, days=days):
            if state.created is None:
                ends = command.at + timedelta(days=days)
                return [PublicLinkCreated(link_id=link_id, target=target, created_by=command.by, expires_at=ends)]
            if state.created.target == target:
                return []
            raise Rejected("link-exists", link_id=link_id)
        case RevokePublicLink(link_id=link_id, reason=reason):
            if state.created is None:
                raise Rejected("link-unknown", link_id=link_id)
            if state.revoked:
                return []
            return [PublicLinkRevoked(link_id=link_id, revoked_by=command.by, reason=reason)]
        case _:
            assert_never(command)


def evolve(state: PublicLink, event: PublicLinkEvent) -> PublicLink:
    match event:
        case PublicLinkCreated():
            return PublicLink(created=event)
        case PublicLinkRevoked():
            return PublicLink(created=state.created, revoked=True)
        case _:
            assert_never(event)


public_link: Decider[PublicLinkCommand, PublicLink, PublicLinkEvent] = Decider(
    "public_link",
    initial_state,
    decide,
    evolve,
    events={"PublicLinkCreated": PublicLinkCreated, "PublicLinkRevoked": PublicLinkRevoked},
)
