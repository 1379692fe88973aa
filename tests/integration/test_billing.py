"""Billing on the real engines: what is accepted is granted once, what is billed is billed once, and printed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from services.billing.domain.invoice import invoice
from services.billing.domain.subscription import subscription
from services.billing.settings import BillingSettings
from services.billing.wiring import define
from services.kernel.clock import SettableClock, SystemClock, new_id
from services.kernel.commit import Caller, VersionConflict
from services.kernel.config import Settings
from services.kernel.domain import Rejected
from services.kernel.platform import Platform, open_platform
from services.kernel.worker import Worker
from tests.examples.billing import CREDIT_RANGE, DETAILS, PRICE, RANGE, TAX, commercial, owner, uuid
from tests.support.threads import at_once

NOW = SystemClock().now()
MANY = 24
SCRIPT = "pending,unreachable,twice"


@pytest.fixture(scope="module")
def platform(platform_env: dict[str, str]) -> Iterator[Platform]:
    """The service and two workers in this process, with a catalogue, numbers, and an authority in a bad mood."""
    settings = BillingSettings(simulation=SCRIPT, poll_seconds=1)
    opened = open_platform(define(settings), Settings.model_validate(platform_env), SettableClock(NOW))
    opened.ensure_indexes()
    workers = [Worker(opened), Worker(opened)]
    for worker in workers:
        worker.start()
    for command, data in (
        ("price_plan", PRICE),
        ("set_tax", TAX),
        ("authorise_range", RANGE | {"valid_from": "2020-01-01"}),
        ("authorise_range", CREDIT_RANGE | {"valid_from": "2020-01-01"}),
    ):
        opened.application.execute(command, data, commercial, new_id())
    yield opened
    for worker in workers:
        worker.stop()
    opened.close()


def eventually(true: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.1)


def ask(platform: Platform, command: str, caller: Caller, **data: Any) -> dict[str, Any]:
    request = new_id()
    while True:
        try:
            return platform.application.execute(command, data, caller, request)
        except VersionConflict:
            continue


def register(platform: Platform, number: int) -> Caller:
    account = uuid(9000 + number)
    system = Caller(tenant=account, actor="system:billing.identity", role="system")
    ask(platform, "start_subscription", system, account_id=account, registered_at=NOW.isoformat(), country="CO")
    who = Caller(tenant=account, actor=uuid(8000 + number), role="owner", permissions=owner.permissions)
    ask(platform, "set_billing_details", who, **DETAILS)
    return who


def state_of(platform: Platform, decider: Any, tenant: str, id: str) -> Any:
    return platform.application.journal.load(decider, tenant, id).state


def rows(platform: Platform, who: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = platform.application.query("invoices", {}, who)["items"]
    return found


def facts(platform: Platform, *types: str) -> list[Any]:
    return [
        fact.event
        for commit in platform.store.after(0, 100_000)
        for fact in platform.registry.recorded(commit, platform.keyring)
        if fact.type in types
    ]


def in_time(platform: Platform) -> None:
    """Let the authority be asked again."""
    clock = platform.clock
    assert isinstance(clock, SettableClock)
    clock.advance(timedelta(seconds=30))


def test_an_account_is_billed_numbered_validated_and_printed(platform: Platform) -> None:
    people = [register(platform, number) for number in range(4)]

    def issued() -> bool:
        in_time(platform)
        return all([row["status"] for row in rows(platform, who)] == ["issued"] for who in people)

    eventually(issued)
    eventually(lambda: all(row.get("document") for who in people for row in rows(platform, who)))
    numbers = sorted(fact.number for fact in facts(platform, "InvoiceIssued"))
    assert numbers == [1, 2, 3, 4]
    (row,) = rows(platform, people[0])
    where = platform.application.query("invoice_document", {"invoice_id": row["id"]}, people[0])
    objects = platform.application.ports["objects"]()
    stored = objects.get_object(platform.settings.s3_bucket, where["object_key"]).read()
    assert stored.startswith(b"%PDF-")


def test_of_many_who_quote_accept_decline_and_expire_at_once_one_story_comes_true(platform: Platform) -> None:
    who = register(platform, 50)
    quote = ask(platform, "quote_seats", who, quote_id=new_id(), to_seats=13)["quote"]
    accept = {"quote_id": quote["quote_id"], "hash": quote["hash"]}

    def act(turn: int) -> Callable[[], str]:
        def run() -> str:
            try:
                if turn % 6 == 5:
                    ask(platform, "decline_quote", who, quote_id=quote["quote_id"])
                elif turn % 6 == 4:
                    ask(platform, "quote_seats", who, quote_id=new_id(), to_seats=15)
                else:
                    ask(platform, "accept_quote", who, **accept)
            except Rejected as refused:
                return refused.code
            return "done"

        return run

    outcomes = set(at_once([act(turn) for turn in range(MANY)]))
    codes = {"done", "quote-declined", "quote-superseded", "quote-stale", "quote-unknown", "account-not-active"}
    assert outcomes <= codes
    state = state_of(platform, subscription, who.tenant, who.tenant)
    granted = [fact for fact in facts(platform, "SeatsGranted") if fact.account_id == who.tenant]
    assert [fact.seats for fact in granted] in ([13], [])
    assert state.seats == (13 if granted else 10)
    assert state.entitlement_version == 1 + len(granted)


def test_sweeps_and_workers_at_once_bill_each_cycle_once(platform: Platform) -> None:
    people = [register(platform, 100 + number) for number in range(6)]
    clock = platform.clock
    assert isinstance(clock, SettableClock)
    clock.advance(timedelta(days=32))

    def sweep() -> dict[str, Any]:
        return platform.application.execute("sweep_billing", {}, commercial, new_id())

    for outcome in at_once([sweep] * 3):
        assert isinstance(outcome, dict)

    def all_issued() -> bool:
        in_time(platform)
        return all([row["status"] for row in rows(platform, who)] == ["issued"] * 2 for who in people)

    eventually(all_issued)
    issued = facts(platform, "InvoiceIssued")
    assert len({fact.invoice_id for fact in issued}) == len(issued)
    assert sorted(fact.number for fact in issued) == list(range(1, len(issued) + 1))
    for fact in issued:
        assert state_of(platform, invoice, fact.account_id, fact.invoice_id).issued == fact
