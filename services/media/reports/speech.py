"""Times, numbers, distances and sizes as people of a language write them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, tzinfo
from math import asin, atan2, cos, degrees, radians, sin, sqrt

from services.media.reports.paper import Language
from services.media.reports.words import words

EARTH_RADIUS_M = 6_371_008.8
_MONTHS: Mapping[Language, Sequence[str]] = {
    "es": ("ene", "feb", "mar", "abr", "may", "jun", "jul", "ago", "sep", "oct", "nov", "dic"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
_WINDS: Mapping[Language, Sequence[str]] = {
    "es": ("N", "NE", "E", "SE", "S", "SO", "O", "NO"),
    "en": ("N", "NE", "E", "SE", "S", "SW", "W", "NW"),
}
_POINT = str.maketrans(",.", ".,")


class Speech:
    """One language on the wall clock of one time zone; `word` holds the words of the reports themselves."""

    def __init__(self, language: Language, zone: tzinfo) -> None:
        self.language = language
        self.zone = zone
        self.word = words(language)

    def day(self, day: date) -> str:
        """12 nov 2026."""
        return f"{day.day} {_MONTHS[self.language][day.month - 1]} {day.year}"

    def clock(self, at: time) -> str:
        """08:05."""
        return f"{at:%H:%M}"

    def moment(self, at: datetime) -> str:
        """12 nov 2026, 08:05, on the wall clock."""
        local = at.astimezone(self.zone)
        return f"{self.day(local.date())}, {local:%H:%M}"

    def window(self, start: datetime | None, end: datetime | None) -> str:
        """From when to when; the day once where it is one."""
        if start is None or end is None:
            known = start or end
            return self.moment(known) if known else ""
        one, other = start.astimezone(self.zone), end.astimezone(self.zone)
        if one.date() == other.date():
            return f"{self.day(one.date())}, {one:%H:%M} – {other:%H:%M}"
        return f"{self.moment(start)} – {self.moment(end)}"

    def number(self, number: float, digits: int | None = None) -> str:
        """With the language's decimal point; thousands are parted from five digits on."""
        if digits is not None:
            text = f"{number:,.{digits}f}" if abs(number) >= 10_000 else f"{number:.{digits}f}"
        else:
            shown = int(number) if float(number).is_integer() and abs(number) < 1e15 else number
            text = f"{shown:,}" if abs(number) >= 10_000 else f"{shown}"
        return text.translate(_POINT) if self.language == "es" else text

    def distance(self, metres: float) -> str:
        """Metres, or kilometres from one on."""
        if round(metres) < 1_000:
            return f"{round(metres)} m"
        return f"{self.number(round(metres / 1_000, 1 if metres < 100_000 else None))} km"

    def size(self, count: int) -> str:
        """Bytes in the unit that fits."""
        if count < 1_000_000:
            return f"{self.number(max(1, round(count / 1_000)))} kB"
        return f"{self.number(count / 1_000_000, 1)} MB"

    def duration(self, seconds: float) -> str:
        """Minutes and seconds."""
        minutes, rest = divmod(round(seconds), 60)
        return f"{minutes}:{rest:02d} min" if minutes else f"{rest} s"

    def coordinates(self, lat: float, lon: float) -> str:
        """4,60971° N, 74,08175° O."""
        winds = _WINDS[self.language]
        north, east = winds[0] if lat >= 0 else winds[4], winds[2] if lon >= 0 else winds[6]
        return f"{self.number(abs(lat), 5)}° {north}, {self.number(abs(lon), 5)}° {east}"

    def wind(self, bearing: float) -> str:
        """The direction of a bearing in degrees, to the eighth of a circle."""
        return _WINDS[self.language][round(bearing / 45) % 8]


def way(lat: float, lon: float, to_lat: float, to_lon: float) -> tuple[float, float]:
    """How many metres from the first point to the second along the surface, and in which direction (degrees)."""
    one, other, across = radians(lat), radians(to_lat), radians(to_lon - lon)
    half = sin((other - one) / 2) ** 2 + cos(one) * cos(other) * sin(across / 2) ** 2
    metres = 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half)))
    east = sin(across) * cos(other)
    north = cos(one) * sin(other) - sin(one) * cos(other) * cos(across)
    return metres, degrees(atan2(east, north)) % 360


def map_link(lat: float, lon: float) -> str:
    """Where a browser shows the point."""
    return f"https://www.openstreetmap.org/?mlat={lat:.6f}&mlon={lon:.6f}#map=17/{lat:.6f}/{lon:.6f}"
