"""Columns of an export: what each is called in both languages, and what of a document stands in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from services.kernel.exporting.job import Language
from services.kernel.exporting.kinds import Cell

Document = Mapping[str, Any]
Column = tuple[str, str, Callable[[Document], Cell]]
"""Spanish heading, English heading, value."""

AT_A_TIME = 200


def headings(columns: Iterable[Column], language: Language) -> list[str]:
    """What the columns are called."""
    return [spanish if language == "es" else english for spanish, english, _ in columns]


def cells(columns: Iterable[Column], doc: Document) -> list[Cell]:
    """One row."""
    return [value(doc) for _, _, value in columns]


def field(name: str, *inside: str) -> Callable[[Document], Cell]:
    """A field of the document, or of what lies in it."""

    def value(doc: Document) -> Cell:
        found: Any = doc.get(name)
        for step in inside:
            found = (found or {}).get(step)
        return found  # type: ignore[no-any-return]

    return value


def moment(name: str, *inside: str) -> Callable[[Document], Cell]:
    """A field that holds a time."""
    text = field(name, *inside)

    def value(doc: Document) -> Cell:
        stamped = text(doc)
        return datetime.fromisoformat(stamped) if isinstance(stamped, str) else None

    return value


def batches(rows: Iterator[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    """Documents so many at a time, as names are looked up for them."""
    while batch := list(islice(rows, AT_A_TIME)):
        yield batch
