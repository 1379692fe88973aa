"""The small words that forms and submissions share: ids, names, texts in several languages."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

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


def _lines(text: Any) -> Any:
    # One kind of line end, so that a form is the same whatever it was typed on or travelled through.
    return text.replace("\r\n", "\n").replace("\r", "\n") if isinstance(text, str) else text


def _said(texts: dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in texts.items() if text.strip()}


_PRINTABLE = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]*$"
Label = Annotated[str, BeforeValidator(_lines), StringConstraints(max_length=4_000, pattern=_PRINTABLE)]
Labels = Annotated[dict[Language, Label], Field(max_length=10), AfterValidator(_said)]
"""A text in several languages; an empty one is none."""
Property = Annotated[str, BeforeValidator(_lines), StringConstraints(max_length=200, pattern=_PRINTABLE)]
Properties = Annotated[dict[Name, Property], Field(max_length=50), AfterValidator(_said)]
Formula = Annotated[str, BeforeValidator(_lines), StringConstraints(max_length=10_000, pattern=_PRINTABLE)]


class Value(BaseModel):
    """A value inside events and commands: compared by content, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Place(Value):
    """Where somebody stood, as his device said."""

    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    accuracy_m: float | None = Field(default=None, ge=0, le=100_000, allow_inf_nan=False)
