"""An engine or a process goes away and comes back: the platform goes on by itself, with nothing lost or doubled."""

from __future__ import annotations

import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from deploy.local import LocalStack
from services.kernel.relay import Checkpoint
from tests.examples.kernel import an_id
from tests.faults.conftest import make_corner
from tests.support.broker import channel_of
from tests.support.log_checks import whole_log
from tests.support.programs import until
from tests.support.system import ROLES, System, republish, running

PARCELS = [an_id(n) for n in range(1, 5)]


@pytest.fixture(scope="module")
def home(engines: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The corner in which all of these tests live, one after the other."""
    return make_corner(engines, tmp_path_factory.mktemp("restarts"))


@pytest.fixture(scope="module")
def lasting(home: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One set of processes for all of these tests, so that each meets what the ones before have left."""
    with running(home, tmp_path_factory.mktemp("logs")) as started:
        started.work(PARCELS)
        started.settle()
        # RabbitMQ writes down a new quorum queue within half a second; killed before, it forgets it half-way.
        time.sleep(1)
        yield started


@pytest.fixture
def system(lasting: System, request: pytest.FixtureRequest) -> System:
    """With nothing counted yet."""
    lasting.start_anew(request.node.name)
    return lasting


def under_load(system: System, fault: Callable[[], None]) -> None:
    """Let it happen in the middle of work; every command is answered in the end."""
    working = threading.Thread(target=fault)
    working.start()
    try:
        for n in range(6):
            system.work(PARCELS, rounds=2, prefix=f"{system.prefix}/{n}")
    finally:
        working.join(120)


def test_everything_follows_everything_in_quiet_times(system: System) -> None:
    system.work([an_id(9)], kept_seconds=1)
    until(
        lambda: "ParcelExpired" in str(system.parcels.store.load(f"parcel-{system.client.caller.tenant}-{an_id(9)}")),
        10,
    )
    system.settle()
    system.check()
    assert not system.restarts


def test_a_broker_that_dies_in_the_middle_of_work(system: System, engines: LocalStack) -> None:
    def away() -> None:
        engines.rabbitmq.kill()
        engines.rabbitmq.start()

    under_load(system, away)
    system.settle(60)
    system.check()
    assert not system.restarts, "a process did not survive its broker"


def test_a_database_that_dies_in_the_middle_of_work(system: System, engines: LocalStack) -> None:
    def dies() -> None:
        engines.mongod.kill()
        engines.mongod.start()

    under_load(system, dies)
    system.settle(60)
    system.check()
    assert not system.restarts, "a process did not survive its database"


def test_a_database_that_is_away_for_longer_than_anybody_waits(system: System, engines: LocalStack) -> None:
    """Deliveries go on meanwhile: the broker is up, and old facts come again."""
    log = whole_log(system.parcels.store)
    engines.mongod.stop()
    began = time.monotonic()
    while time.monotonic() - began < 19:
        republish(system.env, log, random.Random(7), 20)
        time.sleep(0.5)
    engines.mongod.start()
    system.work(PARCELS, prefix=f"{system.prefix}/back")
    system.settle(60)
    system.check()
    assert not system.restarts, "a process did not survive its database"


def test_a_database_that_stands_still_for_a_while(system: System, engines: LocalStack) -> None:
    def still() -> None:
        engines.mongod.signal(signal.SIGSTOP)
        time.sleep(4)
        engines.mongod.signal(signal.SIGCONT)

    under_load(system, still)
    system.settle(60)
    system.check()


@pytest.mark.parametrize("name", [f"{service}.{role}" for role, service in ROLES])
def test_a_process_that_is_killed_and_killed_again(system: System, name: str) -> None:
    def kills() -> None:
        for _ in range(3):
            system.program(name).kill()
            time.sleep(0.7)

    under_load(system, kills)
    system.settle()
    system.check()
    assert system.restarts[name] >= 3


def test_rolling_restarts_of_consumers_under_load(system: System) -> None:
    """Two copies in turn are asked to end, which is when quorum queues deliver out of order."""
    system.start("depots.service", "depots.worker", copies=2)

    def roll() -> None:
        for turn in range(4):
            program = system.program("depots.service", copy=turn % 2)
            assert program.stop(), "it did not end when asked"
            assert program.exit_code == 0
            until(lambda n=turn % 2: system.program("depots.service", n).alive, 10)
            system.program("depots.service", copy=turn % 2).ready()

    under_load(system, roll)
    system.settle()
    system.check()


@pytest.mark.parametrize("name", [f"{service}.{role}" for role, service in ROLES])
def test_a_process_ends_cleanly_when_it_is_asked_to(system: System, name: str) -> None:
    program = system.forget(name)
    assert program.stop(grace=10), f"{name} had to be killed"
    assert program.exit_code == 0
    system.start(name)
    system.work(PARCELS, rounds=1, prefix=f"{system.prefix}/after")
    system.settle()
    system.check()


def test_a_zombie_relay(system: System) -> None:
    """It stands still in the middle of its work while another does all of it, then wakes up."""
    system.start("parcels.relay", copies=2)
    first = system.program("parcels.relay", copy=0)
    first.signal(signal.SIGSTOP)
    system.work(PARCELS, prefix=f"{system.prefix}/asleep")
    first.signal(signal.SIGCONT)
    system.work(PARCELS, prefix=f"{system.prefix}/awake")
    system.settle()
    system.check()


def test_facts_that_never_arrived_are_asked_for_again(system: System) -> None:
    """Somebody emptied the queues; the next fact of a stream shows what is missing."""
    system.kill_all("depots.service")  # an earlier test may have started a second copy
    system.work(PARCELS, prefix=f"{system.prefix}/lost")
    until(lambda: Checkpoint(system.parcels.db).read() == system.parcels.store.head(), 20)
    with channel_of(system.env["AMQP_URL"]) as channel:
        for queue in ("depots.arrivals", "depots.moves"):
            # The broker may still believe in the killed consumer and keep the messages for it.
            until(lambda queue=queue: channel.queue_purge(queue).method.message_count > 0, 20)
    system.start("depots.service")
    system.work(PARCELS, prefix=f"{system.prefix}/more")
    system.settle(60)
    system.check()


def test_a_broker_that_lost_all_its_data(system: System, engines: LocalStack, home: dict[str, str]) -> None:
    """Everything is in the database: topology is declared anew, and history is sent again."""
    system.program("depots.service").signal(signal.SIGSTOP)
    system.work([an_id(20), an_id(21)])
    engines.rabbitmq.stop()
    shutil.rmtree(engines.rabbitmq.data / "mnesia")
    engines.rabbitmq.start()
    engines.rabbitmq.manage("PUT", f"/api/vhosts/{home['AMQP_URL'].rsplit('/', 1)[1]}")
    system.program("depots.service").signal(signal.SIGCONT)
    system.work(PARCELS, rounds=1, prefix=f"{system.prefix}/later")
    system.settle(90)
    system.check(published=False)
