"""When a debtor may be written to: the hours of Law 2300 of 2023, with Colombia's holidays computed, not listed."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from services.billing.domain.calendar import BOGOTA, local_day

_FIXED = ((1, 1), (5, 1), (7, 20), (8, 7), (12, 8), (12, 25))
_MOVED = ((1, 6), (3, 19), (6, 29), (8, 15), (10, 12), (11, 1), (11, 11))
# Days after Easter Sunday; the last three are those that Law 51 of 1983 put on a Monday.
_AROUND_EASTER = (-3, -2, 43, 64, 71)

MONDAY, SATURDAY, SUNDAY = 0, 5, 6
WEEKDAY_HOURS = (time(7), time(19))
SATURDAY_HOURS = (time(8), time(15))


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar, by Gauss's method with Lichtenberg's corrections."""
    century = year // 100
    moon = 15 + (3 * century + 3) // 4 - (8 * century + 13) // 25
    sun = 2 - (3 * century + 3) // 4
    golden = year % 19
    seed = (19 * golden + moon) % 30
    corrected = seed // 29 + (seed // 28 - seed // 29) * (golden // 11)
    full_moon = 21 + seed - corrected
    first_sunday = 7 - (year + year // 4 + sun) % 7
    distance = 7 - (full_moon - first_sunday) % 7
    return date(year, 3, 1) + timedelta(days=full_moon + distance - 1)


def _monday_from(day: date) -> date:
    return day + timedelta(days=-day.weekday() % 7)


@lru_cache(maxsize=64)
def holidays(year: int) -> frozenset[date]:
    """Colombia's public holidays of a year (Law 51 of 1983)."""
    sunday = easter(year)
    return frozenset(
        [date(year, month, day) for month, day in _FIXED]
        + [_monday_from(date(year, month, day)) for month, day in _MOVED]
        + [sunday + timedelta(days=days) for days in _AROUND_EASTER]
    )


def hours_of(day: date) -> tuple[time, time] | None:
    """From when until when a message may go out on this day; None on Sundays and holidays."""
    if day.weekday() == SUNDAY or day in holidays(day.year):
        return None
    return SATURDAY_HOURS if day.weekday() == SATURDAY else WEEKDAY_HOURS


def lawful(at: datetime) -> bool:
    """Whether a message may go out at this moment."""
    hours = hours_of(local_day(at))
    return hours is not None and hours[0] <= at.astimezone(BOGOTA).time() < hours[1]


def next_lawful(at: datetime) -> datetime:
    """This moment, or the next at which a message may go out, in UTC."""
    if lawful(at):
        return at
    day = local_day(at)
    while True:
        hours = hours_of(day)
        if hours is not None:
            opens = datetime.combine(day, hours[0], tzinfo=BOGOTA).astimezone(UTC)
            if opens >= at:
                return opens
        day += timedelta(days=1)
