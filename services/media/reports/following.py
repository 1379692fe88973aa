"""Reports follow what they show: once a task or its evidence has changed, they are set anew, and old editions go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta

from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded
from services.kernel.message import Incoming
from services.kernel.timers import At, Dispatch
from services.media.domain.report import ReportDeleted, ReportRendered, ReportRequested
from services.media.reports.showing import about

SETTLED_AFTER = timedelta(seconds=10)
"""Changes come in company; so long after the last of them a report is set."""

DOWNLOADS_END = timedelta(hours=1)
"""So long whoever is reading an edition when the next one comes may read on."""


class TaskTouched(Incoming):
    """Something about a task is not as it was."""

    task_id: str


class AnswersTouched(Incoming):
    """Answers are not as they were."""

    submission_id: str
    task_id: str | None = None


class EvidenceTouched(Incoming):
    """One of the files that answers announce came, or was refused."""

    submission_id: str


TASKS: Mapping[str, type[Incoming]] = dict.fromkeys(
    (
        "TaskAssigned",
        "TaskClaimed",
        "TaskAdvanced",
        "PresenceConfirmed",
        "TaskCancelled",
        "TaskReopened",
        "TaskRetitled",
        "TaskDescribed",
        "TaskReclassified",
        "StagesInherited",
        "TaskCustomerChanged",
        "TaskEquipmentChanged",
        "TaskRescheduled",
        "TaskReprioritised",
        "TaskFieldsChanged",
        "TaskNoted",
    ),
    TaskTouched,
)
ANSWERS: Mapping[str, type[Incoming]] = {
    "SubmissionReceived": AnswersTouched,
    "SubmissionAmended": AnswersTouched,
    "SubmissionReleased": AnswersTouched,
    "SubmissionDiscarded": AnswersTouched,
    "SubmissionCompleted": AnswersTouched,
    "MediaArrived": EvidenceTouched,
    "MediaRefused": EvidenceTouched,
}


def follow_tasks(fact: Recorded, app: Reacting) -> Iterable[At]:
    """The reports of the task, and those of the submissions that name it."""
    reads, task_id = app.reads(fact), fact.event.task_id
    used = [use["id"] for use in reads["uses"].find({"task_id": task_id}, limit=200)]
    return [_again(id, app) for id in about(reads, [task_id, *used])]


def follow_answers(fact: Recorded, app: Reacting) -> Iterable[At]:
    """The reports of the submission, and those of its task."""
    reads, submission_id = app.reads(fact), fact.event.submission_id
    match fact.event:
        case AnswersTouched(task_id=task_id):
            subjects = [submission_id, task_id]
        case _:
            subjects = [submission_id, (reads["uses"].one(submission_id) or {}).get("task_id")]
    return [_again(id, app) for id in about(reads, subjects)]


def react(fact: Recorded, app: Reacting) -> Iterable[At]:
    """What becomes of a report itself."""
    match fact.event:
        case ReportRequested(report_id=id):
            yield At(fact.at, f"render-report:{id}", Dispatch("render_report", {"report_id": id}))
            # What others tell of just now may not have reached their own lists yet.
            yield _again(id, app)
        case ReportRendered(report_id=id, edition=edition, replaces=str(before)):
            yield _cleared(f"{id}:{edition}", before, fact, DOWNLOADS_END)
        case ReportDeleted(report_id=id, object=str(last)):
            yield _cleared(f"{id}:{fact.version}", last, fact, timedelta())


def _again(report_id: str, app: Reacting) -> At:
    named = {"report_id": report_id}
    return At(app.now + SETTLED_AFTER, f"render-report-again:{report_id}", Dispatch("render_report", named))


def _cleared(name: str, object: str, fact: Recorded, after: timedelta) -> At:
    return At(fact.at + after, f"clear-report:{name}", Dispatch("clear_objects", {"objects": [object]}))


look_after_reports = Reaction("look_after_reports", ("report",), react)
