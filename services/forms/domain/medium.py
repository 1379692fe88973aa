"""A media item as far as submissions care: what its verified bytes are, or why they were refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field, StringConstraints

from services.forms.domain.values import Hash
from services.kernel.domain import Command, Decider, Event

MediaCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,60}$")]


class MediumStored(Event):
    """Its bytes are there and are what they were said to be."""

    media_id: str
    bytes: int
    type: str
    width: int | None = None
    height: int | None = None
    seconds: float | None = None


class MediumRejected(Event):
    """Its bytes are not accepted."""

    media_id: str
    code: str


class MediumWithdrawn(Event):
    """Nobody uses its bytes, and they will go unless somebody does: it has to be handed in again."""

    media_id: str


class StoreMedium(Command):
    """Note that it is stored; measures in pixels as shown, length in seconds, as far as its kind has them."""

    media_id: Hash
    bytes: Annotated[int, Field(ge=1)]
    type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    width: Annotated[int, Field(ge=0)] | None = None
    height: Annotated[int, Field(ge=0)] | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None


class RejectMedium(Command):
    """Note that it was refused."""

    media_id: Hash
    code: MediaCode


class WithdrawMedium(Command):
    """Count on it no longer."""

    media_id: Hash


MediumEvent = MediumStored | MediumRejected | MediumWithdrawn
MediumCommand = StoreMedium | RejectMedium | WithdrawMedium


@dataclass(frozen=True, slots=True)
class Medium:
    """How the item stands; `stored` says what it is when it is there."""

    status: Literal["none", "stored", "rejected"] = "none"
    code: str = ""
    stored: MediumStored | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """What its bytes are, as the bounds of a question are about."""
        return {} if self.stored is None else self.stored.model_dump(exclude={"media_id"}, exclude_none=True)


initial_state = Medium()


def decide(command: MediumCommand, state: Medium) -> list[MediumEvent]:
    match command:
        case StoreMedium():
            # What was stored once has its hash proven, so that no other bytes under its name can unsay it.
            return [] if state.status == "stored" else [MediumStored(**command.model_dump(exclude={"at", "by"}))]
        case RejectMedium(media_id=media_id, code=code):
            if state.status == "stored" or state == Medium("rejected", code):
                return []
            return [MediumRejected(media_id=media_id, code=code)]
        case WithdrawMedium(media_id=media_id):
            return [MediumWithdrawn(media_id=media_id)] if state.status == "stored" else []
        case _:
            assert_never(command)


def evolve(state: Medium, event: MediumEvent) -> Medium:
    match event:
        case MediumStored():
            return Medium("stored", stored=event)
        case MediumRejected(code=code):
            return Medium("rejected", code)
        case MediumWithdrawn():
            return Medium()
        case _:
            assert_never(event)


_FACTS: dict[str, type[MediumEvent]] = {
    "MediumStored": MediumStored,
    "MediumRejected": MediumRejected,
    "MediumWithdrawn": MediumWithdrawn,
}
medium: Decider[MediumCommand, Medium, MediumEvent] = Decider("medium", initial_state, decide, evolve, _FACTS)
