"""Answers handed in, online or by a device that was offline: judged by the version they name, never dropped."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import AwareDatetime, Field, StringConstraints

from services.forms.asking import M, checked
from services.forms.contents import PLANS
from services.forms.domain.form import Form, Number, form
from services.forms.domain.form_content import id_of
from services.forms.domain.judging import Circumstances, Judged, judge, refusal_of
from services.forms.domain.medium import Medium, medium
from services.forms.domain.plan import Plan
from services.forms.domain.reading import MEDIA_TYPE
from services.forms.domain.schema import canonical
from services.forms.domain.submission import readable, submission
from services.forms.domain.submission_events import (
    DeclaredMedium,
    Parked,
    Submission,
    SubmissionAmended,
    SubmissionReceived,
)
from services.forms.domain.values import Hash, Id, Place, Reason, Value
from services.forms.expressions import When
from services.forms.standing import EDIT, EXECUTE, check_seen, demand, held_seat, zone_of
from services.kernel.application import Ask, Query
from services.kernel.domain import Erased, Rejected

Fields = Mapping[str, Any]
MAX_ANSWERS = 1024 * 1024
_PATH = re.compile(r"[A-Za-z0-9_/-]{1,200}")
CLOCK_TOLERANCE = timedelta(minutes=5)

UNHEARD = frozenset({"received_at", "offset_ms", "site", "quarantine"})
"""What is found out anew each time a device sends the same command; it is no part of what the device asks."""


class FormRef(Value):
    """The exact version that was filled in."""

    id: Id
    version: Number
    hash: Hash | None = None


class ManifestItem(Query):
    """A media item as a device lists it beside the answers."""

    id: Hash
    bytes: Annotated[int, Field(ge=1)]
    type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    field: str | None = None

    def declared(self) -> DeclaredMedium:
        """As a fact says it in the open: where it is not of a form's making, nothing that a person typed."""
        kind = self.type if MEDIA_TYPE.fullmatch(self.type) else "application/octet-stream"
        path = self.field if self.field and _PATH.fullmatch(self.field) else ""
        return DeclaredMedium(id=self.id, bytes=self.bytes, type=kind, path=path, kind="unknown")


class Answered(Query):
    """What is handed in, whoever hands it in; `site` is where its task is, as the service of tasks says."""

    submission_id: Id
    form: FormRef
    task_id: Id | None = None
    answers: dict[str, Any]
    media: Annotated[tuple[ManifestItem, ...], Field(max_length=2_000)] = ()
    place: Place | None = None
    site: Place | None = None
    occurred_at: AwareDatetime | None = None


class FromDevice(Answered):
    """The same out of a device's queue, with what its exchange with the server showed of its clock."""

    device_id: Annotated[str, StringConstraints(min_length=1, max_length=80)]
    occurred_at: AwareDatetime
    received_at: AwareDatetime
    offset_ms: int | None = None
    quarantine: Literal["device_revoked", "seat_inactive"] | None = None

    @property
    def time_suspect(self) -> bool:
        """Whether the device's clock was far off, or says that this is still to come."""
        ahead = timedelta(milliseconds=self.offset_ms or 0)
        return abs(ahead) > CLOCK_TOLERANCE or self.occurred_at > self.received_at + CLOCK_TOLERANCE


class Amended(Query):
    """Other answers in place of those before."""

    submission_id: Id
    answers: dict[str, Any]
    media: Annotated[tuple[ManifestItem, ...], Field(max_length=2_000)] = ()
    occurred_at: AwareDatetime | None = None
    reason: Reason = ""


class _Judgement(NamedTuple):
    hash: str
    plan: Plan | None
    judged: Judged | None
    parked: Parked | None


def submitting(ask: Ask) -> Fields:
    """Handed in online: faulty answers are told at once, so that whoever answered can mend them."""
    demand(ask.caller, EXECUTE)
    given = _read(Answered, ask)
    known: Form = ask.state(form, given.form.id)
    if not known.exists:
        raise Rejected("form-unknown", form_id=given.form.id)
    again = ask.state(submission, given.submission_id).exists
    if not known.active and not again:
        raise Rejected("form-inactive", form_id=given.form.id)
    return _submit(ask, given, ask.caller.actor, strict=True)


