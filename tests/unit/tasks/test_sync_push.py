"""What a device sends is settled once and in order, each command with one answer for ever."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from services.tasks.sync.rules import KINDS, ONLINE_ONLY, is_online_only
from tests.examples.tasks import COLLEAGUE, CUSTOMER, PROCESS, STRANGER, SUBPROCESS, SUPERVISOR, TEAM, TECHNICIAN
from tests.unit.tasks.office import Office
from tests.unit.tasks.phone import Phone


@pytest.fixture
def phone(office: Office) -> Phone:
    """Of a technician whose team the supervisor leads."""
    office.tell("TeamLeadersSet", team_id=TEAM, leaders=(SUPERVISOR,))
    return Phone(office, TECHNICIAN)


def new_task(phone: Phone, **body: Any) -> str:
    """A task made on the phone; its id."""
    id = new_id()
    phone.did("task.create", ("task", id), title="Fuga", process_id=PROCESS, subprocess_id=SUBPROCESS, **body)
    return id


def statuses(results: list[dict[str, Any]]) -> list[str]:
    return [result["status"] for result in results]


def codes(results: list[dict[str, Any]]) -> list[str | None]:
    return [result.get("code") for result in results]


def test_a_day_without_a_network_comes_in_at_once(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.did("task.start", ("task", job))
    phone.did("task.advance", ("task", job), to_stage="in-progress")
    phone.did("task.note", ("task", job), text="La válvula está rota.")
    made = new_task(phone)
    phone.did("task.start", ("task", made))
    customer = new_id()
    phone.did("customer.create", ("customer", customer), code="N-1", name="Nuevo cliente")
    phone.did("location.add", ("customer", customer), location_id=new_id(), name="Bodega")
    assert statuses(phone.push()) == ["applied"] * 7
    assert office.ask("task", task_id=job)["stage"] == "in-progress"
    assert office.ask("task", task_id=made)["user_id"] == TECHNICIAN
    assert office.ask("customer", customer_id=customer)["locations"][0]["name"] == "Bodega"


def test_a_repeat_is_answered_alike_and_changes_nothing(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.did("task.start", ("task", job))
    phone.did("task.start", ("task", job))
    phone.did("task.advance", ("task", job), to_stage="completed")
    phone.did("user.deactivate", ("user", COLLEAGUE))
    first = phone.push()
    assert statuses(first) == ["applied", "noop", "parked", "rejected"]
    assert codes(first) == [None, None, "stage_not_reachable", "online_only"]
    facts = len(office.app.facts())
    office.do("assign_task", task_id=job, user_id=COLLEAGUE)
    assert phone.push() == first
    assert phone.push(*reversed(phone.outbox)) == list(reversed(first))
    assert len(office.app.facts()) == facts + 1


def test_what_does_not_follow_waits_and_is_taken_unchanged_later(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    first = phone.did("task.start", ("task", job))
    second = phone.did("task.advance", ("task", job), to_stage="in-progress")
    (deferred,) = phone.push(second)
    assert (deferred["status"], deferred["code"], deferred["expected"]) == ("deferred", "gap", 1)
    assert statuses(phone.push(first)) == ["applied"]
    assert statuses(phone.push(second)) == ["applied"]


def test_a_batch_is_settled_in_the_order_of_numbers_not_of_arrival(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    first = phone.did("task.start", ("task", job))
    second = phone.did("task.advance", ("task", job), to_stage="in-progress")
    assert statuses(phone.push(second, first)) == ["applied", "applied"]


def test_a_bad_command_blocks_nothing(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.did("task.start", ("task", new_id()))
    phone.did("task.advance", ("task", job), to_stage=7)
    phone.did("task.levitate", ("task", job))
    phone.did("task.start", None)
    phone.did("task.start", ("task", job)) | {"x": 1}
    results = phone.push()
    assert statuses(results) == ["parked"] * 4 + ["applied"]
    assert codes(results)[:4] == ["task_unknown", "invalid", "type_unknown", "invalid"]
    assert all(result["retryable"] is False for result in results[:4])


@pytest.mark.parametrize("occurred_at", [None, 7, "", "yesterday", "2026-11-23T09:12:03", "x" * 5_000])
def test_a_command_that_cannot_be_read_gets_its_result_and_blocks_nothing(
    office: Office, phone: Phone, occurred_at: Any
) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.did("task.start", ("task", job))["occurred_at"] = occurred_at
    phone.did("task.start", ("task", job))
    first = phone.push()
    assert (statuses(first), first[0]["code"]) == (["parked", "applied"], "invalid")
    assert phone.push() == first


def test_what_was_done_after_the_right_had_ended_is_refused(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.did("task.start", ("task", job))
    ended_at = office.app.clock.now()
    office.app.advance(timedelta(hours=1))
    phone.did("task.note", ("task", job), text="x")
    results = phone.push(quarantine="seat_inactive", ended_at=ended_at)
    assert (statuses(results), codes(results)) == (["parked", "rejected"], ["seat_inactive", "seat_inactive"])


def test_an_id_or_a_number_that_stood_for_something_else_is_refused_and_nothing_changes(
    office: Office, phone: Phone
) -> None:
    job = office.open(user_id=TECHNICIAN)
    first = phone.did("task.start", ("task", job))
    phone.push()
    facts = len(office.app.facts())
    other = {**first, "body": {"position": {"lat": 4.6, "lon": -74.0}}}
    assert codes(phone.push(other)) == ["command_id_reused"]
    assert codes(phone.push({**first, "id": new_id()})) == ["command_id_reused"]
    assert codes(phone.push({**first, "seq": 2})) == ["command_id_reused"]
    assert len(office.app.facts()) == facts
    phone.did("task.advance", ("task", job), to_stage="in-progress")
    assert statuses(phone.push()) == ["applied", "applied"]


def test_work_on_what_was_given_to_somebody_else_is_kept_for_a_supervisor(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    office.do("assign_task", task_id=job, user_id=COLLEAGUE)
    work = phone.did("task.start", ("task", job))
    (parked,) = phone.push()
    assert (parked["status"], parked["code"]) == ("parked", "not_assignee")
    (waiting,) = office.ask("parked_work", SUPERVISOR)["items"]
    assert waiting["evidence"] == work
    with pytest.raises(Rejected, match="forbidden"):
        office.ask("parked_work", TECHNICIAN)
    with pytest.raises(Rejected, match="still-parked"):
        office.do("release_parked_work", SUPERVISOR, work_id=waiting["id"])
    office.do("release_parked_work", SUPERVISOR, "r-1", work_id=waiting["id"], reassign=True)
    office.do("release_parked_work", SUPERVISOR, "r-1", work_id=waiting["id"], reassign=True)
    task = office.ask("task", task_id=job)
    assert (task["user_id"], task["status"]) == (TECHNICIAN, "in_progress")
    assert [entry["by"] for entry in task["history"] if entry["what"] == "TaskAdvanced"] == [TECHNICIAN]
    assert office.ask("parked_work", SUPERVISOR)["items"] == []
    assert phone.push() == [parked]
    assert office.ask("one_parked_work", SUPERVISOR, work_id=waiting["id"])["state"] == "released"


def test_what_was_seen_is_taken_from_whoever_carried_the_task_then(office: Office, phone: Phone) -> None:
    job, never = office.open(user_id=TECHNICIAN), office.open(user_id=STRANGER)
    office.do("assign_task", task_id=job, user_id=STRANGER)
    phone.did("task.note", ("task", job), text="Ya estaba rota.")
    phone.did("task.note", ("task", never), text="No es mía.")
    results = phone.push()
    assert (statuses(results), codes(results)) == (["applied", "parked"], [None, "task_unknown"])
    assert phone.push() == results


def test_parked_work_can_be_put_aside_with_a_reason_and_never_comes_back(office: Office, phone: Phone) -> None:
    job = office.open(user_id=COLLEAGUE)
    phone.did("task.start", ("task", job))
    phone.push()
    (waiting,) = office.ask("parked_work", SUPERVISOR)["items"]
    with pytest.raises(Rejected, match="reason-required"):
        office.do("discard_parked_work", SUPERVISOR, work_id=waiting["id"], reason="")
    office.do("discard_parked_work", SUPERVISOR, work_id=waiting["id"], reason="Fue un error.")
    with pytest.raises(Rejected, match="parked-work-discarded"):
        office.do("release_parked_work", SUPERVISOR, work_id=waiting["id"], reassign=True)
    assert office.ask("parked_work", SUPERVISOR, state="discarded")["items"][0]["reason"] == "Fue un error."
    with pytest.raises(Rejected, match="parked-work-unknown"):
        office.do("discard_parked_work", SUPERVISOR, work_id=new_id(), reason="x")


def test_a_device_whose_right_has_ended_loses_nothing_and_changes_nothing(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.did("task.start", ("task", job))
    (parked,) = phone.push(quarantine="device_revoked")
    assert (parked["status"], parked["code"]) == ("parked", "device_revoked")
    assert office.ask("task", task_id=job)["status"] == "pending"
    (waiting,) = office.ask("parked_work", SUPERVISOR)["items"]
    office.do("release_parked_work", SUPERVISOR, work_id=waiting["id"])
    assert office.ask("task", task_id=job)["status"] == "in_progress"


def test_disjoint_fields_merge_and_one_field_tells_both_values(office: Office, phone: Phone) -> None:
    job = office.open(by=TECHNICIAN)
    phone.pull()
    seen = phone.tasks()[job]["version"]
    office.do("edit_task", task_id=job, title="De la oficina", priority="high")
    phone.did("task.edit", ("task", job), seen, title="Del campo", description="Gotea")
    (result,) = phone.push()
    assert result["status"] == "applied"
    (conflict,) = result["conflicts"]
    assert (conflict["field"], conflict["kept"], conflict["other"]) == ("title", "Del campo", "De la oficina")
    assert phone.push() == [result]
    task = office.ask("task", task_id=job)
    assert (task["title"], task["description"], task["priority"]) == ("Del campo", "Gotea", "high")


def test_own_fields_merge_key_by_key(office: Office, phone: Phone) -> None:
    office.do("define_field", entity="task", key="color", field={"label": "Color", "rules": {"type": "text"}})
    job = office.open(by=TECHNICIAN, fields={"serial": "A", "color": "azul"})
    phone.pull()
    seen = phone.tasks()[job]["version"]
    office.do("edit_task", task_id=job, fields={"serial": "B", "color": "azul"})
    phone.did("task.edit", ("task", job), seen, fields={"color": "rojo"})
    (result,) = phone.push()
    assert "conflicts" not in result
    assert office.ask("task", task_id=job)["fields"] == {"serial": "B", "color": "rojo"}
    office.do("edit_task", task_id=job, fields={"serial": "C", "color": "rojo"})
    phone.did("task.edit", ("task", job), seen, fields={"serial": "D"})
    assert phone.push()[-1]["conflicts"][0]["field"] == "fields.serial"


@pytest.mark.parametrize(
    ("offset_ms", "ahead", "suspect"),
    [(0, 0, False), (299_000, 0, False), (301_000, 0, True), (-301_000, 0, True), (0, 10, True)],
)
def test_a_clock_that_cannot_be_believed_is_noted(
    office: Office, phone: Phone, offset_ms: int, ahead: int, suspect: bool
) -> None:
    work = phone.did("task.start", ("task", office.open(user_id=TECHNICIAN)))
    late = office.app.clock.now() + timedelta(minutes=ahead)
    phone.push({**work, "occurred_at": late.isoformat()}, offset_ms=offset_ms)
    (log,) = [fact.event for fact in office.app.facts() if fact.type == "CommandsSettled"]
    assert log.settled[0].time_suspect is suspect
    assert log.offset_ms == offset_ms


def test_a_wall_clock_set_back_while_the_device_ran_on_is_noted(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    phone.did("task.start", ("task", job))
    back = phone.did("task.note", ("task", job), text="x")
    phone.push(phone.outbox[0])
    phone.push({**back, "occurred_at": "2026-11-23T07:00:00-05:00", "mono_ms": phone.outbox[0]["mono_ms"] + 5})
    logs = [fact.event for fact in office.app.facts() if fact.type == "CommandsSettled"]
    assert [log.settled[0].time_suspect for log in logs] == [False, True]


def test_two_people_on_one_phone_number_their_work_apart(office: Office, phone: Phone) -> None:
    other = Phone(office, COLLEAGUE)
    other.device_id = phone.device_id
    new_task(phone)
    new_task(other)
    assert statuses(phone.push()) == statuses(other.push()) == ["applied"]


def test_whoever_has_no_right_to_work_offline_is_refused(office: Office) -> None:
    desk = Phone(office, SUPERVISOR)
    desk.did("task.note", ("task", new_id()), text="x")
    with pytest.raises(Rejected, match="forbidden"):
        desk.push()


@pytest.mark.parametrize("prefix", ONLINE_ONLY)
def test_what_is_decided_online_only_is_never_taken(office: Office, phone: Phone, prefix: str) -> None:
    assert not any(is_online_only(type) for type in KINDS)
    phone.did(f"{prefix}x" if prefix.endswith(".") else prefix, ("task", new_id()))
    assert codes(phone.push()) == ["online_only"]


def test_where_a_phone_was_is_handed_in_like_everything_else(office: Office, phone: Phone) -> None:
    at = office.app.clock.now()
    here = {"lat": 4.65, "lon": -74.06}
    points = [{"point_id": new_id(), "position": here, "at": at.isoformat(), "battery": 71}]
    phone.did("gps.record", ("user", TECHNICIAN), points=points)
    phone.did("gps.record", ("user", TECHNICIAN), points="here")
    results = phone.push()
    assert (statuses(results), codes(results)) == (["applied", "parked"], [None, "invalid"])
    assert phone.push() == results
    (seen,) = office.ask("positions")["items"]
    assert seen["user_id"] == TECHNICIAN


def test_a_submission_counts_for_its_task_in_the_batch_that_brings_it(office: Office, phone: Phone) -> None:
    job = office.open(user_id=TECHNICIAN)
    form, submission = new_id(), new_id()
    work = phone.did("submission.submit", ("submission", submission), task_id=job)
    answer = {
        "task_id": job,
        "submission_id": submission,
        "form_id": form,
        "version": 1,
        "photos": 2,
        "signatures": 0,
        "complete": False,
        "parked": None,
        "amendment": 0,
    }
    relayed = {"status": "applied", "answer": answer, "missing_media": ["sha256:ab"]}
    batch = [{**work, "sent": work, "relayed": relayed}]
    results = phone.push(commands=batch)
    assert (results[0]["status"], results[0]["missing_media"]) == ("applied", ["sha256:ab"])
    assert office.ask("task", task_id=job)["answers"][0]["submission_id"] == submission
    assert phone.push(commands=batch) == results
    alone = phone.did("submission.submit", ("submission", new_id()))
    parked = {"status": "parked", "code": "answers_invalid"}
    (result,) = phone.push(commands=[{**alone, "sent": alone, "relayed": parked}])
    assert (result["status"], result["code"]) == ("parked", "answers_invalid")
    assert office.ask("parked_work")["items"] == []  # it waits where submissions wait


def test_a_submission_that_could_not_be_read_is_kept_with_all_that_was_sent(office: Office, phone: Phone) -> None:
    work = phone.did("submission.submit", ("submission", new_id()), answers=["nonsense"])
    relayed = {"status": "rejected", "code": "invalid"}
    (result,) = phone.push(commands=[{**work, "sent": work, "relayed": relayed}])
    assert (result["status"], result["code"]) == ("parked", "invalid")
    assert office.ask("parked_work")["items"][0]["evidence"] == work
    other = phone.did("submission.submit", ("submission", new_id()))
    taken = {"status": "rejected", "code": "submission_exists"}
    (result,) = phone.push(commands=[{**other, "sent": other, "relayed": taken}])
    assert (result["status"], result["code"]) == ("rejected", "submission_exists")


def test_customers_are_made_in_the_field_under_the_same_rules(office: Office, phone: Phone) -> None:
    code = office.ask("customer", customer_id=CUSTOMER)["code"]
    phone.did("customer.create", ("customer", new_id()), code=code, name="Doble")
    (result,) = phone.push()
    assert (result["status"], result["code"]) == ("parked", "customer_code_taken")
