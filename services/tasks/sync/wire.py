"""What a device sends, as it arrives here: a batch of numbered commands, each with what its clocks said."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from services.tasks.domain.device_log import Clock
from services.tasks.domain.values import Id

LARGEST_BATCH = 500
CLOCK_TOLERANCE = timedelta(minutes=5)

Json = dict[str, Any]


def _only_text(value: Any) -> Any:
    # A number would be read as seconds since 1970, which no device means.
    if isinstance(value, int | float):
        raise ValueError("a time in words is expected")
    return value


class Subject(BaseModel):
    """What a command is about."""

    model_config = ConfigDict(frozen=True)

    kind: Annotated[str, Field(max_length=40)]
    id: Id


class FieldWork(BaseModel):
    """One command of a device. `sent` is the whole of it as it came, for its fingerprint and as evidence."""

    model_config = ConfigDict(frozen=True)

    id: Id
    seq: Annotated[int, Field(ge=1, le=2**53)]
    type: Annotated[str, Field(max_length=60)]
    schema_number: Annotated[int, Field(alias="schema", ge=1, le=1_000)] = 1
    aggregate: Subject | None = None
    base_version: Annotated[int, Field(ge=0)] | None = None
    occurred_at: Annotated[AwareDatetime, BeforeValidator(_only_text)]
    mono_ms: int | None = None
    boot_id: Annotated[str, Field(max_length=64)] | None = None
    body: Json = Field(default_factory=dict)
    sent: Json
    faults: tuple[Json, ...] = ()
    """Why it cannot be read as what it claims to be; it gets its result like any other."""
    relayed: Json | None = None
    """What the service that keeps submissions has answered to this command."""

    @property
    def subject_id(self) -> str | None:
        """The id of what it is about."""
        return self.aggregate.id if self.aggregate else None

    @property
    def clock(self) -> Clock:
        """What the device's clocks said, word for word."""
        return Clock(occurred_at=str(self.sent.get("occurred_at", ""))[:40], mono_ms=self.mono_ms, boot_id=self.boot_id)

    def time_suspect(self, received_at: datetime, offset_ms: int | None, before: Clock | None) -> bool:
        """Whether the device's clock was wrong: far off, in the future, or set back while it ran on."""
        if offset_ms is not None and abs(timedelta(milliseconds=offset_ms)) > CLOCK_TOLERANCE:
            return True
        if self.occurred_at > received_at + CLOCK_TOLERANCE:
            return True
        if before is None or before.boot_id != self.boot_id or self.boot_id is None:
            return False
        if before.mono_ms is None or self.mono_ms is None or self.mono_ms < before.mono_ms:
            return False
        try:
            return self.occurred_at < datetime.fromisoformat(before.occurred_at)
        except ValueError:
            return True  # what came before said no time at all


class Push(BaseModel):
    """What one device sends at once. `quarantine`: why, and since `ended_at`, its work takes no effect by itself."""

    model_config = ConfigDict(frozen=True)

    device_id: Id
    received_at: AwareDatetime
    offset_ms: int | None = None
    quarantine: Literal["device_revoked", "seat_inactive"] | None = None
    ended_at: AwareDatetime | None = None
    commands: Annotated[list[FieldWork], Field(max_length=LARGEST_BATCH)]

    @field_validator("commands", mode="before")
    @classmethod
    def _readable(cls, commands: Any, info: ValidationInfo) -> Any:
        # One command that cannot be read must not stop those behind it for ever: it becomes one that says so.
        if not isinstance(commands, list):
            return commands
        return [_read(one, info.data.get("received_at")) for one in commands]


def _read(sent: Any, received_at: Any) -> Any:
    try:
        return FieldWork.model_validate(sent)
    except ValidationError as wrong:
        if not isinstance(sent, dict):
            raise
        known = {name: sent.get(name) for name in ("id", "seq", "type", "sent")}
        faults = tuple({"loc": list(e["loc"]), "type": e["type"]} for e in wrong.errors(include_input=False))
        return FieldWork.model_validate({**known, "occurred_at": received_at, "faults": faults})
