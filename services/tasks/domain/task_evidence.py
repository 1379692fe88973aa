"""Handing in evidence for a task: answered forms, judged elsewhere and counted here, and notes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from services.kernel.domain import Command, Rejected
from services.tasks.domain.evidence_events import (
    Answer,
    FormAnswerCompleted,
    FormAnswerDiscarded,
    FormAnswered,
    FormAnswerReleased,
    TaskNoted,
)
from services.tasks.domain.task_events import Task, TaskEvent
from services.tasks.domain.task_planning import opened_of
from services.tasks.domain.values import Id

NoteText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4_000)]
Parking = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]


class AnswerForm(Command):
    """Count a submission of a form as evidence of the task, once; `amendment` n replaces what came before.

    Evidence is never turned away: not by a task that is closed, and not because a device's answers
    overtook the opening of the very task they are for.
    """

    task_id: Id
    submission_id: Id
    form_id: Id
    version: int = Field(ge=0)
    photos: int = Field(default=0, ge=0)
    signatures: int = Field(default=0, ge=0)
    complete: bool = False
    parked: Parking | None = None
    amendment: int = Field(default=0, ge=0)


class CompleteAnswer(Command):
    """Say that everything the answers announced has arrived."""

    task_id: Id
    submission_id: Id


class ReleaseAnswer(Command):
    """Let parked answers count."""

    task_id: Id
    submission_id: Id


class DiscardAnswer(Command):
    """Let the answers count no longer."""

    task_id: Id
    submission_id: Id


class NoteTask(Command):
    """Write something down about the task."""

    task_id: Id
    note_id: Id
    text: NoteText


def answer_form(command: AnswerForm, state: Task) -> list[TaskEvent]:
    known = state.handed_in.answers.get(command.submission_id)
    if known is not None and command.amendment <= known.amendment:
        return []
    # Other answers do not take the decision from the supervisor for whom these wait.
    parked = command.parked if known is None else known.parked
    return [
        FormAnswered(
            task_id=command.task_id,
            submission_id=command.submission_id,
            form_id=command.form_id,
            version=command.version,
            photos=command.photos,
            signatures=command.signatures,
            complete=command.complete,
            parked=parked,
            amendment=command.amendment,
        )
    ]


def complete_answer(command: CompleteAnswer, state: Task) -> list[TaskEvent]:
    known = _answer(state, command.submission_id)
    if known.complete:
        return []
    return [FormAnswerCompleted(task_id=command.task_id, submission_id=command.submission_id, form_id=known.form_id)]


def release_answer(command: ReleaseAnswer, state: Task) -> list[TaskEvent]:
    known = _answer(state, command.submission_id)
    if known.parked is None:
        return []
    return [FormAnswerReleased(task_id=command.task_id, submission_id=command.submission_id, form_id=known.form_id)]


def discard_answer(command: DiscardAnswer, state: Task) -> list[TaskEvent]:
    known = _answer(state, command.submission_id)
    if known.discarded:
        return []
    return [FormAnswerDiscarded(task_id=command.task_id, submission_id=command.submission_id, form_id=known.form_id)]


def note_task(command: NoteTask, state: Task) -> list[TaskEvent]:
    opened_of(state, command.task_id)
    known = state.handed_in.notes.get(command.note_id)
    if known is None:
        return [TaskNoted(task_id=command.task_id, note_id=command.note_id, user_id=command.by, text=command.text)]
    if known == command.text:
        return []
    raise Rejected("note-exists", note_id=command.note_id)


def _answer(state: Task, submission_id: str) -> Answer:
    known = state.handed_in.answers.get(submission_id)
    if known is None:
        raise Rejected("submission-unknown", submission_id=submission_id)
    return known
