"""Where the customers' locations are, and which tasks are to be done within a piece of the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AwareDatetime, Field

from services.kernel.application import Answers, Ask
from services.kernel.commit import Recorded
from services.kernel.domain import Erased
from services.kernel.paging import every
from services.kernel.readmodel import ReadModel
from services.kernel.shown import stamp
from services.tasks.domain.customer import LocationAdded, LocationEdited, LocationRemoved
from services.tasks.readmodels.task_board import Chosen, chosen_filter, named
from services.tasks.standing import demand

Document = dict[str, Any]
MOST_PLACES = 5_000
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]


class Places(ReadModel):
    """One document per location of which the coordinates are known."""

    name = "places"
    categories = ("customer",)
    indexes = ([("tenant", 1), ("lat", 1), ("lon", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The location, if the fact is about one."""
        location_id = getattr(fact.event, "location_id", None)
        return [location_id] if location_id else []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """Where it is now."""
        match fact.event:
            case (
                LocationAdded(customer_id=customer_id, place=place)
                | LocationEdited(customer_id=customer_id, place=place)
            ):
                if isinstance(place, Erased) or place.position is None:
                    return None
                where = {"lat": place.position.lat, "lon": place.position.lon}
                return {"customer_id": customer_id, "name": place.name, **where}
            case LocationRemoved():
                return doc  # tasks that name the location keep doing so
            case _:
                return doc


class MapQuery(Chosen):
    """Tasks at places within these bounds, which may reach over the date line; with a time, those that touch it."""

    south: Latitude
    west: Longitude
    north: Latitude
    east: Longitude
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    to: AwareDatetime | None = None
    limit: Annotated[int, Field(ge=1, le=1_000)] = 500


def find_map(query: MapQuery, ask: Ask) -> Mapping[str, Any]:
    """Cards with where they are to be done; `more` says that there is more than what is shown."""
    demand(ask.caller, "tasks:read")
    lon = {"$gte": query.west, "$lte": query.east}
    across = {"$or": [{"lon": {"$gte": query.west}}, {"lon": {"$lte": query.east}}]}
    bounds = {"lat": {"$gte": query.south, "$lte": query.north}}
    within = {**bounds, "lon": lon} if query.west <= query.east else {**bounds, **across}
    places = {row["id"]: row for row in ask.reads["places"].find(within, limit=MOST_PLACES + 1)}
    wanted = [*chosen_filter(query, ask), {"location_id": {"$in": sorted(places)}}, *_touching(query)]
    if query.status:
        wanted.append({"status": {"$in": list(query.status)}})
    rows = ask.reads["task_board"].find(every(*wanted), sort=[("due", 1), ("_id", 1)], limit=query.limit + 1)
    more = len(rows) > query.limit or len(places) > MOST_PLACES
    cards = named(ask, rows[: query.limit])
    return {"items": [{**card, **_where(places[card["location_id"]])} for card in cards], "more": more}


def _touching(query: MapQuery) -> list[Document]:
    touching: list[Document] = []
    if query.to is not None:
        touching.append({"starts": {"$lt": stamp(query.to)}})
    if query.from_ is not None:
        touching.append({"ends": {"$gte": stamp(query.from_)}})
    return touching


def _where(place: Document) -> Document:
    return {"location_name": place["name"], "position": {"lat": place["lat"], "lon": place["lon"]}}


QUERIES: Mapping[str, Answers] = {"map": (MapQuery, find_map)}