def submitting_from_device(ask: Ask) -> Fields:
    """Handed in out of a device's queue: what cannot be accepted waits for a supervisor with its evidence."""
    return _submit(ask, _read(FromDevice, ask), ask.caller.actor, strict=False)


def _submit(ask: Ask, given: Answered, user_id: str, *, strict: bool) -> Fields:
    device = given if isinstance(given, FromDevice) else None
    received_at = device.received_at if device else ask.now
    occurred_at = given.occurred_at or ask.now.astimezone(zone_of(ask))
    known: Form = ask.state(form, given.form.id)
    around = Circumstances(_when(occurred_at), given.place, given.site, _manifest(given.media))
    judgement = _judge(ask, known, given.form, given.answers, around, received_at)
    if device is not None and device.quarantine is not None:
        judgement = judgement._replace(parked=device.quarantine)
    elif device is not None and not _may_work(ask, user_id, device, received_at):
        judgement = judgement._replace(parked="seat_inactive")
    said = given.model_dump(mode="json", exclude=set(UNHEARD), exclude_none=True)
    return {
        "submission_id": given.submission_id,
        "form_id": given.form.id,
        "version": given.form.version,
        "task_id": given.task_id,
        "user_id": user_id,
        "device_id": device.device_id if device else None,
        "occurred_at": occurred_at,
        "utc_offset_min": _offset_minutes(occurred_at),
        "received_at": received_at,
        "offset_ms": device.offset_ms if device else None,
        "time_suspect": device.time_suspect if device else False,
        "place": given.place,
        "strict": strict,
        "verdict": _verdict(ask, judgement, given.answers, given.media, {**said, "user_id": user_id}),
    }


def amending(ask: Ask) -> Fields:
    """Whoever handed it in, or the office, puts other answers in its place; judged by the version of old."""
    given = _read(Amended, ask)
    known = _visible(ask, given.submission_id)
    if known.exists and known.user_id != ask.caller.actor:
        demand(ask.caller, EDIT)
    else:
        demand(ask.caller, EXECUTE, EDIT)
    occurred_at = given.occurred_at or ask.now.astimezone(zone_of(ask))
    around = Circumstances(_when(occurred_at), _place(known), None, _manifest(given.media))
    reference = FormRef(id=known.form_id or given.submission_id, version=known.version or 1, hash=known.hash or None)
    judgement = _judge(ask, ask.state(form, reference.id), reference, given.answers, around, None)
    if known.exists and judgement.judged is None:
        raise Rejected("form-version-unknown", form_id=reference.id, version=reference.version)
    said = given.model_dump(mode="json", include={"answers", "media"}, exclude_none=True)
    return {
        "submission_id": given.submission_id,
        "occurred_at": occurred_at,
        "utc_offset_min": _offset_minutes(occurred_at),
        "reason": given.reason,
        "verdict": _verdict(ask, judgement, given.answers, given.media, said),
    }


def releasing(ask: Ask) -> Fields:
    """A supervisor accepts: what the version makes of the answers counts from now on; of an unknown one, all."""
    demand(ask.caller, EDIT)
    submission_id = str(ask.data.get("submission_id"))
    known = _visible(ask, submission_id)
    answers = readable(known.answers)
    fields = {**ask.data, "answers": answers, "failures": ()}
    if not known.exists or known.occurred_at is None:
        return fields
    around = Circumstances(_when(_local(known.occurred_at, known.utc_offset_min)), _place(known))
    reference = FormRef(id=known.form_id, version=known.version, hash=known.hash or None)
    judgement = _judge(ask, ask.state(form, known.form_id), reference, json.loads(answers), around, None)
    if judgement.judged is None:
        return fields
    return {
        **fields,
        "answers": canonical(judgement.judged.answers).decode(),
        "failures": tuple(judgement.judged.failures),
    }


