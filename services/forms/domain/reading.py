"""Reads one answer as its question means it: a typed value for expressions, a tidy one to keep, or what is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from typing import Any

from services.forms.domain.schema import (
    AnyQuestion,
    Barcode,
    Checkboxes,
    DateField,
    DateTimeField,
    Document,
    Dropdown,
    Gps,
    LongText,
    NumberField,
    Picture,
    ShortText,
    Signature,
    SingleChoice,
    TimeField,
    Video,
    Voice,
)
from services.forms.expressions import Value
from services.forms.expressions.values import EMPTY, each, number_text, read_moment, read_time

MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[A-Za-z0-9.+_-]{1,79}(;[ A-Za-z0-9=.+_-]{0,40})?")
MEDIA_ID = re.compile(r"sha256:[0-9a-f]{64}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MEDIA_KEYS = frozenset({"id", "bytes", "type", "name", "seconds", "width", "height", "signed_by"})
_SHORT = 300


@dataclass(frozen=True, slots=True)
class Read:
    """An answer: for expressions, and to be kept (None: there is none)."""

    value: Value = EMPTY
    kept: Any = None
    wrong: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Read()
MISTYPED = Read(wrong="type-wrong")


def read(question: AnyQuestion, raw: Any, zone: tzinfo, manifest: Mapping[str, Mapping[str, Any]]) -> Read:
    """The answer in `raw`; `manifest` completes media that are given by their ids alone."""
    if raw is None or raw == "" or raw == [] or (isinstance(raw, str) and not raw.strip()):
        return NOTHING
    match question:
        case ShortText() | LongText() | Barcode():
            return Read(raw, raw) if isinstance(raw, str) and "\x00" not in raw else MISTYPED
        case Dropdown() | SingleChoice():
            return Read(raw, raw) if isinstance(raw, str) else MISTYPED
        case Checkboxes():
            return _several(raw)
        case NumberField(kind=kind):
            return _number(raw, kind == "integer")
        case DateField() | TimeField() | DateTimeField():
            return _time(question, raw, zone)
        case Gps():
            return _point(raw)
        case Voice() | Picture() | Video() | Document() | Signature():
            return _media(raw, manifest)


def _several(raw: Any) -> Read:
    if not isinstance(raw, list) or not all(isinstance(value, str) and value for value in raw):
        return MISTYPED
    chosen = list(dict.fromkeys(raw))
    return Read(" ".join(chosen), chosen)


def _number(raw: Any, whole: bool) -> Read:
    if isinstance(raw, bool) or not isinstance(raw, int | float) or abs(raw) > 1e15 or not math.isfinite(raw):
        return MISTYPED
    if whole and not float(raw).is_integer():
        return Read(wrong="not-whole")
    return Read(float(raw), int(raw) if float(raw).is_integer() else float(raw))


def _time(question: DateField | TimeField | DateTimeField, raw: Any, zone: tzinfo) -> Read:
    if not isinstance(raw, str):
        return MISTYPED
    text, found = raw.strip(), time_of(question, raw, zone)
    return MISTYPED if found is None else Read(found, text)


def time_of(question: DateField | TimeField | DateTimeField, text: str, zone: tzinfo) -> date | datetime | time | None:
    """A text as the day, the time or the moment that the question asks for; None when it is none."""
    plain = text.strip()
    match question:
        case DateField():
            moment = read_moment(plain, zone) if _DAY.fullmatch(plain) else EMPTY
            return moment.date() if isinstance(moment, datetime) else None
        case TimeField():
            return read_time(plain)
        case DateTimeField():
            moment = read_moment(plain, zone) if len(plain) > 10 else EMPTY
            return moment if isinstance(moment, datetime) else None


def _point(raw: Any) -> Read:
    if not isinstance(raw, dict) or not {"lat", "lon"} <= raw.keys() <= {"lat", "lon", "accuracy_m", "altitude_m"}:
        return MISTYPED
    if any(isinstance(v, bool) or not isinstance(v, int | float) or not math.isfinite(v) for v in raw.values()):
        return MISTYPED
    if abs(raw["lat"]) > 90 or abs(raw["lon"]) > 180 or raw.get("accuracy_m", 0) < 0:
        return MISTYPED
    parts = (raw["lat"], raw["lon"], raw.get("altitude_m", 0), raw.get("accuracy_m", 0))
    return Read(" ".join(number_text(float(part)) for part in parts), dict(raw))


def _media(raw: Any, manifest: Mapping[str, Mapping[str, Any]]) -> Read:
    given = raw if isinstance(raw, list) else [raw]
    kept = []
    for one in given:
        named = {"id": one} if isinstance(one, str) else one
        if not isinstance(named, dict):
            return MISTYPED
        item = {**manifest.get(str(named.get("id")), {}), **named}
        if not _is_medium(item):
            return MISTYPED
        kept.append(item)
    return Read(tuple(item["id"] for item in kept), kept)


def _is_medium(item: Mapping[str, Any]) -> bool:
    size, kind = item.get("bytes"), item.get("type")
    return (
        item.keys() <= _MEDIA_KEYS
        and MEDIA_ID.fullmatch(str(item.get("id"))) is not None
        and isinstance(size, int)
        and not isinstance(size, bool)
        and 0 < size < 2**53
        and isinstance(kind, str)
        and MEDIA_TYPE.fullmatch(kind) is not None
        and all(_is_number(item[name]) for name in ("seconds", "width", "height") if name in item)
        and all(_is_short(item[name]) for name in ("name", "signed_by") if name in item)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 0


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _SHORT


def made(value: Value) -> Any:
    """A computed value as it is kept; None when it comes to nothing."""
    first = next(iter(each(value)), EMPTY)
    match first:
        case bool():
            return first
        case float() | int():
            return _tidy(float(first))
        case datetime():
            return first.isoformat(timespec="seconds")
        case date() | time():
            return first.isoformat()
        case str():
            return first or None


def _tidy(number: float) -> int | float | None:
    if not math.isfinite(number):
        return None
    # Fifteen digits are what a binary number holds of decimals: 0.1 + 0.2 is kept as 0.3.
    rounded = float(f"{number:.15g}")
    return int(rounded) if rounded.is_integer() and abs(rounded) < 2**53 else rounded
