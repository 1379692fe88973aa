"""Opens the tasks of recurring work a fortnight ahead, each exactly once, and brings those opened to a changed plan."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from services.kernel.application import Ask
from services.kernel.domain import Erased, Rejected
from services.kernel.shown import stamp
from services.tasks.domain.recurrence import Occurrence, Plan, RecordOpened, Recurrence, recurrence
from services.tasks.domain.task import task
from services.tasks.domain.task_events import Task
from services.tasks.domain.task_execution import CancelTask, ExecutionFacts, ReopenTask
from services.tasks.domain.task_planning import OpenTask
from services.tasks.domain.values import Fields, Window
from services.tasks.recurring import rule
from services.tasks.standing import demand_system
from services.tasks.work import opening_facts

AHEAD = timedelta(days=14)
AT_ONCE = 50
ENDED, CHANGED = "recurrence-ended", "recurrence-changed"
"""Why a task was cancelled, where nobody typed a reason."""


def task_of(recurrence_id: str, start: datetime) -> str:
    """The id of the task for one time: the same whoever opens it."""
    return str(uuid5(UUID(recurrence_id), stamp(start)))


def open_occurrences(ask: Ask) -> Mapping[str, Any]:
    """Whatever is due by now: repeated, or done by two at once, it adds nothing."""
    demand_system(ask.caller)
    id = str(ask.data["recurrence_id"])
    known: Recurrence = ask.state(recurrence, id)
    if known.plan is None:
        return {}
    if known.ended is not None:
        _withdraw(ask, known, {start for start in known.opened if start > known.ended}, ENDED)
        return {}
    return _Opening(ask, id, known, known.plan).run()


class _Opening:
    def __init__(self, ask: Ask, id: str, known: Recurrence, plan: Plan) -> None:
        self._ask = ask
        self._id = id
        self._known = known
        self._plan = plan

    def run(self) -> Mapping[str, Any]:
        known, timing = self._known, self._plan.timing
        assert known.since is not None
        horizon = self._ask.now + AHEAD
        due = rule.between(timing, known.upto or known.since, horizon)
        withdrawn = set(known.withdrawn)
        if known.upto is None:
            withdrawn = self._align(set(due))
        else:
            due = [start for start in due if start > known.upto]
            if not due:
                return {}
        chunk, more = due[:AT_ONCE], len(due) > AT_ONCE
        upto = chunk[-1] if more else horizon
        fresh = [start for start in chunk if start not in known.skipped and not known.opened.get(start)]
        done = {
            "recurrence_id": self._id,
            "revision": known.revision,
            "upto": upto,
            "occurrences": tuple(self._open(start) for start in fresh),
            "following": next(iter(rule.following(timing, upto)), None),
            "more": more,
            "withdrawn": tuple(sorted(withdrawn)),
        }
        return self._ask.handle(recurrence, self._id, self._ask.make(RecordOpened, done), part="opened").to_wire()

    def _open(self, start: datetime) -> Occurrence:
        task_id = task_of(self._id, start)
        wording = self._plan.wording
        if isinstance(wording, Erased):
            return Occurrence(start=start, task_id=None, code="erased")
        if self._ask.state(task, task_id).opened is not None:
            return Occurrence(start=start, task_id=task_id)
        fields = {**self._plan.outline.model_dump(), **wording.model_dump(), "window": self._window(start)}
        lacks = None
        try:
            wanted = self._wanted(task_id, fields)
        except Rejected as refused:
            if not refused.code.startswith("assignee-"):
                return Occurrence(start=start, task_id=None, code=refused.code)
            # Whoever was to do it no longer can: better nobody's work than no work.
            lacks = refused.code
            try:
                wanted = self._wanted(task_id, {**fields, "user_id": None, "team_id": None})
            except Rejected as also:
                return Occurrence(start=start, task_id=None, code=also.code)
        try:
            self._ask.handle(task, task_id, wanted, part=f"open/{stamp(start)}")
        except Rejected as refused:
            if refused.code != "task-exists":  # somebody else just opened it
                return Occurrence(start=start, task_id=None, code=refused.code)
        return Occurrence(start=start, task_id=task_id, code=lacks)

    def _wanted(self, task_id: str, fields: Mapping[str, Any]) -> OpenTask:
        wanted = self._ask.make(OpenTask, {"task_id": task_id, **fields})
        assert isinstance(wanted, OpenTask)
        facts = opening_facts(self._ask, wanted).model_copy(update={"recurrence_id": self._id})
        # Whoever planned it opened its tasks, though the system carries them out.
        return wanted.model_copy(update={"facts": facts, "by": self._known.planned_by})

    def _window(self, start: datetime) -> Window:
        minutes = self._plan.timing.minutes
        return Window(start=start, end=None if minutes is None else start + timedelta(minutes=minutes))

    def _align(self, wanted: set[datetime]) -> set[datetime]:
        """Tasks opened under an earlier plan: those that no longer occur go, the others get what changed.

        Those that an earlier change took back come again where they occur now; answers which are away.
        """
        known = self._known
        assert known.since is not None
        ahead = {start for start in known.opened if start >= known.since}
        away = set(known.withdrawn) | _withdraw(self._ask, known, ahead - wanted, CHANGED)
        for start in sorted(ahead & wanted - known.skipped):
            if task_id := known.opened[start]:
                if start in known.withdrawn:
                    self._reopen(task_id)
                self._edit(task_id, start)
        return away - wanted

    def _reopen(self, task_id: str) -> None:
        why = {"task_id": task_id, "reason": CHANGED, "facts": ExecutionFacts(manages=True)}
        self._ask.handle(task, task_id, self._ask.make(ReopenTask, why), part=f"reopen/{task_id}")

    def _edit(self, task_id: str, start: datetime) -> None:
        before, now = self._known.aligned, self._plan
        if before is None or isinstance(now.wording, Erased):
            return
        changes = _changes(before, now)
        if "fields" in changes and not isinstance(before.wording, Erased):
            changes["fields"] = self._fields(task_id, before.wording.fields, now.wording.fields)
        assignee = {name: changes.pop(name) for name in ("user_id", "team_id") if name in changes}
        if before.timing.minutes != now.timing.minutes:
            changes["window"] = self._window(start).model_dump(mode="json")
        if changes:
            self._request("edit_task", {"task_id": task_id, **changes})
        if assignee:
            outline = now.outline
            self._request("assign_task", {"task_id": task_id, "user_id": outline.user_id, "team_id": outline.team_id})

    def _fields(self, task_id: str, before: Fields, now: Fields) -> Fields:
        """The task's own values, with those changed that changed in the plan."""
        work: Task = self._ask.state(task, task_id)
        kept: Fields = {} if isinstance(work.fields, Erased) else work.fields
        gone = {key for key in before if key not in now}
        changed = {key: value for key, value in now.items() if before.get(key) != value}
        return {key: value for key, value in kept.items() if key not in gone} | changed

    def _request(self, command: str, data: Mapping[str, Any]) -> None:
        try:
            self._ask.request(command, data, f"{self._ask.command_id}/{command}/{data['task_id']}", data)
        except Rejected:
            return  # begun, closed or changed by hand meanwhile: it stays as people left it


