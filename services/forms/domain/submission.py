"""A submission: answers judged for ever by the version they name, complete when all their media have arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, assert_never

from pydantic import AwareDatetime, Field

from services.forms.domain.form import Number
from services.forms.domain.judging import Failure, Finding
from services.forms.domain.medium import MediaCode
from services.forms.domain.submission_events import (
    MISSING,
    STORED,
    DeclaredMedium,
    FollowUpNeeded,
    MediaArrived,
    MediaRefused,
    Parked,
    Submission,
    SubmissionAmended,
    SubmissionCompleted,
    SubmissionDiscarded,
    SubmissionEvent,
    SubmissionReceived,
    SubmissionReleased,
)
from services.forms.domain.values import Hash, Id, Place, Reason, Value
from services.kernel.domain import Command, Decider, Erased, Rejected


class Verdict(Value):
    """The judgement that the command rests on, made from the version that the answers name.

    `arrived` are the media that are there already, `refused` says of others why they are not accepted.
    """

    hash: str
    answers: str
    findings: tuple[Finding, ...] = ()
    media: tuple[DeclaredMedium, ...] = ()
    arrived: frozenset[str] = frozenset()
    refused: Mapping[str, MediaCode] = Field(default_factory=dict)
    failures: tuple[Failure, ...] = ()
    parked: Parked | None = None
    digest: str

    @property
    def counts(self) -> dict[str, int]:
        """How many media, photos and signatures the answers declare."""
        kinds = [medium.kind for medium in self.media]
        return {
            "media_declared": len({medium.id for medium in self.media}),
            "photos": kinds.count("picture"),
            "signatures": kinds.count("signature"),
        }


class Submit(Command):
    """Hand in answers; `verdict` is the service's own. `strict`: faulty answers are refused instead of parked."""

    submission_id: Id
    form_id: Id
    version: Number
    task_id: Id | None = None
    user_id: Id
    device_id: str | None = None
    occurred_at: AwareDatetime
    utc_offset_min: Annotated[int, Field(ge=-900, le=900)] = 0
    received_at: AwareDatetime
    offset_ms: int | None = None
    time_suspect: bool = False
    place: Place | None = None
    strict: bool
    verdict: Verdict


class Amend(Command):
    """Put other answers in place of those before."""

    submission_id: Id
    occurred_at: AwareDatetime
    utc_offset_min: Annotated[int, Field(ge=-900, le=900)] = 0
    reason: Reason = ""
    verdict: Verdict


class ArriveMedia(Command):
    """A media item is there."""

    submission_id: Id
    media_id: Hash


class RefuseMedia(Command):
    """A media item was refused."""

    submission_id: Id
    media_id: Hash
    code: MediaCode


class Release(Command):
    """Accept what was parked."""

    submission_id: Id
    reason: Reason = ""
    answers: str
    failures: tuple[Failure, ...] = ()


class Discard(Command):
    """Decide that what was parked does not count."""

    submission_id: Id
    reason: Reason


SubmissionCommand = Submit | Amend | ArriveMedia | RefuseMedia | Release | Discard

initial_state = Submission()


def decide(command: SubmissionCommand, state: Submission) -> list[SubmissionEvent]:
    submission_id = command.submission_id
    if isinstance(command, Submit):
        return _submit(command, state)
    if not state.exists:
        raise Rejected("submission-unknown", submission_id=submission_id)
    match command:
        case Amend():
            return _amend(command, state)
        case ArriveMedia(media_id=media_id):
            return _arrive(submission_id, media_id, state)
        case RefuseMedia(media_id=media_id, code=code):
            if state.media.get(media_id, STORED) in (STORED, code):
                return []
            return [MediaRefused(submission_id=submission_id, media_id=media_id, code=code)]
        case Release():
            return _release(command, state)
        case Discard(reason=reason):
            if state.decided == "discarded":
                return []
            _check_waits(submission_id, state)
            if not reason:
                raise Rejected("reason-required")
            return [
                SubmissionDiscarded(
                    submission_id=submission_id, task_id=state.task_id, discarded_by=command.by, reason=reason
                )
            ]
        case _:
            assert_never(command)


