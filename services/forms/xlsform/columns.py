"""How a question of ours is called in a spreadsheet, and which of our attributes have columns of their own there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyxform import aliases, constants
from pyxform.parsing.sheet_headers import process_header

OWN = "checkop_"
"""Begins the columns for what the common columns cannot say; other tools pass over them."""

TYPES: Mapping[tuple[str, str], str] = {
    ("text", ""): "short_text",
    ("text", "multiline"): "long_text",
    ("select_one", "minimal"): "dropdown",
    ("select_one", ""): "single_choice",
    ("select_multiple", ""): "checkboxes",
    ("integer", ""): "number",
    ("decimal", ""): "number",
    ("date", ""): "date",
    ("time", ""): "time",
    ("dateTime", ""): "date_time",
    ("audio", ""): "voice",
    ("image", ""): "picture",
    ("image", "signature"): "signature",
    ("video", ""): "video",
    ("file", ""): "document",
    ("barcode", ""): "barcode",
    ("geopoint", ""): "gps",
    ("note", ""): "note",
    ("calculate", ""): "calculated",
}
"""By type and appearance there."""

WRITTEN: Mapping[str, tuple[str, str]] = {ours: theirs for theirs, ours in TYPES.items()}
ALIASES: Mapping[str, str] = {
    "string": "text",
    "int": "integer",
    "range": "decimal",
    "datetime": "dateTime",
    "photo": "image",
    "select1": "select_one",
    "calculation": "calculate",
    "begin group": "begin_group",
    "end group": "end_group",
    "begin repeat": "begin_repeat",
    "end repeat": "end_repeat",
    **{kind.lower(): kind for kind, _ in TYPES},
}
TEXTS: Mapping[str, str] = {
    "label": "labels",
    "hint": "hint",
    "bind/jr:constraintMsg": "constraint_message",
    "bind/jr:requiredMsg": "required_message",
}
FORMULAS: Mapping[str, str] = {
    "bind/relevant": "relevant",
    "bind/constraint": "constraint",
    "bind/calculate": "calculation",
    "choice_filter": "choice_filter",
    "control/jr:count": "count",
}
PARAMETERS: Mapping[str, str] = {
    "max-pixels": "max_pixels",
    "max-count": "max_count",
    "min-count": "min_count",
    "max-bytes": "max_bytes",
    "max-seconds": "max_seconds",
    "start": "min",
    "end": "max",
}
LANGUAGES: Mapping[str, str] = {
    "español": "es",
    "espanol": "es",
    "spanish": "es",
    "english": "en",
    "inglés": "en",
    "ingles": "en",
    "português": "pt",
    "portuguese": "pt",
    "français": "fr",
    "french": "fr",
}
_SELECTS = sorted(
    (
        (f"{name} ", "select_one" if kind == constants.SELECT_ONE else "select_multiple")
        for name, kind in {**aliases.select, "select_multiple": constants.SELECT_ALL_THAT_APPLY}.items()
        if kind in (constants.SELECT_ONE, constants.SELECT_ALL_THAT_APPLY) and name not in aliases.select_from_file
    ),
    key=lambda known: -len(known[0]),
)
"""How a choice question begins, the longer names first."""
_CODE = re.compile(r"(?:.*\()?([a-z]{2,3}(?:-[A-Z]{2})?)\)?")


def kind_of(written: str) -> tuple[str, str]:
    """The type of a row by its one name, and what stands behind it: the list of choices."""
    plain = written.lower()
    for begin, kind in _SELECTS:
        if plain.startswith(begin):
            return kind, written[len(begin) :]
    word, _, rest = written.partition(" ")
    return (ALIASES[plain], "") if plain in ALIASES else (ALIASES.get(word.lower(), word), rest)


def language_of(named: str) -> str | None:
    """The code of a language as people head their columns: "Español (es)", "es", "Spanish"; None when unknown."""
    found = _CODE.fullmatch(named.strip())
    return found[1] if found else LANGUAGES.get(named.strip().lower())


def survey_column(header: str, *, double: bool) -> tuple[str, str]:
    """Which attribute a column of the survey sheet is, and in which language it is written."""
    return _column(header, aliases.survey_header, _SURVEY, double)


def choices_column(header: str, *, double: bool) -> tuple[str, str]:
    """The same for a column of the choices sheet."""
    return _column(header, aliases.list_header, _CHOICES, double)


def settings_column(header: str) -> str:
    """The same for a setting."""
    return _column(header, aliases.settings_header, _SETTINGS, True)[0]


_SURVEY = frozenset(
    {"type", "name", "label", "hint", "default", "choice_filter", "parameters", "guidance_hint", "trigger", "note"}
)
_CHOICES = frozenset({"list_name", "name", "label"})
_SETTINGS = frozenset({"default_language", "version", "form_title", "form_id"})
_BIND = frozenset({"bind", "control", "media", "instance"})


def _column(header: str, known: Mapping[str, object], columns: frozenset[str], double: bool) -> tuple[str, str]:
    _, tokens = process_header(header, double, dict(known), columns)
    kept = 2 if tokens[0] in _BIND else 1
    name = "/".join(str(token) for token in tokens[:kept])
    return {constants.LIST_NAME_S: "list_name"}.get(name, name), "::".join(tokens[kept:])
