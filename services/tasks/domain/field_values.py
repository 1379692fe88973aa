"""Judges the values of an account's own fields against what the account asks for now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from services.kernel.domain import Erased, Rejected
from services.tasks.domain.field_set import Asked, FieldSet
from services.tasks.domain.values import Fields, FieldValue

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"\+?[0-9 ()./x-]{5,30}")
_NUMBER = re.compile(r"-?[0-9]+([.,][0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def merged(asked: FieldSet, before: Mapping[str, FieldValue], given: Mapping[str, FieldValue]) -> Fields:
    """The values after an edit that gives all of them: what is no longer asked for is kept as it was captured."""
    kept = {key: value for key, value in before.items() if key not in given and not _active(asked, key)}
    return {**kept, **given}


def check_values(asked: FieldSet, before: Mapping[str, FieldValue], after: Mapping[str, FieldValue]) -> None:
    """Refuse values that do not fit, all at once; what stays as it was captured is not judged again."""
    wrong = {key: code for key, value in after.items() if (code := _wrong(asked, before, key, value))}
    for key, known in asked.fields.items():
        if known.active and known.rules.required and _empty(after.get(key)):
            wrong.setdefault(key, "required")
    if wrong:
        raise Rejected("fields-invalid", errors=[{"field": key, "code": wrong[key]} for key in sorted(wrong)])


def _wrong(asked: FieldSet, before: Mapping[str, FieldValue], key: str, value: FieldValue) -> str | None:
    if key in before and before[key] == value:
        return None
    if key not in asked.fields:
        return "unknown"
    known = asked.fields[key]
    if not known.active:
        return "inactive"
    return None if _empty(value) else _misfit(known, value)


def _misfit(known: Asked, value: FieldValue) -> str | None:
    match known.rules.type:
        case "text" | "long_text":
            return _misfit_text(known, value)
        case "checkbox":
            return None if isinstance(value, bool) else "not-yes-or-no"
        case "date":
            return None if isinstance(value, str) and _is_day(value) else "not-a-date"
        case "single_selection" | "dropdown":
            return None if isinstance(value, str) and _offered(known, value) else "not-an-option"
        case "tags":
            if not isinstance(value, tuple) or len(set(value)) != len(value):
                return "not-tags"
            return None if not known.options or all(_offered(known, tag) for tag in value) else "not-an-option"


def _misfit_text(known: Asked, value: FieldValue) -> str | None:
    rules = known.rules
    if isinstance(value, int | float) and not isinstance(value, bool):
        return None if rules.numeric else "not-text"
    if not isinstance(value, str):
        return "not-text"
    if rules.type == "text" and "\n" in value:
        return "more-than-one-line"
    if rules.min_chars is not None and len(value) < rules.min_chars:
        return "too-short"
    if rules.max_chars is not None and len(value) > rules.max_chars:
        return "too-long"
    for wanted, form, code in (
        (rules.email, _EMAIL, "not-an-email"),
        (rules.phone, _PHONE, "not-a-phone"),
        (rules.numeric, _NUMBER, "not-a-number"),
    ):
        if wanted and not form.fullmatch(value):
            return code
    return None


def _offered(known: Asked, value: str) -> bool:
    return isinstance(known.options, Erased) or value in known.options


def _is_day(text: str) -> bool:
    try:
        return bool(_DAY.fullmatch(text)) and date.fromisoformat(text) is not None
    except ValueError:
        return False


def _empty(value: FieldValue) -> bool:
    return value is None or value in ("", ())


def _active(asked: FieldSet, key: str) -> bool:
    return key in asked.fields and asked.fields[key].active