def _submit(command: Submit, state: Submission) -> list[SubmissionEvent]:
    verdict = command.verdict
    if state.exists:
        if state.digest == verdict.digest:
            return []
        raise Rejected("submission-exists", submission_id=command.submission_id)
    if command.strict and verdict.parked is not None:
        raise _refusal(command, verdict)
    received = SubmissionReceived(
        **command.model_dump(include=_SAID, exclude_none=False),
        **verdict.counts,
        place=command.place,
        hash=verdict.hash,
        complete=verdict.arrived.issuperset(medium.id for medium in verdict.media),
        parked=verdict.parked,
        media=verdict.media,
        arrived=tuple(sorted(verdict.arrived)),
        digest=verdict.digest,
        answers=verdict.answers,
        findings=_text(verdict.findings),
    )
    told: list[SubmissionEvent] = [received, *_refusals(command.submission_id, verdict)]
    if verdict.parked is not None:
        return told
    return [
        *told,
        *_follow_ups(command.submission_id, command.form_id, command.task_id, verdict.failures, frozenset()),
    ]


_SAID = {
    "submission_id", "form_id", "version", "task_id", "user_id", "device_id", "occurred_at", "utc_offset_min",
    "received_at", "offset_ms", "time_suspect",
}  # fmt: skip


def _refusal(command: Submit, verdict: Verdict) -> Rejected:
    match verdict.parked:
        case "answers_invalid":
            return Rejected("answers-invalid", findings=[finding.model_dump() for finding in verdict.findings])
        case "form_version_closed":
            return Rejected("form-version-closed", form_id=command.form_id, version=command.version)
        case "seat_inactive":
            return Rejected("seat-inactive")
        case _:
            return Rejected("form-version-unknown", form_id=command.form_id, version=command.version)


def _amend(command: Amend, state: Submission) -> list[SubmissionEvent]:
    verdict = command.verdict
    if state.decided == "discarded":
        raise Rejected("submission-discarded", submission_id=command.submission_id)
    if state.digest == verdict.digest:
        return []
    if verdict.findings:
        raise Rejected("answers-invalid", findings=[finding.model_dump() for finding in verdict.findings])
    arrived = verdict.arrived | {id for id, why in state.media.items() if why == STORED}
    arrived -= verdict.refused.keys()
    ids = {medium.id for medium in verdict.media}
    amended = SubmissionAmended(
        submission_id=command.submission_id,
        form_id=state.form_id,
        version=state.version,
        hash=state.hash,
        task_id=state.task_id,
        user_id=state.user_id,
        amendment=state.amendments + 1,
        amended_by=command.by,
        **verdict.counts,
        complete=arrived >= ids,
        occurred_at=command.occurred_at,
        utc_offset_min=command.utc_offset_min,
        media=verdict.media,
        arrived=tuple(sorted(arrived & ids)),
        digest=verdict.digest,
        answers=verdict.answers,
        reason=command.reason,
    )
    told: list[SubmissionEvent] = [amended, *_refusals(command.submission_id, verdict)]
    if state.waits:
        return told
    return [
        *told,
        *_follow_ups(command.submission_id, state.form_id, state.task_id, verdict.failures, state.followed),
    ]


def _refusals(submission_id: str, verdict: Verdict) -> list[MediaRefused]:
    return [
        MediaRefused(submission_id=submission_id, media_id=id, code=code)
        for id, code in sorted(verdict.refused.items())
    ]


def _arrive(submission_id: str, media_id: str, state: Submission) -> list[SubmissionEvent]:
    if state.media.get(media_id, STORED) == STORED:
        return []
    arrived = MediaArrived(submission_id=submission_id, media_id=media_id)
    if set(state.missing) - {media_id}:
        return [arrived]
    return [arrived, SubmissionCompleted(submission_id=submission_id, task_id=state.task_id)]


