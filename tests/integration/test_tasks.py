"""Tasks on the real engines: recurring work opened once whoever comes first, positions and places kept and rebuilt."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from services.identity.domain.permissions import ROLE_PERMISSIONS
from services.kernel.clock import SettableClock, new_id
from services.kernel.commit import Caller, VersionConflict
from services.kernel.config import Settings
from services.kernel.platform import Platform, open_platform
from services.kernel.projection import Projector
from services.kernel.shelf import Shelf
from services.kernel.shown import stamp
from services.kernel.testing.app import START
from services.kernel.worker import Worker
from services.tasks.domain.recurrence import recurrence
from services.tasks.recurring.opening import task_of
from services.tasks.wiring import define
from tests.examples.tasks import BOGOTA, MEDELLIN, NEARBY
from tests.support.threads import each_at_once

TENANT, PROCESS, SUBPROCESS = new_id(), new_id(), new_id()
ADMIN = Caller(tenant=TENANT, actor=new_id(), role="admin", permissions=ROLE_PERMISSIONS["admin"])
SYSTEM = Caller(tenant=TENANT, actor="system:test", role="system")
FIRST = START + timedelta(hours=1)


def technician() -> Caller:
    return Caller(tenant=TENANT, actor=new_id(), role="technician", permissions=ROLE_PERMISSIONS["technician"])


@pytest.fixture(scope="module")
def platform(platform_env: dict[str, str]) -> Iterator[Platform]:
    """The service and two workers in this process, with one process to work by."""
    opened = open_platform(define(), Settings.model_validate(platform_env), SettableClock(START))
    opened.ensure_indexes()
    workers = [Worker(opened), Worker(opened)]
    for worker in workers:
        worker.start()
    do(opened, "create_process", process_id=PROCESS, name="Mantenimiento")
    do(opened, "add_subprocess", process_id=PROCESS, subprocess_id=SUBPROCESS, name="Preventivo")
    yield opened
    for worker in workers:
        worker.stop()
    opened.close()


def do(platform: Platform, command: str, caller: Caller = ADMIN, **data: Any) -> dict[str, Any]:
    request = new_id()
    while True:
        try:
            return platform.application.execute(command, data, caller, request)
        except VersionConflict:
            continue  # many want one stream at once: whoever lost too often asks again


def ask(
    platform: Platform, query: str, at_least: int | None = None, by: Caller = ADMIN, **params: Any
) -> dict[str, Any]:
    return platform.application.query(query, params, by, at_least)


def within(seconds: float, true: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come to pass"
        time.sleep(0.05)


def start(platform: Platform, id: str, rule: str) -> None:
    plan = {"title": "Ronda", "process_id": PROCESS, "subprocess_id": SUBPROCESS, "minutes": 60}
    do(platform, "start_recurrence", recurrence_id=id, rule=rule, starts="2026-11-23T09:00", **plan)


def opened(platform: Platform, id: str) -> list[str]:
    """The beginnings of the tasks, as the log has them."""
    ids = {
        event.data["window"]["start"][:10]: event.data["task_id"]
        for commit in platform.store.after(0, 100_000)
        for event in commit.events
        if event.type == "TaskOpened" and event.data["recurrence_id"] == id
    }
    for day, task_id in ids.items():
        assert task_id == task_of(id, datetime.fromisoformat(f"{day}T14:00:00+00:00"))
        assert len(platform.store.load(f"task-{TENANT}-{task_id}")) == 1
    return sorted(ids)


def days(number: int, step: int = 1) -> list[str]:
    return [(FIRST + timedelta(days=n * step)).date().isoformat() for n in range(number)]


def test_timers_open_what_recurs_each_once(platform: Platform) -> None:
    clock = platform.clock
    assert isinstance(clock, SettableClock)
    daily, weekly = new_id(), new_id()
    start(platform, daily, "FREQ=DAILY;COUNT=20")
    start(platform, weekly, "FREQ=WEEKLY")
    within(20, lambda: opened(platform, daily) == days(14) and opened(platform, weekly) == days(2, 7))
    for passed in range(1, 8):
        clock.advance(timedelta(days=1))
        within(20, lambda passed=passed: opened(platform, daily) == days(min(14 + passed, 20)))
    within(20, lambda: opened(platform, weekly) == days(3, 7))
    at = platform.application.journal.load(recurrence, TENANT, daily).position
    assert ask(platform, "recurrence", at, recurrence_id=daily)["status"] == "finished"


def test_whoever_opens_at_once_opens_the_same(platform: Platform) -> None:
    id = new_id()
    start(platform, id, "FREQ=DAILY;COUNT=30")
    each_at_once([partial(do, platform, "open_occurrences", SYSTEM, recurrence_id=id)] * 12)
    horizon = platform.clock.now() + timedelta(days=14)
    since = platform.clock.now()
    due = [day for day in days(30) if since <= datetime.fromisoformat(f"{day}T14:00:00+00:00") <= horizon]
    within(20, lambda: opened(platform, id) == due)


def test_positions_and_routes_are_the_same_however_points_come_and_when_rebuilt(platform: Platform) -> None:
    who = technician()
    now = platform.clock.now()
    points = [
        {
            "point_id": new_id(),
            "at": (now - timedelta(minutes=n)).isoformat(),
            "position": {"lat": BOGOTA.lat + n / 1_000, "lon": BOGOTA.lon},
            "battery": 90 - n,
        }
        for n in range(60)
    ]
    batches = [points[n : n + 20] for n in range(0, 50, 5)]
    each_at_once([partial(do, platform, "record_points", who, points=batch) for batch in [*batches, *batches]])
    at_least = platform.store.head()
    day = (now - timedelta(hours=5)).date().isoformat()
    route = ask(platform, "route", at_least, who, user_id=who.actor, day=day)
    assert [one["id"] for one in route["points"]] == [point["point_id"] for point in reversed(points)]
    assert route["length_m"] == pytest.approx(59 * 111.2, rel=0.01)
    (last,) = ask(platform, "positions", at_least, user_ids=[who.actor])["items"]
    assert (last["lat"], last["battery"], last["at"]) == (BOGOTA.lat, 90, stamp(now))
    for model in define().read_models:
        if model.name in ("routes", "last_positions"):
            before = documents(platform, model)
            Projector(platform.db, model, platform.store, platform.registry, platform.keyring).rebuild()
            assert documents(platform, model) == before


def documents(platform: Platform, model: Any) -> list[dict[str, Any]]:
    return list(platform.db[Shelf(platform.db, model).live()].find().sort("_id"))


def test_tasks_are_found_on_the_map(platform: Platform) -> None:
    customer_id, here, far = new_id(), new_id(), new_id()
    do(platform, "create_customer", customer_id=customer_id, code="M-1", name="Ñandú S.A.S.")
    for location_id, where in ((here, NEARBY), (far, MEDELLIN)):
        position = where.model_dump()
        do(platform, "add_location", customer_id=customer_id, location_id=location_id, name="Sede", position=position)
    work = {"title": "Visita", "process_id": PROCESS, "subprocess_id": SUBPROCESS, "customer_id": customer_id}
    tasks = {place: new_id() for place in (here, far)}
    for place, task_id in tasks.items():
        do(platform, "open_task", task_id=task_id, location_id=place, **work)
    at_least = platform.store.head()
    bogota = {"south": 4.0, "west": -75.0, "north": 5.0, "east": -73.0}
    found = ask(platform, "map", at_least, **bogota)["items"]
    assert [(row["id"], row["position"]["lat"]) for row in found] == [(tasks[here], NEARBY.lat)]
    colombia = {"south": -5.0, "west": -80.0, "north": 13.0, "east": -66.0}
    assert {row["id"] for row in ask(platform, "map", customer_id=customer_id, **colombia)["items"]} == set(
        tasks.values()
    )
