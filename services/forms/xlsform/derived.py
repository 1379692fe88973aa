"""Our own limits as a constraint that every tool understands, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from services.forms.expressions.values import number_text


def derived(item: Mapping[str, Any]) -> str:
    """The limits of a question as one formula; empty where it has none."""
    return " and ".join(_parts(item))


def joined(own: str | None, item: Mapping[str, Any]) -> str:
    """The question's own constraint together with its limits."""
    limits = derived(item)
    return f"({own}) and {limits}" if own and limits else own or limits


def parted(written: str, item: Mapping[str, Any]) -> str | None:
    """The question's own constraint out of what was written; None when there is but the limits."""
    limits = derived(item)
    if not limits:
        return written
    if written == limits:
        return None
    tail = f") and {limits}"
    return written[1 : -len(tail)] if written.startswith("(") and written.endswith(tail) else written


def _parts(item: Mapping[str, Any]) -> Iterator[str]:
    match item["type"]:
        case "short_text" | "long_text":
            yield from _between(item, "string-length(.)", "min_length", "max_length", str)
            yield from _pattern(item)
        case "barcode":
            yield from _pattern(item)
        case "checkboxes":
            yield from _between(item, "count-selected(.)", "min_count", "max_count", str)
        case "number":
            yield from _between(item, ".", "min", "max", _plain)
        case "date":
            yield from _between(item, ".", "min", "max", lambda day: f"date('{day}')")
        case _:
            return


def _between(item: Mapping[str, Any], what: str, least: str, most: str, written: Any) -> Iterator[str]:
    if item.get(least) is not None:
        yield f"{what} >= {written(item[least])}"
    if item.get(most) is not None:
        yield f"{what} <= {written(item[most])}"


def _plain(number: Any) -> str:
    return number_text(float(number))


def _pattern(item: Mapping[str, Any]) -> Iterator[str]:
    pattern = item.get("pattern")
    if pattern and "'" not in pattern:
        yield f"regex(., '{pattern}')"
