"""The whole billing service: from the day an account comes to the day it is suspended, pays and comes back."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from services.billing.domain.calendar import midnight
from services.billing.domain.customer_account import customer_account
from services.billing.domain.number_range import number_range
from services.billing.domain.office_hours import lawful
from services.kernel.clock import new_id
from services.kernel.commit import PLATFORM, Caller, VersionConflict
from services.kernel.domain import Rejected
from tests.examples.billing import (
    ANA,
    ANDES,
    CREDIT,
    DETAILS,
    PAYMENT,
    PRICE,
    RANGE,
    SECOND,
    TAX,
    Billing,
    billing,
    commercial,
    owner,
    system,
    uuid,
    viewer,
)


def refused(code: str) -> Any:
    return pytest.raises(Rejected, match=f"^{code}|'{code}'")


def pay(app: Billing, invoice: dict[str, Any], payment: str = PAYMENT, **changes: Any) -> None:
    fields = {
        "account_id": ANDES,
        "payment_id": payment,
        "invoice_id": invoice["id"],
        "cash": invoice["outstanding"],
        "received_on": "2026-03-10",
        "reference": "PSE 8841",
    }
    app.staff("record_payment", fields | changes)


def test_a_new_account_is_billed_for_its_first_cycle() -> None:
    app = billing()
    (invoice,) = app.invoices()
    assert (invoice["number"], invoice["total"], invoice["status"]) == ("CHK-1", "1059100.00", "issued")
    assert app.see("balance")["outstanding"] == "1059100.00"
    full = app.see("invoice", invoice_id=invoice["id"])
    assert full["legal_name"] == DETAILS["legal_name"]
    assert [line["what"] for line in full["lines"]] == ["plan"]


def test_more_seats_work_at_once_and_are_charged_from_the_next_cycle() -> None:
    app = billing()
    answer = app.buy(13)
    assert (answer["seats"], answer["entitlement_version"]) == (13, 2)
    app.until(SECOND - timedelta(seconds=1))
    assert len(app.invoices()) == 1
    app.until(SECOND)
    newest, first = app.invoices()
    assert (newest["seats"], newest["total"]) == (13, "1341130.00")
    assert first["seats"] == 10


def test_a_quote_shows_its_impact_and_only_its_hash_accepts_it() -> None:
    app = billing()
    quote_id = new_id()
    quote = app.own("quote_seats", {"quote_id": quote_id, "to_seats": 12})["quote"]
    assert quote["cycle_delta"]["amount"] == "158000.00"
    assert quote["tax"]["amount"] == "30020.00"
    assert app.see("quote", quote_id=quote_id)["status"] == "open"
    with refused("quote-hash-mismatch"):
        app.own("accept_quote", {"quote_id": quote_id, "hash": "0" * 64})
    again = {"quote_id": quote_id, "hash": quote["hash"]}
    versions = {app.own("accept_quote", again)["version"] for _ in range(3)}
    assert len(versions) == 1
    assert app.types("subscription").count("SeatsGranted") == 1
    assert app.see("quote", quote_id=quote_id)["status"] == "accepted"


def test_a_new_price_makes_an_open_quote_stale() -> None:
    app = billing()
    quote = app.own("quote_seats", {"quote_id": new_id(), "to_seats": 12})["quote"]
    app.staff("price_plan", PRICE | {"extra_seat": "85000", "effective_from": "2026-03-20"})
    with refused("quote-stale"):
        app.own("accept_quote", {"quote_id": quote["quote_id"], "hash": quote["hash"]})
    assert app.buy(12)["seats"] == 12


def test_a_quote_expires_by_itself() -> None:
    app = billing()
    quote_id = new_id()
    app.own("quote_seats", {"quote_id": quote_id, "to_seats": 12})
    app.days(3)
    assert "SeatQuoteExpired" in app.types("subscription")
    assert app.see("subscription")["quote"] is None
    assert app.see("quote", quote_id=quote_id)["status"] == "expired"


def test_prices_and_permissions_come_from_the_server_alone() -> None:
    app = billing()
    asked = {"quote_id": new_id(), "to_seats": 12, "unit_price": "1", "account_id": uuid(77), "holds_for": "P9Y"}
    quote = app.own("quote_seats", asked)["quote"]
    assert (quote["account_id"], quote["unit_price"]["amount"]) == (ANDES, "79000.00")
    for command in ("quote_seats", "accept_quote", "pause_subscription", "set_billing_details"):
        with refused("forbidden"):
            app.app.execute(command, {}, viewer)
    for query in ("subscription", "invoices", "balance", "payments"):
        with refused("forbidden"):
            app.app.query(query, {}, viewer)


STAFF_ONLY = (
    "request_seat_reduction",
    "approve_seat_reduction",
    "reject_seat_reduction",
    "unpark_account",
    "record_payment",
    "reverse_payment",
    "credit_invoice",
    "retry_einvoice",
    "price_plan",
    "set_tax",
    "authorise_range",
    "sweep_billing",
)


def test_no_customer_lowers_seats_or_decides_for_the_staff() -> None:
    app = billing()
    app.buy(13)
    data = {"account_id": ANDES, "order": 1, "to": 10, "to_seats": 10, "ticket": "SOP-1", "quote_id": uuid(5)}
    for command in STAFF_ONLY:
        with refused("forbidden"):
            app.own(command, data)
    for command in app.app.definition.commands:
        with contextlib.suppress(Rejected):
            app.own(command, data)
    assert app.see("subscription")["seats"]["granted"] == 13


def test_a_reduction_goes_by_ticket_decision_reservation_and_cut() -> None:
    app = billing()
    app.buy(13)
    order = {"account_id": ANDES, "order": 1}
    app.staff("request_seat_reduction", {"account_id": ANDES, "to": 11, "ticket": "SOP-1042"})
    (waiting,) = app.app.query("seat_reductions", {}, commercial)["items"]
    assert (waiting["account_id"], waiting["to"], waiting["step"]) == (ANDES, 11, "requested")
    app.staff("approve_seat_reduction", order)
    app.identity_says("note_block", order=1, to=11, active=13)
    assert app.see("subscription")["reduction"]["missing"] == 2
    app.until(SECOND)
    assert app.invoices()[0]["seats"] == 13
    app.identity_says("note_reservation", order=1, to=11)
    assert app.see("subscription")["seats"]["granted"] == 13
    app.until(midnight(date(2026, 5, 2)))
    assert app.see("subscription")["seats"]["granted"] == 11
    assert app.invoices()[0]["seats"] == 11
    assert app.app.query("seat_reductions", {}, commercial)["items"] == []


def test_the_owner_may_keep_the_seats_until_the_cut() -> None:
    app = billing()
    app.buy(13)
    app.staff("request_seat_reduction", {"account_id": ANDES, "to": 11, "ticket": "SOP-1042"})
    app.staff("approve_seat_reduction", {"account_id": ANDES, "order": 1})
    app.identity_says("note_reservation", order=1, to=11)
    app.own("cancel_seat_reduction", {"order": 1})
    app.until(SECOND)
    assert app.see("subscription")["seats"]["granted"] == 13


@pytest.mark.parametrize(
    ("missing", "reason"),
    [("price", "price-not-set"), ("tax", "tax-not-set"), ("details", "billing-details-not-set")],
)
def test_what_is_missing_holds_the_invoice_until_it_is_there(missing: str, reason: str) -> None:
    app = billing(set_up=False)
    app.staff("authorise_range", RANGE)
    app.register()
    steps = {
        "price": lambda: app.staff("price_plan", PRICE),
        "tax": lambda: app.staff("set_tax", TAX),
        "details": lambda: app.own("set_billing_details", DETAILS),
    }
    for name, step in steps.items():
        if name != missing:
            step()
    app.days(1)
    (held,) = app.invoices()
    assert (held["status"], held["reason"]) == ("held", reason)
    (waiting,) = app.app.query("unfinished_documents", {"status": "held"}, commercial)["items"]
    assert waiting["reason"] == reason
    steps[missing]()
    app.days(0)
    assert app.invoices()[0]["status"] == "issued"
    assert app.app.query("unfinished_documents", {}, commercial)["items"] == []


def test_without_numbers_an_invoice_waits_for_them() -> None:
    app = billing(set_up=False)
    app.staff("price_plan", PRICE)
    app.staff("set_tax", TAX)
    app.register()
    app.own("set_billing_details", DETAILS)
    assert app.invoices()[0]["status"] == "drafted"
    app.staff("authorise_range", RANGE)
    assert app.invoices()[0]["number"] == "CHK-1"


def test_no_quote_without_tax() -> None:
    app = billing(set_up=False)
    app.register()
    with refused("price-not-set"):
        app.own("quote_seats", {"quote_id": new_id(), "to_seats": 12})
    app.staff("price_plan", PRICE)
    with refused("tax-not-set"):
        app.own("quote_seats", {"quote_id": new_id(), "to_seats": 12})


def test_customers_abroad_have_their_own_treatment() -> None:
    app = billing(set_up=False)
    app.staff("price_plan", PRICE)
    app.staff("set_tax", TAX)
    app.staff("authorise_range", RANGE)
    app.register(country="PE")
    app.own("set_billing_details", DETAILS)
    assert app.invoices()[0]["reason"] == "tax-not-set"
    exported = {"applies_to": "export", "tax_code": "EXP_481C", "rate": "0", "basis": "E.T. art. 481 lit. c"}
    app.staff("set_tax", TAX | exported)
    assert app.invoices()[0]["total"] == "890000.00"


@pytest.mark.parametrize(
    "script",
    ["unreachable,accepted", "pending,pending,accepted", "twice", "lost", "unreachable,pending,unreachable,twice"],
)
def test_however_badly_the_authority_answers_there_is_one_invoice(script: str) -> None:
    app = billing(script=script)
    app.days(2)
    (invoice,) = app.invoices()
    assert (invoice["status"], invoice["number"]) == ("issued", "CHK-1")
    assert app.types("invoice").count("InvoiceIssued") == 1
    assert app.types("invoice").count("EInvoiceAccepted") == 1
    assert app.types("number_block").count("NumberAllocated") == 1
    assert app.types("customer_account").count("InvoicePosted") == 1


def test_a_refused_invoice_keeps_its_number_and_goes_on_when_mended() -> None:
    app = billing(script="rejected:FAD06+FAK24,accepted")
    (invoice,) = app.invoices()
    assert (invoice["status"], invoice["rules"]) == ("refused", ["FAD06", "FAK24"])
    assert app.see("balance")["outstanding"] == "0.00"
    again = {"account_id": ANDES, "invoice_id": invoice["id"], "document_id": invoice["id"]}
    app.staff("retry_einvoice", again)
    assert app.invoices()[0]["number"] == "CHK-1"


def test_paying_with_withholdings_settles_the_invoice() -> None:
    app = billing()
    kept = [{"kind": "retefuente", "amount": "35600.00"}, {"kind": "reteica", "amount": "8597.40"}]
    pay(app, app.invoices()[0], cash="1014902.60", withholdings=kept)
    assert app.invoices()[0]["status"] == "settled"
    assert app.see("balance") == {
        "balance": "0.00",
        "outstanding": "0.00",
        "currency": "COP",
        "books": {
            "bank": "1014902.60",
            "income": "-890000.00",
            "receivable": "0.00",
            "reteica": "8597.40",
            "retefuente": "35600.00",
            "tax": "-169100.00",
        },
    }
    (payment,) = app.see("payments")["items"]
    assert (payment["applied"], payment["reversed"]) == ("1059100.00", False)
    app.staff("reverse_payment", {"account_id": ANDES, "payment_id": PAYMENT, "reason": "Devuelto"})
    assert app.invoices()[0]["status"] == "issued"
    assert app.see("payments")["items"][0]["reversed"] is True


def test_a_credit_note_is_numbered_validated_booked_and_printed() -> None:
    app = billing()
    (invoice,) = app.invoices()
    wanted = {"account_id": ANDES, "invoice_id": invoice["id"], "credit_note_id": CREDIT, "reason": "Ajuste"}
    app.staff("credit_invoice", wanted | {"lines": [{"line_no": 1, "amount": "100000"}]})
    app.days(0)
    (row,) = app.invoices()
    assert (row["outstanding"], row["credit_notes"][0]["number"]) == ("940100.00", "NC-1")
    assert app.shelf.files.keys() == {f"{ANDES}/invoices/{invoice['id']}.pdf", f"{ANDES}/invoices/{CREDIT}.pdf"}
    assert app.see("invoice_document", invoice_id=invoice["id"], document_id=CREDIT)["file_name"] == "NC-1.pdf"
    with refused("credit-exceeds-line"):
        more = {"credit_note_id": uuid(29), "lines": [{"line_no": 1, "amount": "790000.01"}]}
        app.staff("credit_invoice", wanted | more)


def test_the_same_facts_print_the_same_paper() -> None:
    one, other = billing(), billing()
    assert one.shelf.files == other.shelf.files
    (pdf,) = one.shelf.files.values()
    assert pdf.startswith(b"%PDF-")


def test_not_paying_is_reminded_restricted_suspended_and_paying_ends_it() -> None:
    app = billing()
    (invoice,) = app.invoices()
    due = midnight(date(2026, 3, 17))
    app.until(due + timedelta(days=1, hours=8))
    assert app.see("account_state")["standing"] == "active"
    app.until(due + timedelta(days=1, hours=10))
    assert app.see("account_state")["standing"] == "past_due"
    assert len(app.app.mails.sent) == 1
    app.until(due + timedelta(days=29))
    reminders = [mail for mail in app.app.mails.sent if "CHK-1" in mail["subject"]]
    assert len(reminders) == 4
    assert {mail["to"] for mail in reminders} == {DETAILS["email"]}
    sent = [fact for fact in app.app.facts() if fact.type == "ReminderSent"]
    assert all(lawful(fact.at) for fact in sent)
    app.until(due + timedelta(days=31))
    assert app.see("account_state")["standing"] == "restricted"
    app.until(due + timedelta(days=61))
    assert app.see("account_state")["standing"] == "suspended"
    for number, row in enumerate(app.invoices()):
        pay(app, row, uuid(200 + number))
    assert app.see("account_state")["standing"] == "active"
    assert app.see("balance")["outstanding"] == "0.00"
    assert invoice["id"] in {row["id"] for row in app.invoices() if row["status"] == "settled"}


def test_paying_the_oldest_leaves_the_account_where_the_next_one_puts_it() -> None:
    app = billing()
    app.until(midnight(date(2026, 5, 18)))
    assert app.see("account_state")["standing"] == "suspended"
    oldest = app.invoices()[-1]
    pay(app, oldest)
    assert app.see("account_state")["standing"] == "restricted"


def test_a_reversed_payment_puts_the_account_back_where_it_was() -> None:
    app = billing()
    app.until(midnight(date(2026, 4, 17)))
    assert app.see("account_state")["standing"] == "restricted"
    pay(app, app.invoices()[-1])
    assert app.see("account_state")["standing"] == "active"
    app.staff("reverse_payment", {"account_id": ANDES, "payment_id": PAYMENT, "reason": "Devuelto"})
    assert app.see("account_state")["standing"] == "restricted"


def test_who_has_paid_is_not_reminded() -> None:
    app = billing()
    pay(app, app.invoices()[0])
    app.until(SECOND - timedelta(days=1))
    assert app.app.mails.sent == []
    assert app.types("dunning_case") == []


def test_resting_costs_nothing_and_keeps_the_seats() -> None:
    app = billing()
    pay(app, app.invoices()[0])
    app.buy(12)
    app.own("pause_subscription")
    app.until(datetime(2026, 8, 14, 18, tzinfo=UTC))
    assert len(app.invoices()) == 1
    app.own("resume_subscription")
    newest = app.invoices()[0]
    assert (newest["cycle_start"], newest["seats"]) == ("2026-08-14T05:00:00+00:00", 12)


def test_leaving_keeps_the_data_and_bills_nothing_more() -> None:
    app = billing()
    app.own("cancel_subscription", {"reason": "Terminó la temporada"})
    assert app.see("account_state")["leaving"] is not None
    app.days(200)
    assert app.see("account_state")["standing"] == "cancelled"
    assert len(app.invoices()) == 1
    assert app.app.query("subscriptions", {"status": "cancelled"}, commercial)["items"]


def test_running_the_biller_for_any_past_date_makes_nothing_new() -> None:
    app = billing()
    app.buy(13)
    app.days(100)
    facts = app.app.facts()
    counted = len([fact for fact in facts if fact.type == "BillingCycleOpened"])
    before = len(facts)
    for days in (-100, -40, 0):
        app.app.clock.advance(timedelta(days=days))
        app.staff("sweep_billing", {})
        app.app.execute("open_cycles", {}, system)
        for fact in facts:
            if fact.type == "BillingCycleOpened":
                app.app.execute("bill_cycle", fact.data, system)
        app.app.clock.advance(timedelta(days=-days))
    assert len(app.app.facts()) == before
    assert len(app.invoices()) == counted


def test_a_sweep_does_what_timers_did_not() -> None:
    app = billing()
    app.app.timers.clear()
    app.app.clock.advance(SECOND - app.app.clock.now())
    assert app.staff("sweep_billing", {})["opened"] == 1
    assert len(app.invoices()) == 2
    assert app.staff("sweep_billing", {}) == {"opened": 0, "seen_through": 0, "waiting": 0}


def test_numbers_go_on_in_the_next_authorised_range() -> None:
    app = billing(set_up=False)
    app.staff("price_plan", PRICE)
    app.staff("set_tax", TAX)
    app.staff("authorise_range", RANGE | {"last": 2})
    app.staff("authorise_range", RANGE | {"first": 1001, "last": 1002, "resolution": "DIAN 2"})
    for n in range(4):
        account = uuid(400 + n)
        app.register(account)
        who = Caller(tenant=account, actor=ANA, role="owner", permissions=owner.permissions)
        app.app.execute("set_billing_details", DETAILS, who)
    numbers = [fact.event.number for fact in app.app.facts() if fact.type == "InvoiceIssued"]
    assert numbers == [1, 2, 1001, 1002]
    assert "NumberRangeLow" in app.types("number_range")


def test_what_belongs_to_the_service_is_done_by_nobody_else() -> None:
    app = billing()
    for command in (
        "start_subscription",
        "note_reservation",
        "note_block",
        "expire_quote",
        "open_cycles",
        "bill_cycle",
        "see_through",
        "see_held_through",
        "post_invoice",
        "post_credit_note",
        "print_document",
        "take_step",
        "judge_standing",
        "remind",
    ):
        for caller in (owner, commercial):
            with refused("forbidden"):
                app.app.execute(command, {"invoice_id": uuid(1), "document_id": uuid(1), "step": "x"}, caller)


def test_racing_acceptances_grant_once() -> None:
    app = billing()
    quote = app.own("quote_seats", {"quote_id": new_id(), "to_seats": 13})["quote"]
    accept = {"quote_id": quote["quote_id"], "hash": quote["hash"]}
    gate = threading.Barrier(8)

    def click(_: int) -> str:
        gate.wait()
        try:
            app.app.application.execute("accept_quote", accept, owner, new_id())
        except (Rejected, VersionConflict) as no:
            return getattr(no, "code", "lost")
        return "accepted"

    with ThreadPoolExecutor(8) as pool:
        assert "accepted" in set(pool.map(click, range(8)))
    granted = [fact for fact in app.app.facts() if fact.type == "SeatsGranted"]
    assert [fact.event.seats for fact in granted] == [13]


def test_two_billers_at_once_write_each_invoice_once() -> None:
    app = billing()
    for n in range(6):
        account = uuid(300 + n)
        app.register(account)
        who = Caller(tenant=account, actor=ANA, role="owner", permissions=owner.permissions)
        app.app.execute("set_billing_details", DETAILS, who)
    app.app.timers.clear()
    app.app.clock.advance(SECOND - app.app.clock.now())
    gate = threading.Barrier(3)

    def sweep(_: int) -> None:
        gate.wait()
        app.app.application.execute("sweep_billing", {}, commercial, new_id())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(sweep, range(3)))
    app.app.follow()
    app.staff("sweep_billing", {})
    issued = [fact.event for fact in app.app.facts() if fact.type == "InvoiceIssued"]
    assert len(issued) == len({fact.invoice_id for fact in issued}) == 14
    assert sorted(fact.number for fact in issued) == list(range(1, 15))
    assert app.app.application.journal.load(number_range, PLATFORM, "NC").version == 1
    assert app.app.application.journal.load(customer_account, ANDES, ANDES).state.balance.amount > 0
