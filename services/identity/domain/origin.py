"""An origin is one network address that one session or API token was used from.

Every fact's envelope names only the origin's id, so no address leaves the service and an erased person
takes the addresses along.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AwareDatetime, Field

from services.identity.domain.values import Id, Personal
from services.kernel.domain import Command, Decider, Event


class OriginObserved(Event):
    """The person's session (or token) was seen at this address for the first time."""

    origin_id: str
    user_id: str
    session_id: str | None
    token_id: str | None
    ip: Personal
    observed_at: AwareDatetime


class ObserveOrigin(Command):
    """A request of this session came from this address."""

    origin_id: Id
    user_id: Id
    session_id: Id | None = None
    token_id: Id | None = None
    ip: Annotated[str, Field(max_length=45)]


@dataclass(frozen=True, slots=True)
class Origin:
    """Whether it has been seen."""

    observed: bool = False


initial_state = Origin()


def decide(command: ObserveOrigin, state: Origin) -> list[OriginObserved]:
    """Only the first sight is a fact."""
    if state.observed:
        return []
    return [
        OriginObserved(
            origin_id=command.origin_id,
            user_id=command.user_id,
            session_id=command.session_id,
            token_id=command.token_id,
            ip=command.ip,
            observed_at=command.at,
        )
    ]


def evolve(state: Origin, event: OriginObserved) -> Origin:
    """Seen."""
    return Origin(observed=True)


origin = Decider("origin", initial_state, decide, evolve, events={"OriginObserved": OriginObserved})
