"""Paid seats, billing and standing through the front door: what is bought can be used at once, what rests, rests."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator

import pytest

from deploy.demo.client import Person, Refused, mail_to
from deploy.demo.company import Company, invitation_token
from deploy.demo.staff import let_in
from deploy.demo.story import refused
from tests.system.callers import PASSWORD, Platform, first_invoice, log_in, problem, within


@pytest.fixture(scope="module")
def company(platform: Platform) -> Iterator[Company]:
    """Ten technicians on ten seats, and an eleventh who holds an invitation."""
    made = Company.register(platform.base_url, platform.mailbox_url, "Asientos S.A.S.", "Laura Gómez", PASSWORD)
    for n in range(10):
        made.invite(made.owner, f"Tec{n} Ruiz", "technician", PASSWORD)
    return made


@pytest.fixture(scope="module")
def link(platform: Platform, company: Company) -> str:
    """The eleventh's."""
    email = f"eleven@{company.domain}"
    company.owner.post("/v1/users", {"email": email, "name": "Once", "role": "technician", "language": "es"})
    return invitation_token(mail_to(platform.mailbox_url, email))


def come_in(platform: Platform, link: str) -> None:
    Person(platform.base_url).post("/v1/invitations/accept", {"token": link, "name": "Once", "password": PASSWORD})


def test_what_is_bought_can_be_used_within_five_seconds(platform: Platform, company: Company, link: str) -> None:
    owner = company.owner
    refused(lambda: come_in(platform, link), "no-free-seat")
    first_invoice(log_in(platform, company.logins[0].email))  # billing has heard of the account
    asked = owner.post("/v1/seat-quotes", {"to_seats": 11})
    accept = f"/v1/seat-quotes/{asked['quote_id']}/accept"
    refused(lambda: owner.post(accept, {"hash": "0" * 64}), "quote-hash-mismatch")
    begun = time.perf_counter()
    owner.post(accept, {"hash": asked["quote"]["hash"]})

    def is_in() -> bool:
        try:
            come_in(platform, link)
        except Refused as no:
            if no.code != "no-free-seat":
                raise
            return False
        return True

    within(20, is_in)
    assert time.perf_counter() - begun < 5.0
    owner.post(accept, {"hash": asked["quote"]["hash"]})
    seats = owner.get("/v1/seats")
    assert (seats["limit"], seats["used"], seats["entitlement_version"]) == (11, 11, 2)


def test_a_reduction_goes_by_staff_only_and_waits_for_the_administrators_choice(
    platform: Platform, company: Company
) -> None:
    owner, commercial = company.owner, let_in(platform.env, "commercial")
    account = f"/ops/accounts/{owner.ids['account_id']}"
    wanted = {"to": 10, "ticket": "T-2026-0042"}
    refused(lambda: owner.post(f"{account}/downgrades", wanted), "forbidden")
    refused(lambda: owner.post("/v1/seat-quotes", {"to_seats": 10}), "seats-not-raised")
    refused(lambda: commercial.post(f"{account}/payments", {}), "forbidden")
    commercial.post(f"{account}/downgrades", wanted)
    order = commercial.get(f"{account}/subscription")["reduction"]["order"]
    commercial.post(f"{account}/downgrades/{order}/approve")
    within(10.0, lambda: owner.get("/v1/plan")["reduction"]["missing"] == 1)
    somebody = owner.get("/v1/seats")["seated"][0]["user_id"]
    owner.post(f"/v1/users/{somebody}/deactivate")
    assert owner.get("/v1/seats")["limit"] == 10
    refused(lambda: owner.post(f"/v1/users/{somebody}/reactivate"), "no-free-seat")
    within(10.0, lambda: owner.get("/v1/plan")["reduction"]["step"] == "ready")
    owner.post("/v1/seat-reduction/cancel", {"order": order})
    within(10.0, lambda: owner.get("/v1/seats")["limit"] == 11)

    def told() -> bool:
        page = owner.get("/v1/history", type="SeatReductionApproved")["items"]
        return [entry["actor_name"] for entry in page] == ["Progresus S.A.S."]

    within(10.0, told)


def test_many_at_once_find_no_more_seats_than_there_are(platform: Platform, company: Company) -> None:
    owner = company.owner
    everybody = [seat["user_id"] for seat in owner.get("/v1/seats")["seated"]]
    for user_id in everybody[:4]:
        owner.post(f"/v1/users/{user_id}/deactivate")
    viewers = []
    for n in range(12):
        email = f"v{n}@{company.domain}"
        owner.post("/v1/users", {"email": email, "name": "Vera", "role": "technician", "language": "es"})
        viewers.append(invitation_token(mail_to(platform.mailbox_url, email)))
    free = owner.get("/v1/seats")["free"]
    ends: list[str] = []

    def try_to(link: str) -> None:
        try:
            come_in(platform, link)
            ends.append("in")
        except Refused as no:
            ends.append(no.code)

    threads = [threading.Thread(target=try_to, args=(each,)) for each in viewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends.count("in") == free
    assert set(ends) == {"in", "no-free-seat"}
    assert owner.get("/v1/seats")["free"] == 0


def test_a_pause_is_honoured_within_two_seconds_and_taken_back(platform: Platform, company: Company) -> None:
    owner = log_in(platform, company.logins[0].email)
    technician = log_in(platform, company.logins[-1].email)
    owner.ok("POST", "/v1/account/pause")
    team = {"json": {"name": uuid.uuid4().hex}}
    within(2.0, lambda: owner("POST", "/v1/teams", json={"name": uuid.uuid4().hex}).status_code == 403)
    assert problem(owner("POST", "/v1/teams", **team), 403)["code"] == "account-paused"
    assert technician.ok("GET", "/v1/account/state")["may"]["finish"] is False
    assert technician("GET", "/v1/board").status_code == 200
    assert problem(technician("POST", f"/v1/tasks/{uuid.uuid4()}/start"), 403)["code"] == "account-paused"
    owner.ok("POST", "/v1/account/resume")
    within(2.0, lambda: owner("POST", "/v1/teams", json={"name": uuid.uuid4().hex}).is_success)


def test_people_come_to_work_while_billing_is_away(platform: Platform, company: Company) -> None:
    owner = company.owner
    somebody = owner.get("/v1/seats")["seated"][0]["user_id"]
    platform.supervisor.kill("billing.service")
    owner.post(f"/v1/users/{somebody}/deactivate")
    owner.post(f"/v1/users/{somebody}/reactivate")
    within(30.0, lambda: Person(platform.base_url).get("/readyz")["billing"] == "ok")
