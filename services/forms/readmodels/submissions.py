"""Submissions: a card each for lists and queues, and the answers with every amendment for whoever opens one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from services.forms.domain.submission import readable
from services.forms.domain.submission_events import (
    FollowUpNeeded,
    MediaArrived,
    MediaRefused,
    SubmissionAmended,
    SubmissionCompleted,
    SubmissionDiscarded,
    SubmissionReceived,
    SubmissionReleased,
)
from services.forms.domain.values import Hash
from services.forms.standing import EDIT, EXECUTE, READ, check_seen, demand, people_seen
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.paging import Paged, every, page
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp, without

Document = dict[str, Any]
Status = Literal["accepted", "parked", "released", "discarded"]


class Submissions(ReadModel):
    """One card per submission, without what was answered."""

    name = "submissions"
    categories = ("submission",)
    indexes = (
        [("tenant", 1), ("received_at", -1), ("_id", 1)],
        [("tenant", 1), ("form_id", 1), ("received_at", -1), ("_id", 1)],
        [("tenant", 1), ("task_id", 1), ("received_at", -1), ("_id", 1)],
        [("tenant", 1), ("user_id", 1), ("received_at", -1), ("_id", 1)],
        [("tenant", 1), ("status", 1), ("received_at", -1), ("_id", 1)],
        [("tenant", 1), ("missing", 1)],
    )

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The submission."""
        return [fact.event.submission_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The card as it is now."""
        if isinstance(fact.event, SubmissionReceived):
            doc = _received(fact.event)
        if doc is None:
            return None
        return {**doc, **_changes(doc, fact), "version": fact.version, "updated_at": stamp(fact.at)}


def _received(event: SubmissionReceived) -> Document:
    return {
        "form_id": event.form_id,
        "form_version": event.version,
        "form_hash": event.hash,
        "task_id": event.task_id,
        "user_id": event.user_id,
        "device_id": event.device_id,
        "occurred_at": stamp(event.occurred_at),
        "utc_offset_min": event.utc_offset_min,
        "received_at": stamp(event.received_at),
        "offset_ms": event.offset_ms,
        "time_suspect": event.time_suspect,
        "status": "parked" if event.parked else "accepted",
        "parked": event.parked,
        "amendments": 0,
        "follow_ups": [],
        **_media(event),
    }


def _media(event: SubmissionReceived | SubmissionAmended) -> Document:
    ids = list(dict.fromkeys(medium.id for medium in event.media))
    missing = [id for id in ids if id not in event.arrived]
    return {
        "photos": event.photos,
        "signatures": event.signatures,
        "media_declared": len(ids),
        "media_arrived": len(ids) - len(missing),
        "missing": missing,
        "refused": {},
        "complete": event.complete,
    }


def _changes(doc: Document, fact: Recorded) -> Document:
    match fact.event:
        case SubmissionAmended(amendment=amendment):
            return {"amendments": amendment, **_media(fact.event)}
        case MediaArrived(media_id=media_id):
            return {
                "media_arrived": doc["media_arrived"] + 1,
                "missing": [id for id in doc["missing"] if id != media_id],
                "refused": without(doc["refused"], media_id),
            }
        case MediaRefused(media_id=media_id, code=code):
            return {"refused": {**doc["refused"], media_id: code}}
        case SubmissionCompleted():
            return {"complete": True}
        case SubmissionReleased():
            return {"status": "released"}
        case SubmissionDiscarded():
            return {"status": "discarded"}
        case FollowUpNeeded(field=field):
            return {"follow_ups": [*doc["follow_ups"], field]}
        case _:
            return {}


class SubmissionAnswers(ReadModel):
    """One document per submission: what was answered, from the original to what counts now."""

    name = "submission_answers"
    categories = ("submission",)
    indexes = ([("tenant", 1), ("form_id", 1), ("_id", 1)], [("tenant", 1), ("media.id", 1)])

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The submission."""
        return [fact.event.submission_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """All its answers so far."""
        match fact.event:
            case SubmissionReceived() as event:
                return {
                    "form_id": event.form_id,
                    "form_version": event.version,
                    "answers": readable(event.answers),
                    "original": readable(event.answers),
                    "findings": "[]" if isinstance(event.findings, Erased) else event.findings,
                    "place": place.model_dump() if (place := shown(event.place)) is not None else None,
                    "media": [medium.model_dump() for medium in event.media],
                    "amendments": [],
                    "decision": None,
                }
            case SubmissionAmended() as event if doc is not None:
                amendment = {
                    "number": event.amendment,
                    "by": event.amended_by,
                    "at": stamp(fact.at),
                    "reason": shown(event.reason),
                    "answers": readable(event.answers),
                }
                media = [medium.model_dump() for medium in event.media]
                answers = readable(event.answers)
                return {**doc, "answers": answers, "media": media, "amendments": [*doc["amendments"], amendment]}
            case SubmissionReleased() as event if doc is not None:
                decision = _decision("released", event.released_by, event.reason, fact)
                return {**doc, "answers": readable(event.answers), "decision": decision}
            case SubmissionDiscarded() as event if doc is not None:
                return {**doc, "decision": _decision("discarded", event.discarded_by, event.reason, fact)}
            case _:
                return doc


def _decision(what: str, by: str, reason: str | Erased, fact: Recorded) -> Document:
    return {"what": what, "by": by, "reason": shown(reason), "at": stamp(fact.at)}


class SubmissionsQuery(Paged):
    """A page of submissions, the latest first; each filter narrows."""

    form_id: str | None = None
    task_id: str | None = None
    user_id: str | None = None
    device_id: str | None = None
    status: tuple[Status, ...] = ()
    parked: str | None = None
    complete: bool | None = None
    from_: Annotated[AwareDatetime | None, Field(alias="from")] = None
    to: AwareDatetime | None = None


class SubmissionQuery(Query):
    """One submission."""

    submission_id: str


class MediaUseQuery(Query):
    """A media item, by its name."""

    media_id: Hash


_EQUAL = ("form_id", "task_id", "user_id", "device_id", "parked", "complete")


def narrowed(query: SubmissionsQuery, ask: Ask) -> Mapping[str, Any]:
    """What a query chooses of what its caller sees, as a filter of cards."""
    equal = {name: value for name in _EQUAL if (value := getattr(query, name)) is not None}
    wanted: list[Mapping[str, Any]] = [_seen(ask), equal]
    if query.status:
        wanted.append({"status": {"$in": list(query.status)}})
    if query.from_ is not None:
        wanted.append({"received_at": {"$gte": stamp(query.from_)}})
    if query.to is not None:
        wanted.append({"received_at": {"$lt": stamp(query.to)}})
    return every(*wanted)


def find_submissions(query: SubmissionsQuery, ask: Ask) -> Mapping[str, Any]:
    """A page of cards."""
    demand(ask.caller, READ, EXECUTE)
    rows, following = page(ask, "submissions", narrowed(query, ask), query, by=[("received_at", -1)])
    return {"items": rows, "next": following}


def find_submission(query: SubmissionQuery, ask: Ask) -> Mapping[str, Any]:
    """One submission in full: what counts, the original, every amendment, and how its media stand."""
    card = _card(query.submission_id, ask)
    full: Document = ask.reads["submission_answers"].one(query.submission_id) or {}
    amendments = [{**one, "answers": json.loads(one["answers"])} for one in full.get("amendments", ())]
    media = [
        {**one, "status": _standing(card, one["id"]), "code": card["refused"].get(one["id"])}
        for one in full.get("media", ())
    ]
    return {
        **card,
        "answers": json.loads(full.get("answers", "{}")),
        "original": json.loads(full.get("original", "{}")),
        "findings": json.loads(full.get("findings", "[]")),
        "place": full.get("place"),
        "decision": full.get("decision"),
        "amendments": amendments,
        "amendment_count": card["amendments"],
        "media": media,
    }


def _standing(card: Document, media_id: str) -> str:
    if media_id not in card["missing"]:
        return "stored"
    return "rejected" if media_id in card["refused"] else "missing"


def find_status(query: SubmissionQuery, ask: Ask) -> Mapping[str, Any]:
    """How far a submission has come: a device deletes its own copy only after it reads `safe`."""
    card = _card(query.submission_id, ask)
    names = ("id", "status", "parked", "complete", "media_declared", "media_arrived", "missing", "refused", "version")
    return {**{name: card[name] for name in names}, "safe": card["complete"]}


def find_media_use(query: MediaUseQuery, ask: Ask) -> Mapping[str, Any]:
    """Whether any answers name a media item; asked before its bytes are given up."""
    if ask.caller.role != "system":
        raise Rejected("forbidden")
    return {"used": bool(ask.reads["submission_answers"].find({"media.id": query.media_id}, limit=1))}


def _card(submission_id: str, ask: Ask) -> Document:
    demand(ask.caller, READ, EXECUTE, EDIT)
    card: Document | None = ask.reads["submissions"].one(submission_id)
    if card is None:
        raise Rejected("submission-unknown", submission_id=submission_id)
    check_seen(ask, submission_id, card["user_id"])
    return card


def _seen(ask: Ask) -> Mapping[str, Any]:
    seen = people_seen(ask)
    return {} if seen is None else {"user_id": {"$in": sorted(seen)}}


QUERIES: Mapping[str, Answers] = {
    "submissions": (SubmissionsQuery, find_submissions),
    "submission": (SubmissionQuery, find_submission),
    "submission_status": (SubmissionQuery, find_status),
    "media_use": (MediaUseQuery, find_media_use),
}
