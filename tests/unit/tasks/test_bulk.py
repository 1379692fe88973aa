"""One decision over many tasks with a result for each, resumed when it is broken off; and saved filters."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from services.kernel.shown import stamp
from services.kernel.testing.app import START
from services.kernel.testing.given import given
from services.tasks.domain.saved_filters import (
    ChangeFilter,
    Choice,
    FilterRemoved,
    FilterSaved,
    RemoveFilter,
    SaveFilter,
    saved_filters,
)
from services.tasks.readmodels.task_board import Chosen
from tests.examples.tasks import (
    ADMIN,
    COLLEAGUE,
    NOW,
    STRANGER,
    SUPERVISOR,
    TEAM,
    TECHNICIAN,
    an_id,
)
from tests.unit.tasks.office import Office
from tests.unit.tasks.test_service import finish, refused


class TestBulk:
    def test_each_task_has_its_own_answer(self, office: Office) -> None:
        free, mine, done = office.open(), office.open(user_id=COLLEAGUE), office.open(user_id=TECHNICIAN)
        finish(office, done)
        ids = [free, mine, done, an_id(999), free]
        answer = office.do("decide_over_tasks", action="assign", task_ids=ids, user_id=COLLEAGUE)
        assert [(one["task_id"], one["status"], one.get("code")) for one in answer["results"]] == [
            (free, "done", None),
            (mine, "done", None),
            (done, "refused", "task-completed"),
            (an_id(999), "refused", "task-unknown"),
        ]
        assert (answer["done"], answer["refused"]) == (2, 2)
        assert office.ask("task", task_id=free)["user_id"] == COLLEAGUE

    def test_cancelled_and_rescheduled(self, office: Office) -> None:
        ids = [office.open() for _ in range(3)]
        window = {"start": stamp(START), "end": None}
        office.do("decide_over_tasks", action="reschedule", task_ids=ids, window=window)
        office.do("decide_over_tasks", action="cancel", task_ids=ids[1:], reason="Paro", user_id=None)
        rows = {id: office.ask("task", task_id=id) for id in ids}
        assert {row["window"]["start"] for row in rows.values()} == {stamp(START)}
        assert [rows[id]["status"] for id in ids] == ["pending", "cancelled", "cancelled"]

    def test_what_was_broken_off_goes_on_under_the_same_name(self, office: Office, monkeypatch: Any) -> None:
        ids = [office.open() for _ in range(4)]
        asked = {"action": "assign", "task_ids": ids, "team_id": TEAM}
        store, appended = office.app.store, []

        def dies_after_two(commit: Any) -> Any:
            if len(appended) == 2:
                raise OSError("the process died")
            appended.append(commit)
            return type(store).append(store, commit)

        with monkeypatch.context() as patched:
            patched.setattr(store, "append", dies_after_two)
            with pytest.raises(OSError, match="died"):
                office.do("decide_over_tasks", command_id="bulk-1", **asked)
        office.do("assign_task", task_id=ids[0], user_id=COLLEAGUE)
        first = office.do("decide_over_tasks", command_id="bulk-1", **asked)
        assert first["done"] == 4
        assert office.do("decide_over_tasks", command_id="bulk-1", **asked) == first
        assert office.ask("task", task_id=ids[0])["user_id"] == COLLEAGUE
        assert {office.ask("task", task_id=id)["team_id"] for id in ids[1:]} == {TEAM}
        with pytest.raises(Rejected, match="idempotency-key-reused"):
            office.do("decide_over_tasks", command_id="bulk-1", **{**asked, "team_id": None})

    @pytest.mark.parametrize(
        ("asked", "code"),
        [
            ({"action": "cancel"}, "reason-required"),
            ({"action": "reschedule"}, "invalid"),
            ({"action": "assign", "reason": "x"}, "invalid"),
            ({"action": "delete"}, "invalid"),
            ({"action": "assign", "task_ids": []}, "invalid"),
            ({"action": "assign", "task_ids": [an_id(n) for n in range(201)]}, "invalid"),
        ],
    )
    def test_what_is_refused_as_a_whole(self, office: Office, asked: Any, code: str) -> None:
        refused(code, office.do, "decide_over_tasks", **{"task_ids": [an_id(1)], **asked})

    def test_who_may_and_what_is_in_view(self, office: Office) -> None:
        hidden = office.open(user_id=STRANGER)
        refused("forbidden", office.do, "decide_over_tasks", TECHNICIAN, action="assign", task_ids=[hidden])
        answer = office.do("decide_over_tasks", SUPERVISOR, action="cancel", task_ids=[hidden], reason="x")
        assert answer["results"][0]["code"] == "task-unknown"


FILTER = an_id(95)


def save(name: str = "Urgentes", command: Any = SaveFilter, **chosen: Any) -> Any:
    fields = {"user_id": ADMIN, "filter_id": FILTER, "screen": "board", "at": NOW, "by": ADMIN}
    return command(**fields, name=name, chosen=Choice(**chosen))


def saved(name: str = "Urgentes", filter_id: str = FILTER, **chosen: Any) -> FilterSaved:
    return FilterSaved(user_id=ADMIN, filter_id=filter_id, screen="board", name=name, chosen=chosen)


class TestSavedFilters:
    REMOVE = RemoveFilter(user_id=ADMIN, filter_id=FILTER, at=NOW, by=ADMIN)

    def test_saved_changed_and_removed(self) -> None:
        story = given(saved_filters).when(save(priority="urgent")).then(saved(priority="urgent"))
        story.when(save(priority="urgent")).then_nothing()
        story.when(save("Todas")).then_rejected("filter-exists")
        story.when(save("Todas", ChangeFilter)).then(saved("Todas"))
        story.when(save("Todas", ChangeFilter)).then_repeating_adds_nothing()
        given(saved_filters).when(save("Todas", ChangeFilter)).then_rejected("filter-unknown")
        gone = story.when(self.REMOVE).then(FilterRemoved(user_id=ADMIN, filter_id=FILTER))
        gone.when(self.REMOVE).then_nothing()
        gone.when(save()).then_rejected("filter-exists")
        given(saved_filters).when(self.REMOVE).then_rejected("filter-unknown")

    def test_not_without_end(self) -> None:
        many = [saved(filter_id=str(n)) for n in range(100)]
        given(saved_filters, *many).when(save()).then_rejected("too-many-filters")

    def test_a_choice_is_what_the_board_can_be_narrowed_by(self) -> None:
        assert Choice.model_fields.keys() == Chosen.model_fields.keys()

    def test_each_has_his_own(self, office: Office) -> None:
        first, second = new_id(), new_id()
        mine = {"screen": "board", "chosen": {"overdue": True, "status": ["pending"]}}
        office.do("save_filter", filter_id=first, name="Vencidas", **mine)
        office.do("save_filter", filter_id=second, name="Agenda", screen="agenda", chosen={})
        office.do("save_filter", TECHNICIAN, filter_id=new_id(), name="Mías", **mine)
        items = office.ask("saved_filters")["items"]
        assert [(one["id"], one["name"]) for one in items] == [(second, "Agenda"), (first, "Vencidas")]
        assert items[1]["chosen"] == mine["chosen"]
        assert office.ask("task_board", **items[1]["chosen"])["items"] == []
        assert [one["name"] for one in office.ask("saved_filters", screen="board")["items"]] == ["Vencidas"]
        office.do("remove_filter", filter_id=first)
        assert len(office.ask("saved_filters")["items"]) == 1
        refused("invalid", office.do, "save_filter", filter_id=first, name="x", screen="board", chosen={"x": 1})
        refused("invalid", office.do, "save_filter", filter_id=first, name="x", **mine, user_id=TECHNICIAN)
