"""The length of a line between points that are written as `latitude longitude [altitude accuracy]`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import asin, cos, isfinite, nan, radians, sin, sqrt

EARTH_RADIUS_M = 6_378_100.0


def distance(points: Sequence[str]) -> float:
    """Metres along the points; not a number when one of them is no point. Points may stand in one text, by `;`."""
    places = [place_of(part) for text in points for part in text.split(";") if part.strip()]
    if any(place is None for place in places):
        return nan
    return sum(between(a, b) for a, b in pairwise(places) if a and b)


def place_of(text: str) -> tuple[float, float] | None:
    """Latitude and longitude of a written point; None when it is none."""
    try:
        lat, lon = (float(part) for part in text.split()[:2])
    except ValueError:
        return None
    return (lat, lon) if isfinite(lat) and isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180 else None


def between(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres along the surface (haversine)."""
    lat1, lat2 = radians(one[0]), radians(other[0])
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(radians(other[1] - one[1]) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(min(1.0, half)))
