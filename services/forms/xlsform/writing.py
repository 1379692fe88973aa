"""Writes a form as an XLSForm workbook, from which the very same form can be read again."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from services.forms.domain.schema import Content
from services.forms.xlsform.columns import OWN, WRITTEN
from services.forms.xlsform.derived import joined

Row = dict[str, str]
_SAID = frozenset(
    {
        "type", "name", "labels", "hint", "relevant", "required", "required_message", "constraint",
        "constraint_message", "default", "default_formula", "read_only", "choices", "choice_filter", "calculation",
        "count", "items", "max_pixels", "follow_up",
    }
)  # fmt: skip
"""What the common columns say; everything else has a column of its own."""


def write_xlsform(content: Content, *, title: str, form_id: str, version: str) -> bytes:
    """The workbook's bytes."""
    document = content.to_json()
    book = Workbook(write_only=True)
    _sheet(book, "survey", ("type", "name"), list(_items(document.get("items", ()))))
    _sheet(book, "choices", ("list_name", "name"), list(_choices(document.get("choice_lists", {}))))
    settings = {
        "form_title": title,
        "form_id": form_id,
        "version": version,
        "default_language": content.languages[0] if content.languages else "",
        f"{OWN}languages": " ".join(content.languages),
    }
    if content.capture.location:
        settings[f"{OWN}location"] = "yes"
    if content.capture.radius_m is not None:
        settings[f"{OWN}radius_m"] = str(content.capture.radius_m)
    _sheet(book, "settings", (), [settings])
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


def _items(items: Sequence[Mapping[str, Any]]) -> Iterator[Row]:
    for item in items:
        match item["type"]:
            case ("section" | "repeat") as kind:
                word = "group" if kind == "section" else "repeat"
                yield {**_item(item), "type": f"begin_{word}"}
                yield from _items(item.get("items", ()))
                yield {"type": f"end_{word}", "name": item["name"]}
            case _:
                yield _item(item)


def _item(item: Mapping[str, Any]) -> Row:
    kind, appearance = WRITTEN.get(item["type"], ("", ""))
    if kind == "decimal" and item.get("kind") == "integer":
        kind = "integer"
    if "choices" in item:
        kind = f"{kind} {item['choices']}"
    row = {"type": kind, "name": item["name"], **_texts(item)}
    row["appearance"] = appearance
    row["required"] = {True: "yes", False: ""}.get(item.get("required", False), str(item.get("required")))
    row["readonly"] = "yes" if item.get("read_only") else ""
    row["constraint"] = joined(item.get("constraint"), item)
    row["repeat_count"] = item.get("count", "")
    for name in ("relevant", "calculation", "choice_filter"):
        row[name] = item.get(name, "")
    row |= _default(item)
    if "max_pixels" in item:
        row["parameters"] = f"max-pixels={item['max_pixels']}"
    own = {name: value for name, value in item.items() if name not in _SAID}
    own |= {f"follow_up_{name}": value for name, value in item.get("follow_up", {}).items()}
    if item["type"] == "number":
        own.pop("kind", None)
    return row | {f"{OWN}{name}": _written(value) for name, value in own.items()}


def _texts(item: Mapping[str, Any]) -> Row:
    columns = {
        "label": "labels", "hint": "hint", "constraint_message": "constraint_message",
        "required_message": "required_message",
    }  # fmt: skip
    return {
        f"{column}::{language}": text
        for column, name in columns.items()
        for language, text in item.get(name, {}).items()
    }


def _default(item: Mapping[str, Any]) -> Row:
    if "default_formula" in item:
        return {"default": item["default_formula"], f"{OWN}default": "formula"}
    if "default" in item:
        return {"default": _written(item["default"]), f"{OWN}default": "value"}
    return {}


def _written(value: Any) -> str:
    match value:
        case list() | tuple():
            return " ".join(str(one) for one in value)
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _choices(lists: Mapping[str, Sequence[Mapping[str, Any]]]) -> Iterator[Row]:
    for name, choices in lists.items():
        for choice in choices:
            labels = {f"label::{language}": text for language, text in choice.get("labels", {}).items()}
            yield {"list_name": name, "name": choice["value"], **labels, **choice.get("properties", {})}


def _sheet(book: Any, title: str, first: Sequence[str], rows: Sequence[Row]) -> None:
    # A column that says nothing in any row is not there at all.
    used = dict.fromkeys(name for row in rows for name, text in row.items() if text != "")
    headings = list(dict.fromkeys((*first, *used)))
    sheet = book.create_sheet(title)
    sheet.append([_cell(sheet, heading) for heading in headings])
    for row in rows:
        sheet.append([_cell(sheet, row.get(heading, "")) for heading in headings])


def _cell(sheet: Any, text: str) -> Any:
    cell = WriteOnlyCell(sheet, text if text != "" else None)
    if text != "":
        # What people write is text, though it begin like a formula or look like an error of Excel's.
        cell.data_type = "s"
    return cell
