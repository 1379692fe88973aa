"""A media item: content that was looked at and is kept sealed, until nobody uses it any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.kernel.domain import ERASED, Command, Decider, Erased, Event, Rejected, TenantData
from services.media.domain.values import Code, FileName, Hash, Id, Rendition, Stored, Taken


class MediaStored(Event):
    """The bytes are there and are what their name says; `type` is what they really are.

    Measures are in pixels as shown, `seconds` is the length. `keys` opens each object: it goes with the account's key,
    and the objects with it.
    """

    media_id: str
    bytes: int
    type: str
    width: int | None
    height: int | None
    seconds: float | None
    uploaded_by: str
    stored_at: AwareDatetime
    original: Stored
    renditions: tuple[Rendition, ...]
    keys: Annotated[dict[str, str] | Erased, TenantData()]
    taken: Annotated[Taken | Erased | None, TenantData()]
    name: Annotated[str | Erased, TenantData()]


class MediaRejected(Event):
    """The content of this name is not accepted."""

    media_id: str
    upload_id: str
    code: str


class MediaWithdrawn(Event):
    """Nobody uses it. It is out of reach, and its objects go unless somebody does."""

    media_id: str


class MediaForgotten(Event):
    """It is not kept any more; these objects go."""

    media_id: str
    objects: tuple[str, ...]


MediumEvent = MediaStored | MediaRejected | MediaWithdrawn | MediaForgotten


class StoreMedia(Command):
    """Note what was found and where it is kept."""

    media_id: Hash
    bytes: Annotated[int, Field(ge=1)]
    type: str
    width: Annotated[int, Field(ge=1)] | None = None
    height: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None
    uploaded_by: str
    original: Stored
    renditions: tuple[Rendition, ...] = ()
    keys: Mapping[str, str]
    taken: Taken | None = None
    name: FileName = ""


class RejectMedia(Command):
    """Note why the bytes of an upload were refused."""

    media_id: Hash
    upload_id: Id
    code: Code


class WithdrawMedia(Command):
    """Take it out of reach because nobody uses it."""

    media_id: Hash


class RestoreMedia(Command):
    """Somebody uses it after all."""

    media_id: Hash


class ForgetMedia(Command):
    """Keep it no longer."""

    media_id: Hash


MediumCommand = StoreMedia | RejectMedia | WithdrawMedia | RestoreMedia | ForgetMedia
Status = Literal["none", "stored", "rejected", "withdrawn", "forgotten"]


@dataclass(frozen=True, slots=True)
class Medium:
    """How the item stands; `stored` is what is kept of it, also while it is withdrawn."""

    status: Status = "none"
    stored: MediaStored | None = None
    code: str = ""

    @property
    def objects(self) -> tuple[str, ...]:
        """The keys of everything that is kept of it."""
        if self.stored is None:
            return ()
        return (self.stored.original.object, *(rendition.object for rendition in self.stored.renditions))

    def key_of(self, object: str) -> str | Erased:
        """What opens an object. Raises KeyError for one that is not of this item."""
        keys: dict[str, str] | Erased = ERASED if self.stored is None else self.stored.keys
        return ERASED if isinstance(keys, Erased) else keys[object]


initial_state = Medium()


def decide(command: MediumCommand, state: Medium) -> list[MediumEvent]:
    media_id = command.media_id
    match command:
        case StoreMedia():
            # Whoever comes second finds it stored: his objects are not named anywhere, and go.
            return [MediaStored(**_fields(command), stored_at=command.at)] if state.stored is None else []
        case RejectMedia(upload_id=upload_id, code=code):
            if state.stored is not None or (state.status == "rejected" and state.code == code):
                return []
            return [MediaRejected(media_id=media_id, upload_id=upload_id, code=code)]
        case WithdrawMedia():
            return [MediaWithdrawn(media_id=media_id)] if state.status == "stored" else []
        case RestoreMedia():
            if state.stored is None:
                raise Rejected("medium-unknown", media_id=media_id)
            return [state.stored] if state.status == "withdrawn" else []
        case ForgetMedia():
            forgotten = MediaForgotten(media_id=media_id, objects=state.objects)
            return [forgotten] if state.status == "withdrawn" else []
        case _:
            assert_never(command)


def _fields(command: StoreMedia) -> dict[str, Any]:
    return command.model_dump(exclude={"at", "by"})


def evolve(state: Medium, event: MediumEvent) -> Medium:
    match event:
        case MediaStored():
            return Medium("stored", event)
        case MediaRejected(code=code):
            return Medium("rejected", code=code)
        case MediaWithdrawn():
            return Medium("withdrawn", state.stored)
        case MediaForgotten():
            return Medium("forgotten")
        case _:
            assert_never(event)


medium: Decider[MediumCommand, Medium, MediumEvent] = Decider(
    "medium",
    initial_state,
    decide,
    evolve,
    events={
        "MediaStored": MediaStored,
        "MediaRejected": MediaRejected,
        "MediaWithdrawn": MediaWithdrawn,
        "MediaForgotten": MediaForgotten,
    },
)
