"""Media items: a card each for lists, one in full for whoever opens it, and the way to its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.paging import Paged, every, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp
from services.media.domain.medium import (
    MediaForgotten,
    MediaRejected,
    MediaStored,
    MediaWithdrawn,
)
from services.media.domain.values import KINDS, Hash, Id, Kind, Rendering, hex_of
from services.media.keeping import ticket
from services.media.readmodels.uses import uses_of
from services.media.standing import READ, check_medium_seen, demand, people_seen

Document = dict[str, Any]
MOST_OF_A_TASK = 5_000


class Media(ReadModel):
    """One card per item that was ever looked at."""

    name = "media"
    categories = ("medium",)
    indexes = (
        [("tenant", 1), ("stored_at", -1), ("_id", 1)],
        [("tenant", 1), ("kind", 1), ("stored_at", -1), ("_id", 1)],
        [("tenant", 1), ("uploaded_by", 1), ("stored_at", -1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The item."""
        return [hex_of(fact.event.media_id)]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The card as it is now; of what is not kept any more there is none."""
        match fact.event:
            case MediaStored() as event:
                return {"status": "stored", **_card(event)}
            case MediaRejected(code=code):
                return {"status": "rejected", "code": code, "media_id": fact.event.media_id}
            case MediaWithdrawn() if doc is not None:
                return {**doc, "status": "withdrawn"}
            case MediaForgotten():
                return None
            case _:
                return doc


def _card(event: MediaStored) -> Document:
    return {
        "media_id": event.media_id,
        "kind": KINDS[event.type],
        "type": event.type,
        "bytes": event.bytes,
        "width": event.width,
        "height": event.height,
        "seconds": event.seconds,
        "renditions": ["original", *(rendition.name for rendition in event.renditions)],
        "uploaded_by": event.uploaded_by,
        "stored_at": stamp(event.stored_at),
    }


class MediaQuery(Paged):
    """A page of stored items, the latest first; each filter narrows."""

    task_id: Id | None = None
    submission_id: Id | None = None
    user_id: Id | None = None
    kind: Kind | None = None


class MediumQuery(Query):
    """One item."""

    media_id: Hash


class FileQuery(MediumQuery):
    """One file of an item."""

    rendition: Literal["original"] | Rendering = "original"


def find_media(query: MediaQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of cards."""
    demand(ask.caller, READ)
    wanted: list[Mapping[str, Any]] = [{"status": "stored"}]
    seen = people_seen(ask)
    if query.task_id is not None or query.submission_id is not None:
        wanted.append({"media_id": {"$in": _used_in(query, ask, seen)}})
    elif seen is not None:
        wanted.append({"uploaded_by": {"$in": sorted(seen)}})
    if query.user_id is not None:
        wanted.append({"uploaded_by": query.user_id})
    if query.kind is not None:
        wanted.append({"kind": query.kind})
    rows, following = page(ask, "media", every(*wanted), query, by=[("stored_at", -1)])
    return {"items": [_shown(row) for row in rows], "next": following}


def _used_in(query: MediaQuery, ask: Ask, seen: frozenset[str] | None) -> list[str]:
    uses = ask.reads["uses"]
    if query.submission_id is not None:
        one = uses.one(query.submission_id)
        found = [one] if one and query.task_id in (None, one["task_id"]) else []
    else:
        found = uses.find({"task_id": query.task_id}, sort=[("at", -1)], limit=MOST_OF_A_TASK)
    return sorted({item["id"] for use in found if seen is None or use["user_id"] in seen for item in use["media"]})


def _shown(row: Document) -> Document:
    return {**row, "id": row["media_id"]}


def find_medium(query: MediumQuery, ask: Ask) -> Mapping[str, Any]:
    """One item in full: what it is, where it is used, and what the camera wrote into it."""
    known = check_medium_seen(ask, query.media_id)
    base: Document = {"id": query.media_id, "media_id": query.media_id, "status": known.status}
    if known.stored is None:
        return {**base, "code": known.code or None}
    taken = shown(known.stored.taken)
    return {
        **base,
        **_card(known.stored),
        "name": shown(known.stored.name) or None,
        "taken": taken.model_dump() if taken is not None else None,
        "files": _files(known.stored),
        "uses": uses_of(ask, query.media_id),
    }


_MEASURES = {"type", "bytes", "width", "height"}


def _files(stored: MediaStored) -> list[Document]:
    return [
        {"rendition": "original", **stored.model_dump(include=_MEASURES)},
        *({"rendition": one.name, **one.model_dump(include=_MEASURES)} for one in stored.renditions),
    ]


def find_file(query: FileQuery, ask: Ask) -> Mapping[str, Any]:
    """The ticket of a file: what it takes to read one sealed object, and nothing else."""
    return ticket(ask, check_medium_seen(ask, query.media_id), query.rendition)


QUERIES: Mapping[str, Answers] = {
    "media": (MediaQuery, find_media),
    "medium": (MediumQuery, find_medium),
    "media_file": (FileQuery, find_file),
}
