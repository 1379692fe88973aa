"""The account's own (dynamic) fields as columns: every one that ever got a value, under the name it has now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Ask
from services.kernel.exporting.kinds import Cell

Document = Mapping[str, Any]


def own_keys(ask: Ask, model: str, filter: Document, entity: str) -> list[str]:
    """The keys in the order in which they were defined; behind them those that nobody defined."""
    used: set[str] = set()
    for doc in ask.reads[model].walk(filter, only=("fields",)):
        used.update(doc.get("fields") or ())
    defined = [field["key"] for field in _defined(ask, entity)]
    return [key for key in defined if key in used] + sorted(used.difference(defined))


def own_headings(ask: Ask, keys: Sequence[str], entity: str, beside: Sequence[str]) -> list[str]:
    """What the columns are called; where that would be the name of another column, the key tells them apart."""
    labels = {field["key"]: field["label"] for field in _defined(ask, entity)}
    taken = set(beside)
    headings = []
    for key in keys:
        label = labels.get(key) or key
        heading = label if label not in taken else f"{label} ({key})"
        taken.add(heading)
        headings.append(heading)
    return headings


def own_cells(doc: Document, keys: Sequence[str]) -> list[Cell]:
    """The values; several ones in one cell."""
    values = doc.get("fields") or {}
    return [_cell(values.get(key)) for key in keys]


def _defined(ask: Ask, entity: str) -> list[dict[str, Any]]:
    known = ask.reads["field_sets"].one(entity)
    return list(known["fields"]) if known else []


def _cell(value: Any) -> Cell:
    return "; ".join(map(str, value)) if isinstance(value, list) else value
