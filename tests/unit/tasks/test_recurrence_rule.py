"""When recurring work occurs: month ends, summer time, counts, ends, and rules that are not accepted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st

from services.kernel.domain import Rejected
from services.tasks.domain.recurrence import Timing
from services.tasks.recurring.rule import between, check, first, following, normal, occurs

BOGOTA, NEW_YORK = "America/Bogota", "America/New_York"


def timing(rule: str, starts: str = "2026-03-02T08:00", zone: str = BOGOTA) -> Timing:
    return Timing(rule=rule, starts=starts, zone=zone)


def local(wanted: Timing, most: int = 5) -> list[str]:
    zone = ZoneInfo(wanted.zone)
    return [one.astimezone(zone).strftime("%Y-%m-%d %H:%M") for one in first(wanted, most)]


class TestBogota:
    def test_every_weekday_morning(self) -> None:
        wanted = timing("FREQ=WEEKLY;BYDAY=MO,WE,FR")
        assert first(wanted, 2) == [datetime(2026, 3, 2, 13, tzinfo=UTC), datetime(2026, 3, 4, 13, tzinfo=UTC)]

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            ("FREQ=MONTHLY;BYMONTHDAY=31", ["2026-03-31", "2026-05-31", "2026-07-31", "2026-08-31"]),
            ("FREQ=MONTHLY;BYMONTHDAY=-1", ["2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30"]),
            ("FREQ=MONTHLY;BYDAY=-1FR", ["2026-03-27", "2026-04-24", "2026-05-29", "2026-06-26"]),
            ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", ["2026-03-02", "2026-04-01", "2026-05-01", "2026-06-01"]),
            ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["2028-02-29", "2032-02-29", "2036-02-29", "2040-02-29"]),
        ],
    )
    def test_ends_of_months_and_leap_days(self, rule: str, expected: list[str]) -> None:
        assert [day[:10] for day in local(timing(rule), 4)] == expected

    def test_midnight_is_the_accounts_own(self) -> None:
        late = timing("FREQ=DAILY;COUNT=2", "2026-03-02T23:30")
        assert first(late, 3) == [datetime(2026, 3, 3, 4, 30, tzinfo=UTC), datetime(2026, 3, 4, 4, 30, tzinfo=UTC)]


class TestSummerTime:
    def test_eight_o_clock_stays_eight_o_clock(self) -> None:
        morning = timing("FREQ=WEEKLY", "2026-03-02T08:00", NEW_YORK)
        assert [one.hour for one in first(morning, 3)] == [13, 12, 12]

    def test_a_time_that_is_jumped_over_is_an_hour_later(self) -> None:
        assert local(timing("FREQ=DAILY", "2026-03-07T02:30", NEW_YORK), 3) == [
            "2026-03-07 02:30",
            "2026-03-08 03:30",
            "2026-03-09 02:30",
        ]

    def test_two_times_that_become_one_are_one(self) -> None:
        both = timing("FREQ=DAILY;BYHOUR=2,3;UNTIL=20260308", "2026-03-08T02:30", NEW_YORK)
        assert local(both) == ["2026-03-08 03:30"]

    def test_a_time_that_is_shown_twice_is_the_first(self) -> None:
        night = timing("FREQ=DAILY;COUNT=3", "2026-10-31T01:30", NEW_YORK)
        assert [one.hour for one in first(night, 3)] == [5, 5, 6]


class TestEnds:
    def test_after_a_number_of_times(self) -> None:
        assert len(first(timing("FREQ=DAILY;COUNT=3"), 9)) == 3

    @pytest.mark.parametrize(
        ("until", "last"),
        [
            ("20260304", "2026-03-04 08:00"),
            ("20260304T080000", "2026-03-04 08:00"),
            ("20260304T075959", "2026-03-03 08:00"),
            ("20260304T130000Z", "2026-03-04 08:00"),
            ("20260304T125959Z", "2026-03-03 08:00"),
        ],
    )
    def test_with_a_day_or_a_moment(self, until: str, last: str) -> None:
        assert local(timing(f"FREQ=DAILY;UNTIL={until}"), 9)[-1] == last


def problem_of(wanted: Timing) -> Any:
    with pytest.raises(Rejected) as refusal:
        check(wanted)
    return refusal.value.details.get("problem", refusal.value.code)


class TestRefusals:
    @pytest.mark.parametrize("frequency", ["SECONDLY", "MINUTELY", "HOURLY", "NEVER"])
    def test_too_often_by_name(self, frequency: str) -> None:
        assert problem_of(timing(f"FREQ={frequency}")) == "frequency-not-supported"

    @pytest.mark.parametrize(
        ("rule", "problem"),
        [
            ("", "not-a-rule"),
            ("BYDAY=MO", "frequency-not-supported"),
            ("FREQ=DAILY;FREQ=DAILY", "not-a-rule"),
            ("FREQ=DAILY;BYDAY=", "not-a-rule"),
            ("FREQ=DAILY;BYDAY=XX", "not-a-rule"),
            ("FREQ=DAILY;BYHOUR=25", "not-a-rule"),
            ("FREQ=DAILY;BYEASTER=1", "part-not-supported"),
            ("FREQ=DAILY;INTERVAL=0", "number-out-of-range"),
            ("FREQ=DAILY;COUNT=-1", "number-out-of-range"),
            ("FREQ=DAILY;COUNT=3;UNTIL=20260401", "count-and-until"),
            ("FREQ=DAILY;UNTIL=tomorrow", "until-invalid"),
            ("FREQ=DAILY;UNTIL=20261301", "not-a-rule"),
            ("FREQ=DAILY;UNTIL=20260301", "recurrence-without-occurrences"),
            ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "recurrence-without-occurrences"),
            ("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31;BYMONTH=4", "recurrence-without-occurrences"),
            ("FREQ=DAILY;BYHOUR=8,16", "recurrence-too-dense"),
            ("FREQ=DAILY;BYMONTH=1;BYHOUR=1,2,3,4,5,6,7,8,9,10,11,12", "recurrence-too-dense"),
        ],
    )
    def test_rules_that_mean_nothing_or_too_much(self, rule: str, problem: str) -> None:
        wanted = timing("FREQ=DAILY").model_copy(update={"rule": rule})
        assert problem_of(wanted) == problem

    @pytest.mark.parametrize("starts", ["2026-02-30T08:00", "2026-01-01T25:00", "2999-01-01T08:00"])
    def test_a_beginning_that_is_no_time(self, starts: str) -> None:
        assert problem_of(timing("FREQ=DAILY", starts)) == "not-a-rule"

    @pytest.mark.parametrize("zone", ["America/Macondo", "../etc/passwd", "UTC\x00"])
    def test_a_zone_that_is_nowhere(self, zone: str) -> None:
        assert problem_of(timing("FREQ=DAILY", zone=zone)) == "time-zone-unknown"

    @pytest.mark.parametrize("zone", [BOGOTA, NEW_YORK, "Europe/Madrid", "Australia/Lord_Howe"])
    def test_every_day_is_not_too_often(self, zone: str) -> None:
        check(timing("FREQ=DAILY", "2026-01-01T02:30", zone))

    def test_written_in_any_case_with_or_without_its_name(self) -> None:
        assert normal(" rrule:freq=daily ") == "FREQ=DAILY"


rules = st.builds(
    lambda frequency, interval, parts: ";".join([f"FREQ={frequency}", f"INTERVAL={interval}", *parts]),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    st.lists(
        st.sampled_from(["BYDAY=MO,TH", "BYMONTHDAY=1,15,31", "BYMONTH=1,2,6", "BYSETPOS=1", "WKST=SU"]),
        unique=True,
        max_size=3,
    ),
)
MINUTES = 10 * 365 * 24 * 60
days = st.integers(0, MINUTES).map(
    lambda n: (datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=n)).replace(tzinfo=None)
)


@settings(max_examples=60)
@having(rules, days)
def test_it_is_what_the_standard_says(rule: str, starts: datetime) -> None:
    """In a zone without summer time the library's own reckoning must come out, centuries moved or not."""
    try:
        expected = [one.replace(tzinfo=UTC) for one in islice(rrulestr(rule, dtstart=starts), 20)]
    except ValueError:
        return
    horizon = starts.replace(tzinfo=UTC) + timedelta(days=40 * 365)
    wanted = timing(rule, starts.strftime("%Y-%m-%dT%H:%M"), "UTC")
    assert between(wanted, datetime(2000, 1, 1, tzinfo=UTC), horizon)[:20] == [e for e in expected if e <= horizon]


@settings(max_examples=40)
@having(rules, days, st.sampled_from([BOGOTA, NEW_YORK, "Europe/Madrid"]))
def test_parts_of_time_make_up_the_whole(rule: str, starts: datetime, zone: str) -> None:
    wanted = timing(rule, starts.strftime("%Y-%m-%dT%H:%M"), zone)
    begin = starts.replace(tzinfo=UTC) - timedelta(days=1)
    middle, end = begin + timedelta(days=500), begin + timedelta(days=1_000)
    whole = between(wanted, begin, end)
    assert whole == [one for one in between(wanted, begin, middle) if one < middle] + between(wanted, middle, end)
    assert whole == sorted(set(whole))
    assert all(occurs(wanted, one) for one in whole[:3])
    later = [one for one in whole if one > middle]
    assert following(wanted, middle, len(later)) == later
