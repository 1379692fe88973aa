"""Cycles begin at midnight in Bogotá on their anchor day; debtors are written to at lawful hours only."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.billing.domain.calendar import BOGOTA, following, local_day, midnight, next_start
from services.billing.domain.office_hours import easter, holidays, lawful, next_lawful

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2060, 12, 31))
MOMENTS = st.integers(min_value=0, max_value=40 * 365 * 86_400).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def test_the_anchor_day_is_remembered_across_short_months() -> None:
    days = [date(2026, 1, 31)]
    for _ in range(4):
        days.append(following(days[-1], 31, "monthly"))
    assert days[1:] == [date(2026, 2, 28), date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]


def test_a_year_that_begins_on_leap_day_comes_back_to_it() -> None:
    days = [date(2028, 2, 29)]
    for _ in range(4):
        days.append(following(days[-1], 29, "annual"))
    assert days[1:] == [date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)]


def test_midnight_in_bogota_is_five_in_the_morning_utc() -> None:
    assert midnight(date(2026, 3, 2)) == datetime(2026, 3, 2, 5, tzinfo=UTC)
    assert local_day(datetime(2026, 3, 2, 4, 59, tzinfo=UTC)) == date(2026, 3, 1)


@given(DAYS, st.sampled_from(["monthly", "annual"]), st.integers(min_value=1, max_value=60))
def test_cycles_follow_each_other_without_gap_and_keep_the_anchor(start: date, interval: object, count: int) -> None:
    anchor, day = start.day, start
    for _ in range(count):
        after = following(day, anchor, interval)  # type: ignore[arg-type]
        length = calendar.monthrange(after.year, after.month)[1]
        assert after.day == min(anchor, length)
        months = (after.year - day.year) * 12 + after.month - day.month
        assert months == (1 if interval == "monthly" else 12)
        assert next_start(midnight(day), anchor, interval) == midnight(after)  # type: ignore[arg-type]
        day = after


def test_the_holidays_of_2026() -> None:
    assert sorted(holidays(2026)) == [
        date(2026, month, day)
        for month, day in (
            (1, 1), (1, 12), (3, 23), (4, 2), (4, 3), (5, 1), (5, 18), (6, 8), (6, 15),
            (6, 29), (7, 20), (8, 7), (8, 17), (10, 12), (11, 2), (11, 16), (12, 8), (12, 25),
        )
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("year", "sunday"),
    [
        (1954, (4, 18)),
        (1981, (4, 19)),
        (2000, (4, 23)),
        (2019, (4, 21)),
        (2024, (3, 31)),
        (2038, (4, 25)),
        (2049, (4, 18)),
    ],
)
def test_easter(year: int, sunday: tuple[int, int]) -> None:
    assert easter(year) == date(year, *sunday)


@pytest.mark.parametrize(
    ("local", "allowed"),
    [
        ("2026-03-02T07:00", True),
        ("2026-03-02T06:59", False),
        ("2026-03-02T18:59", True),
        ("2026-03-02T19:00", False),
        ("2026-03-07T08:00", True),
        ("2026-03-07T07:59", False),
        ("2026-03-07T15:00", False),
        ("2026-03-08T10:00", False),
        ("2026-03-23T10:00", False),
    ],
)
def test_lawful_hours(local: str, allowed: bool) -> None:
    assert lawful(datetime.fromisoformat(local).replace(tzinfo=BOGOTA)) is allowed


@given(MOMENTS)
def test_the_next_lawful_moment_is_lawful_and_the_first(at: datetime) -> None:
    found = next_lawful(at)
    assert found >= at
    assert lawful(found)
    assert found - at < timedelta(days=6)
    if found != at:
        assert found.astimezone(BOGOTA).time() in (time(7), time(8))
        before = found - timedelta(minutes=1)
        assert not lawful(before)
        # Nothing lawful lies between: every quarter of an hour is tried.
        probe = at
        while probe < found:
            assert not lawful(probe)
            probe += timedelta(minutes=15)
