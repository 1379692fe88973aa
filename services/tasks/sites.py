"""Where the work is: the points on the map that tasks are tied to, for those who judge whether somebody was there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import Field

from services.kernel.application import Answers, Ask, Query
from services.tasks.domain.customer import Place, customer
from services.tasks.domain.task import task
from services.tasks.domain.task_events import Task
from services.tasks.standing import demand

AT_ONCE = 500
TaskIds = Annotated[tuple[str, ...], Field(max_length=AT_ONCE)]


class SitesQuery(Query):
    """Of which tasks."""

    task_ids: TaskIds


def find_sites(query: SitesQuery, ask: Ask) -> Mapping[str, Any]:
    """By task id; nothing for a task that is not there, or without a place that is on the map."""
    demand(ask.caller, "tasks:execute")
    return {"sites": sites(ask, query.task_ids)}


def sites(ask: Ask, task_ids: Iterable[str]) -> dict[str, dict[str, float]]:
    """The same for the service itself."""
    found = {}
    for task_id in sorted(set(task_ids)):
        known: Task = ask.state(task, task_id)
        if known.customer_id is None or known.location_id is None:
            continue
        place = ask.state(customer, known.customer_id).locations.get(known.location_id)
        if isinstance(place, Place) and place.position is not None:
            found[task_id] = {"lat": place.position.lat, "lon": place.position.lon}
    return found


QUERIES: Mapping[str, Answers] = {"sites": (SitesQuery, find_sites)}