def discarding(ask: Ask) -> Fields:
    """A supervisor decides that it does not count."""
    demand(ask.caller, EDIT)
    _visible(ask, str(ask.data.get("submission_id")))
    return ask.data


def accept_submissions(ask: Ask) -> Fields:
    """A device's submissions, each a request of its own: one durable result for each, the same at every repeat."""
    device_id, commands = ask.data.get("device_id"), ask.data.get("commands")
    if not isinstance(device_id, str) or not isinstance(commands, list) or len(commands) > 500:
        raise Rejected("invalid", errors=[{"loc": ["commands"], "msg": "a list of commands", "type": "type"}])
    around = {name: ask.data[name] for name in sorted(UNHEARD) if ask.data.get(name) is not None}
    sites: Mapping[str, Any] = ask.data.get("sites") or {}
    return {"results": [_accept(ask, device_id, command, around, sites) for command in commands]}


def _accept(ask: Ask, device_id: str, command: Any, around: Fields, sites: Fields) -> dict[str, Any]:
    given = command if isinstance(command, dict) else {}
    id = str(given.get("id"))
    data = _data_of(given)
    if (site := sites.get(str(data.get("task_id")))) is not None:
        around = {**around, "site": site}
    request = f"device/{device_id}/{id}"
    try:
        if given.get("type") == "submission.amend":
            receipt = ask.request("amend_submission", data, request, data)
        else:
            asked = {**data, "device_id": device_id}
            receipt = ask.request("submit_from_device", {**asked, **around}, request, asked)
            data = asked
        facts = ask.outcome(request, data) or []
    except Rejected as refused:
        return {"id": id, **_refused(refused)}
    told = next((f.event for f in facts if isinstance(f.event, SubmissionReceived | SubmissionAmended)), None)
    if told is None:
        return {"id": id, "status": "noop", "position": receipt["position"]}
    # What was so when it was received; what happened since is no part of this answer.
    parked = told.parked if isinstance(told, SubmissionReceived) else None
    return {
        "id": id,
        "status": "parked" if parked else "applied",
        "code": parked,
        "position": receipt["position"],
        "version": receipt["version"],
        "missing_media": _missing(told),
        "answer": None if told.task_id is None else _answer(told, parked),
    }


def _refused(refused: Rejected) -> dict[str, Any]:
    code = {"idempotency-key-reused": "command_id_reused", "erased": "gone"}.get(refused.code)
    return {"status": "rejected", "code": code or refused.code.replace("-", "_")}


def _answer(told: SubmissionReceived | SubmissionAmended, parked: str | None) -> dict[str, Any]:
    """What it is worth to the task that it names."""
    names = ("task_id", "submission_id", "form_id", "version", "photos", "signatures", "complete")
    amendment = told.amendment if isinstance(told, SubmissionAmended) else 0
    return {**{name: getattr(told, name) for name in names}, "parked": parked, "amendment": amendment}


def _data_of(command: Mapping[str, Any]) -> dict[str, Any]:
    """The request in a device's command: the envelope says what and when, the body what was answered."""
    body, aggregate = command.get("body"), command.get("aggregate")
    inside: Mapping[str, Any] = body if isinstance(body, dict) else {}
    known = {
        "submission_id": aggregate.get("id") if isinstance(aggregate, dict) else None,
        "media": command.get("media"),
        "occurred_at": command.get("occurred_at"),
        **({} if command.get("type") == "submission.amend" else {"form": command.get("form")}),
        **{name: inside.get(name) for name in ("task_id", "place", "reason")},
    }
    return {**{name: value for name, value in known.items() if value is not None}, "answers": inside.get("answers")}


def _missing(received: SubmissionReceived | SubmissionAmended) -> list[str]:
    return sorted({declared.id for declared in received.media} - set(received.arrived))


