"""What devices are sent: every task and customer with the place in the log where it last changed, and for whom.

A device asks for what changed behind the place it has read to. That is safe because positions are without
gaps and in the order of commits: nothing can become visible behind a place that was read before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.kernel.commit import Recorded
from services.kernel.projection import ReadModel
from services.kernel.shown import NEVER, stamp, without
from services.tasks.readmodels.customers import Customers
from services.tasks.readmodels.task_board import FOR_FINDING, card
from services.tasks.readmodels.task_detail import described

Document = dict[str, Any]
_FOR_FINDING = tuple(name for name in FOR_FINDING if name not in ("stages", "stage_names"))
_customers = Customers()


class FieldFeed(ReadModel):
    """One document per task ("task:<id>") and per customer ("customer:<id>")."""

    name = "field_feed"
    categories = ("task", "customer")
    indexes = (
        [("tenant", 1), ("ever", 1), ("pos", 1)],
        [("tenant", 1), ("whose", 1), ("_id", 1)],
        [("tenant", 1), ("kind", 1), ("pos", 1)],
        [("tenant", 1), ("customer_id", 1), ("whose", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The task or customer."""
        if fact.category == "task":
            return [f"task:{fact.event.task_id}"]
        return [f"customer:{fact.event.customer_id}"]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """What a device would be sent now."""
        if fact.category == "customer":
            return _customer(doc, fact)
        return _task(doc, fact)


def _customer(doc: Document | None, fact: Recorded) -> Document | None:
    data = _customers.evolve(doc and doc["data"], fact)
    return None if data is None else {"kind": "customer", "pos": fact.position, "data": data}


def _task(doc: Document | None, fact: Recorded) -> Document | None:
    before = doc and doc["data"]
    data = card(before, fact)
    if data is None:
        return None
    data |= described(fact.event)
    whose = [id for id in (data["user_id"], data["team_id"]) if id is not None]
    closed_before = (doc or {}).get("closed_at", NEVER)
    closed_at = NEVER
    if data["status"] in ("completed", "cancelled"):
        closed_at = stamp(fact.at) if closed_before == NEVER else closed_before
    return {
        "kind": "task",
        "pos": fact.position,
        "whose": whose,
        "ever": sorted({*whose, *((doc or {}).get("ever", ()))}),
        "customer_id": data["customer_id"],
        "begins": "" if data["starts"] == NEVER else data["starts"],
        "closed_at": closed_at,
        "data": data,
    }


def for_device(doc: Document) -> Document:
    """The task or customer without what is only there to find it."""
    if doc["kind"] == "task":
        return without(doc["data"], *_FOR_FINDING)
    return without(doc["data"], "sort", "terms")