def _changes(before: Plan, now: Plan) -> dict[str, Any]:
    """What tasks are to be told: only what changed in the plan, so that changes of a single task survive."""
    old = before.outline.model_dump(mode="json")
    if not isinstance(before.wording, Erased):
        old |= before.wording.model_dump(mode="json")
    assert not isinstance(now.wording, Erased)
    new = now.outline.model_dump(mode="json") | now.wording.model_dump(mode="json")
    changed = {name for name, value in new.items() if name not in old or old[name] != value}
    for together in ({"process_id", "subprocess_id"}, {"customer_id", "location_id", "equipment_id"}):
        changed |= together if changed & together else set()
    return {name: new[name] for name in new if name in changed}


def _withdraw(ask: Ask, known: Recurrence, starts: set[datetime], reason: str) -> set[datetime]:
    """Cancel the tasks of these times, as far as nobody has begun them; answers which were cancelled so."""
    tasks = {start: task_id for start in sorted(starts) if (task_id := known.opened[start])}
    return {start for start, task_id in tasks.items() if _cancel(ask, task_id, reason)}


def _cancel(ask: Ask, task_id: str, reason: str) -> bool:
    def cancel() -> CancelTask:
        work: Task = ask.state(task, task_id)
        if work.cancelled or work.generic_state != "pending":
            raise Rejected("task-not-editable", task_id=task_id)
        made = ask.make(CancelTask, {"task_id": task_id, "reason": reason, "facts": ExecutionFacts(manages=True)})
        assert isinstance(made, CancelTask)
        return made

    part = f"cancel/{task_id}"
    if ask.done(part) is not None:
        return True
    try:
        ask.handle(task, task_id, cancel, part=part)
    except Rejected:
        return False  # begun or closed: it is people's now
    return True
