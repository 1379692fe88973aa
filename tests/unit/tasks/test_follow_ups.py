"""What submissions mean for tasks: evidence by way of the broker, in any order, and follow-ups, each once."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from services.kernel.clock import new_id
from services.kernel.commit import Commit, StoredEvent
from services.kernel.memory import MemoryCommitStore
from services.kernel.testing.app import START
from services.tasks.processes import follow_submissions
from services.tasks.wiring import define
from tests.examples.tasks import (
    CUSTOMER,
    EQUIPMENT,
    FORM,
    LOCATION,
    OTHER_FORM,
    OTHER_PROCESS,
    OTHER_SUBPROCESS,
    PROCESS,
    SUBPROCESS,
    TEAM,
    TECHNICIAN,
)
from tests.unit.tasks.office import Office
from tests.unit.tasks.test_service import finish


class Forms:
    """The forms service as this one hears of it: its messages, some of them told twice."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.definition = SimpleNamespace(name="forms")
        self.store = MemoryCommitStore()

    def tell(self, type: str, *, times: int = 1, **data: Any) -> None:
        for _ in range(times):
            number = self.store.head() + 1
            commit = Commit(
                stream=f"submission-{self.office.tenant}-x",
                category="submission",
                version=number,
                commit_id=str(number),
                tenant=self.office.tenant,
                actor=TECHNICIAN,
                at=self.office.app.clock.now(),
                events=(StoredEvent(type, 1, data),),
            )
            self.store.append(commit)
        self.office.app.listen_to(self)  # type: ignore[arg-type]

    def received(self, task_id: str | None, submission_id: str | None = None, **changes: Any) -> str:
        id = submission_id or new_id()
        counts = {"photos": 2, "signatures": 1, "complete": False, "parked": None}
        fields = {"submission_id": id, "form_id": FORM, "version": 3, "task_id": task_id}
        self.tell("SubmissionReceived", times=2, **fields, **{**counts, **changes})
        return id

    def needed(self, task_id: str | None, **changes: Any) -> None:
        fields = {"submission_id": new_id(), "form_id": FORM, "task_id": task_id, "field": "freno_ok"}
        kind = {"process_id": None, "subprocess_id": None, "priority": "high"}
        self.tell("FollowUpNeeded", times=2, **{**fields, **kind, **changes})


@pytest.fixture
def forms(office: Office) -> Forms:
    return Forms(office)


def board(office: Office, **filters: Any) -> list[dict[str, Any]]:
    return list(office.ask("task_board", order="newest", **filters)["items"])


def test_the_subscription_is_there() -> None:
    (followed,) = (s for s in define().subscriptions if s.handler == "tasks.submissions")
    assert (followed.source, followed.categories) == ("forms", ("submission",))
    assert followed.react is follow_submissions.react


class TestEvidence:
    def test_what_is_received_completed_and_amended_counts_once(self, office: Office, forms: Forms) -> None:
        task_id = office.open(user_id=TECHNICIAN)
        id = forms.received(task_id)
        forms.tell("SubmissionCompleted", times=2, submission_id=id, task_id=task_id)
        amended = {"form_id": OTHER_FORM, "version": 1, "photos": 5, "signatures": 0, "complete": True}
        forms.tell("SubmissionAmended", submission_id=id, task_id=task_id, amendment=1, **amended)
        whole = office.ask("task", task_id=task_id)
        assert [(a["form_id"], a["photos"], a["complete"], a["amendment"]) for a in whole["answers"]] == [
            (OTHER_FORM, 5, True, 1)
        ]
        assert [e["what"] for e in whole["history"]][2:] == ["FormAnswered", "FormAnswerCompleted", "FormAnswered"]

    def test_what_a_supervisor_decides_is_followed(self, office: Office, forms: Forms) -> None:
        task_id = office.open()
        first, second = (forms.received(task_id, parked="answers_invalid") for _ in range(2))
        counts = {"form_id": FORM, "version": 3, "photos": 9, "signatures": 0, "complete": False}
        forms.tell("SubmissionAmended", submission_id=first, task_id=task_id, amendment=1, **counts)
        assert {a["parked"] for a in office.ask("task", task_id=task_id)["answers"]} == {"answers_invalid"}
        forms.tell("SubmissionReleased", submission_id=first, task_id=task_id)
        forms.tell("SubmissionDiscarded", submission_id=second, task_id=task_id)
        answers = office.ask("task", task_id=task_id)["answers"]
        assert [(a["submission_id"], a["parked"]) for a in answers] == [(first, None)]

    def test_what_names_no_task_is_no_tasks_affair(self, office: Office, forms: Forms) -> None:
        before = len(office.app.facts())
        forms.tell("SubmissionCompleted", submission_id=forms.received(None), task_id=None)
        assert len(office.app.facts()) == before


