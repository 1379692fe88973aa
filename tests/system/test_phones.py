"""Phones whose right to work ends while they are away: what was done is kept, and they are told nothing more."""

from __future__ import annotations

import threading
import time

import pytest

from deploy.demo.client import Refused
from deploy.demo.company import Company, until
from deploy.demo.phone import Phone
from tests.system.callers import PASSWORD, Platform, within


@pytest.fixture
def company(platform: Platform) -> Company:
    made = Company.register(platform.base_url, platform.mailbox_url, "Bolsillo S.A.S.", "Laura Gómez", PASSWORD)
    made.define_work(made.owner)
    return made


@pytest.fixture
def phone(company: Company) -> Phone:
    """With one task on it, and with work that nobody has heard of yet."""
    technician = company.invite(company.owner, "Tomás Ruiz", "technician", PASSWORD)
    job = company.open_task(company.owner, "Fuga", user_id=technician.ids["user_id"])
    phone = Phone(company.base_url, company.logins[-1].email, PASSWORD).enrol()
    within(10.0, lambda: phone.pull() or job in phone.tasks())
    phone.did("task.start", ("task", job))
    return phone


def alive(phone: Phone) -> bool:
    """Whether its session still opens anything."""
    try:
        phone.get("/v1/me")
    except Refused:
        return False
    return True


def parked(company: Company, phone: Phone, code: str) -> None:
    """Its work is kept for a supervisor, who lets it take effect; the phone itself is to be wiped."""
    within(2.0, lambda: not alive(phone))
    (result,) = phone.push()
    assert (result["status"], result["code"]) == ("parked", code)
    with pytest.raises(Refused) as wiped:
        phone.pull()
    assert (wiped.value.status, wiped.value.code, wiped.value.problem["wipe"]) == (403, "device-revoked", True)
    (waiting,) = until(lambda: company.owner.get("/v1/parked-work"), lambda page: bool(page["items"]))["items"]
    assert (waiting["code"], waiting["type"]) == (code, "task.start")
    company.owner.post(f"/v1/parked-work/{waiting['id']}/release")
    (job,) = phone.tasks()
    within(20, lambda: company.owner.get(f"/v1/tasks/{job}")["status"] == "in_progress")


def test_a_phone_that_was_locked_out_hands_its_finished_work_in(company: Company, phone: Phone) -> None:
    company.owner.request("DELETE", f"/v1/users/{phone.user_id}/devices/{phone.device_id}")
    parked(company, phone, "device_revoked")
    with pytest.raises(Refused, match="device-revoked"):
        phone.enrol()


def test_a_technician_without_a_seat_hands_finished_work_in(company: Company, phone: Phone) -> None:
    company.owner.post(f"/v1/users/{phone.user_id}/deactivate")
    parked(company, phone, "seat_inactive")


def test_a_stolen_token_is_worth_nothing_without_the_phone(company: Company, phone: Phone) -> None:
    thief = Phone(company.base_url, phone.email, "", device_id=phone.device_id, user_id=phone.user_id)
    thief._access, thief._refresh = phone._access, phone._refresh
    thief.did("task.note", next(iter(phone.view)), text="x")
    with pytest.raises(Refused, match="device-signature-invalid"):
        thief.push()
    with pytest.raises(Refused, match="device-signature-invalid"):
        thief.pull()
    phone.hand_in()


def test_a_phone_that_waits_is_told_at_once(company: Company, phone: Phone) -> None:
    phone.hand_in()
    # What it handed in comes back to it; only behind that is there nothing new.
    within(10.0, lambda: phone.pull() or (phone.through_seq == 1 and not phone.page()["changes"]))
    told: list[float] = []

    def wait() -> None:
        page = phone.page(wait=20)
        told.append(time.monotonic())
        phone.take(page)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(1.0)
    begun = time.monotonic()
    job = company.open_task(company.owner, "Nueva", user_id=phone.user_id)
    waiting.join(30)
    within(10.0, lambda: phone.pull() or job in phone.tasks())
    assert begun < told[0] < begun + 10  # it was held back until then


def test_another_company_learns_nothing(platform: Platform, company: Company, phone: Phone) -> None:
    phone.hand_in()
    other = Company.register(platform.base_url, platform.mailbox_url, "Ajena S.A.S.", "Eva Luna", PASSWORD)
    other.invite(other.owner, "Nubia Paz", "technician", PASSWORD)
    theirs = Phone(other.base_url, other.logins[-1].email, PASSWORD).enrol()
    (job,) = phone.tasks()
    theirs.did("task.note", ("task", job), text="x")
    theirs.did("task.start", ("task", job))
    assert [result["code"] for result in theirs.push()] == ["task_unknown", "task_unknown"]
    theirs.cursor = phone.cursor
    theirs.pull()
    assert theirs.view == {}
