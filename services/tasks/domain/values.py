"""The small words that several aggregates of this service share: ids, texts, places and their distance."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A UUID in its one canonical spelling: it is part of a stream's name, and two spellings would be two."""

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=10_000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]

Priority = Literal["low", "normal", "high", "urgent"]

FieldKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
FieldText = Annotated[str, StringConstraints(max_length=4_000)]
FieldValue = bool | int | float | FieldText | Annotated[tuple[FieldText, ...], Field(max_length=100)] | None
Fields = Annotated[dict[FieldKey, FieldValue], Field(max_length=100)]
"""Values of an account's own (dynamic) fields by the key of the field."""


class Value(BaseModel):
    """A value inside events and commands: compared by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Position(Value):
    """A point on the earth, as a device or a map gave it."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False)
    mocked: bool = False


class Window(Value):
    """When work is meant to happen; either end may be open."""

    start: AwareDatetime | None = None
    end: AwareDatetime | None = None

    @property
    def in_order(self) -> bool:
        """Whether it ends no earlier than it starts."""
        return self.start is None or self.end is None or self.start <= self.end


ANYTIME = Window()

EARTH_RADIUS_M = 6_371_008.8


def distance_m(one: Position, other: Position) -> float:
    """Metres along the surface between two points (haversine; good to half a per cent)."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    across = radians(other.lon - one.lon)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(across / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half)))
