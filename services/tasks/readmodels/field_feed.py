"""What devices are sent: tasks, customers, equipment, with the place in the log where each last changed, and for whom.

A device asks for what changed behind the place it has read to. That is safe because positions are without
gaps and in the order of commits: nothing can become visible behind a place that was read before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.commit import Recorded
from services.kernel.readmodel import ReadModel
from services.kernel.shown import NEVER, stamp, without
from services.tasks.readmodels.customers import Customers
from services.tasks.readmodels.register import EquipmentRegister
from services.tasks.readmodels.task_board import FOR_FINDING, card
from services.tasks.readmodels.task_detail import said

Document = dict[str, Any]
_FOR_FINDING = tuple(name for name in FOR_FINDING if name not in ("stages", "stage_names"))
COMES_ALONG: Mapping[str, ReadModel] = {"customer": Customers(), "equipment": EquipmentRegister()}
"""What is sent because a task names it, by its kind, and the model that says what it looks like."""


class FieldFeed(ReadModel):
    """One document per thing, named by kind and id: "task:…", "customer:…", "equipment:…"."""

    name = "field_feed"
    categories = ("task", *COMES_ALONG)
    indexes = (
        [("tenant", 1), ("ever", 1), ("pos", 1)],
        [("tenant", 1), ("whose", 1), ("_id", 1)],
        [("tenant", 1), ("kind", 1), ("pos", 1)],
        [("tenant", 1), ("names", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The one thing that it is about."""
        return [f"{fact.category}:{getattr(fact.event, fact.category + '_id')}"]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """What a device would be sent now."""
        if fact.category == "task":
            return _task(doc, fact)
        data = COMES_ALONG[fact.category].evolve(doc and doc["data"], fact)
        return None if data is None else {"kind": fact.category, "pos": fact.position, "data": data}


def _task(doc: Document | None, fact: Recorded) -> Document | None:
    data = card(doc and doc["data"], fact)
    if data is None:
        return None
    data = {"answers": [], "notes": [], **data}
    data |= said(data, fact)
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
        "names": [f"{kind}:{id}" for kind in COMES_ALONG if (id := data[f"{kind}_id"]) is not None],
        "begins": "" if data["starts"] == NEVER else data["starts"],
        "closed_at": closed_at,
        "data": data,
    }


def for_device(doc: Document) -> Document:
    """The thing without what is only there to find it."""
    if doc["kind"] == "task":
        return without(doc["data"], *_FOR_FINDING)
    return without(doc["data"], "sort", "terms")
