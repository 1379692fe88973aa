"""What the field hands in for a task: answered forms as evidence, and notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from services.kernel.domain import Erased, Event, TenantData


class FormAnswered(Event):
    """A form was filled in for the task; a higher `amendment` stands in the place of the one before.

    `complete` once everything that the answers announce has arrived. `parked` says why the answers wait
    for a supervisor; until he decides they prove nothing.
    """

    task_id: str
    submission_id: str
    form_id: str
    version: int
    photos: int
    signatures: int
    complete: bool
    parked: str | None = None
    amendment: int = 0


class FormAnswerCompleted(Event):
    """The last that the answers announced has arrived."""

    task_id: str
    submission_id: str
    form_id: str


class FormAnswerReleased(Event):
    """A supervisor let parked answers count."""

    task_id: str
    submission_id: str
    form_id: str


class FormAnswerDiscarded(Event):
    """The answers do not count and never will."""

    task_id: str
    submission_id: str
    form_id: str


class TaskNoted(Event):
    """Somebody wrote something down about the task; notes are added, never changed."""

    task_id: str
    note_id: str
    user_id: str
    text: Annotated[str | Erased, TenantData()]


EvidenceEvent = FormAnswered | FormAnswerCompleted | FormAnswerReleased | FormAnswerDiscarded | TaskNoted

EVIDENCE_EVENTS: Mapping[str, type[EvidenceEvent]] = {
    "FormAnswered": FormAnswered,
    "FormAnswerCompleted": FormAnswerCompleted,
    "FormAnswerReleased": FormAnswerReleased,
    "FormAnswerDiscarded": FormAnswerDiscarded,
    "TaskNoted": TaskNoted,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One form as it was answered last."""

    form_id: str
    version: int = 0
    photos: int = 0
    signatures: int = 0
    complete: bool = False
    parked: str | None = None
    discarded: bool = False
    amendment: int = 0

    @property
    def counts(self) -> bool:
        """Whether it proves anything."""
        return self.parked is None and not self.discarded


@dataclass(frozen=True, slots=True)
class HandedIn:
    """Everything handed in so far: answers by submission, notes by their ids."""

    answers: Mapping[str, Answer]
    notes: Mapping[str, str | Erased]

    @property
    def counting(self) -> dict[str, Answer]:
        """The answers that prove something."""
        return {id: answer for id, answer in self.answers.items() if answer.counts}


NOTHING = HandedIn({}, {})


def evolve_evidence(state: HandedIn, event: EvidenceEvent) -> HandedIn:
    """What is handed in after one more fact."""
    match event:
        case FormAnswered():
            answer = Answer(
                form_id=event.form_id,
                version=event.version,
                photos=event.photos,
                signatures=event.signatures,
                complete=event.complete,
                parked=event.parked,
                amendment=event.amendment,
            )
            return _with(state, event.submission_id, answer)
        case FormAnswerCompleted(submission_id=id, form_id=form_id):
            return _with(state, id, replace(_known(state, id, form_id), complete=True))
        case FormAnswerReleased(submission_id=id, form_id=form_id):
            return _with(state, id, replace(_known(state, id, form_id), parked=None))
        case FormAnswerDiscarded(submission_id=id, form_id=form_id):
            return _with(state, id, replace(_known(state, id, form_id), discarded=True))
        case TaskNoted(note_id=note_id, text=text):
            return replace(state, notes={**state.notes, note_id: text})
        case _:
            assert_never(event)


def _known(state: HandedIn, submission_id: str, form_id: str) -> Answer:
    return state.answers.get(submission_id, Answer(form_id))


def _with(state: HandedIn, submission_id: str, answer: Answer) -> HandedIn:
    return replace(state, answers={**state.answers, submission_id: answer})
