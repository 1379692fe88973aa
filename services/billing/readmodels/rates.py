"""The catalogue and the number ranges, for the staff; as of now, from the log itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.billing.asking import STAFF, demand, the_catalog
from services.billing.domain.number_range import NumberRange, number_range
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import PLATFORM


class CatalogQuery(Query):
    """All prices and tax treatments."""


class RangeQuery(Query):
    """The number range of one prefix."""

    prefix: str


def find_catalog(query: CatalogQuery, ask: Ask) -> Mapping[str, Any]:
    """In the order of their entry."""
    demand(ask.caller, STAFF)
    known = the_catalog(ask)
    return {
        "prices": [price.model_dump(mode="json") for price in known.prices],
        "taxes": [tax.model_dump(mode="json") for tax in known.taxes],
    }


def find_range(query: RangeQuery, ask: Ask) -> Mapping[str, Any]:
    """What is authorised, how much of it is left, which alarms are out."""
    demand(ask.caller, STAFF)
    state: NumberRange = ask.state(number_range, query.prefix, tenant=PLATFORM)
    return {
        "authorised": [{**a.model_dump(mode="json"), "left": a.last - state.used_up_to(a)} for a in state.authorised],
        "low": sorted(state.low),
        "expiring": sorted(state.expiring),
    }


QUERIES: Mapping[str, Answers] = {"catalog": (CatalogQuery, find_catalog), "number_range": (RangeQuery, find_range)}
