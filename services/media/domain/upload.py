"""An upload: bytes on their way in, from the announcement until it is settled what they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, Field, StringConstraints

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.media.domain.values import HEAVIEST, KINDS, Code, FileName, Hash, Id

Via = Literal["tus", "form"]
Outcome = Literal["stored", "rejected"]


class UploadBegun(Event):
    """Somebody said what he is going to send. The bytes are waited for until it expires."""

    upload_id: str
    media_id: str
    bytes: int
    type: str
    via: Via
    begun_by: str
    expires_at: AwareDatetime
    name: Annotated[str | Erased, TenantData()]


class UploadFinished(Event):
    """All bytes are there; now they are looked at."""

    upload_id: str
    media_id: str


class UploadAborted(Event):
    """Whoever began it does not want it any more."""

    upload_id: str
    media_id: str


class UploadExpired(Event):
    """The rest of the bytes did not come in time."""

    upload_id: str
    media_id: str


class UploadSettled(Event):
    """It is known what became of the bytes; `code` says why they were refused."""

    upload_id: str
    media_id: str
    outcome: Outcome
    code: str


UploadEvent = UploadBegun | UploadFinished | UploadAborted | UploadExpired | UploadSettled


class BeginUpload(Command):
    """Announce bytes: what they hash to, how many they are, what they are said to be."""

    upload_id: Id
    media_id: Hash
    bytes: Annotated[int, Field(ge=0)]
    type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    via: Via
    expires_at: AwareDatetime
    name: FileName = ""


class FinishUpload(Command):
    """Say that all bytes are there."""

    upload_id: Id


class AbortUpload(Command):
    """Give it up."""

    upload_id: Id


class ExpireUpload(Command):
    """End it because its time is over."""

    upload_id: Id


class SettleUpload(Command):
    """Note what became of it."""

    upload_id: Id
    outcome: Outcome
    code: Code | Literal[""] = ""


UploadCommand = BeginUpload | FinishUpload | AbortUpload | ExpireUpload | SettleUpload
Status = Literal["none", "open", "finished", "stored", "rejected", "aborted", "expired"]


@dataclass(frozen=True, slots=True)
class Upload:
    """How far it is; `begun` says what was announced, `code` why it was refused."""

    status: Status = "none"
    begun: UploadBegun | None = None
    code: str = ""


initial_state = Upload()


def decide(command: UploadCommand, state: Upload) -> list[UploadEvent]:
    if isinstance(command, BeginUpload):
        return _begin(command, state)
    if state.begun is None:
        raise Rejected("upload-unknown", upload_id=command.upload_id)
    named = {"upload_id": command.upload_id, "media_id": state.begun.media_id}
    match command:
        case FinishUpload():
            if state.status in ("aborted", "expired"):
                raise Rejected(f"upload-{state.status}", upload_id=command.upload_id)
            return [UploadFinished(**named)] if state.status == "open" else []
        case AbortUpload():
            if state.status in ("finished", "stored", "rejected"):
                raise Rejected("upload-finished", upload_id=command.upload_id)
            return [UploadAborted(**named)] if state.status == "open" else []
        case ExpireUpload():
            return [UploadExpired(**named)] if state.status == "open" else []
        case SettleUpload(outcome=outcome, code=code):
            return [UploadSettled(**named, outcome=outcome, code=code)] if state.status == "finished" else []
        case _:
            assert_never(command)


def _begin(command: BeginUpload, state: Upload) -> list[UploadEvent]:
    if command.bytes > HEAVIEST:
        raise Rejected("too-heavy", bytes=command.bytes, most=HEAVIEST)
    if command.bytes == 0:
        raise Rejected("empty")
    if command.type not in KINDS:
        raise Rejected("type-not-accepted", type=command.type)
    begun = UploadBegun(**command.model_dump(exclude={"at", "by"}), begun_by=command.by)
    if state.begun is None:
        return [begun]
    # Asked again, it keeps the time that it was given first; and a name that was erased counts for any.
    same = begun.model_copy(update={"expires_at": state.begun.expires_at, "name": state.begun.name})
    if state.begun != same:
        raise Rejected("upload-exists", upload_id=command.upload_id)
    return []


def evolve(state: Upload, event: UploadEvent) -> Upload:
    match event:
        case UploadBegun():
            return Upload("open", event)
        case UploadFinished():
            return replace(state, status="finished")
        case UploadAborted():
            return replace(state, status="aborted")
        case UploadExpired():
            return replace(state, status="expired")
        case UploadSettled(outcome=outcome, code=code):
            return replace(state, status=outcome, code=code)
        case _:
            assert_never(event)


upload: Decider[UploadCommand, Upload, UploadEvent] = Decider(
    "upload",
    initial_state,
    decide,
    evolve,
    events={
        "UploadBegun": UploadBegun,
        "UploadFinished": UploadFinished,
        "UploadAborted": UploadAborted,
        "UploadExpired": UploadExpired,
        "UploadSettled": UploadSettled,
    },
)
