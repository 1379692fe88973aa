"""The tasks service as its callers meet it: commands by name, what they leave to be read, and who may what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from services.kernel.shown import stamp
from services.kernel.testing.app import START
from tests.examples.tasks import (
    ADMIN,
    COLLEAGUE,
    CUSTOMER,
    DRAFTS,
    EQUIPMENT,
    FORM,
    LIST,
    LOCATION,
    MEDELLIN,
    NEARBY,
    OTHER_PROCESS,
    OTHER_SUBPROCESS,
    OTHER_TEAM,
    PROCESS,
    PROFILE,
    SERVICE,
    STRANGER,
    SUBPROCESS,
    SUPERVISOR,
    TEAM,
    TECHNICIAN,
    an_id,
)
from tests.unit.tasks.office import VIEWER, Office

WALK = ("on-the-way", "in-progress", "pending-validation", "completed")


def refused(code: str, ask: Any, /, *args: Any, **fields: Any) -> dict[str, Any]:
    """Expect a refusal; its details."""
    with pytest.raises(Rejected) as refusal:
        ask(*args, **fields)
    assert refusal.value.code == code
    return refusal.value.details


def finish(office: Office, task_id: str, by: str = TECHNICIAN) -> None:
    for stage in WALK:
        office.do("advance_task", by, task_id=task_id, to_stage=stage)


class TestOneJob:
    def test_from_opening_to_completion_with_history(self, office: Office) -> None:
        task_id = office.open(customer_id=CUSTOMER, location_id=LOCATION, team_id=TEAM, priority="high")
        office.do("claim_task", TECHNICIAN, task_id=task_id)
        office.do("start_task", TECHNICIAN, task_id=task_id)
        details = refused(
            "stage-not-reachable", office.do, "advance_task", TECHNICIAN, task_id=task_id, to_stage="completed"
        )
        assert details["next"] == "in-progress"
        refused("not-the-assignee", office.do, "advance_task", STRANGER, task_id=task_id, to_stage="in-progress")
        for stage in WALK[1:]:
            answer = office.do("advance_task", TECHNICIAN, task_id=task_id, to_stage=stage)
        task = office.ask("task", task_id=task_id)
        assert task["version"] == answer["version"]
        assert (task["status"], task["stage_name"], task["user_id"]) == ("completed", "Completada", TECHNICIAN)
        assert (task["customer_name"], task["subprocess_name"]) == (PROFILE.name, "Mantenimiento preventivo")
        assert [(e["what"], e["by"]) for e in task["history"]] == [
            ("TaskOpened", ADMIN),
            ("TaskAssigned", ADMIN),
            ("TaskClaimed", TECHNICIAN),
            *[("TaskAdvanced", TECHNICIAN)] * 4,
        ]
        last = task["history"][-1]
        assert (last["from"], last["to"]) == (
            {"stage": "pending-validation"},
            {"stage": "completed", "generic_state": "completed"},
        )

    def test_another_account_has_none_of_it(self, office: Office) -> None:
        task_id = office.open()
        office.tenant = an_id(902)
        refused("task-unknown", office.ask, "task", task_id=task_id)
        refused("task-unknown", office.do, "cancel_task", task_id=task_id, reason="x")
        assert office.ask("task_board")["items"] == []
        assert office.ask("customers")["items"] == []

    def test_a_list_changed_later_is_not_the_tasks(self, office: Office) -> None:
        task_id = office.open(user_id=TECHNICIAN)
        shorter = [d.model_dump(mode="json") for d in DRAFTS if d.stage_id != "in-progress"]
        office.do("change_status_list", list_id=LIST, name="Corta", stages=shorter)
        finish(office, task_id)
        assert office.ask("task", task_id=task_id)["status"] == "completed"
        newer = office.open(user_id=TECHNICIAN)
        office.do("start_task", TECHNICIAN, task_id=newer)
        office.do("advance_task", TECHNICIAN, task_id=newer, to_stage="pending-validation")

    def test_a_process_without_a_list_knows_the_three_states(self, office: Office) -> None:
        office.do("attach_status_list", process_id=PROCESS, list_id=None)
        task_id = office.open(user_id=TECHNICIAN)
        for stage in ("in-progress", "completed"):
            office.do("advance_task", TECHNICIAN, task_id=task_id, to_stage=stage)
        assert office.ask("task", task_id=task_id)["stage_name"] is None

    def test_a_stage_in_reach_of_the_place_only(self, office: Office) -> None:
        stages = [d.model_dump(mode="json") for d in DRAFTS]
        stages[2]["requires"] = {"geolocation_radius_m": 150}
        office.do("change_status_list", list_id=LIST, name="Con presencia", stages=stages)
        task_id = office.open(user_id=TECHNICIAN, customer_id=CUSTOMER, location_id=LOCATION)
        office.do("start_task", TECHNICIAN, task_id=task_id)
        arrive = {"task_id": task_id, "to_stage": "in-progress"}
        refused("stage-demands-unmet", office.do, "advance_task", TECHNICIAN, **arrive)
        far = refused(
            "stage-demands-unmet",
            office.do,
            "advance_task",
            TECHNICIAN,
            position=MEDELLIN.model_dump(),
            **arrive,
        )
        assert far["missing"][0]["away_m"] > 200_000
        office.do("advance_task", TECHNICIAN, position=NEARBY.model_dump(), **arrive)
        present = office.ask("task", task_id=task_id)["history"][-2]
        assert (present["what"], present["to"]["position"]["lat"]) == ("PresenceConfirmed", NEARBY.lat)


class TestRepeats:
    def test_a_command_id_answers_the_same_twice(self, office: Office) -> None:
        fields = {"title": "Una vez", "process_id": PROCESS, "subprocess_id": SUBPROCESS}
        first = office.do("open_task", command_id="c1", task_id=an_id(700), **fields)
        office.do("deactivate_process", process_id=PROCESS)
        assert office.do("open_task", command_id="c1", task_id=an_id(700), **fields) == first
        assert office.do("open_task", command_id="c2", task_id=an_id(700), **fields)["version"] == 1

    def test_sixty_four_claims_have_one_winner(self, office: Office) -> None:
        people = [an_id(2000 + n) for n in range(64)]
        for person in people:
            office.roles[person] = "technician"
            office.tell("TeamMemberAdded", team_id=TEAM, user_id=person)
        task_id = office.open(team_id=TEAM)
        codes = []
        for person in people:
            try:
                office.do("claim_task", person, task_id=task_id)
                codes.append("won")
            except Rejected as lost:
                codes.append(lost.code)
        assert codes.count("won") == 1
        assert codes.count("task-already-claimed") == 63
        office.do("claim_task", people[0], task_id=task_id)


class TestWhoMayWhat:
    @pytest.mark.parametrize(
        ("by", "command", "data"),
        [
            (VIEWER, "open_task", {"task_id": an_id(1), "title": "x"}),
            (TECHNICIAN, "create_process", {"process_id": an_id(1), "name": "x"}),
            (SUPERVISOR, "create_process", {"process_id": an_id(1), "name": "x"}),
            (VIEWER, "create_customer", {"customer_id": an_id(1), "code": "x", "name": "x"}),
            (TECHNICIAN, "cancel_task", {"task_id": an_id(1), "reason": "x"}),
            (TECHNICIAN, "assign_task", {"task_id": an_id(1)}),
            (ADMIN, "claim_task", {"task_id": an_id(1)}),
            (TECHNICIAN, "request_import", {"import_id": an_id(1)}),
            (ADMIN, "check_import", {"import_id": an_id(1)}),
            (ADMIN, "apply_rows", {"import_id": an_id(1)}),
            (ADMIN, "expire_import", {"import_id": an_id(1)}),
            (ADMIN, "open_occurrences", {"recurrence_id": an_id(1)}),
            (ADMIN, "open_follow_up", {"submission_id": an_id(1)}),
            (ADMIN, "complete_answer", {"task_id": an_id(1), "submission_id": an_id(1)}),
            (ADMIN, "release_answer", {"task_id": an_id(1), "submission_id": an_id(1)}),
            (ADMIN, "discard_answer", {"task_id": an_id(1), "submission_id": an_id(1)}),
            (ADMIN, "record_points", {"points": []}),
            (TECHNICIAN, "define_field", {"entity": "task", "key": "x"}),
            (TECHNICIAN, "set_process_fields", {"process_id": an_id(1), "fields": {}}),
            (TECHNICIAN, "add_service", {"service_id": an_id(1), "name": "x"}),
            (TECHNICIAN, "install_equipment", {"equipment_id": an_id(1)}),
            (TECHNICIAN, "edit_equipment", {"equipment_id": an_id(1)}),
            (TECHNICIAN, "move_equipment", {"equipment_id": an_id(1)}),
            (TECHNICIAN, "start_recurrence", {"recurrence_id": an_id(1)}),
            (TECHNICIAN, "change_recurrence", {"recurrence_id": an_id(1)}),
            (TECHNICIAN, "end_recurrence", {"recurrence_id": an_id(1)}),
            (TECHNICIAN, "skip_occurrence", {"recurrence_id": an_id(1), "start": stamp(START)}),
        ],
    )
    def test_without_the_permission_it_is_forbidden(
        self, office: Office, by: str, command: str, data: dict[str, Any]
    ) -> None:
        refused("forbidden", office.do, command, by, **data)

    def test_reading_takes_permission_too(self, office: Office) -> None:
        refused("forbidden", office.ask, "imports", TECHNICIAN)

    def test_what_only_the_service_knows_cannot_be_claimed(self, office: Office) -> None:
        task_id = office.open()
        for command in ("edit_task", "assign_task", "cancel_task", "reopen_task"):
            refused("invalid", office.do, command, task_id=task_id, facts={"manages": True})
        refused("invalid", office.do, "claim_task", TECHNICIAN, task_id=task_id, facts={"teams": [TEAM]})
        refused("invalid", office.do, "reopen_task", task_id=task_id, reason="x", opening=9)

    @pytest.mark.parametrize(
        ("to", "code"),
        [
            ({"user_id": an_id(999)}, "assignee-unknown"),
            ({"user_id": SUPERVISOR}, "assignee-not-operational"),
            ({"team_id": OTHER_TEAM}, "assignee-unknown"),
        ],
    )
    def test_work_goes_to_technicians_and_teams(self, office: Office, to: dict[str, str], code: str) -> None:
        task_id = office.open()
        refused(code, office.do, "assign_task", task_id=task_id, **to)
        refused(code, office.open, **to)

    def test_not_to_who_was_deactivated(self, office: Office) -> None:
        task_id = office.open()
        office.tell("UserDeactivated", user_id=TECHNICIAN)
        refused("assignee-not-operational", office.do, "assign_task", task_id=task_id, user_id=TECHNICIAN)

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"process_id": an_id(999)}, "process-unknown"),
            ({"subprocess_id": an_id(999)}, "subprocess-unknown"),
            ({"customer_id": an_id(999)}, "customer-unknown"),
            ({"customer_id": CUSTOMER, "location_id": an_id(999)}, "location-unknown"),
            ({"parent_id": an_id(999)}, "parent-unknown"),
            ({"service_ids": [an_id(999)]}, "service-unknown"),
            ({"customer_id": CUSTOMER, "equipment_id": an_id(999)}, "equipment-unknown"),
            ({"equipment_id": EQUIPMENT}, "equipment-elsewhere"),
            ({"title": 7}, "invalid"),
            ({"task_id": "not-an-id"}, "invalid"),
            ({"window": "tomorrow"}, "invalid"),
            ({"surprise": 1}, "invalid"),
        ],
    )
    def test_what_does_not_exist_or_fit_is_refused(self, office: Office, changes: dict[str, Any], code: str) -> None:
        refused(code, office.open, **changes)
        if "process_id" not in changes and "subprocess_id" not in changes:
            return
        task_id = office.open()
        refused(
            code,
            office.do,
            "edit_task",
            task_id=task_id,
            **{"process_id": PROCESS, "subprocess_id": an_id(998), **changes},
        )

    def test_a_subprocess_is_not_taken_along_to_another_process(self, office: Office) -> None:
        task_id = office.open()
        office.do("create_process", process_id=OTHER_PROCESS, name="Ventas")
        kind = {"process_id": OTHER_PROCESS, "subprocess_id": SUBPROCESS}
        refused("subprocess-unknown", office.do, "edit_task", task_id=task_id, **kind)
        kind["subprocess_id"] = OTHER_SUBPROCESS
        office.do("add_subprocess", **kind, name="Visita")
        office.do("edit_task", task_id=task_id, **kind)
        task = office.ask("task", task_id=task_id)
        assert (task["process_name"], task["stage"], len(task["stages"])) == ("Ventas", "pending", 3)

    def test_nothing_new_in_what_was_switched_off(self, office: Office) -> None:
        office.do("deactivate_subprocess", process_id=PROCESS, subprocess_id=SUBPROCESS)
        refused("subprocess-inactive", office.open)
        office.do("deactivate_process", process_id=PROCESS)
        refused("process-inactive", office.open)

    def test_links_lead_somewhere(self, office: Office) -> None:
        refused("status-list-unknown", office.do, "attach_status_list", process_id=PROCESS, list_id=an_id(9))
        refused("team-unknown", office.do, "link_teams", process_id=PROCESS, team_ids=[OTHER_TEAM])
        office.do("link_teams", process_id=PROCESS, team_ids=[TEAM])
        assert office.ask("process", process_id=PROCESS)["team_ids"] == [TEAM]


class TestView:
    def shown_to(self, office: Office, by: str) -> set[str]:
        return {row["title"] for row in office.ask("task_board", by)["items"]}

    def test_each_sees_the_work_that_is_his(self, office: Office) -> None:
        office.team(an_id(100), leaders=(SUPERVISOR,))
        office.team(OTHER_TEAM, STRANGER, parent=an_id(100))
        office.open(title="mine", user_id=TECHNICIAN)
        office.open(title="our team's", team_id=TEAM)
        office.open(title="the colleague's", user_id=COLLEAGUE)
        office.open(title="nobody's")
        office.open(title="the child team's", team_id=OTHER_TEAM)
        office.open(title="the stranger's", user_id=STRANGER)
        assert self.shown_to(office, TECHNICIAN) == {"mine", "our team's"}
        assert self.shown_to(office, SUPERVISOR) == {"nobody's", "the child team's", "the stranger's"}
        assert len(self.shown_to(office, VIEWER)) == len(self.shown_to(office, ADMIN)) == 6

    def test_out_of_view_is_unknown(self, office: Office) -> None:
        task_id = office.open(user_id=COLLEAGUE)
        refused("task-unknown", office.ask, "task", TECHNICIAN, task_id=task_id)
        refused("task-unknown", office.do, "cancel_task", SUPERVISOR, task_id=task_id, reason="x")
        refused("task-unknown", office.do, "edit_task", TECHNICIAN, task_id=task_id, title="x")
        refused("parent-unknown", office.open, SUPERVISOR, parent_id=task_id, title="under somebody else's task")

    def test_what_one_opened_stays_in_view(self, office: Office) -> None:
        task_id = office.open(SUPERVISOR, user_id=COLLEAGUE)
        assert office.ask("task", SUPERVISOR, task_id=task_id)["user_id"] == COLLEAGUE

    def test_a_former_member_no_longer_sees_the_team(self, office: Office) -> None:
        office.open(title="our team's", team_id=TEAM)
        office.tell("TeamMemberRemoved", team_id=TEAM, user_id=TECHNICIAN)
        assert self.shown_to(office, TECHNICIAN) == set()
        office.tell("TeamDeleted", team_id=TEAM)
        office.tell("TeamMemberAdded", team_id=TEAM, user_id=TECHNICIAN)
        assert self.shown_to(office, TECHNICIAN) == set()


class TestSubtasks:
    def pair(self, office: Office) -> tuple[str, str]:
        parent = office.open(user_id=TECHNICIAN)
        child = office.open(user_id=TECHNICIAN, parent_id=parent, blocks_parent=True)
        for stage in WALK[:-1]:
            office.do("advance_task", TECHNICIAN, task_id=parent, to_stage=stage)
        return parent, child

    def complete(self, office: Office, task_id: str) -> None:
        office.do("advance_task", TECHNICIAN, task_id=task_id, to_stage="completed")

    def test_the_parent_waits_for_a_blocking_subtask(self, office: Office) -> None:
        parent, child = self.pair(office)
        assert refused("subtasks-open", self.complete, office, parent) == {"subtasks": [child]}
        finish(office, child)
        self.complete(office, parent)
        assert [s["id"] for s in office.ask("task", task_id=parent)["subtasks"]] == [child]

    def test_a_cancelled_subtask_is_not_waited_for(self, office: Office) -> None:
        parent, child = self.pair(office)
        office.do("cancel_task", task_id=child, reason="ya no hace falta")
        self.complete(office, parent)

    def test_a_reopened_subtask_is_waited_for_again(self, office: Office) -> None:
        parent, child = self.pair(office)
        finish(office, child)
        office.do("reopen_task", task_id=child, reason="faltó una foto")
        refused("subtasks-open", self.complete, office, parent)
        self.complete(office, child)
        self.complete(office, parent)

    def test_no_subtask_opens_or_reopens_under_a_completed_parent(self, office: Office) -> None:
        parent, child = self.pair(office)
        finish(office, child)
        self.complete(office, parent)
        refused("parent-completed", office.do, "reopen_task", task_id=child, reason="x")
        refused("parent-completed", office.open, parent_id=parent, blocks_parent=True)
        refused("parent-completed", office.open, parent_id=parent)

    def test_others_do_not_block(self, office: Office) -> None:
        parent = office.open(user_id=TECHNICIAN)
        office.open(parent_id=parent)
        finish(office, parent)

    def test_an_announced_subtask_that_never_came_does_not_block_for_ever(self, office: Office) -> None:
        """The request died between telling the parent and opening; the late opening is refused."""
        parent, _ = self.pair(office)
        ghost = new_id()
        refused(
            "window-out-of-order",
            office.open,
            task_id=ghost,
            parent_id=parent,
            blocks_parent=True,
            window={"start": stamp(START), "end": stamp(START - timedelta(hours=1))},
        )
        details = refused("subtasks-open", self.complete, office, parent)
        assert ghost not in details["subtasks"]
        office.open(task_id=ghost, parent_id=parent, blocks_parent=True)
        assert ghost in refused("subtasks-open", self.complete, office, parent)["subtasks"]


class TestCustomers:
    def create(self, office: Office, customer_id: str, code: str, **more: Any) -> dict[str, Any]:
        return office.do("create_customer", customer_id=customer_id, code=code, name="Ñandú S.A.S.", **more)

    def test_a_code_belongs_to_one(self, office: Office) -> None:
        refused("customer-code-taken", self.create, office, new_id(), f" {PROFILE.code.upper()} ")
        other = new_id()
        self.create(office, other, "X-1")
        refused("customer-code-taken", office.do, "edit_customer", customer_id=other, code=PROFILE.code)

    def test_a_code_given_up_is_free_again(self, office: Office) -> None:
        office.do("edit_customer", customer_id=CUSTOMER, code="NEW-1")
        other = new_id()
        self.create(office, other, PROFILE.code)
        refused("customer-code-taken", office.do, "edit_customer", customer_id=CUSTOMER, code=PROFILE.code)
        office.do("edit_customer", customer_id=other, code="NEW-2")
        office.do("edit_customer", customer_id=CUSTOMER, code=PROFILE.code)
        assert office.ask("customer", customer_id=CUSTOMER)["code"] == PROFILE.code

    def test_a_claim_left_behind_by_a_dead_request_is_taken_over(self, office: Office) -> None:
        dead, other = new_id(), new_id()
        self.claim_only(office, dead)
        self.create(office, other, "GHOST")
        refused("customer-code-taken", self.create, office, dead, "GHOST")
        self.create(office, dead, "ALIVE")

    def claim_only(self, office: Office, customer_id: str) -> None:
        """Die after the claim: the customer itself refuses because of a precondition that cannot hold."""
        refused(
            "version-mismatch",
            office.app.execute,
            "create_customer",
            {"customer_id": customer_id, "code": "GHOST", "name": "x"},
            office.caller(ADMIN),
            expected_version=7,
        )

    def test_a_dead_request_can_be_repeated(self, office: Office) -> None:
        customer_id = new_id()
        self.claim_only(office, customer_id)
        self.create(office, customer_id, "GHOST")

    def test_the_same_request_again_adds_nothing(self, office: Office) -> None:
        customer_id = new_id()
        first = self.create(office, customer_id, "X-1")
        assert self.create(office, customer_id, "X-1")["version"] == first["version"]

    def test_found_by_the_beginning_of_code_or_word(self, office: Office) -> None:
        for text in ("900.123", "panaderia", "la esp", "ÑUÑOA", "nunoa"):
            found = office.ask("customers", text=text)["items"]
            assert [row["id"] for row in found] == [CUSTOMER], text
        assert office.ask("customers", text="spiga")["items"] == []
        assert office.ask("customers", text=".*")["items"] == []

    def test_pages_show_each_once(self, office: Office) -> None:
        for n in range(7):
            self.create(office, new_id(), f"P-{n}")
        seen, cursor = [], None
        while True:
            answer = office.ask("customers", limit=3, cursor=cursor)
            seen += [row["id"] for row in answer["items"]]
            cursor = answer["next"]
            if cursor is None:
                break
        assert len(seen) == len(set(seen)) == 8

    @pytest.mark.parametrize("cursor", ["x", "AAAA", "W10", "WyJhIiwgeyIkZ3QiOiAiIn1d", "ñ"])
    def test_a_forged_cursor_is_refused(self, office: Office, cursor: str) -> None:
        refused("cursor-invalid", office.ask, "customers", cursor=cursor)

    def test_locations_come_and_go(self, office: Office) -> None:
        office.do("edit_location", customer_id=CUSTOMER, location_id=LOCATION, name="Sede Norte")
        (place,) = office.ask("customer", customer_id=CUSTOMER)["locations"]
        assert (place["name"], place["position"]["lat"]) == ("Sede Norte", 4.65)
        office.do("remove_location", customer_id=CUSTOMER, location_id=LOCATION)
        assert office.ask("customer", customer_id=CUSTOMER)["locations"] == []
        refused("customer-unknown", office.ask, "customer", customer_id=an_id(999))


class TestBoardAndAgenda:
    def test_columns_count_and_filters_narrow(self, office: Office) -> None:
        started = office.open(user_id=TECHNICIAN, priority="urgent")
        office.do("start_task", TECHNICIAN, task_id=started)
        office.do("cancel_task", task_id=office.open(), reason="x")
        pending = office.open(customer_id=CUSTOMER)
        board = office.ask("task_board")
        assert board["columns"] == [
            {"status": "pending", "count": 1},
            {"status": "in_progress", "count": 1},
            {"status": "completed", "count": 0},
            {"status": "cancelled", "count": 1},
        ]
        stages = office.ask("task_board", columns="stage", process_id=PROCESS)["columns"]
        assert {s["stage"]: s["count"] for s in stages if s["count"]} == {"pending": 1, "on-the-way": 1}

        def ids(**filters: Any) -> list[str]:
            return [row["id"] for row in office.ask("task_board", **filters)["items"]]

        assert ids(status=["in_progress"]) == ids(user_id=TECHNICIAN) == ids(stage="on-the-way") == [started]
        assert ids(customer_id=CUSTOMER) == [pending]
        assert ids(priority="urgent") == [started]
        assert ids(order="priority")[0] == started
        assert len(ids(subprocess_id=SUBPROCESS)) == len(ids(order="newest")) == 3
        assert len(ids(unassigned=True)) == 2

    def test_overdue_is_what_should_be_done_by_now(self, office: Office) -> None:
        late = office.open(window={"end": stamp(START - timedelta(minutes=1))})
        office.open(window={"end": stamp(START + timedelta(minutes=1))})
        office.open()
        (row,) = office.ask("task_board", overdue=True)["items"]
        assert (row["id"], row["overdue"]) == (late, True)
        office.app.advance(timedelta(minutes=2))
        assert len(office.ask("task_board", overdue=True)["items"]) == 2

    def test_the_agenda_shows_what_overlaps(self, office: Office) -> None:
        def at(hour: float) -> str:
            return stamp(START + timedelta(hours=hour))

        first = office.open(window={"start": at(0), "end": at(2)}, user_id=TECHNICIAN)
        second = office.open(window={"start": at(1), "end": at(5)})
        moment = office.open(window={"end": at(3)})
        office.open()

        def ids(frm: float, to: float, **filters: Any) -> list[str]:
            answer = office.ask("agenda", **{"from": at(frm), "to": at(to), **filters})
            return [row["id"] for row in answer["items"]]

        assert ids(0, 8) == [first, second, moment]
        assert ids(2.5, 4) == [second, moment]
        assert ids(0, 0.5) == [first]
        assert ids(0, 8, user_id=TECHNICIAN) == [first]
        assert ids(6, 8) == []
        refused("invalid", office.ask, "agenda", to=at(1))

    def test_an_edit_is_seen_everywhere(self, office: Office) -> None:
        task_id = office.open()
        office.do(
            "edit_task",
            task_id=task_id,
            title="Cambio de polea",
            description="Con grúa",
            priority="low",
            fields={"serial": "A-1"},
            window={"start": stamp(START), "end": stamp(START + timedelta(hours=1))},
            customer_id=CUSTOMER,
            location_id=LOCATION,
            form_ids=[an_id(61)],
            service_ids=[SERVICE],
            equipment_id=EQUIPMENT,
        )
        task = office.ask("task", task_id=task_id)
        assert (task["title"], task["description"], task["fields"]) == (
            "Cambio de polea",
            "Con grúa",
            {"serial": "A-1"},
        )
        assert task["window"]["start"] == stamp(START)
        assert len(task["history"]) == 10
        (row,) = office.ask("agenda", **{"from": stamp(START), "to": stamp(START + timedelta(days=1))})["items"]
        assert (row["title"], row["priority"], row["location_id"]) == ("Cambio de polea", "low", LOCATION)

    def test_cancelled_and_reopened(self, office: Office) -> None:
        task_id = office.open(user_id=TECHNICIAN)
        office.do("cancel_task", task_id=task_id, reason="El cliente aplazó")
        cancelled = office.ask("task", task_id=task_id)
        assert (cancelled["status"], cancelled["history"][-1]["to"]["reason"]) == (
            "cancelled",
            "El cliente aplazó",
        )
        office.do("reopen_task", task_id=task_id, reason="Ya puede")
        finish(office, task_id)
        assert office.ask("task", task_id=task_id)["completed_at"] == stamp(START)


def test_names_are_shown_as_they_are_now(office: Office) -> None:
    office.do("rename_process", process_id=PROCESS, name="Soporte")
    office.do("rename_subprocess", process_id=PROCESS, subprocess_id=SUBPROCESS, name="Correctivo")
    (process,) = office.ask("processes")["items"]
    assert (process["name"], process["subprocesses"][0]["name"]) == ("Soporte", "Correctivo")
    assert office.ask("status_list", list_id=LIST)["stages"][1]["name"] == "En camino"
    assert [row["id"] for row in office.ask("status_lists")["items"]] == [LIST]
    refused("status-list-unknown", office.ask, "status_list", list_id=an_id(9))
    refused("process-unknown", office.ask, "process", process_id=an_id(9))


def test_events_keep_what_people_typed_sealed(office: Office) -> None:
    office.open(title="Secreto", description="Llave bajo el tapete", fields={"serial": "1234-X"})
    published = " ".join(str(event.data) for commit in office.app.store.after(0, 1000) for event in commit.events)
    for typed in ("Secreto", "tapete", "1234-X", PROFILE.name, PROFILE.code, "Chapinero", "En camino", "4.65"):
        assert typed not in published


class TestEvidence:
    def answer(self, office: Office, task_id: str, **changes: Any) -> str:
        submission_id = changes.pop("submission_id", None) or new_id()
        fields = {"form_id": FORM, "version": 1, "photos": 2, "signatures": 1, "complete": True, **changes}
        office.as_system("answer_form", task_id=task_id, submission_id=submission_id, **fields)
        return str(submission_id)

    def test_a_stage_opens_once_the_form_is_answered(self, office: Office) -> None:
        stages = [d.model_dump(mode="json") for d in DRAFTS]
        stages[1]["requires"] = {"forms": [FORM], "photos": 2, "signature": True, "complete_evidence": True}
        office.do("change_status_list", list_id=LIST, name="Con evidencia", stages=stages)
        task_id = office.open(user_id=TECHNICIAN, form_ids=[FORM])
        details = refused("stage-demands-unmet", office.do, "start_task", TECHNICIAN, task_id=task_id)
        assert [missing["demand"] for missing in details["missing"]] == ["forms", "photos", "signature"]
        submission_id = self.answer(office, task_id, complete=False)
        details = refused("stage-demands-unmet", office.do, "start_task", TECHNICIAN, task_id=task_id)
        assert details["missing"] == [{"demand": "complete-evidence", "submissions": [submission_id]}]
        office.as_system("complete_answer", task_id=task_id, submission_id=submission_id)
        office.do("start_task", TECHNICIAN, task_id=task_id)
        (answer,) = office.ask("task", task_id=task_id)["answers"]
        assert (answer["submission_id"], answer["photos"], answer["complete"]) == (submission_id, 2, True)

    def test_answers_that_came_before_their_task_are_shown_with_it(self, office: Office) -> None:
        task_id = new_id()
        submission_id = self.answer(office, task_id, parked="not_assignee")
        refused("task-unknown", office.ask, "task", task_id=task_id)
        office.open(task_id=task_id)
        office.as_system("release_answer", task_id=task_id, submission_id=submission_id)
        task = office.ask("task", task_id=task_id)
        assert [(a["submission_id"], a["parked"]) for a in task["answers"]] == [(submission_id, None)]
        assert [entry["what"] for entry in task["history"]] == ["FormAnswered", "TaskOpened", "FormAnswerReleased"]
        office.as_system("discard_answer", task_id=task_id, submission_id=submission_id)
        assert office.ask("task", task_id=task_id)["answers"] == []

    def test_nobody_claims_evidence_that_forms_has_not_judged(self, office: Office) -> None:
        fields = {"submission_id": new_id(), "form_id": FORM, "version": 1}
        refused("forbidden", office.do, "answer_form", task_id=office.open(), **fields)

    def test_notes_are_shown_and_kept(self, office: Office) -> None:
        task_id, note_id = office.open(user_id=TECHNICIAN), new_id()
        office.do("note_task", TECHNICIAN, task_id=task_id, note_id=note_id, text="Puerta cerrada")
        task = office.ask("task", task_id=task_id)
        assert [(n["note_id"], n["user_id"], n["text"]) for n in task["notes"]] == [
            (note_id, TECHNICIAN, "Puerta cerrada")
        ]
        assert task["history"][-1]["what"] == "TaskNoted"
        refused("task-unknown", office.do, "note_task", STRANGER, task_id=task_id, note_id=new_id(), text="x")
        refused("forbidden", office.do, "note_task", VIEWER, task_id=task_id, note_id=new_id(), text="x")


def test_subtasks_are_summed_up_in_their_parent(office: Office) -> None:
    parent = office.open(user_id=TECHNICIAN)
    assert office.ask("task", task_id=parent)["subtask_counts"] == {}
    first = office.open(parent_id=parent, blocks_parent=True, user_id=TECHNICIAN)
    office.open(parent_id=parent)
    finish(office, first)
    assert office.ask("task", task_id=parent)["subtask_counts"] == {
        "pending": 1,
        "in_progress": 0,
        "completed": 1,
        "cancelled": 0,
        "blocking": 0,
    }
