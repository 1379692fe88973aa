"""What happens to a submission: facts, and the state that they add up to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AwareDatetime

from services.forms.domain.values import Place, Priority, Value
from services.kernel.domain import ERASED, Erased, Event, Subject, TenantData

Parked = Literal["form_version_unknown", "form_version_closed", "answers_invalid", "seat_inactive", "device_revoked"]
Json = Annotated[str | Erased, TenantData()]
"""A JSON document that people wrote."""


class DeclaredMedium(Value):
    """A media item that belongs to the answers, and where."""

    id: str
    bytes: int
    type: str
    path: str
    kind: str


class SubmissionReceived(Event):
    """Answers arrived. `parked` says why a supervisor must look at them; they are evidence all the same.

    `occurred_at` is what the device said, `received_at` what the server's clock said, `offset_ms` what the device's
    clock was off by; `arrived` are the media that were there before.
    """

    submission_id: str
    form_id: str
    version: int
    hash: str
    task_id: str | None
    user_id: str
    device_id: str | None
    media_declared: int
    photos: int
    signatures: int
    complete: bool
    parked: Parked | None
    occurred_at: AwareDatetime
    utc_offset_min: int
    received_at: AwareDatetime
    offset_ms: int | None
    time_suspect: bool
    media: tuple[DeclaredMedium, ...]
    arrived: tuple[str, ...]
    digest: str
    answers: Json
    findings: Json
    place: Annotated[Place | Erased | None, Subject("user_id")]


class SubmissionAmended(Event):
    """Other answers stand in place of those before, which are kept."""

    submission_id: str
    form_id: str
    version: int
    hash: str
    task_id: str | None
    user_id: str
    amendment: int
    amended_by: str
    media_declared: int
    photos: int
    signatures: int
    complete: bool
    occurred_at: AwareDatetime
    utc_offset_min: int
    media: tuple[DeclaredMedium, ...]
    arrived: tuple[str, ...]
    digest: str
    answers: Json
    reason: Annotated[str | Erased, TenantData()]


class MediaArrived(Event):
    """One more of the declared media is there."""

    submission_id: str
    media_id: str


class MediaRefused(Event):
    """One of the declared media was refused; the answers stand."""

    submission_id: str
    media_id: str
    code: str


class SubmissionCompleted(Event):
    """Every declared media item has arrived."""

    submission_id: str
    task_id: str | None


class SubmissionReleased(Event):
    """A supervisor accepts what was parked; `answers` are what counts from now on."""

    submission_id: str
    task_id: str | None
    released_by: str
    answers: Json
    reason: Annotated[str | Erased, TenantData()]


class SubmissionDiscarded(Event):
    """A supervisor decided that what was parked does not count; it stays to be read."""

    submission_id: str
    task_id: str | None
    discarded_by: str
    reason: Annotated[str | Erased, TenantData()]


class FollowUpNeeded(Event):
    """An answer that the form calls failed: somebody has work to do."""

    submission_id: str
    form_id: str
    task_id: str | None
    field: str
    process_id: str | None
    subprocess_id: str | None
    priority: Priority


SubmissionEvent = (
    SubmissionReceived | SubmissionAmended | MediaArrived | MediaRefused | SubmissionCompleted
    | SubmissionReleased | SubmissionDiscarded | FollowUpNeeded
)  # fmt: skip

STORED = ""
"""Stands in the place of the reason why a media item is not there, when it is."""
MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Submission:
    """The submission as it is now.

    `media` says of each item why it is not there (STORED: it is), `places` where the answers name it.
    """

    exists: bool = False
    form_id: str = ""
    version: int = 0
    hash: str = ""
    task_id: str | None = None
    user_id: str = ""
    digest: str = ""
    parked: Parked | None = None
    decided: Literal["", "released", "discarded"] = ""
    amendments: int = 0
    complete: bool = False
    media: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    followed: frozenset[str] = frozenset()
    answers: str | Erased = ERASED
    place: Place | Erased | None = None
    occurred_at: AwareDatetime | None = None
    utc_offset_min: int = 0

    @property
    def waits(self) -> bool:
        """Whether a supervisor has to decide."""
        return self.parked is not None and not self.decided

    @property
    def missing(self) -> tuple[str, ...]:
        """The media that are not there yet."""
        return tuple(id for id, why in self.media.items() if why != STORED)
