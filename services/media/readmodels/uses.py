"""Which answers name which evidence. A use is never taken back: what was handed in once stays to be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.kernel.application import Ask
from services.kernel.commit import Recorded
from services.kernel.readmodel import ReadModel
from services.kernel.shown import stamp
from services.media.incoming import Answered

Document = dict[str, Any]
MOST_SHOWN = 100


class Uses(ReadModel):
    """One document per submission that names any: every item that its answers ever named, and where."""

    name = "uses"
    indexes = (
        [("tenant", 1), ("media.id", 1), ("at", -1)],
        [("tenant", 1), ("task_id", 1)],
        [("tenant", 1), ("form_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The submission, if it has any."""
        return [fact.event.submission_id] if fact.event.media else []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """With what these answers name beyond those before."""
        event: Answered = fact.event
        named = [] if doc is None else doc["media"]
        more = [item.model_dump() for item in event.media]
        return {
            "form_id": event.form_id,
            "task_id": event.task_id,
            "user_id": event.user_id,
            "at": stamp(fact.at) if doc is None else doc["at"],
            "media": [*named, *(item for item in more if item not in named)],
        }


def uses_of(ask: Ask, media_id: str) -> list[Document]:
    """Where an item is used, the latest first: submission, task, who handed it in, at which questions."""
    found = ask.reads["uses"].find({"media.id": media_id}, sort=[("at", -1)], limit=MOST_SHOWN)
    return [
        {
            "submission_id": doc["id"],
            "form_id": doc["form_id"],
            "task_id": doc["task_id"],
            "user_id": doc["user_id"],
            "at": doc["at"],
            "fields": [{"path": item["path"], "kind": item["kind"]} for item in doc["media"] if item["id"] == media_id],
        }
        for doc in found
    ]
