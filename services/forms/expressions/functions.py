"""The functions that expressions may call, each with its rule for how many arguments it takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from services.forms.expressions.geography import distance
from services.forms.expressions.values import (
    EMPTY,
    NAN,
    Value,
    each,
    is_empty,
    to_day,
    to_moment,
    to_number,
    to_text,
    to_truth,
)
from services.forms.expressions.when import When

Work = Callable[[When, list[Value]], Value]
MAX_TEXT = 100_000
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Function:
    """One function: at least and at most so many arguments (None: any number)."""

    work: Work
    least: int
    most: int | None

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return self.least <= count and (self.most is None or count <= self.most)


def _numbers(values: list[Value]) -> list[float]:
    # A question that nobody answered must not make a whole sum vanish.
    return [to_number(value) for value in each(*values) if value != EMPTY]


def _sum(when: When, values: list[Value]) -> Value:
    return math.fsum(_numbers(values)) if all(map(math.isfinite, _numbers(values))) else sum(_numbers(values))


def _least(when: When, values: list[Value]) -> Value:
    return _extreme(values, min)


def _greatest(when: When, values: list[Value]) -> Value:
    return _extreme(values, max)


def _extreme(values: list[Value], choose: Callable[[list[float]], float]) -> Value:
    numbers = _numbers(values)
    return NAN if not numbers or any(map(math.isnan, numbers)) else choose(numbers)


def _round(when: When, values: list[Value]) -> Value:
    number = to_number(values[0])
    places = int(to_number(values[1])) if len(values) > 1 and math.isfinite(to_number(values[1])) else 0
    if not math.isfinite(number) or abs(places) > 15:
        return number
    if abs(number) >= 1e15:
        return number
    # As XPath has it: a half goes up, below zero as well.
    exact, unit = Decimal(repr(number)), Decimal(1).scaleb(-places)
    return float((exact / unit + Decimal("0.5")).to_integral_value(ROUND_FLOOR) * unit)


def _int(when: When, values: list[Value]) -> Value:
    number = to_number(values[0])
    return float(math.trunc(number)) if math.isfinite(number) else number


def _floor(when: When, values: list[Value]) -> Value:
    return _whole(to_number(values[0]), ROUND_FLOOR)


def _ceiling(when: When, values: list[Value]) -> Value:
    return _whole(to_number(values[0]), ROUND_CEILING)


def _whole(number: float, towards: str) -> float:
    return float(Decimal(number).to_integral_value(towards)) if math.isfinite(number) else number


def _power(when: When, values: list[Value]) -> Value:
    try:
        return math.pow(to_number(values[0]), to_number(values[1]))
    except (OverflowError, ValueError):
        return NAN


def _abs(when: When, values: list[Value]) -> Value:
    return abs(to_number(values[0]))


def _words(value: Value) -> list[str]:
    return to_text(value).split()


def _selected(when: When, values: list[Value]) -> Value:
    return to_text(values[1]).strip() in _words(values[0])


def _count_selected(when: When, values: list[Value]) -> Value:
    return float(len(_words(values[0])))


def _selected_at(when: When, values: list[Value]) -> Value:
    words, index = _words(values[0]), to_number(values[1])
    return words[int(index)] if math.isfinite(index) and 0 <= index < len(words) else EMPTY


def _count(when: When, values: list[Value]) -> Value:
    return float(len(list(each(*values)))) if isinstance(values[0], tuple) else float(not is_empty(values[0]))


def _count_non_empty(when: When, values: list[Value]) -> Value:
    return float(sum(value != EMPTY for value in each(*values)))


def _coalesce(when: When, values: list[Value]) -> Value:
    return next((value for value in values if not is_empty(value)), EMPTY)


def _substr(when: When, values: list[Value]) -> Value:
    text = to_text(values[0])
    bounds = [to_number(value) for value in values[1:]]
    if not all(map(math.isfinite, bounds)):
        return EMPTY
    start, *rest = (int(bound) for bound in bounds)
    return text[slice(start, rest[0] if rest else None)]


def _concat(when: When, values: list[Value]) -> Value:
    return _bounded("".join(to_text(value) for value in each(*values)))


def _join(when: When, values: list[Value]) -> Value:
    return _bounded(to_text(values[0]).join(to_text(value) for value in each(*values[1:])))


def _bounded(text: str) -> str:
    return text[:MAX_TEXT]


def _date(when: When, values: list[Value]) -> Value:
    return to_day(values[0], when.zone)


def _date_time(when: When, values: list[Value]) -> Value:
    return to_moment(values[0], when.zone)


def _today(when: When, values: list[Value]) -> Value:
    return when.now.date()


def _now(when: When, values: list[Value]) -> Value:
    return when.now


def _format_date(when: When, values: list[Value]) -> Value:
    moment = to_moment(values[0], when.zone)
    if not isinstance(moment, datetime):
        return EMPTY
    text, pattern = "", iter(to_text(values[1]))
    for letter in pattern:
        text += _part(moment, next(pattern, "%")) if letter == "%" else letter
    return text


def _part(moment: datetime, letter: str) -> str:
    match letter:
        case "Y":
            return f"{moment.year:04}"
        case "y":
            return f"{moment.year % 100:02}"
        case "m":
            return f"{moment.month:02}"
        case "n":
            return str(moment.month)
        case "b":
            return MONTHS[moment.month - 1]
        case "d":
            return f"{moment.day:02}"
        case "e":
            return str(moment.day)
        case "H":
            return f"{moment.hour:02}"
        case "h":
            return str(moment.hour)
        case "M":
            return f"{moment.minute:02}"
        case "S":
            return f"{moment.second:02}"
        case "3":
            return f"{moment.microsecond // 1000:03}"
        case "a":
            return WEEKDAYS[moment.weekday()]
        case _:
            return letter


def _distance(when: When, values: list[Value]) -> Value:
    return distance([to_text(value) for value in each(*values) if value != EMPTY])


def _number(when: When, values: list[Value]) -> Value:
    return to_number(values[0])


def _string(when: When, values: list[Value]) -> Value:
    return to_text(values[0])


def _boolean(when: When, values: list[Value]) -> Value:
    return to_truth(values[0])


def _not(when: When, values: list[Value]) -> Value:
    return not to_truth(values[0])


def _length(when: When, values: list[Value]) -> Value:
    return float(len(to_text(values[0])))


def _contains(when: When, values: list[Value]) -> Value:
    return to_text(values[1]) in to_text(values[0])


def _starts_with(when: When, values: list[Value]) -> Value:
    return to_text(values[0]).startswith(to_text(values[1]))


def _ends_with(when: When, values: list[Value]) -> Value:
    return to_text(values[0]).endswith(to_text(values[1]))


def _before(when: When, values: list[Value]) -> Value:
    text, mark = to_text(values[0]), to_text(values[1])
    return text[: text.index(mark)] if mark in text else EMPTY


def _after(when: When, values: list[Value]) -> Value:
    text, mark = to_text(values[0]), to_text(values[1])
    return text[text.index(mark) + len(mark) :] if mark in text else EMPTY


def _translate(when: When, values: list[Value]) -> Value:
    text, letters, others = (to_text(value) for value in values)
    table: dict[int, str | None] = {}
    for place, letter in enumerate(letters):
        table.setdefault(ord(letter), others[place] if place < len(others) else None)
    return text.translate(table)


def _truth_of(when: When, values: list[Value]) -> Value:
    return to_text(values[0]) in ("true", "1")


def _normalize(when: When, values: list[Value]) -> Value:
    return " ".join(_words(values[0]))


def _lower(when: When, values: list[Value]) -> Value:
    return to_text(values[0]).lower()


def _upper(when: When, values: list[Value]) -> Value:
    return to_text(values[0]).upper()


def _true(when: When, values: list[Value]) -> Value:
    return True


def _false(when: When, values: list[Value]) -> Value:
    return False


FUNCTIONS: Mapping[str, Function] = {
    "true": Function(_true, 0, 0),
    "false": Function(_false, 0, 0),
    "not": Function(_not, 1, 1),
    "boolean": Function(_boolean, 1, 1),
    "boolean-from-string": Function(_truth_of, 1, 1),
    "coalesce": Function(_coalesce, 1, None),
    "selected": Function(_selected, 2, 2),
    "count-selected": Function(_count_selected, 1, 1),
    "selected-at": Function(_selected_at, 2, 2),
    "count": Function(_count, 1, 1),
    "count-non-empty": Function(_count_non_empty, 1, None),
    "sum": Function(_sum, 1, None),
    "min": Function(_least, 1, None),
    "max": Function(_greatest, 1, None),
    "round": Function(_round, 1, 2),
    "int": Function(_int, 1, 1),
    "floor": Function(_floor, 1, 1),
    "ceiling": Function(_ceiling, 1, 1),
    "abs": Function(_abs, 1, 1),
    "pow": Function(_power, 2, 2),
    "number": Function(_number, 1, 1),
    "string": Function(_string, 1, 1),
    "string-length": Function(_length, 1, 1),
    "substr": Function(_substr, 2, 3),
    "concat": Function(_concat, 1, None),
    "join": Function(_join, 2, None),
    "normalize-space": Function(_normalize, 1, 1),
    "lower-case": Function(_lower, 1, 1),
    "upper-case": Function(_upper, 1, 1),
    "contains": Function(_contains, 2, 2),
    "starts-with": Function(_starts_with, 2, 2),
    "ends-with": Function(_ends_with, 2, 2),
    "substring-before": Function(_before, 2, 2),
    "substring-after": Function(_after, 2, 2),
    "translate": Function(_translate, 3, 3),
    "today": Function(_today, 0, 0),
    "now": Function(_now, 0, 0),
    "date": Function(_date, 1, 1),
    "date-time": Function(_date_time, 1, 1),
    "format-date": Function(_format_date, 2, 2),
    "format-date-time": Function(_format_date, 2, 2),
    "distance": Function(_distance, 1, None),
}
"""Those that look at more than the values of their arguments are in `compiled`: if, once, regex, position."""