def _judge(
    ask: Ask,
    known: Form,
    reference: FormRef,
    answers: Mapping[str, Any],
    around: Circumstances,
    received_at: datetime | None,
) -> _Judgement:
    version = known.named(reference.version, reference.hash)
    plan: Plan | None = PLANS.of(ask, version.hash) if version is not None else None
    if version is None or plan is None:
        return _Judgement(reference.hash or "", None, None, "form_version_unknown")
    judged = judge(plan, answers, around)
    if received_at is not None and not version.takes(received_at):
        return _Judgement(version.hash, plan, judged, "form_version_closed")
    return _Judgement(version.hash, plan, judged, "answers_invalid" if judged.findings else None)


def _verdict(
    ask: Ask, judgement: _Judgement, raw: Mapping[str, Any], listed: Sequence[ManifestItem], said: Fields
) -> dict[str, Any]:
    text = canonical(raw).decode()
    if len(text) > MAX_ANSWERS:
        raise Rejected("answers-too-large", limit=MAX_ANSWERS)
    judged = judgement.judged or Judged()
    media = tuple(DeclaredMedium(**one.model_dump(exclude={"refused"})) for one in judged.media)
    refused = {one.id: one.refused for one in judged.media if one.refused}
    if judgement.judged is None:
        # Which question they belong to is not known here; their bytes are evidence all the same.
        media = tuple(one.declared() for one in listed)
    arrived: set[str] = set()
    for id in dict.fromkeys(one.id for one in media):
        known: Medium = ask.state(medium, id_of(id))
        if known.status == "stored":
            # What the bytes are counts, and no longer what was said of them.
            code = refusal_of(judgement.plan, [one.path for one in media if one.id == id], known.facts)
            if code:
                refused[id] = code
            else:
                refused.pop(id, None)
                arrived.add(id)
    return {
        "hash": judgement.hash,
        # What waits for somebody to look at it is kept word by word, what is accepted as the form makes of it.
        "answers": text if judgement.parked else canonical(judged.answers).decode(),
        "findings": tuple(judged.findings),
        "media": media,
        "arrived": frozenset(arrived),
        "refused": refused,
        "failures": tuple(judged.failures),
        "parked": judgement.parked,
        "digest": ask.secrets.fingerprint("submission", canonical(said).decode()),
    }


def _may_work(ask: Ask, user_id: str, device: FromDevice, received_at: datetime) -> bool:
    person = ask.reads["directory"].one(f"user:{user_id}")
    # A clock that is ahead must not find a seat that was only taken later; one that is suspect finds nothing at all.
    then = received_at if device.time_suspect else min(device.occurred_at, received_at)
    allowed = ask.caller.role == "system" or EXECUTE in ask.caller.permissions
    return allowed and held_seat(person, received_at) and held_seat(person, then)


def _visible(ask: Ask, submission_id: str) -> Submission:
    known: Submission = ask.state(submission, submission_id)
    if known.exists:
        check_seen(ask, submission_id, known.user_id)
    return known


def _read(model: type[M], ask: Ask) -> M:
    given = ask.data.get("answers")
    try:
        # What JSON cannot spell (an infinite number) is found here and not at the insert.
        canonical(given if isinstance(given, dict) else {})
    except ValueError:
        raise Rejected("invalid", errors=[{"loc": ["answers"], "msg": "not JSON", "type": "json"}]) from None
    return checked(model, ask.data)


def _when(moment: datetime) -> When:
    zone = moment.tzinfo
    assert zone is not None, "times are aware"
    return When.of(moment, zone)


def _local(moment: datetime, offset_minutes: int) -> datetime:
    return moment.astimezone(timezone(timedelta(minutes=offset_minutes)))


def _offset_minutes(moment: datetime) -> int:
    return int((moment.utcoffset() or timedelta()).total_seconds() // 60)


def _manifest(media: Sequence[ManifestItem]) -> dict[str, dict[str, Any]]:
    return {item.id: {"bytes": item.bytes, "type": item.type} for item in media}


def _place(known: Submission) -> Place | None:
    return None if isinstance(known.place, Erased) else known.place
