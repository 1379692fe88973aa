"""A task is one piece of work: planned, done stage by stage, closed; every step is a fact."""

from __future__ import annotations

from typing import assert_never

from services.kernel.domain import Decider
from services.tasks.domain.task_events import TASK_EVENTS, Task, TaskEvent, evolve, initial_state
from services.tasks.domain.task_evidence import (
    AnswerForm,
    CompleteAnswer,
    DiscardAnswer,
    NoteTask,
    ReleaseAnswer,
    answer_form,
    complete_answer,
    discard_answer,
    note_task,
    release_answer,
)
from services.tasks.domain.task_execution import (
    AbandonOpening,
    AdvanceTask,
    CancelTask,
    ClaimTask,
    ExpectSubtask,
    ReopenTask,
    StartTask,
    abandon_opening,
    advance_task,
    cancel_task,
    claim_task,
    expect_subtask,
    reopen_task,
    start_task,
)
from services.tasks.domain.task_planning import (
    AssignTask,
    EditTask,
    OpenTask,
    assign_task,
    edit_task,
    open_task,
)

TaskCommand = (
    OpenTask | EditTask | AssignTask | ClaimTask | StartTask | AdvanceTask | CancelTask | ReopenTask
    | ExpectSubtask | AbandonOpening | AnswerForm | CompleteAnswer | ReleaseAnswer | DiscardAnswer | NoteTask
)  # fmt: skip


def decide(command: TaskCommand, state: Task) -> list[TaskEvent]:
    match command:
        case OpenTask():
            return open_task(command, state)
        case EditTask():
            return edit_task(command, state)
        case AssignTask():
            return assign_task(command, state)
        case ClaimTask():
            return claim_task(command, state)
        case StartTask():
            return start_task(command, state)
        case AdvanceTask():
            return advance_task(command, state)
        case CancelTask():
            return cancel_task(command, state)
        case ReopenTask():
            return reopen_task(command, state)
        case ExpectSubtask():
            return expect_subtask(command, state)
        case AbandonOpening():
            return abandon_opening(command, state)
        case AnswerForm():
            return answer_form(command, state)
        case CompleteAnswer():
            return complete_answer(command, state)
        case ReleaseAnswer():
            return release_answer(command, state)
        case DiscardAnswer():
            return discard_answer(command, state)
        case NoteTask():
            return note_task(command, state)
        case _:
            assert_never(command)


task: Decider[TaskCommand, Task, TaskEvent] = Decider("task", initial_state, decide, evolve, events=TASK_EVENTS)
