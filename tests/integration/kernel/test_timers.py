"""Durable timers on a real database: they outlive the process, fire when they are due, and have one effect."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.kernel import faults
from services.kernel.clock import SettableClock
from services.kernel.commit import PLATFORM
from services.kernel.platform import Platform
from services.kernel.process import fire_timers
from services.kernel.timers import At, Dispatch, Every
from services.kernel.worker import Follower
from tests.examples.kernel import ACME, EXPIRES_AFTER, an_id, caller, parcels
from tests.integration.kernel.conftest import Open
from tests.support.facts import NOON
from tests.support.threads import each_at_once

PARCEL = an_id(1)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOON)


@pytest.fixture
def service(open_service: Open, clock: SettableClock) -> Platform:
    """With one parcel whose timer is set."""
    service = open_service(parcels(), clock=clock)
    service.application.execute("register_parcel", {"parcel_id": PARCEL}, caller(), "register")
    follow(service)
    return service


def follow(service: Platform) -> None:
    follower = Follower(service, service.definition.reactions[1])
    while follower.step():
        pass


def fire(service: Platform) -> int:
    return fire_timers(service.timers, service.application)


def types(service: Platform) -> list[str]:
    return [event.type for commit in service.store.after(0, 1_000) for event in commit.events]


def test_a_timer_waits_until_it_is_due(service: Platform, clock: SettableClock) -> None:
    clock.advance(EXPIRES_AFTER - timedelta(milliseconds=2))
    assert fire(service) == 0
    clock.advance(timedelta(milliseconds=2))
    assert fire(service) == 1
    assert types(service) == ["ParcelRegistered", "ParcelExpired"]
    assert (fire(service), service.timers.waiting()) == (0, 0)


def test_a_timer_outlives_the_process_that_set_it(service: Platform, clock: SettableClock, open_service: Open) -> None:
    clock.advance(EXPIRES_AFTER)
    another = open_service(parcels(), clock=clock)
    assert fire(another) == 1
    assert types(another).count("ParcelExpired") == 1


def test_a_fact_that_is_taken_in_again_sets_no_second_timer(service: Platform, clock: SettableClock) -> None:
    service.db["cursors"].delete_many({})
    service.db["inbox_cursors"].delete_many({})
    follow(service)
    assert service.timers.waiting() == 1
    clock.advance(EXPIRES_AFTER)
    fire(service)
    service.db["cursors"].delete_many({})
    service.db["inbox_cursors"].delete_many({})
    follow(service)
    fire(service)
    assert types(service).count("ParcelExpired") == 1


def test_a_crash_between_command_and_removal_has_one_effect(service: Platform, clock: SettableClock) -> None:
    clock.advance(EXPIRES_AFTER)

    def die() -> None:
        raise faults.InjectedFault("here")

    faults.arm("timers.after_command_before_delete", die)
    try:
        with pytest.raises(faults.InjectedFault):
            fire(service)
    finally:
        faults.disarm()
    assert service.timers.waiting() == 1
    assert fire(service) == 1
    assert types(service).count("ParcelExpired") == 1
    assert service.timers.waiting() == 0


def test_workers_that_fire_at_once_have_one_effect(service: Platform, clock: SettableClock, open_service: Open) -> None:
    clock.advance(EXPIRES_AFTER)
    others = [open_service(parcels(), clock=clock) for _ in range(3)]
    each_at_once([lambda s=s: fire(s) for s in (service, *others)])
    assert types(service).count("ParcelExpired") == 1
    assert service.timers.waiting() == 0


def test_a_timer_may_be_moved_while_it_waits(service: Platform, clock: SettableClock) -> None:
    stream = f"parcel-{ACME}-{PARCEL}"
    later = At(NOON + 2 * EXPIRES_AFTER, f"expire:{stream}", Dispatch("expire_parcel", {"parcel_id": PARCEL}))
    service.timers.set(later, ACME, "parcels:1:0")
    assert service.timers.waiting() == 1
    clock.advance(EXPIRES_AFTER)
    assert fire(service) == 0
    clock.advance(EXPIRES_AFTER)
    assert fire(service) == 1


def test_a_timer_whose_command_is_refused_is_done(service: Platform, clock: SettableClock) -> None:
    for n, dispatch in enumerate((Dispatch("no_such_command"), Dispatch("count", {"fact": {"not": "a text"}}))):
        service.timers.set(At(NOON, f"refused {n}", dispatch), ACME, "x")
    assert fire(service) == 2
    assert service.timers.waiting() == 1


def test_a_timer_that_fails_is_tried_later_and_later_and_holds_up_no_other(
    service: Platform, clock: SettableClock
) -> None:
    service.timers.set(At(NOON, "failing", Dispatch("fail")), ACME, "x")
    tried = []

    def run(timer_id: str, tenant: str, cause: str, dispatch: Dispatch) -> None:
        tried.append(timer_id)
        if timer_id == "failing":
            raise ZeroDivisionError

    service.timers.fire(run)
    clock.advance(EXPIRES_AFTER)
    service.timers.fire(run)
    assert sorted(tried) == [f"expire:parcel-{ACME}-{PARCEL}", "failing", "failing"]
    assert service.timers.waiting() == service.timers.overdue() == 1
    assert service.timers.fire(run) == 0, "it is not tried again at once"
    clock.advance(timedelta(hours=1))
    assert service.timers.fire(run) == 1


def test_a_clock_runs_once_in_every_period_whatever_is_started_again(
    service: Platform, clock: SettableClock, open_service: Open
) -> None:
    hourly = Every("hourly", timedelta(hours=1), Dispatch("count"))
    ran: list[tuple[str, str, str]] = []

    def fire_all(*services: Platform) -> int:
        for one in services:
            one.timers.keep(hourly)
            one.timers.fire(lambda timer_id, tenant, cause, _: ran.append((timer_id, tenant, cause)))
        return len(ran)

    another = open_service(parcels(), clock=clock)
    assert fire_all(service, another) == 1
    clock.advance(timedelta(minutes=59))
    assert fire_all(service, another) == 1
    clock.advance(timedelta(minutes=1))
    assert fire_all(another, service) == 2
    clock.advance(timedelta(days=3))  # nobody was there for three days: one run says it all
    assert fire_all(service, another) == 3
    assert {timer for timer, _, _ in ran} >= {"hourly"}
    assert {tenant for timer, tenant, _ in ran if timer == "hourly"} == {PLATFORM}
    assert len({cause for timer, _, cause in ran if timer == "hourly"}) == len(ran)


def test_a_clock_whose_command_fails_goes_on(service: Platform, clock: SettableClock) -> None:
    service.timers.keep(Every("hourly", timedelta(hours=1), Dispatch("count")))
    tried = 0

    def run(*_: object) -> None:
        nonlocal tried
        tried += 1
        if tried == 1:
            raise ZeroDivisionError

    service.timers.fire(run)
    clock.advance(timedelta(seconds=2))
    service.timers.fire(run)
    assert (tried, service.timers.overdue()) == (2, 0)
    clock.advance(timedelta(hours=1))
    service.timers.fire(run)
    assert tried == 3