def _release(command: Release, state: Submission) -> list[SubmissionEvent]:
    if state.decided == "released":
        return []
    _check_waits(command.submission_id, state)
    released = SubmissionReleased(
        submission_id=command.submission_id,
        task_id=state.task_id,
        released_by=command.by,
        answers=command.answers,
        reason=command.reason,
    )
    return [
        released,
        *_follow_ups(command.submission_id, state.form_id, state.task_id, command.failures, state.followed),
    ]


def _check_waits(submission_id: str, state: Submission) -> None:
    if not state.waits:
        raise Rejected("submission-not-parked", submission_id=submission_id)


def _follow_ups(
    submission_id: str,
    form_id: str,
    task_id: str | None,
    failures: Sequence[Failure],
    known: frozenset[str] | tuple[()],
) -> list[SubmissionEvent]:
    return [
        FollowUpNeeded(
            submission_id=submission_id,
            form_id=form_id,
            task_id=task_id,
            field=failure.path,
            process_id=failure.process_id,
            subprocess_id=failure.subprocess_id,
            priority=failure.priority,
        )
        for failure in failures
        if failure.path not in known
    ]


def _text(findings: Sequence[Finding]) -> str:
    return "[" + ",".join(finding.model_dump_json() for finding in findings) + "]"


def evolve(state: Submission, event: SubmissionEvent) -> Submission:
    match event:
        case SubmissionReceived():
            return replace(
                state,
                exists=True,
                form_id=event.form_id,
                version=event.version,
                hash=event.hash,
                task_id=event.task_id,
                user_id=event.user_id,
                digest=event.digest,
                parked=event.parked,
                complete=event.complete,
                media=_awaited(event),
                places=_places(event),
                answers=event.answers,
                place=event.place,
                occurred_at=event.occurred_at,
                utc_offset_min=event.utc_offset_min,
            )
        case SubmissionAmended():
            return replace(
                state,
                digest=event.digest,
                amendments=event.amendment,
                complete=event.complete,
                media=_awaited(event),
                places=_places(event),
                answers=event.answers,
            )
        case MediaArrived(media_id=media_id):
            return replace(state, media={**state.media, media_id: STORED})
        case MediaRefused(media_id=media_id, code=code):
            return replace(state, media={**state.media, media_id: code})
        case SubmissionCompleted():
            return replace(state, complete=True)
        case SubmissionReleased(answers=answers):
            return replace(state, decided="released", answers=answers)
        case SubmissionDiscarded():
            return replace(state, decided="discarded")
        case FollowUpNeeded(field=field):
            return replace(state, followed=state.followed | {field})
        case _:
            assert_never(event)


def _awaited(event: SubmissionReceived | SubmissionAmended) -> dict[str, str]:
    # What was refused may be right where other answers name it; what is still wrong is told again.
    return {medium.id: STORED if medium.id in event.arrived else MISSING for medium in event.media}


def _places(event: SubmissionReceived | SubmissionAmended) -> dict[str, tuple[str, ...]]:
    ids = dict.fromkeys(medium.id for medium in event.media)
    return {id: tuple(medium.path for medium in event.media if medium.id == id) for id in ids}


def readable(answers: str | Erased) -> str:
    """Answers as JSON; of what was erased, none."""
    return "{}" if isinstance(answers, Erased) else answers


submission: Decider[SubmissionCommand, Submission, SubmissionEvent] = Decider(
    "submission",
    initial_state,
    decide,
    evolve,
    events={
        "SubmissionReceived": SubmissionReceived,
        "SubmissionAmended": SubmissionAmended,
        "MediaArrived": MediaArrived,
        "MediaRefused": MediaRefused,
        "SubmissionCompleted": SubmissionCompleted,
        "SubmissionReleased": SubmissionReleased,
        "SubmissionDiscarded": SubmissionDiscarded,
        "FollowUpNeeded": FollowUpNeeded,
    },
)
