"""When billing cycles begin: midnight in Bogotá, on a day of the month that short months do not make it forget."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time
from typing import Literal
from zoneinfo import ZoneInfo

Interval = Literal["monthly", "annual"]
BOGOTA = ZoneInfo("America/Bogota")
MONTHS: dict[Interval, int] = {"monthly": 1, "annual": 12}


def midnight(day: date) -> datetime:
    """The moment this day begins in Bogotá, in UTC."""
    return datetime.combine(day, time(), tzinfo=BOGOTA).astimezone(UTC)


def local_day(at: datetime) -> date:
    """The day it is in Bogotá."""
    return at.astimezone(BOGOTA).date()


def following(start: date, anchor_day: int, interval: Interval) -> date:
    """The first day of the cycle after the one that begins on `start`.

    The anchor is the day of the month the subscription began on: 31 January, 28 February, 31 March.
    """
    months = start.year * 12 + start.month - 1 + MONTHS[interval]
    year, month = divmod(months, 12)
    length = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor_day, length))


def next_start(cycle_start: datetime, anchor_day: int, interval: Interval) -> datetime:
    """The same for moments: when the cycle that begins at `cycle_start` ends and the next one begins."""
    return midnight(following(local_day(cycle_start), anchor_day, interval))
