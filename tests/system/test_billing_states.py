"""What not paying and leaving mean for everybody, through the real billing: its own facts, only its clock is ahead."""

from __future__ import annotations

import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pypdf
import pytest

from deploy.demo.client import Person
from deploy.demo.staff import let_in
from services.billing.wiring import define
from services.kernel.clock import SettableClock, new_id
from services.kernel.config import Settings
from services.kernel.platform import open_platform
from services.kernel.timers import Dispatch
from tests.system.callers import Client, Platform, first_invoice, join, problem, register, within

DETAILS = {
    "legal_name": "Frío Andino S.A.S.",
    "tax_id": "900.123.456-7",
    "address": "Calle 10 # 4-20",
    "city": "Bogotá D.C.",
    "email": "facturas@frio.example.com",
}


@dataclass
class Company:
    """An owner, a technician, and the invoice of their first cycle, issued."""

    owner: Client
    technician: Client
    invoice: dict[str, Any]

    @property
    def account(self) -> str:
        return self.owner.ids["account_id"]


@pytest.fixture(scope="module")
def finance(platform: Platform) -> Person:
    return let_in(platform.env, "finance")


@pytest.fixture
def company(platform: Platform) -> Company:
    """The invoice waits for the billing details, and is issued by itself once they are there."""
    owner = register(platform, "Frío Andino")
    technician = join(platform, owner, "technician")
    id = first_invoice(owner)
    owner.ok("PUT", "/v1/billing-details", json=DETAILS)
    within(20.0, lambda: owner.ok("GET", f"/v1/invoices/{id}")["status"] == "issued")
    return Company(owner, technician, owner.ok("GET", f"/v1/invoices/{id}"))


@pytest.fixture
def later(platform: Platform) -> Any:
    """Billing's own commands, carried out as if it were so many days later."""

    def carry_out(company: Company, command: str, days: int) -> None:
        clock = SettableClock(datetime.now(UTC) + timedelta(days=days))
        settings = Settings.model_validate(platform.env)
        with closing(open_platform(define(), settings, clock)) as billing:
            billing.application.dispatch(
                Dispatch(command), tenant=company.account, by="rehearsal", commit_id=new_id(), cause=None
            )

    return carry_out


def standing(company: Company) -> str:
    return str(company.owner.ok("GET", "/v1/account/state")["state"])


def test_an_issued_invoice_can_be_printed(company: Company, tmp_path: Any) -> None:
    owner, id = company.owner, company.invoice["id"]
    path = f"/v1/invoices/{id}/pdf"
    within(20.0, lambda: owner("GET", path).status_code == 200)
    answer = owner("GET", path)
    assert answer.headers["content-type"] == "application/pdf"
    (tmp_path / "invoice.pdf").write_bytes(answer.content)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(tmp_path / "invoice.pdf").pages)
    for expected in (company.invoice["number"], DETAILS["legal_name"], DETAILS["tax_id"], "Bogotá"):
        assert expected in text
    stranger = register(owner_platform(owner))
    assert stranger("GET", path).status_code == 404


def owner_platform(owner: Client) -> Any:
    """Enough of a platform to register somebody else at the same door."""
    return type("Door", (), {"base_url": str(owner.http.base_url)})()


def test_an_invoice_long_overdue_suspends_and_paying_it_ends_that(
    company: Company, finance: Person, later: Any
) -> None:
    owner, technician = company.owner, company.technician
    later(company, "judge_standing", 50)
    within(20, lambda: standing(company) == "restricted")
    refused = problem(owner("POST", "/v1/teams", json={"name": uuid.uuid4().hex}), 403)
    assert refused["code"] == "account-restricted"
    assert technician("GET", "/v1/board").status_code == 200
    later(company, "judge_standing", 90)
    within(20, lambda: standing(company) == "suspended")
    assert problem(technician("GET", "/v1/board"), 403)["code"] == "account-suspended"
    assert technician.ok("GET", "/v1/account/state")["may"]["finish"] is True
    assert owner("GET", "/v1/invoices").status_code == 200
    total = company.invoice["total"]
    payment = {
        "id": str(uuid.uuid4()),
        "invoice_id": company.invoice["id"],
        "cash": {"amount": total},
        "received_on": datetime.now(UTC).date().isoformat(),
        "reference": "PSE 4711",
    }
    finance.post(f"/ops/accounts/{company.account}/payments", payment)
    within(10.0, lambda: standing(company) == "active")
    assert technician("GET", "/v1/board").status_code == 200
    within(10.0, lambda: [p["cash"] for p in owner.ok("GET", "/v1/payments")["items"]] == [total])


def test_whoever_leaves_keeps_the_data_and_may_come_back(company: Company, later: Any) -> None:
    owner, technician = company.owner, company.technician
    owner.ok("POST", "/v1/account/cancel", json={"reason": "La temporada terminó."})
    assert standing(company) == "active"  # what is paid for is used up
    later(company, "open_cycles", 32)
    within(20, lambda: standing(company) == "cancelled")
    assert problem(technician("GET", "/v1/board"), 403)["code"] == "account-cancelled"
    assert owner("GET", "/v1/board").status_code == 200
    assert problem(owner("POST", "/v1/teams", json={"name": "x"}), 403)["code"] == "account-cancelled"
    owner.ok("POST", "/v1/account/resume")
    within(20, lambda: standing(company) == "active")
    assert technician("GET", "/v1/board").status_code == 200
