"""Whether an answer is within what its question allows: lengths, ranges, patterns; and which files it allows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from services.forms.domain.reading import Read
from services.forms.domain.schema import (
    AnyQuestion,
    Barcode,
    Checkboxes,
    DateField,
    DateTimeField,
    Document,
    Gps,
    LongText,
    MediaField,
    NumberField,
    Picture,
    ShortText,
    Signature,
    TimeField,
    Video,
    Voice,
)
from services.forms.expressions.patterns import PatternRefused, pattern

Broken = tuple[str, dict[str, Any]]
"""A rule's code, and what it would have allowed."""

EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+")
PHONE = re.compile(r"\+?[0-9 ()./-]{5,25}")
KINDS: Mapping[str, tuple[str, ...]] = {
    "pdf": ("application/pdf",),
    "excel": (
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.ms-excel",
        "text/csv",
    ),
    "word": (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/msword",
    ),
    "text": ("text/plain",),
    "image": ("image/",),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a question allows of its files: types by prefix (none: any), how many, how heavy, how long, how large."""

    types: tuple[str, ...] = ()
    max_count: int = 1
    max_bytes: int | None = None
    max_seconds: int | None = None
    max_pixels: int | None = None

    def breach(self, item: Mapping[str, Any], index: int = 0) -> str | None:
        """Why the file at this place of the answer is refused; None: it is within all bounds."""
        return next(self._breaches(item, index), None)

    def _breaches(self, item: Mapping[str, Any], index: int) -> Iterator[str]:
        if index >= self.max_count:
            yield "too-many"
        if self.types and not str(item.get("type")).startswith(self.types):
            yield "media-type-not-allowed"
        if _above(self.max_bytes, item, "bytes"):
            yield "too-heavy"
        if _above(self.max_seconds, item, "seconds"):
            yield "too-long-playing"
        if _above(self.max_pixels, item, "width", "height"):
            yield "too-large"


def _above(limit: int | None, item: Mapping[str, Any], *facts: str) -> bool:
    return limit is not None and any((item.get(fact) or 0) > limit for fact in facts)


def bounds_of(question: MediaField) -> Bounds:
    """The bounds of a question that asks for files. A breach refuses the file and never the answers."""
    match question:
        case Picture():
            return Bounds(("image/",), question.max_count, question.max_bytes, None, question.max_pixels)
        case Video():
            return Bounds(("video/",), question.max_count, question.max_bytes, question.max_seconds)
        case Document():
            types = tuple(type for kind in question.kinds for type in KINDS[kind])
            return Bounds(types, question.max_count, question.max_bytes)
        case Voice():
            return Bounds(("audio/",), 1, question.max_bytes, question.max_seconds)
        case Signature():
            return Bounds(("image/",))


def broken_by(question: AnyQuestion, read: Read) -> Iterator[Broken]:
    """The rules of the question that its answer breaks."""
    match question:
        case ShortText():
            yield from _length(read.kept, question.min_length, question.max_length)
            yield from _pattern(read.kept, question.pattern)
            if question.kind == "email" and not EMAIL.fullmatch(read.kept.strip()):
                yield "email-invalid", {}
            if question.kind == "phone" and not _is_phone(read.kept.strip()):
                yield "phone-invalid", {}
        case LongText():
            yield from _length(read.kept, question.min_length, question.max_length)
        case Barcode():
            yield from _length(read.kept, None, 8_000)
            yield from _pattern(read.kept, question.pattern)
        case NumberField() | DateField() | TimeField() | DateTimeField():
            yield from _range(read.value, question.min, question.max)
        case Checkboxes():
            yield from _count(len(read.kept), question.min_count or 0, question.max_count)
        case Gps(max_accuracy_m=limit):
            accuracy = read.kept.get("accuracy_m")
            if limit is not None and (accuracy is None or accuracy > limit):
                yield "accuracy-poor", {"max_accuracy_m": limit}
        case Picture(min_count=least):
            yield from _count(len(read.kept), least, None)
        case _:
            return


def _length(text: str, least: int | None, most: int) -> Iterator[Broken]:
    if len(text) > most:
        yield "too-long", {"max_length": most}
    if least is not None and len(text) < least:
        yield "too-short", {"min_length": least}


def _pattern(text: str, wanted: str | None) -> Iterator[Broken]:
    if wanted is None:
        return
    try:
        fits = pattern(wanted).fits(text)
    except PatternRefused:
        return  # no published form has one
    if not fits:
        yield "pattern-mismatch", {}


def _is_phone(text: str) -> bool:
    return PHONE.fullmatch(text) is not None and 7 <= sum(c.isdigit() for c in text) <= 15


def _range(value: Any, least: Any, most: Any) -> Iterator[Broken]:
    if (least is not None and value < least) or (most is not None and value > most):
        yield "out-of-range", {"min": _written(least), "max": _written(most)}


def _written(bound: Any) -> Any:
    return bound.isoformat() if isinstance(bound, date | time | datetime) else bound


def _count(count: int, least: int, most: int | None) -> Iterator[Broken]:
    if count < least:
        yield "too-few", {"min_count": least}
    if most is not None and count > most:
        yield "too-many", {"max_count": most}
