"""A media item as far as submissions care: whether its bytes are stored and verified, or why they were refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, assert_never

from pydantic import Field, StringConstraints

from services.forms.domain.values import Hash
from services.kernel.domain import Command, Decider, Event

MediaCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$")]


class MediumStored(Event):
    """Its bytes are there and are what they were said to be."""

    media_id: str
    bytes: int
    type: str


class MediumRejected(Event):
    """Its bytes are not accepted."""

    media_id: str
    code: str


class StoreMedium(Command):
    """Note that it is stored."""

    media_id: Hash
    bytes: Annotated[int, Field(ge=1)]
    type: Annotated[str, StringConstraints(min_length=1, max_length=100)]


class RejectMedium(Command):
    """Note that it was refused."""

    media_id: Hash
    code: MediaCode


MediumEvent = MediumStored | MediumRejected
MediumCommand = StoreMedium | RejectMedium


@dataclass(frozen=True, slots=True)
class Medium:
    """How the item stands."""

    status: Literal["none", "stored", "rejected"] = "none"
    code: str = ""


initial_state = Medium()


def decide(command: MediumCommand, state: Medium) -> list[MediumEvent]:
    match command:
        case StoreMedium(media_id=media_id, bytes=bytes, type=type):
            # What was stored once has its hash proven, so that nothing later can unsay it.
            return [] if state.status == "stored" else [MediumStored(media_id=media_id, bytes=bytes, type=type)]
        case RejectMedium(media_id=media_id, code=code):
            if state.status == "stored" or state == Medium("rejected", code):
                return []
            return [MediumRejected(media_id=media_id, code=code)]
        case _:
            assert_never(command)


def evolve(state: Medium, event: MediumEvent) -> Medium:
    match event:
        case MediumStored():
            return replace(state, status="stored", code="")
        case MediumRejected(code=code):
            return replace(state, status="rejected", code=code)
        case _:
            assert_never(event)


medium: Decider[MediumCommand, Medium, MediumEvent] = Decider(
    "medium",
    initial_state,
    decide,
    evolve,
    events={"MediumStored": MediumStored, "MediumRejected": MediumRejected},
)
