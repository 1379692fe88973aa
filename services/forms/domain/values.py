"""The small words that forms and submissions share: ids, names, texts in several languages."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
"""A UUID in its one canonical spelling: it is part of a stream's name, and two spellings would be two."""

Hash = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
FormName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{0,40}$")]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1_000)]
Priority = Literal["low", "normal", "high", "urgent"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$")]
Labels = Annotated[dict[Language, Annotated[str, StringConstraints(max_length=4_000)]], Field(max_length=10)]
Formula = Annotated[str, StringConstraints(max_length=10_000)]


class Value(BaseModel):
    """A value inside events and commands: compared by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(Value):
    """Where somebody stood, as his device said."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False)
