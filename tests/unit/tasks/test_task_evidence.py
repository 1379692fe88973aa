"""Handing in evidence: answered forms are counted once, whatever the order in which word of them comes; notes stay."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from services.tasks.domain.evidence_events import (
    FormAnswerCompleted,
    FormAnswerDiscarded,
    FormAnswerReleased,
    TaskNoted,
)
from services.tasks.domain.task import task
from services.tasks.domain.task_evidence import AnswerForm, CompleteAnswer, DiscardAnswer, NoteTask, ReleaseAnswer
from tests.examples.tasks import (
    ADMIN,
    FORM,
    NOW,
    SUBMISSION,
    TASK,
    TECHNICIAN,
    TO_COMPLETED,
    an_id,
    answered,
    assigned,
    cancelled,
    opened,
)

MINE = [opened(), assigned(TECHNICIAN)]
NOTE = an_id(81)


def ask(command: Any, by: str = TECHNICIAN, **fields: Any) -> Any:
    return command(**{"task_id": TASK, "at": NOW, "by": by, **fields})


def answer(**changes: Any) -> AnswerForm:
    return ask(
        AnswerForm, submission_id=SUBMISSION, form_id=FORM, version=1, **{"photos": 2, "complete": True, **changes}
    )


class TestAnswering:
    @pytest.mark.parametrize("before", [MINE, [*MINE, cancelled], [*MINE, *TO_COMPLETED], []], ids=str)
    def test_evidence_is_never_turned_away(self, before: list[Any]) -> None:
        given(task, *before).when(answer()).then(answered(photos=2))
        given(task, *before).when(answer()).then_repeating_adds_nothing()

    def test_what_came_before_the_opening_counts_after_it(self) -> None:
        story = given(task, answered(photos=2), *MINE)
        assert story.state.handed_in.counting[SUBMISSION].photos == 2
        story.when(answer()).then_nothing()

    def test_an_amendment_replaces_and_an_older_one_comes_too_late(self) -> None:
        amended = given(task, *MINE, answered()).when(answer(amendment=2)).then(answered(photos=2, amendment=2))
        amended.when(answer(amendment=1)).then_nothing()

    def test_the_last_picture_arrives(self) -> None:
        half = given(task, *MINE, answered(complete=False))
        completed = FormAnswerCompleted(task_id=TASK, submission_id=SUBMISSION, form_id=FORM)
        half.when(ask(CompleteAnswer, submission_id=SUBMISSION)).then(completed)
        half.when(ask(CompleteAnswer, submission_id=SUBMISSION)).then_repeating_adds_nothing()

    def test_a_supervisor_releases_or_discards(self) -> None:
        parked = given(task, *MINE, answered(parked="not_assignee"))
        assert parked.state.handed_in.counting == {}
        ids = {"task_id": TASK, "submission_id": SUBMISSION, "form_id": FORM}
        released = parked.when(ask(ReleaseAnswer, submission_id=SUBMISSION)).then(FormAnswerReleased(**ids))
        assert SUBMISSION in released.state.handed_in.counting
        parked.when(ask(ReleaseAnswer, submission_id=SUBMISSION)).then_repeating_adds_nothing()
        discarded = released.when(ask(DiscardAnswer, submission_id=SUBMISSION)).then(FormAnswerDiscarded(**ids))
        assert discarded.state.handed_in.counting == {}
        discarded.when(ask(DiscardAnswer, submission_id=SUBMISSION)).then_nothing()

    @pytest.mark.parametrize("command", [CompleteAnswer, ReleaseAnswer, DiscardAnswer])
    def test_of_a_submission_nobody_handed_in_nothing_is_said(self, command: Any) -> None:
        given(task, *MINE).when(ask(command, submission_id=SUBMISSION)).then_rejected("submission-unknown")


class TestNotes:
    noted = TaskNoted(task_id=TASK, note_id=NOTE, user_id=ADMIN, text="Llamar al portero")
    WRITE = ask(NoteTask, ADMIN, note_id=NOTE, text=" Llamar al portero ")

    @pytest.mark.parametrize("before", [MINE, [*MINE, cancelled], [*MINE, *TO_COMPLETED]], ids=str)
    def test_a_note_is_added_in_every_state(self, before: list[Any]) -> None:
        given(task, *before).when(self.WRITE).then(self.noted)
        given(task, *before).when(self.WRITE).then_repeating_adds_nothing()

    def test_and_never_changed(self) -> None:
        other = ask(NoteTask, ADMIN, note_id=NOTE, text="Otra cosa")
        given(task, *MINE, self.noted).when(other).then_rejected("note-exists")
        given(task, *MINE, self.noted.model_copy(update={"text": ERASED})).when(other).then_rejected("note-exists")

    def test_not_on_what_does_not_exist(self) -> None:
        given(task).when(self.WRITE).then_rejected("task-unknown")
