"""A device is sent what its person carries, what changed of it, and what it is to forget; nothing twice as new."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from services.kernel.shown import stamp
from services.tasks.sync import pull
from tests.examples.tasks import (
    COLLEAGUE,
    CUSTOMER,
    EQUIPMENT,
    LOCATION,
    PLATE,
    PROFILE,
    STRANGER,
    SUPERVISOR,
    TEAM,
    TECHNICIAN,
)
from tests.unit.tasks.office import Office
from tests.unit.tasks.phone import Phone


@pytest.fixture
def phone(office: Office) -> Phone:
    return Phone(office, TECHNICIAN)


def test_a_new_device_gets_everything_its_person_carries_and_nothing_else(office: Office, phone: Phone) -> None:
    mine = office.open(user_id=TECHNICIAN, customer_id=CUSTOMER, location_id=LOCATION)
    ours = office.open(team_id=TEAM)
    office.open(user_id=STRANGER)
    office.open()
    page = phone.page()
    assert (page["reset"], page["more"], page["budget"]["documents"]) == (True, False, 2)
    phone.take(page)
    assert set(phone.view) == {("task", mine), ("task", ours), ("customer", CUSTOMER)}
    assert phone.view["customer", CUSTOMER]["locations"][0]["location_id"] == LOCATION
    assert phone.tasks()[mine]["stage_names"]["pending"]
    again = phone.page()
    assert (again["changes"], again["reset"], again["more"]) == ([], False, False)


@pytest.mark.parametrize("limit", [1, 2, 3, 500])
def test_pages_of_any_size_say_the_same(office: Office, phone: Phone, limit: int) -> None:
    jobs = [office.open(user_id=TECHNICIAN, customer_id=CUSTOMER) for _ in range(5)]
    phone.pull(limit)
    assert set(phone.tasks()) == set(jobs)
    for job in jobs:
        office.do("edit_task", task_id=job, title=f"Otro {job[-3:]}")
    office.do("edit_customer", customer_id=CUSTOMER, city="Cali")
    office.do("assign_task", task_id=jobs[0], user_id=STRANGER)
    phone.pull(limit)
    assert set(phone.tasks()) == set(jobs[1:])
    assert all(task["title"].startswith("Otro") for task in phone.tasks().values())
    assert phone.view["customer", CUSTOMER]["city"] == "Cali"


def test_what_is_given_to_somebody_else_is_to_be_forgotten(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.pull()
    office.do("assign_task", task_id=job, user_id=STRANGER)
    (change,) = phone.page()["changes"]
    assert change == {"op": "remove", "kind": "task", "id": job, "why": "unassigned"}
    phone.pull()
    office.do("assign_task", task_id=job, team_id=TEAM)
    phone.pull()
    assert job in phone.tasks()


def test_a_customer_comes_with_the_first_task_and_then_by_its_own_changes(office: Office, phone: Phone) -> None:
    phone.pull()
    office.do("edit_customer", customer_id=CUSTOMER, city="Cali")
    assert phone.page()["changes"] == []
    phone.pull()
    office.open(user_id=TECHNICIAN, customer_id=CUSTOMER)
    phone.pull()
    assert phone.view["customer", CUSTOMER]["city"] == "Cali"
    office.do("edit_customer", customer_id=CUSTOMER, city="Pasto")
    (change,) = phone.page()["changes"]
    assert (change["op"], change["kind"], change["data"]["city"]) == ("put", "customer", "Pasto")
    assert change["data"]["name"] == PROFILE.name


def test_equipment_comes_with_the_work_on_it(office: Office, phone: Phone) -> None:
    place = {"customer_id": CUSTOMER, "location_id": LOCATION, "equipment_id": EQUIPMENT}
    job = office.open(user_id=TECHNICIAN, **place)
    phone.pull()
    assert set(phone.view) == {("task", job), ("customer", CUSTOMER), ("equipment", EQUIPMENT)}
    assert phone.view["equipment", EQUIPMENT]["name"] == PLATE.name
    office.do("edit_equipment", equipment_id=EQUIPMENT, serial="OTRO-1")
    office.do("edit_customer", customer_id=CUSTOMER, city="Cali")
    assert sorted(change["kind"] for change in phone.page()["changes"]) == ["customer", "equipment"]
    phone.pull()
    assert phone.view["equipment", EQUIPMENT]["serial"] == "OTRO-1"


def test_a_device_sees_how_the_evidence_of_its_tasks_stands(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    answer = {"task_id": job, "submission_id": new_id(), "form_id": new_id(), "version": 1}
    office.as_system("answer_form", **answer, photos=1, signatures=0, complete=False, parked=None, amendment=0)
    office.do("note_task", TECHNICIAN, task_id=job, note_id=new_id(), text="Gotea")
    phone.pull()
    (told,) = phone.tasks()[job]["answers"]
    assert (told["submission_id"], told["complete"]) == (answer["submission_id"], False)
    assert phone.tasks()[job]["notes"][0]["text"] == "Gotea"
    office.as_system("complete_answer", task_id=job, submission_id=answer["submission_id"])
    phone.pull()
    assert phone.tasks()[job]["answers"][0]["complete"] is True


def test_far_work_comes_when_its_time_comes_and_done_work_goes(office: Office, phone: Phone) -> None:
    start = office.app.clock.now() + timedelta(days=20)
    far = office.open(user_id=TECHNICIAN, window={"start": stamp(start), "end": stamp(start + timedelta(hours=2))})
    done = office.open(user_id=TECHNICIAN)
    phone.pull()
    assert set(phone.tasks()) == {done}
    office.do("cancel_task", task_id=done, reason="x")
    phone.pull()
    assert phone.tasks()[done]["status"] == "cancelled"
    office.app.advance(timedelta(days=6, hours=1))
    phone.pull()
    assert set(phone.tasks()) == {done, far}
    office.app.advance(timedelta(days=1))
    changes = phone.page()["changes"]
    assert changes == [{"op": "remove", "kind": "task", "id": done, "why": "out_of_window"}]
    phone.pull()
    assert set(phone.tasks()) == {far}


def test_open_work_that_is_overdue_stays(office: Office, phone: Phone) -> None:
    start = office.app.clock.now() - timedelta(days=30)
    late = office.open(user_id=TECHNICIAN, window={"start": stamp(start), "end": stamp(start)})
    phone.pull()
    assert set(phone.tasks()) == {late}


def test_another_team_is_another_scope_and_the_device_begins_anew(office: Office, phone: Phone) -> None:
    ours = office.open(team_id=TEAM)
    phone.pull()
    office.tell("TeamMemberRemoved", team_id=TEAM, user_id=TECHNICIAN)
    page = phone.page()
    assert page["reset"] is True
    phone.take(page)
    assert ours not in phone.tasks()


def test_who_stayed_away_too_long_begins_anew(office: Office, phone: Phone) -> None:
    office.open(user_id=TECHNICIAN)
    phone.pull()
    office.app.advance(timedelta(days=91))
    assert phone.page()["reset"] is True


@pytest.mark.parametrize("cursor", ["x", "eA", "W10", "WzEsMiwzXQ", "bnVsbA", "WzEsIngiLCJ5IiwieiIsbnVsbCwwXQ"])
def test_a_cursor_that_is_none_of_ours_is_refused(phone: Phone, cursor: str) -> None:
    phone.cursor = cursor
    with pytest.raises(Rejected, match="cursor-invalid"):
        phone.page()


def test_a_cursor_of_another_kind_begins_anew(phone: Phone) -> None:
    phone.pull()
    phone.cursor = pull.Cursor(10**9, "2026-11-23T13:00:00+00:00", "elsewhere").to_text()
    assert phone.page()["reset"] is True


def test_a_device_learns_how_much_of_its_own_work_it_sees(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.did("task.start", ("task", job))
    phone.did("task.note", ("task", job), text="x")
    phone.sync()
    assert phone.through == 2
    assert phone.tasks()[job]["status"] == "in_progress"
    placed = office.open(user_id=TECHNICIAN, customer_id=CUSTOMER, location_id=LOCATION)
    context = office.ask("sync_context", TECHNICIAN, device_id=phone.device_id, task_ids=[job, placed, new_id(), "x"])
    assert context == {"next": 3, "sites": {placed: {"lat": 4.65, "lon": -74.06}}}
    other = Phone(office, COLLEAGUE)
    other.pull()
    assert other.through == 0


def test_the_budget_is_told_and_kept(office: Office, phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "BUDGET", 3)
    monkeypatch.setattr(pull, "WARNED", 2)
    for _ in range(5):
        office.open(user_id=TECHNICIAN)
    page = phone.page()
    assert page["budget"] == {"documents": 5, "limit": 3, "warn": True, "exceeded": True}
    phone.pull()
    assert len(phone.tasks()) == 3


def test_forms_that_carried_work_asks_for_are_named_with_their_version(office: Office, phone: Phone) -> None:
    form, unused = new_id(), new_id()
    for id in (form, unused):
        office.tell_of_forms("FormPublished", form_id=id, version=3, hash="sha256:ab")
    office.open(user_id=TECHNICIAN, form_ids=[form])
    assert phone.page()["forms"] == [{"id": form, "version": 3, "hash": "sha256:ab"}]
    office.tell_of_forms("FormDeactivated", form_id=form)
    assert phone.page()["forms"] == []


def test_only_who_works_offline_is_sent_anything(office: Office) -> None:
    with pytest.raises(Rejected, match="forbidden"):
        Phone(office, SUPERVISOR).page()
