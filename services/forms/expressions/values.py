"""What an expression works with: texts, numbers, truth, dates and sets of answers, and how each becomes the other."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal

One = str | float | bool | date | datetime | time
Value = One | tuple[One, ...]
"""A set of answers, as a question inside a repeated group gives them, is a tuple."""

EMPTY = ""
NAN = math.nan
EPOCH = date(1970, 1, 1)
_EPOCH_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400.0


def one(value: Value) -> One:
    """A single value: of a set the first, of an empty set nothing."""
    if isinstance(value, tuple):
        return value[0] if value else EMPTY
    return value


def each(*values: Value) -> Iterator[One]:
    """All values, sets opened."""
    for value in values:
        if isinstance(value, tuple):
            yield from value
        else:
            yield value


def is_empty(value: Value) -> bool:
    """Whether nobody answered."""
    return one(value) == EMPTY


def to_text(value: Value) -> str:
    """As people write it: whole numbers without a decimal point, dates as ISO 8601."""
    match one(value):
        case bool() as truth:
            return "true" if truth else "false"
        case float() | int() as number:
            return number_text(float(number))
        case datetime() as moment:
            return moment.isoformat(timespec="milliseconds")
        case date() as day:
            return day.isoformat()
        case time() as hour:
            return hour.isoformat(timespec="minutes" if not hour.second else "seconds")
        case text:
            return text


def number_text(number: float) -> str:
    """A number in plain decimal digits, never in powers of ten."""
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number.is_integer():
        return str(int(number))
    return format(Decimal(repr(number)), "f")


def to_number(value: Value) -> float:
    """Nothing and unreadable texts are not a number; a date is the days since 1970, a time a part of a day."""
    match one(value):
        case bool() as truth:
            return 1.0 if truth else 0.0
        case float() | int() as number:
            return float(number)
        case datetime() as moment:
            return _days(moment)
        case date() as day:
            return float((day - EPOCH).days)
        case time() as hour:
            return (hour.hour * 3600 + hour.minute * 60 + hour.second + hour.microsecond / 1e6) / _DAY
        case text:
            return _parsed(text)


def _days(moment: datetime) -> float:
    # By the wall clock, so that a moment and a date compare as people read them.
    return (moment.replace(tzinfo=UTC) - _EPOCH_MOMENT).total_seconds() / _DAY


def _parsed(text: str) -> float:
    plain = text.strip()
    # float() also reads "1_000", "1e9", "nan" and "infinity", which nobody means by an answer.
    if not plain or plain.strip("0123456789-."):
        return NAN
    try:
        return float(plain)
    except ValueError:
        return NAN


def to_truth(value: Value) -> bool:
    """Nothing, zero and what is not a number are false."""
    if isinstance(value, tuple):
        return bool(value)
    match value:
        case bool():
            return value
        case float() | int():
            return not math.isnan(value) and value != 0
        case str():
            return value != EMPTY
        case _:
            return True


def to_day(value: Value, zone: tzinfo) -> date | str:
    """A date, of a text or of a number of days since 1970; nothing when it is none."""
    moment = to_moment(value, zone)
    return moment.date() if isinstance(moment, datetime) else EMPTY


def to_moment(value: Value, zone: tzinfo) -> datetime | str:
    """A date and time in this zone; nothing when it is none."""
    found = one(value)
    match found:
        case datetime():
            return found.astimezone(zone)
        case date():
            return datetime.combine(found, time(), zone)
        case bool() | time():
            return EMPTY
        case float() | int():
            return _of_days(float(found), zone)
        case str():
            return read_moment(found, zone)


def _of_days(days: float, zone: tzinfo) -> datetime | str:
    if not math.isfinite(days) or abs(days) > 700_000:
        return EMPTY
    return (_EPOCH_MOMENT + timedelta(days=days)).replace(tzinfo=zone)


def read_moment(text: str, zone: tzinfo) -> datetime | str:
    """A text in ISO 8601 as a moment; without an offset it is meant in this zone. Nothing when it is none."""
    plain = text.strip()
    if len(plain) < 10 or plain[4] != "-":
        return EMPTY
    try:
        moment = datetime.fromisoformat(plain)
        return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        return EMPTY


def equal(left: Value, right: Value) -> bool:
    """Whether any of the one equals any of the other."""
    if isinstance(left, tuple) or isinstance(right, tuple):
        return any(equal(a, b) for a in each(left) for b in each(right))
    if isinstance(left, bool) or isinstance(right, bool):
        return to_truth(left) == to_truth(right)
    left, right = _dated(left, right)
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    if left == EMPTY or right == EMPTY:
        return False
    # Sums of decimals miss by the last bit: 0.1 + 0.2 is meant to be 0.3.
    return math.isclose(to_number(left), to_number(right), rel_tol=1e-12, abs_tol=1e-12)


def unequal(left: Value, right: Value) -> bool:
    """Whether any of the one differs from any of the other."""
    if isinstance(left, tuple) or isinstance(right, tuple):
        return any(unequal(a, b) for a in each(left) for b in each(right))
    return not equal(left, right)


def ordered(left: Value, right: Value, by: str) -> bool:
    """Whether any of the one stands to any of the other as `by` says; nothing stands to anything."""
    if isinstance(left, tuple) or isinstance(right, tuple):
        return any(ordered(a, b, by) for a in each(left) for b in each(right))
    left, right = _dated(left, right)
    a, b = to_number(left), to_number(right)
    match by:
        case "<":
            return a < b
        case "<=":
            return a <= b
        case ">":
            return a > b
        case _:
            return a >= b


def _dated(left: One, right: One) -> tuple[One, One]:
    """A text beside a date or time is read as one."""
    if isinstance(left, date | time) and isinstance(right, str):
        return left, _like(right, left)
    if isinstance(right, date | time) and isinstance(left, str):
        return _like(left, right), right
    return left, right


def _like(text: str, other: date | time) -> One:
    if isinstance(other, time):
        return read_time(text) or text
    zone = other.tzinfo if isinstance(other, datetime) and other.tzinfo else UTC
    moment = read_moment(text, zone)
    if isinstance(moment, str):
        return text
    return moment if isinstance(other, datetime) or len(text.strip()) > 10 else moment.date()


def read_time(text: str) -> time | None:
    """A time of day in ISO 8601, its offset dropped; None when it is none."""
    try:
        return time.fromisoformat(text.strip()).replace(tzinfo=None) if ":" in text else None
    except ValueError:
        return None
