"""How facts are written into documents: erased text as nothing, times so that they sort as text."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any, TypeVar

from services.kernel.domain import Erased

T = TypeVar("T")
NEVER = "9999-12-31T23:59:59.999Z"
"""Sorts after every time; stands where there is none."""


def shown(value: T | Erased) -> T | None:
    """The value, or None once it is erased."""
    return None if isinstance(value, Erased) else value


def stamp(moment: datetime) -> str:
    """UTC in milliseconds, always of the same length, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def stamped(moment: datetime | None) -> str | None:
    """The same for a time that may be missing."""
    return None if moment is None else stamp(moment)


def searchable(text: str | Erased) -> str:
    """Without accents, case and doubled spaces: what people type into a search box."""
    if isinstance(text, Erased):
        return ""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).split())


def without(doc: dict[str, Any], *names: str) -> dict[str, Any]:
    """A document without what is only there to find or sort it."""
    return {name: value for name, value in doc.items() if name not in names}
