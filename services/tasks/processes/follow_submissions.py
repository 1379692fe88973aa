"""What submissions mean for tasks: answers count as evidence, and an answer that failed calls for a follow-up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from services.kernel.application import At, Dispatch, Reacting
from services.kernel.commit import Recorded
from services.tasks.domain.task import task
from services.tasks.domain.task_events import Task
from services.tasks.incoming import (
    FollowUpNeeded,
    SubmissionAmended,
    SubmissionCompleted,
    SubmissionDiscarded,
    SubmissionReceived,
    SubmissionReleased,
)

SOON = timedelta(minutes=1)
"""Until then a task whose own answers overtook it has been opened, too."""


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """Tell the task that the submission names; one that names none matters only where a follow-up is called for."""
    event = fact.event
    if isinstance(event, FollowUpNeeded):
        yield _follow_up(fact, event, app)
    elif event.task_id is not None:
        ids = {"task_id": event.task_id, "submission_id": event.submission_id}
        match event:
            case SubmissionReceived() | SubmissionAmended():
                yield Dispatch("answer_form", event.model_dump())
            case SubmissionCompleted():
                yield Dispatch("complete_answer", ids)
            case SubmissionReleased():
                yield Dispatch("release_answer", ids)
            case SubmissionDiscarded():
                yield Dispatch("discard_answer", ids)


def _follow_up(fact: Recorded, event: FollowUpNeeded, app: Reacting) -> Dispatch | At:
    wanted = Dispatch("open_follow_up", event.model_dump())
    if event.task_id is None:
        return wanted
    original: Task = app.state(task, fact.tenant, event.task_id)
    if original.opened is not None:
        return wanted
    timer_id = f"follow-up:{fact.tenant}:{event.submission_id}:{event.field}"
    return At(fact.at + SOON, timer_id, wanted)
