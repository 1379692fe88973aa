"""Cells as spreadsheets take them: nothing is run as a formula, no number loses digits, no text breaks the file."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, tzinfo
from decimal import Decimal

from services.kernel.exporting.kinds import Cell

EXACT_DIGITS = 15
"""A spreadsheet's numbers are binary with fifteen digits; what has more is written as text."""

_FORMULA = frozenset("=+-@|＝＋－＠")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def runs(text: str) -> bool:
    """Whether a spreadsheet might take the text for a formula or a command."""
    return text[:1] in ("\t", "\r", "\n") or text.lstrip()[:1] in _FORMULA


def harmless(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it."""
    return f"'{text}" if text and runs(text) else text


def printable(text: str) -> str:
    """Without what no file of text may hold: control characters but tab and line ends, halves of characters."""
    return _UNPRINTABLE.sub("", text) if _UNPRINTABLE.search(text) else text


def plain(cell: Cell, zone: tzinfo) -> str | int | float | Decimal | bool | None:
    """The cell as text, number or truth value: moments become text on the wall clock of the zone, with offset."""
    match cell:
        case datetime():
            return cell.astimezone(zone).isoformat(timespec="seconds")
        case date():
            return cell.isoformat()
        case float():
            return cell if math.isfinite(cell) else None
        case _:
            return cell


def digits(number: int | float | Decimal) -> str:
    """A number as plain digits, never with an exponent that hides some."""
    if isinstance(number, Decimal):
        return format(number, "f")
    if isinstance(number, float) and number.is_integer() and abs(number) < 10**EXACT_DIGITS:
        return str(int(number))
    return repr(number)


def exact(number: int | float | Decimal) -> bool:
    """Whether a spreadsheet keeps every digit."""
    if isinstance(number, float):
        return True
    return len(digits(number).strip("-").replace(".", "").strip("0")) <= EXACT_DIGITS
