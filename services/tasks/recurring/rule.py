"""When recurring work occurs: rules of RFC 5545, reckoned on the wall clock of a time zone and told in UTC."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from services.kernel.domain import Rejected
from services.tasks.domain.recurrence import Timing

KNOWN = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYSETPOS", "BYHOUR", "BYMINUTE"}) | {
    f"BY{part}" for part in ("MONTH", "MONTHDAY", "YEARDAY", "WEEKNO", "DAY")
}
FREQUENCIES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
MOST_A_YEAR = 366
A_YEAR = timedelta(days=365) - timedelta(hours=3)
"""A little less, for the clock is put forward in between."""
_LATER = 7_600
"""Years. The calendar is the same after every 400, and the search for a date that does not exist ends in 9999."""
_UNTIL = re.compile(r"([0-9]{8})(?:T([0-9]{6})(Z?))?")
_NUMBER = re.compile(r"[1-9][0-9]{0,3}")


def normal(rule: str) -> str:
    """The rule as it is kept."""
    return rule.strip().upper().removeprefix("RRULE:")


def check(timing: Timing) -> None:
    """Refuse a zone or rule that means nothing, never comes true, or comes true too often."""
    try:
        first = list(islice(occurrences(timing), 3 * MOST_A_YEAR))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as broken:
        raise Rejected("recurrence-rule-invalid", problem="not-a-rule") from broken
    if not first:
        raise Rejected("recurrence-without-occurrences")
    if any(later - one < A_YEAR for one, later in zip(first, first[MOST_A_YEAR:], strict=False)):
        raise Rejected("recurrence-too-dense", most=MOST_A_YEAR)


def occurrences(timing: Timing) -> Iterator[datetime]:
    """Every time it occurs, in UTC, in order and each once. Raises Rejected for a rule that is not supported.

    A time that the clock jumps over when summer time begins is as much later; one that it shows twice
    when summer time ends is the first of the two.
    """
    zone = _zone(timing.zone)
    starts = datetime.fromisoformat(timing.starts)
    parts = _parts(timing.rule)
    until = _until(parts.pop("UNTIL", None), zone)
    count = int(parts.pop("COUNT", 0)) or None
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=_far(starts))
    assert isinstance(rule, rrule)
    local = (moment.replace(year=moment.year - _LATER) for moment in rule)
    within = takewhile(lambda moment: until is None or moment <= until, local)
    before: datetime | None = None
    for moment in islice(within, count):
        now = moment.replace(tzinfo=zone).astimezone(UTC)
        if before is None or now > before:
            yield now
            before = now


def between(timing: Timing, after: datetime, upto: datetime) -> list[datetime]:
    """Those that begin from `after` on and not later than `upto`."""
    return [one for one in takewhile(lambda one: one <= upto, occurrences(timing)) if one >= after]


def first(timing: Timing, most: int) -> list[datetime]:
    """The first ones."""
    return list(islice(occurrences(timing), most))


def following(timing: Timing, after: datetime, most: int = 1) -> list[datetime]:
    """The next ones that begin later than `after`."""
    return list(islice((one for one in occurrences(timing) if one > after), most))


def occurs(timing: Timing, start: datetime) -> bool:
    """Whether it occurs at this very time."""
    return start in between(timing, start, start)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as unknown:
        raise Rejected("time-zone-unknown", zone=name) from unknown


def _parts(rule: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in normal(rule).split(";")]
    parts = {name: value for name, _, value in pairs}
    if len(parts) != len(pairs) or not all(parts.values()):
        raise Rejected("recurrence-rule-invalid", problem="not-a-rule")
    if strange := sorted(parts.keys() - KNOWN):
        raise Rejected("recurrence-rule-invalid", problem="part-not-supported", parts=strange)
    if parts.get("FREQ") not in FREQUENCIES:
        raise Rejected("recurrence-rule-invalid", problem="frequency-not-supported")
    if "COUNT" in parts and "UNTIL" in parts:
        raise Rejected("recurrence-rule-invalid", problem="count-and-until")
    for name in ("INTERVAL", "COUNT"):
        if name in parts and not _NUMBER.fullmatch(parts[name]):
            raise Rejected("recurrence-rule-invalid", problem="number-out-of-range", parts=[name])
    return parts


def _until(text: str | None, zone: ZoneInfo) -> datetime | None:
    """On the wall clock; a day means all of it."""
    if text is None:
        return None
    said = _UNTIL.fullmatch(text)
    if said is None:
        raise Rejected("recurrence-rule-invalid", problem="until-invalid")
    day, time, utc = said.groups()
    moment = datetime.strptime(day + (time or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007 (the zone follows)
    return moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None) if utc else moment


def _far(moment: datetime) -> datetime:
    return moment.replace(year=moment.year + _LATER)
