"""Who did what, when, from where: every action in the account, of whichever service, as it came by the broker.

Documents hold ids and open facts only. Names and addresses are looked up when the history is read, so what
has been erased there is gone here too.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import orjson
from pydantic import AwareDatetime, Field

from services.identity.domain.staff import STAFF_COMPANY
from services.kernel.application import Answers, Ask
from services.kernel.commit import PLATFORM, Recorded
from services.kernel.exporting.cells import harmless
from services.kernel.paging import Paged, every, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import stamp

_MODULES: Mapping[str, str] = {
    "account": "accounts",
    "user": "users",
    "seat_pool": "seats",
    "subscription": "billing",
    "invoice": "billing",
    "customer_account": "billing",
    "dunning_case": "billing",
    "session": "sessions",
    "device": "sessions",
    "team": "teams",
    "profile": "profiles",
    "api_token": "tokens",
    "task": "tasks",
    "process": "processes",
    "status_list": "processes",
    "customer": "customers",
    "customer_code": "customers",
    "form": "forms",
    "form_content": "forms",
    "submission": "submissions",
    "medium": "submissions",
    "import_job": "imports",
    "export": "exports",
}

STAFF = "staff:"
"""How the gateway names the platform's own people where they act upon a customer's account."""

_NO_ACTION = frozenset(
    {
        "OriginObserved",
        "SessionRefreshed",
        "UserEpochRaised",
        "ApiTokenUsed",
        "PasswordRehashed",
        "ExportStarted",
        "ExportRowsWritten",
        "FormContentKept",
        "MediaArrived",
        "MediumStored",
    }
)
"""Facts that keep the machinery going; nobody did anything."""


class History(ReadModel):
    """One document per action."""

    name = "history"
    indexes = (
        [("tenant", 1), ("at", -1), ("fact", -1)],
        [("tenant", 1), ("actor", 1), ("at", -1), ("fact", -1)],
        [("tenant", 1), ("type", 1), ("at", -1), ("fact", -1)],
    )

    def keys(self, fact: Recorded) -> list[str]:
        """The action itself; what belongs to no account is nobody's history."""
        return [] if fact.tenant == PLATFORM or fact.type in _NO_ACTION else [fact.id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """It happened, and never changes."""
        return {
            "fact": fact.id,
            "at": stamp(fact.at),
            "actor": fact.actor,
            "origin": fact.origin,
            "service": fact.service,
            "module": _MODULES.get(fact.category, fact.category),
            "type": fact.type,
            "stream": fact.stream,
            "version": fact.version,
            "correlation_id": fact.correlation_id,
            # As text: a detail's keys may be anything, a document's keys may not.
            "detail": orjson.dumps(dict(fact.data)).decode(),
        }


class FindHistory(Paged):
    """What to show; `since` is included, `until` is not."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    actor: Annotated[str, Field(max_length=80)] | None = None
    service: Annotated[str, Field(max_length=40)] | None = None
    module: Annotated[str, Field(max_length=40)] | None = None
    type: Annotated[str, Field(max_length=80)] | None = None
    limit: Annotated[int, Field(ge=1, le=500)] = 100


def find_history(query: FindHistory, ask: Ask) -> dict[str, Any]:
    """A page, newest first, with names and addresses as they are known today."""
    rows, following = _page(query, ask)
    return {"items": list(_told(rows, ask)), "next": following}


def history_csv(query: FindHistory, ask: Ask) -> dict[str, Any]:
    """The same page as CSV text; the header stands in the first one only."""
    rows, following = _page(query, ask)
    out = io.StringIO()
    writer = csv.writer(out)
    if query.cursor is None:
        writer.writerow(["time", "actor", "name", "service", "module", "action", "detail", "ip"])
    for entry in _told(rows, ask):
        detail = orjson.dumps(entry["detail"]).decode()
        cells = [entry[k] for k in ("at", "actor", "actor_name", "service", "module", "type")]
        writer.writerow([harmless(cell or "") for cell in [*cells, detail, entry["ip"]]])
    return {"text": out.getvalue(), "next": following}


def _page(query: FindHistory, ask: Ask) -> tuple[list[dict[str, Any]], str | None]:
    exact = {k: v for k in ("actor", "service", "module", "type") if (v := getattr(query, k)) is not None}
    since = {"at": {"$gte": stamp(query.since)}} if query.since else {}
    until = {"at": {"$lt": stamp(query.until)}} if query.until else {}
    return page(ask, "history", every(exact, since, until), query, by=[("at", -1), ("fact", -1)])


def _told(rows: list[dict[str, Any]], ask: Ask) -> Iterable[dict[str, Any]]:
    actors = list({row["actor"] for row in rows})
    origins = list({row["origin"] for row in rows if row["origin"]})
    names = {p["user_id"]: p["name"] for p in ask.reads["users"].find({"user_id": {"$in": actors}})}
    seen = {o["origin_id"]: o for o in ask.reads["origins"].find({"origin_id": {"$in": origins}})}
    for row in rows:
        where = seen.get(row["origin"], {})
        yield {
            "at": row["at"],
            "actor": row["actor"],
            "actor_name": STAFF_COMPANY if row["actor"].startswith(STAFF) else names.get(row["actor"]),
            "ip": where.get("ip"),
            "api_token": where.get("token_id"),
            "service": row["service"],
            "module": row["module"],
            "type": row["type"],
            "stream": row["stream"],
            "version": row["version"],
            "correlation_id": row["correlation_id"],
            "detail": orjson.loads(row["detail"]),
        }


QUERIES: Mapping[str, Answers] = {"history": (FindHistory, find_history), "history_csv": (FindHistory, history_csv)}
