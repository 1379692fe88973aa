"""What a form asks: sections, repeated groups and questions of every type, as one JSON document with a hash.

What stands here is the shape only; whether a form makes sense is for `check` to say, so that a draft can be kept
while it does not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from services.forms.domain.values import Formula, Id, Labels, Language, Name, Priority, Properties, Value

MAX_ITEMS = 2_000
MAX_CHOICES = 5_000
MAX_BYTES = 1024 * 1024
MAX_REPEAT_DEPTH = 3
MAX_SECTION_DEPTH = 10
MAX_REPETITIONS = 500

Count = Annotated[int, Field(ge=0, le=100)]
Repetitions = Annotated[int, Field(ge=0, le=MAX_REPETITIONS)]
Length = Annotated[int, Field(ge=0, le=20_000)]
Bytes = Annotated[int, Field(ge=1, le=2 * 1024**3)]
Pixels = Annotated[int, Field(ge=16, le=20_000)]
Seconds = Annotated[int, Field(ge=1, le=24 * 3600)]
Number = Annotated[float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
PatternText = Annotated[str, StringConstraints(min_length=1, max_length=1_000)]
ChoiceValue = Annotated[str, StringConstraints(pattern=r"^\S{1,100}$")]
Plain = str | bool | int | float | tuple[str, ...]


class FollowUp(Value):
    """When an answer needs somebody to look after it, and what kind of work that is."""

    when: Formula
    process_id: Id | None = None
    subprocess_id: Id | None = None
    priority: Priority = "normal"


class Item(Value):
    """Anything in a form that has a name."""

    name: Name
    labels: Labels = Field(default_factory=dict)
    hint: Labels = Field(default_factory=dict)
    relevant: Formula | None = None


class Question(Item):
    """Anything that can be answered."""

    required: bool | Formula = False
    required_message: Labels = Field(default_factory=dict)
    constraint: Formula | None = None
    constraint_message: Labels = Field(default_factory=dict)
    default: Plain | None = None
    default_formula: Formula | None = None
    read_only: bool = False
    follow_up: FollowUp | None = None


class ShortText(Question):
    """One line."""

    type: Literal["short_text"]
    kind: Literal["text", "email", "phone"] = "text"
    min_length: Length | None = None
    max_length: Length = 255
    pattern: PatternText | None = None


class LongText(Question):
    """Several lines."""

    type: Literal["long_text"]
    min_length: Length | None = None
    max_length: Length = 10_000


class Dropdown(Question):
    """One of a list that opens."""

    type: Literal["dropdown"]
    choices: Name
    choice_filter: Formula | None = None


class SingleChoice(Question):
    """One of a list that is in view."""

    type: Literal["single_choice"]
    choices: Name
    choice_filter: Formula | None = None


class Checkboxes(Question):
    """Any of a list."""

    type: Literal["checkboxes"]
    choices: Name
    choice_filter: Formula | None = None
    min_count: Count | None = None
    max_count: Count | None = None


class NumberField(Question):
    """A number."""

    type: Literal["number"]
    kind: Literal["integer", "decimal"] = "decimal"
    min: Number | None = None
    max: Number | None = None


class DateField(Question):
    """A day."""

    type: Literal["date"]
    min: date | None = None
    max: date | None = None


class TimeField(Question):
    """A time of day."""

    type: Literal["time"]
    min: time | None = None
    max: time | None = None


class DateTimeField(Question):
    """A moment."""

    type: Literal["date_time"]
    min: AwareDatetime | None = None
    max: AwareDatetime | None = None


class Voice(Question):
    """A spoken note."""

    type: Literal["voice"]
    max_bytes: Bytes | None = None
    max_seconds: Seconds | None = None


class Picture(Question):
    """Photos, so many and so heavy at most."""

    type: Literal["picture"]
    min_count: Count = 0
    max_count: Count = 1
    max_bytes: Bytes | None = None
    max_pixels: Pixels | None = None


class Video(Question):
    """Films."""

    type: Literal["video"]
    max_count: Count = 1
    max_bytes: Bytes | None = None
    max_seconds: Seconds | None = None


class Document(Question):
    """Files of given kinds."""

    type: Literal["document"]
    kinds: tuple[Literal["pdf", "excel", "word", "text", "image"], ...] = ()
    max_count: Count = 1
    max_bytes: Bytes | None = None


class Barcode(Question):
    """What a bar or QR code says."""

    type: Literal["barcode"]
    pattern: PatternText | None = None


class Signature(Question):
    """A signature; mandatory when it is required."""

    type: Literal["signature"]
    of: Literal["client", "technician"] = "client"


class Gps(Question):
    """A point on the earth, exact enough."""

    type: Literal["gps"]
    max_accuracy_m: Annotated[int, Field(ge=1, le=10_000)] | None = None


class Note(Item):
    """A text to be read."""

    type: Literal["note"]


class Calculated(Item):
    """A value computed from others, by the server in the end."""

    type: Literal["calculated"]
    calculation: Formula
    follow_up: FollowUp | None = None


class Section(Item):
    """Items under one heading."""

    type: Literal["section"]
    items: tuple[AnyItem, ...] = ()


class Repeat(Item):
    """Items that are asked several times; `count` says how often, or the one who answers does, within bounds."""

    type: Literal["repeat"]
    min: Repetitions = 0
    max: Repetitions | None = None
    count: Formula | None = None
    items: tuple[AnyItem, ...] = ()


TextField = ShortText | LongText
ChoiceField = Dropdown | SingleChoice | Checkboxes
TemporalField = DateField | TimeField | DateTimeField
MediaField = Voice | Picture | Video | Document | Signature
AnyQuestion = TextField | ChoiceField | NumberField | TemporalField | MediaField | Barcode | Gps
AnyItem = Annotated[
    ShortText | LongText | Dropdown | SingleChoice | Checkboxes | NumberField | DateField | TimeField | DateTimeField
    | Voice | Picture | Video | Document | Barcode | Signature | Gps | Note | Calculated | Section | Repeat,
    Field(discriminator="type"),
]  # fmt: skip


class Choice(Value):
    """One of a list; `properties` are for filters."""

    value: ChoiceValue
    labels: Labels = Field(default_factory=dict)
    properties: Properties = Field(default_factory=dict)


class Capture(Value):
    """Where the form may be filled in: with a location, and so near to where the task is."""

    location: bool = False
    radius_m: Annotated[int, Field(ge=1, le=100_000)] | None = None


class Content(Value):
    """A form in full, as one version of it is kept for ever."""

    languages: Annotated[tuple[Language, ...], Field(max_length=10)] = ("es",)
    capture: Capture = Capture()
    choice_lists: dict[Name, tuple[Choice, ...]] = Field(default_factory=dict)
    items: tuple[AnyItem, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As it is stored and hashed: what is as usual is left out, so that new attributes change no old hash."""
        # The type is what tells items apart, so it stays although a literal has but one value.
        return self.model_dump(mode="json", exclude_defaults=True)

    @property
    def hash(self) -> str:
        """The name that this content has everywhere."""
        return content_hash(self.to_json())


Section.model_rebuild()
Repeat.model_rebuild()
Content.model_rebuild()


def canonical(document: Mapping[str, Any]) -> bytes:
    """The one spelling of a JSON document."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode()


def content_hash(document: Mapping[str, Any]) -> str:
    """sha256 of the one spelling."""
    return f"sha256:{hashlib.sha256(canonical(document)).hexdigest()}"


def everything(items: tuple[AnyItem, ...]) -> Iterator[AnyItem]:
    """All items at whatever depth, in the order in which they are asked."""
    for item in items:
        yield item
        if isinstance(item, Section | Repeat):
            yield from everything(item.items)
