"""The account's catalogue of services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask
from services.kernel.commit import Recorded
from services.kernel.paging import Paged, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import searchable, shown, without
from services.tasks.domain.service import ServiceActivated, ServiceAdded, ServiceDeactivated, ServiceRenamed
from services.tasks.standing import demand

Document = dict[str, Any]


class ServiceCatalogue(ReadModel):
    """One document per entry."""

    name = "service_catalogue"
    categories = ("service",)
    indexes = ([("tenant", 1), ("sort", 1), ("_id", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The entry."""
        return [fact.event.service_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The entry as it is now."""
        changed = {**(doc or {"active": True}), "version": fact.version}
        match fact.event:
            case ServiceAdded(name=name) | ServiceRenamed(name=name):
                return {**changed, "name": shown(name), "sort": searchable(name)}
            case ServiceActivated():
                return {**changed, "active": True}
            case ServiceDeactivated():
                return {**changed, "active": False}
            case _:
                return changed


class ServicesQuery(Paged):
    """The catalogue by name; what is switched off too unless `active` says otherwise."""

    active: bool | None = None


def find_services(query: ServicesQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of the catalogue."""
    demand(ask.caller, "processes:read")
    wanted = {} if query.active is None else {"active": query.active}
    rows, following = page(ask, "service_catalogue", wanted, query, by=[("sort", 1)])
    return {"items": [without(row, "sort") for row in rows], "next": following}


QUERIES: Mapping[str, Answers] = {"services": (ServicesQuery, find_services)}
