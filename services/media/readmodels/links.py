"""Public links as the account that made them sees them: how long they live, and who looked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.paging import Paged, every, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp
from services.media.domain.link_views import PublicLinkViewed
from services.media.domain.public_link import PublicLinkCreated, PublicLinkRevoked
from services.media.standing import demand

Document = dict[str, Any]
READ, EDIT = "links:read", "links:edit"
REMEMBERED = 50
"""So many views are shown one by one; all of them are counted, and stay in the log."""


class PublicLinks(ReadModel):
    """One document per link."""

    name = "public_links"
    categories = ("public_link", "link_views")
    indexes = (
        [("tenant", 1), ("created_at", -1), ("_id", 1)],
        [("tenant", 1), ("target_id", 1), ("created_at", -1), ("_id", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The link."""
        return [fact.event.link_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The link as it is now."""
        match fact.event:
            case PublicLinkCreated() as event:
                return {
                    "views": 0,
                    "last_viewed_at": None,
                    "seen": [],
                    **(doc or {}),
                    "target_kind": event.target.kind,
                    "target_id": event.target.id,
                    "created_by": event.created_by,
                    "created_at": stamp(fact.at),
                    "expires_at": stamp(event.expires_at),
                    "revoked": None,
                }
            case PublicLinkRevoked() as event if doc is not None:
                revoked = {"by": event.revoked_by, "at": stamp(fact.at), "reason": shown(event.reason)}
                return {**doc, "revoked": revoked}
            case PublicLinkViewed() as event if doc is not None:
                view = {"at": stamp(fact.at), "address": shown(event.address), "agent": shown(event.agent)}
                seen = [view, *doc["seen"]][:REMEMBERED]
                return {**doc, "views": event.number, "last_viewed_at": view["at"], "seen": seen}
            case _:
                return doc


class PublicLinksQuery(Paged):
    """A page of links, the newest first; of one thing, or only those that are open or ended."""

    target_id: str | None = None
    status: Literal["open", "ended"] | None = None


class PublicLinkQuery(Query):
    """One link."""

    link_id: str


def find_public_links(query: PublicLinksQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of links."""
    demand(ask.caller, READ, EDIT)
    now = stamp(ask.now)
    open_: Document = {"revoked": None, "expires_at": {"$gt": now}}
    ended: Document = {"$or": [{"revoked": {"$ne": None}}, {"expires_at": {"$lte": now}}]}
    wanted: list[Mapping[str, Any]] = []
    if query.target_id is not None:
        wanted.append({"target_id": query.target_id})
    if query.status is not None:
        wanted.append(open_ if query.status == "open" else ended)
    rows, following = page(ask, "public_links", every(*wanted), query, by=[("created_at", -1)])
    items = [{name: value for name, value in _told(row, ask.now).items() if name != "seen"} for row in rows]
    return {"items": items, "next": following}


def find_public_link(query: PublicLinkQuery, ask: Ask) -> Mapping[str, Any]:
    """One link with who looked of late."""
    demand(ask.caller, READ, EDIT)
    row: Document | None = ask.reads["public_links"].one(query.link_id)
    if row is None:
        raise Rejected("link-unknown", link_id=query.link_id)
    return _told(row, ask.now)


def _told(row: Document, now: datetime) -> Document:
    expired = row["expires_at"] <= stamp(now)
    status = "revoked" if row["revoked"] else "expired" if expired else "open"
    target = {"kind": row["target_kind"], "id": row["target_id"]}
    rest = {name: value for name, value in row.items() if not name.startswith("target_")}
    return {**rest, "target": target, "status": status}


QUERIES: Mapping[str, Answers] = {
    "public_links": (PublicLinksQuery, find_public_links),
    "public_link": (PublicLinkQuery, find_public_link),
}
