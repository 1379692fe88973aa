"""Reads an XLSForm workbook as a form, and tells row by row what could not be taken over as it was."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pyxform.errors import PyXFormError
from pyxform.parsing import parameters

from services.forms.domain.schema import AnyItem, Choice, Content
from services.forms.domain.values import Value
from services.forms.xlsform.columns import (
    FORMULAS,
    OWN,
    PARAMETERS,
    TEXTS,
    TYPES,
    choices_column,
    kind_of,
    language_of,
    settings_column,
    survey_column,
)
from services.forms.xlsform.derived import parted
from services.forms.xlsform.reader import Sheet, Unreadable, Workbook, open_workbook

Cells = Mapping[tuple[str, str], tuple[str, str]]
"""A row by what its columns mean, in which language: the heading as it is written, and the text."""

MAX_REPORT = 500
YES = frozenset({"yes", "true", "1", "si", "sí"})
NO = frozenset({"no", "false", "0"})
KNOWN_SETTINGS = frozenset({"title", "id_string", "version", "default_language"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_REFERENCE = re.compile(r"\$\{\s*([^}\s]+)\s*\}")
_ITEM: TypeAdapter[Any] = TypeAdapter(AnyItem)


class Remark(Value):
    """What was not taken over as it stands, and where it stands."""

    sheet: str
    row: int
    column: str = ""
    code: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """The form that the workbook makes, its title, and all remarks."""

    content: Content
    title: str
    report: Sequence[Remark]


def read_xlsform(data: bytes) -> Imported:
    """Raises Unreadable when the file as a whole is of no use."""
    try:
        return _Reading(open_workbook(data)).imported()
    except PyXFormError as broken:
        raise Unreadable("headings-unclear") from broken


@dataclass(slots=True)
class _Open:
    """A group that has begun."""

    word: str
    row: int
    item: dict[str, Any]
    items: list[dict[str, Any]] = field(default_factory=list)


class _Reading:
    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._report: list[Remark] = []
        self._settings = self._read_settings()
        self._language = self._settings.get("default_language") or "es"
        self._languages: dict[str, None] = {}
        self._renamed: dict[str, str] = {}

    def imported(self) -> Imported:
        """See `read_xlsform`."""
        for name in self._book.others:
            self._say(name, 1, "", "sheet-ignored")
        lists = self._choices()
        items = self._survey(lists)
        said = self._settings.get(f"{OWN}languages", "").split()
        content = {
            "languages": said or list(self._languages) or [self._language],
            "capture": {
                "location": self._settings.get(f"{OWN}location", "").lower() in YES,
                "radius_m": self._settings.get(f"{OWN}radius_m") or None,
            },
            "choice_lists": lists,
            "items": self._with_names_changed(items),
        }
        try:
            return Imported(Content.model_validate(content), self._settings.get("title", ""), self._report[:MAX_REPORT])
        except ValidationError as wrong:
            raise Unreadable("settings-unclear") from wrong

    # -- settings and choices

    def _read_settings(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for number, row in self._book.sheet("settings").rows[:1]:
            for heading, text in row.items():
                name = settings_column(heading)
                if name in KNOWN_SETTINGS or name.startswith(OWN):
                    found[name] = text.strip()
                else:
                    self._say("settings", number, heading, "settings-ignored", text)
        if language := found.get("default_language"):
            found["default_language"] = language_of(language) or ""
        return found

    def _choices(self) -> dict[str, list[dict[str, Any]]]:
        sheet = self._book.sheet("choices")
        columns = self._columns("choices", sheet, choices_column)
        lists: dict[str, list[dict[str, Any]]] = {}
        for number, row in sheet.rows:
            choice: dict[str, Any] = {"labels": {}, "properties": {}}
            named = ""
            for heading, text in row.items():
                name, language = columns[heading]
                match name:
                    case "list_name":
                        named = text.strip()
                    case "name":
                        choice["value"] = text.strip()
                    case "label":
                        self._text(choice, "labels", language, text, ("choices", number, heading))
                    case _ if _NAME.fullmatch(name) and not language:
                        choice["properties"][name] = text
                    case _:
                        self._say("choices", number, heading, "attribute-ignored", text)
            try:
                kept = Choice.model_validate(choice)
                if not _NAME.fullmatch(named):
                    raise ValueError(named)
            except ValueError:
                self._say("choices", number, "", "choice-invalid", str(choice.get("value", "")))
                continue
            lists.setdefault(named, []).append(kept.model_dump())
        return lists

    # -- the survey

    def _survey(self, lists: Mapping[str, Any]) -> list[dict[str, Any]]:
        sheet = self._book.sheet("survey")
        columns = self._columns("survey", sheet, survey_column)
        root = _Open("", 0, {})
        stack = [root]
        for number, row in sheet.rows:
            cells = {columns[heading]: (heading, text) for heading, text in row.items()}
            kind = " ".join(cells.get(("type", ""), ("", ""))[1].split())
            word, _ = kind_of(kind)
            if word.startswith("end_"):
                self._end(stack, word.removeprefix("end_"), number)
            elif word in ("begin_group", "begin_repeat"):
                self._appearances(cells, number, ())
                item = self._read(cells, number, {"type": "section" if word == "begin_group" else "repeat"})
                stack.append(_Open(word.removeprefix("begin_"), number, item))
            elif word:
                self._question(stack[-1], cells, number, kind, lists)
        while len(stack) > 1:
            self._say("survey", stack[-1].row, "type", "group-unfinished")
            self._close(stack)
        return root.items

    def _end(self, stack: list[_Open], word: str, number: int) -> None:
        if stack[-1].word == word:
            self._close(stack)
        else:
            self._say("survey", number, "type", "group-unfinished")

    def _close(self, stack: list[_Open]) -> None:
        ended = stack.pop()
        self._add(stack[-1], {**ended.item, "items": ended.items}, ended.row)

    def _add(self, into: _Open, item: dict[str, Any], number: int) -> None:
        try:
            _ITEM.validate_python({**item, "items": []} if "items" in item else item)
        except ValidationError as wrong:
            places = sorted({str(part) for error in wrong.errors() for part in error["loc"][1:2]})
            self._say("survey", number, ", ".join(places), "item-invalid", str(item.get("name", "")))
            return
        into.items.append(item)

    def _question(
        self,
        into: _Open,
        cells: Mapping[tuple[str, str], tuple[str, str]],
        number: int,
        kind: str,
        lists: Mapping[str, Any],
    ) -> None:
        word, rest = kind_of(kind)
        appearance = cells.get(("control/appearance", ""), ("", ""))[1]
        known = [one for one in appearance.split() if (word, one) in TYPES]
        ours = TYPES.get((word, known[0] if known else ""))
        if ours is None:
            self._say("survey", number, "type", "type-unsupported", kind)
            return
        self._appearances(cells, number, known)
        item: dict[str, Any] = {"type": ours}
        if word.startswith("select"):
            item["choices"], _, more = rest.partition(" ")
            if more:
                self._say("survey", number, "type", "parameter-ignored", more)
            if item["choices"] not in lists:
                self._say("survey", number, "type", "choice-list-missing", item["choices"])
        if ours == "number" and word == "integer":
            item["kind"] = "integer"
        self._add(into, self._read(cells, number, item), number)

    def _read(self, cells: Cells, number: int, item: dict[str, Any]) -> dict[str, Any]:
        default = ("", "")
        for (name, language), (heading, text) in cells.items():
            place = ("survey", number, heading)
            match name:
                case "type" | "control/appearance":
                    pass
                case "name":
                    item["name"] = self._named(text.strip(), number)
                case "bind/required":
                    item["required"] = _flag(text.strip())
                case "bind/readonly":
                    item["read_only"] = text.strip().lower() in YES
                case "parameters":
                    self._parameters(item, text, number)
                case "default":
                    default = (text, cells.get((f"{OWN}default", ""), ("", ""))[1])
                case _ if name in TEXTS:
                    self._text(item, TEXTS[name], language, text, place)
                case _ if name in FORMULAS:
                    item[FORMULAS[name]] = text
                case _ if name.startswith(OWN):
                    _own(item, name.removeprefix(OWN), text)
                case _:
                    self._say(*place, "attribute-ignored", text)
        if "constraint" in item and (own := parted(item.pop("constraint"), item)) is not None:
            item["constraint"] = own
        if default[0]:
            _default(item, *default)
        return item

    def _appearances(self, cells: Cells, number: int, known: Sequence[str]) -> None:
        heading, written = cells.get(("control/appearance", ""), ("", ""))
        for one in written.split():
            if one not in known:
                self._say("survey", number, heading, "appearance-ignored", one)

    def _parameters(self, item: dict[str, Any], text: str, number: int) -> None:
        try:
            given = parameters.parse(text, number)
        except PyXFormError:
            self._say("survey", number, "parameters", "parameter-ignored", text)
            return
        for name, value in given.items():
            if name in PARAMETERS:
                item[PARAMETERS[name]] = value
            else:
                self._say("survey", number, "parameters", "parameter-ignored", f"{name}={value}")

    def _named(self, name: str, number: int) -> str:
        if _NAME.fullmatch(name):
            return name
        changed = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:60]
        changed = changed if _NAME.fullmatch(changed) else f"_{changed}"
        self._renamed[name] = changed
        self._say("survey", number, "name", "name-changed", f"{name} -> {changed}")
        return changed

    def _with_names_changed(self, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if not self._renamed:
            return items
        return [
            {
                name: self._with_names_changed(value)
                if name == "items"
                else _REFERENCE.sub(self._changed, value)
                if isinstance(value, str)
                else value
                for name, value in item.items()
            }
            for item in items
        ]

    def _changed(self, reference: re.Match[str]) -> str:
        name = reference[1]
        return f"${{{self._renamed[name]}}}" if name in self._renamed else reference[0]

    # -- small things

    def _columns(self, name: str, sheet: Sheet, meaning: Any) -> dict[str, tuple[str, str]]:
        double = any("::" in heading for heading in sheet.headings)
        return {heading: meaning(heading, double=double) for heading in sheet.headings}

    def _text(self, item: dict[str, Any], name: str, language: str, text: str, place: tuple[str, int, str]) -> None:
        code = language_of(language) if language else self._language
        if code is None:
            self._say(*place, "attribute-ignored", text)
            return
        self._languages.setdefault(code)
        item.setdefault(name, {})[code] = text

    def _say(self, sheet: str, row: int, column: str, code: str, value: str = "") -> None:
        self._report.append(Remark(sheet=sheet, row=row, column=column, code=code, value=value[:200]))


def _flag(text: str) -> bool | str:
    if text.lower() in YES:
        return True
    return False if text.lower() in NO else text


def _own(item: dict[str, Any], name: str, text: str) -> None:
    match name:
        case "default":
            pass
        case "kinds":
            item["kinds"] = text.split()
        case _ if name.startswith("follow_up_"):
            item.setdefault("follow_up", {})[name.removeprefix("follow_up_")] = text
        case _:
            item[name] = text


def _default(item: dict[str, Any], text: str, marked: str) -> None:
    if marked == "formula" or (not marked and ("${" in text or "(" in text)):
        item["default_formula"] = text
    elif item["type"] == "checkboxes":
        item["default"] = text.split()
    elif item["type"] == "number":
        item["default"] = _number(text)
    else:
        item["default"] = text


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
