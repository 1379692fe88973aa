"""Media and the submissions that wait for them: whoever comes second, they find each other, and the question judges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from services.forms.contents import PLANS
from services.forms.domain.form import Form, form
from services.forms.domain.form_content import id_of
from services.forms.domain.judging import refusal_of
from services.forms.domain.limits import bounds_of
from services.forms.domain.medium import Medium, RejectMedium, StoreMedium, WithdrawMedium, medium
from services.forms.domain.schema import MediaField
from services.forms.domain.submission import ArriveMedia, RefuseMedia, submission
from services.forms.domain.submission_events import Submission
from services.forms.standing import EXECUTE, READ, demand
from services.kernel.application import Answers, Ask, Query
from services.kernel.domain import Command, Rejected

Fields = Mapping[str, Any]


class MediaLimitsQuery(Query):
    """A question of a version of a form."""

    form_id: str
    version: int
    field: str


def find_media_limits(query: MediaLimitsQuery, ask: Ask) -> Fields:
    """What the question allows of its files, so that a client need not send what would be refused."""
    demand(ask.caller, EXECUTE, READ)
    known: Form = ask.state(form, query.form_id)
    version = known.named(query.version, None)
    plan = PLANS.of(ask, version.hash) if version is not None else None
    if plan is None:
        raise Rejected("form-version-unknown", form_id=query.form_id, version=query.version)
    asked = plan.by_name.get(query.field)
    if asked is None or not isinstance(asked.item, MediaField):
        raise Rejected("field-unknown", field=query.field)
    bounds = bounds_of(asked.item)
    return {**asdict(bounds), "types": list(bounds.types)}


def media_stored(ask: Ask) -> Fields:
    """The bytes are there and verified."""
    return _noted(ask, ask.make(StoreMedium, ask.data))


def media_rejected(ask: Ask) -> Fields:
    """The bytes were not accepted."""
    return _noted(ask, ask.make(RejectMedium, ask.data))


def media_withdrawn(ask: Ask) -> Fields:
    """The bytes were of no use to anybody for long and will go; what is handed in from now on waits for them anew."""
    return _noted(ask, ask.make(WithdrawMedium, ask.data))


def settle_media(ask: Ask) -> Fields:
    """Tell submissions how their media stand: those named, or all that wait for one item."""
    _check_system(ask)
    if media_id := ask.data.get("media_id"):
        waiting = ask.reads["submissions"].find({"missing": str(media_id)})
        pairs = [(doc["id"], str(media_id)) for doc in waiting]
    else:
        pairs = [(str(ask.data["submission_id"]), str(id)) for id in ask.data["media_ids"]]
    _tell(ask, pairs)
    return {}


def _noted(ask: Ask, command: Command) -> Fields:
    _check_system(ask)
    assert isinstance(command, StoreMedium | RejectMedium | WithdrawMedium)
    return ask.handle(medium, id_of(command.media_id), command, part="medium").to_wire()


def _tell(ask: Ask, pairs: Iterable[tuple[str, str]]) -> None:
    for submission_id, media_id in pairs:
        known: Medium = ask.state(medium, id_of(media_id))
        if known.status == "none":
            continue
        ask.handle(
            submission,
            submission_id,
            partial(_verdict, ask, submission_id, media_id),
            part=f"{submission_id}/{media_id}/{known.status}",
        )


def _verdict(ask: Ask, submission_id: str, media_id: str) -> Command:
    """The file counts when it is within what the version asks for at every place where the answers name it."""
    known: Medium = ask.state(medium, id_of(media_id))
    code: str | None = known.code
    if known.status == "stored":
        waiting: Submission = ask.state(submission, submission_id)
        plan = PLANS.of(ask, waiting.hash) if waiting.hash else None
        code = refusal_of(plan, waiting.places.get(media_id, ()), known.facts)
    named = {"submission_id": submission_id, "media_id": media_id}
    return ask.make(RefuseMedia, {**named, "code": code}) if code else ask.make(ArriveMedia, named)


def _check_system(ask: Ask) -> None:
    if ask.caller.role != "system":
        raise Rejected("forbidden")


QUERIES: Mapping[str, Answers] = {"media_limits": (MediaLimitsQuery, find_media_limits)}