class TestFollowUps:
    def test_below_the_task_while_it_is_open(self, office: Office, forms: Forms) -> None:
        place = {"customer_id": CUSTOMER, "location_id": LOCATION, "equipment_id": EQUIPMENT}
        task_id = office.open(title="Revisión", team_id=TEAM, **place)
        forms.needed(task_id)
        (child,) = office.ask("task", task_id=task_id)["subtasks"]
        whole = office.ask("task", task_id=child["id"])
        assert {name: whole[name] for name in place} == place
        assert (whole["title"], whole["priority"], whole["team_id"]) == ("Revisión · freno_ok", "high", TEAM)
        assert (whole["follows"]["task_id"], whole["follows"]["field"]) == (task_id, "freno_ok")
        assert [e["what"] for e in whole["history"]] == ["TaskOpened", "TaskFollowsUp", "TaskAssigned"]

    def test_after_the_task_once_it_is_closed(self, office: Office, forms: Forms) -> None:
        task_id = office.open(user_id=TECHNICIAN)
        finish(office, task_id)
        forms.needed(task_id)
        whole = office.ask("task", task_id=task_id)
        assert (whole["subtasks"], [later["status"] for later in whole["follow_ups"]]) == ([], ["pending"])

    def test_of_the_kind_that_the_form_names(self, office: Office, forms: Forms) -> None:
        kind = {"process_id": OTHER_PROCESS, "subprocess_id": OTHER_SUBPROCESS}
        office.do("create_process", process_id=OTHER_PROCESS, name="Reparación")
        office.do("add_subprocess", **kind, name="Frenos")
        forms.needed(None, **kind)
        forms.needed(office.open(), **kind)
        assert [row["subprocess_name"] for row in board(office, process_id=OTHER_PROCESS)] == ["Frenos"] * 2
        office.do("deactivate_process", process_id=OTHER_PROCESS)
        forms.needed(office.open(title="Origen"), **kind)
        (row,) = (row for row in board(office, process_id=PROCESS) if row["follows"])
        assert row["title"] == "Origen · freno_ok"

    def test_work_is_not_lost_with_the_equipment_it_was_for(self, office: Office, forms: Forms) -> None:
        task_id = office.open(customer_id=CUSTOMER, equipment_id=EQUIPMENT)
        office.do("retire_equipment", equipment_id=EQUIPMENT)
        forms.needed(task_id)
        (child,) = office.ask("task", task_id=task_id)["subtasks"]
        whole = office.ask("task", task_id=child["id"])
        assert (whole["customer_id"], whole["equipment_id"]) == (CUSTOMER, None)

    def test_one_per_submission_and_field(self, office: Office, forms: Forms) -> None:
        task_id, submission_id = office.open(), new_id()
        for field in ("a", "b", "a"):
            forms.needed(task_id, submission_id=submission_id, field=field)
        assert len(office.ask("task", task_id=task_id)["subtasks"]) == 2

    def test_a_task_that_its_own_answers_overtook_is_waited_for(self, office: Office, forms: Forms) -> None:
        task_id = new_id()
        forms.needed(task_id)
        assert board(office) == []
        office.open(task_id=task_id)
        office.app.advance(timedelta(minutes=1))
        assert len(office.ask("task", task_id=task_id)["subtasks"]) == 1
        assert office.app.clock.now() == START + timedelta(minutes=1)

    def test_long_titles_are_cut(self, office: Office, forms: Forms) -> None:
        forms.needed(office.open(title="x" * 200))
        forms.needed(None, process_id=PROCESS, subprocess_id=SUBPROCESS, field="y" * 300)
        titles = [row["title"] for row in board(office) if row["follows"]]
        assert {len(title) for title in titles} == {200}
