"""Requests that meet: whatever the interleaving, the rules hold afterwards."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from services.kernel.clock import new_id
from services.kernel.commit import VersionConflict
from services.kernel.domain import Rejected
from services.tasks.domain.customer import customer
from services.tasks.domain.task import task
from tests.examples.tasks import ADMIN, TEAM, TECHNICIAN, an_id
from tests.unit.tasks.office import Office

WON = "won"


def at_once(*requests: Callable[[], Any]) -> list[str]:
    """Make the requests from as many threads at the same moment; how each ended, in order."""
    ends = [""] * len(requests)
    start = threading.Barrier(len(requests))

    def run(place: int, request: Callable[[], Any]) -> None:
        start.wait()
        try:
            request()
            ends[place] = WON
        except Rejected as refused:
            ends[place] = refused.code
        except VersionConflict:
            ends[place] = "conflict"

    threads = [threading.Thread(target=run, args=each) for each in enumerate(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return ends


def request(office: Office, command: str, by: str = ADMIN, **data: Any) -> Callable[[], Any]:
    """A request to the bare application: read models and reactions wait until `follow`."""
    caller, id = office.caller(by), new_id()
    return lambda: office.app.application.execute(command, data, caller, id)


def state(office: Office, decider: Any, id: str) -> Any:
    return office.app.application.journal.load(decider, office.tenant, id).state


def test_of_64_who_claim_a_task_one_has_it(office: Office) -> None:
    people = [an_id(2000 + n) for n in range(64)]
    for person in people:
        office.roles[person] = "technician"
        office.tell("TeamMemberAdded", team_id=TEAM, user_id=person)
    task_id = office.open(team_id=TEAM)
    ends = at_once(*(request(office, "claim_task", person, task_id=task_id) for person in people))
    assert sorted(set(ends)) == ["task-already-claimed", WON]
    assert ends.count(WON) == 1
    assert state(office, task, task_id).user_id == people[ends.index(WON)]


def test_of_many_who_want_a_code_one_has_it(office: Office) -> None:
    for n in range(20):
        ids = [new_id() for _ in range(12)]
        code = f"RACE-{n}"
        ends = at_once(*(request(office, "create_customer", customer_id=id, code=code, name="x") for id in ids))
        there = [id for id in ids if state(office, customer, id).exists]
        assert len(there) == 1, ends
        assert ends.count(WON) == 1
        assert ends[ids.index(there[0])] == WON


def test_a_code_given_up_and_wanted_by_two(office: Office) -> None:
    for n in range(20):
        holder, first, second = (new_id() for _ in range(3))
        office.do("create_customer", customer_id=holder, code=f"OLD-{n}", name="x")
        at_once(
            request(office, "edit_customer", customer_id=holder, code=f"NEW-{n}"),
            request(office, "create_customer", customer_id=first, code=f"OLD-{n}", name="x"),
            request(office, "edit_customer", customer_id=holder, code=f"OLD-{n}"),
            request(office, "create_customer", customer_id=second, code=f"NEW-{n}", name="x"),
        )
        codes = [state(office, customer, id).profile for id in (holder, first, second)]
        held = [profile.code for profile in codes if profile]
        assert len(held) == len(set(held)), held


def test_a_parent_never_completes_beside_an_open_blocking_subtask(office: Office) -> None:
    for n in range(30):
        parent = office.open(user_id=TECHNICIAN)
        child = office.open(user_id=TECHNICIAN, parent_id=parent, blocks_parent=True)
        late = new_id()
        office.do("cancel_task", task_id=child, reason="x")
        for stage in ("on-the-way", "in-progress", "pending-validation"):
            office.do("advance_task", TECHNICIAN, task_id=parent, to_stage=stage)
        requests = [
            request(office, "advance_task", TECHNICIAN, task_id=parent, to_stage="completed"),
            request(office, "reopen_task", task_id=child, reason="x"),
            request(
                office,
                "open_task",
                task_id=late,
                title="x",
                process_id=an_id(21),
                subprocess_id=an_id(23),
                parent_id=parent,
                blocks_parent=True,
            ),
        ]
        ends = at_once(*(requests[n % 3 :] + requests[: n % 3]))
        office.app.follow()
        if state(office, task, parent).closed:
            assert state(office, task, child).closed, ends
            assert state(office, task, late).opened is None, ends
