"""Whether an answer is within what its question allows: lengths, ranges, patterns, numbers and weights of media."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
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

_TOO_MUCH = {"bytes": "too-heavy", "seconds": "too-long-playing", "width": "too-large", "height": "too-large"}


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
        case Voice() | Picture() | Video() | Document() | Signature():
            yield from _media(question, read.kept)
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


def _media(
    question: Voice | Picture | Video | Document | Signature, items: Sequence[Mapping[str, Any]]
) -> Iterator[Broken]:
    match question:
        case Picture():
            yield from _count(len(items), question.min_count, question.max_count)
            yield from _kind(items, ("image/",))
            yield from _most(items, "width", "max_pixels", question.max_pixels)
            yield from _most(items, "height", "max_pixels", question.max_pixels)
        case Video():
            yield from _count(len(items), 0, question.max_count)
            yield from _kind(items, ("video/",))
            yield from _most(items, "seconds", "max_seconds", question.max_seconds)
        case Document():
            yield from _count(len(items), 0, question.max_count)
            yield from _kind(items, tuple(type for kind in question.kinds for type in KINDS[kind]))
        case Voice():
            yield from _count(len(items), 0, 1)
            yield from _kind(items, ("audio/",))
            yield from _most(items, "seconds", "max_seconds", question.max_seconds)
        case Signature():
            yield from _count(len(items), 0, 1)
            yield from _kind(items, ("image/",))
            return
    yield from _most(items, "bytes", "max_bytes", question.max_bytes)


def _kind(items: Sequence[Mapping[str, Any]], allowed: tuple[str, ...]) -> Iterator[Broken]:
    if allowed and not all(item["type"].startswith(allowed) for item in items):
        yield "media-type-not-allowed", {"allowed": list(allowed)}


def _most(items: Sequence[Mapping[str, Any]], fact: str, name: str, limit: int | None) -> Iterator[Broken]:
    if limit is not None and any(item.get(fact, 0) > limit for item in items):
        yield _TOO_MUCH[fact], {name: limit}
