"""The words that request bodies are made of, each with its bounds; what passes here is well formed, not yet right."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

EXAMPLE_ID = "01936f5e-7c1a-7d2e-9f43-2b7a6c1d0e55"
OTHER_ID = "01936f5e-80b3-7a10-8c21-6f0e5d4c3b2a"

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}")
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2300, 1, 1, tzinfo=UTC)

PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
NO_NUL = r"^[^\x00]*$"


class Body(BaseModel):
    """A request body: unknown fields are refused, so that a misspelt one is not silently ignored."""

    model_config = ConfigDict(extra="forbid", str_max_length=20_000)

    def data(self) -> dict[str, Any]:
        """What was given, as JSON: a field left out stays out, one given as null is null."""
        return self.model_dump(mode="json", exclude_unset=True)


def _written_out(moment: Any) -> Any:
    # A bare number would be taken for seconds since 1970, which nobody means.
    if not isinstance(moment, str) or not _DATE_TIME.match(moment):
        raise ValueError("a date and time with offset is expected, as in 2026-12-01T13:00:00Z")
    return moment


def _in_reason(moment: datetime) -> datetime:
    return _in_range(moment).astimezone(UTC)


def _in_range(moment: datetime) -> datetime:
    # Extreme dates overflow when they are turned into UTC or into a database's own form.
    if not _EARLIEST <= moment <= _LATEST:
        raise ValueError("out of range")
    return moment


Id = UUID
PathId = Annotated[UUID, Path(examples=[EXAMPLE_ID])]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=PRINTABLE)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE)]
Label = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=PRINTABLE)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000, pattern=NO_NUL)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1_000, pattern=NO_NUL)]
Email = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, max_length=254, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+\.[^@\s\x00-\x1f]+$"
    ),
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1024)]
Secret = Annotated[str, StringConstraints(min_length=10, max_length=512, pattern=r"^[!-~]+$")]
Code = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=6, max_length=64, pattern=r"^[0-9A-Za-z -]+$")
]
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_reason)]
LocalMoment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_range)]
"""A moment that keeps the offset of the place where it was."""
Language = Literal["es", "en"]
Role = Literal["owner", "admin", "supervisor", "viewer", "technician"]
Permission = Annotated[str, StringConstraints(max_length=60, pattern=r"^[a-z_]+(:[a-z_]+)?$")]
Network = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=2, max_length=49, pattern=r"^[0-9a-fA-F.:/]+$")
]

FieldKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
FieldText = Annotated[str, StringConstraints(max_length=4_000, pattern=NO_NUL)]
FieldNumber = Annotated[float, Field(allow_inf_nan=False)]
FieldInteger = Annotated[int, Field(ge=-(2**53), le=2**53)]
FieldValue = bool | FieldInteger | FieldNumber | FieldText | Annotated[list[FieldText], Field(max_length=100)] | None
DynamicFields = Annotated[dict[FieldKey, FieldValue], Field(max_length=100)]

Limit = Annotated[int, Query(ge=1, le=200, description="How many at most.")]
Cursor = Annotated[
    str | None,
    Query(max_length=1_000, pattern=r"^[A-Za-z0-9_=-]+$", description="The `next` of the page before."),
]


class Position(Body):
    """A point on the earth, as a device or a map gave it."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False, examples=[4.6533])
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False, examples=[-74.0836])
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False, examples=[12.5])
    mocked: bool = False


class Window(Body):
    """When work is meant to happen; either end may be open."""

    start: Moment | None = Field(default=None, examples=["2026-12-01T13:00:00Z"])
    end: Moment | None = Field(default=None, examples=["2026-12-01T17:00:00Z"])


class Receipt(BaseModel):
    """The answer to a change: which thing, its version from now on (the ETag), and the place in the log."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"example": {"id": EXAMPLE_ID, "version": 3, "position": 1042}}
    )
    id: str
    version: int
    position: int


class Found(BaseModel):
    """One thing, as its read model shows it."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": {"id": EXAMPLE_ID, "version": 3}})


class Listed(BaseModel):
    """One page; `next` is the cursor of the page after, absent or null on the last."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"example": {"items": [{"id": EXAMPLE_ID}], "next": None}}
    )
    items: list[dict[str, Any]]
    next: str | None = None


def given(**params: Any) -> dict[str, Any]:
    """Query parameters that were given, as JSON."""
    return {name: _plain(value) for name, value in params.items() if value is not None}


def _plain(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case list() | tuple():
            return [_plain(item) for item in value]
        case _:
            return value
