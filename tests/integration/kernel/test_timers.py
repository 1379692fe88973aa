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
    with pytest.raises(faults.InjectedFault):
        fire(service)
    faults.disarm()
    assert service.timers.waiting() == 1
    assert fire(service) == 0, "for all that anybody knows it is still being run"
    clock.advance(service.timers.lease)
    assert fire(service) == 1
    assert types(service).count("ParcelExpired") == 1
    assert service.timers.waiting() == 0


def test_what_one_worker_runs_no_other_runs_and_holds_up_nothing_else(
    service: Platform, clock: SettableClock, open_service: Open
) -> None:
    another = open_service(parcels(), clock=clock)
    for name in ("long", "short"):
        service.timers.set(At(NOON, name, Dispatch("count")), ACME, name)
    ran: list[tuple[str, str]] = []

    def elsewhere(timer_id: str, *_: object) -> None:
        ran.append(("elsewhere", timer_id))

    def here(timer_id: str, *_: object) -> None:
        ran.append(("here", timer_id))
        another.timers.fire(elsewhere)

    assert service.timers.fire(here) == 1
    first, second = ran
    assert (first[0], second[0]) == ("here", "elsewhere")
    assert {first[1], second[1]} == {"long", "short"}


def test_who_takes_long_holds_on_as_long_as_he_lives(
    service: Platform, clock: SettableClock, open_service: Open
) -> None:
    another = open_service(parcels(), clock=clock)
    service.timers.set(At(NOON, "long", Dispatch("count")), ACME, "x")
    taken_over = []

    def for_long(*_: object) -> None:
        for _ in range(5):
            clock.advance(service.timers.lease / 2)
            service.timers.renew()
            assert another.timers.fire(for_ever) == 0

    def for_ever(*_: object) -> None:
        taken_over.append("here")

    assert service.timers.fire(for_long) == 1
    assert (service.timers.waiting(), taken_over) == (1, [])


def test_the_time_of_a_clock_names_its_run_also_when_it_is_taken_over(
    service: Platform, clock: SettableClock, open_service: Open
) -> None:
    service.timers.keep(Every("hourly", timedelta(hours=1), Dispatch("count")))
    causes = []

    def die(timer_id: str, tenant: str, cause: str, dispatch: Dispatch) -> None:
        causes.append(cause)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        service.timers.fire(die)
    clock.advance(service.timers.lease)
    open_service(parcels(), clock=clock).timers.fire(lambda timer_id, tenant, cause, dispatch: causes.append(cause))
    assert causes == [NOON.isoformat()] * 2


def test_a_timer_that_is_set_anew_while_it_runs_runs_anew(service: Platform, clock: SettableClock) -> None:
    service.timers.set(At(NOON, "again", Dispatch("count")), ACME, "first")
    causes = []

    def run(timer_id: str, tenant: str, cause: str, dispatch: Dispatch) -> None:
        causes.append(cause)
        if cause == "first":
            service.timers.set(At(NOON + timedelta(hours=1), "again", Dispatch("count")), ACME, "second")

    service.timers.fire(run)
    clock.advance(timedelta(hours=1))
    service.timers.fire(run)
    assert "second" in causes
    assert causes.count("first") == 1


def test_whoever_waits_for_timers_hears_of_one_that_is_due(service: Platform) -> None:
    seen = service.timers.wait(0, 0)
    service.timers.set(At(NOON + timedelta(hours=1), "later", Dispatch("count")), ACME, "x")
    assert service.timers.wait(seen, 0) == seen
    service.timers.set(At(NOON, "now", Dispatch("count")), ACME, "x")
    assert service.timers.wait(seen, 60) == seen + 1, "also when it was set before he began to wait"


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
