"""Every named point at which a process may die or fail: it does, comes back, and everything still holds."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from deploy.local import LocalStack
from services.kernel import broker, faults
from services.kernel.message import outgoing
from services.kernel.relay import replay_request
from tests.examples.kernel import an_id
from tests.faults.conftest import make_corner
from tests.support.broker import channel_of
from tests.support.client import Client
from tests.support.log_checks import whole_log
from tests.support.programs import until
from tests.support.system import System, documents, running
from tests.support.threads import each_at_once

_rounds = itertools.count(1)

# Where each point is reached. The first place is tried in every way, the others with a kill at the first time.
PLACES: dict[str, tuple[str, ...]] = {
    "store.before_insert": ("parcels.service", "parcels.worker", "depots.service"),
    "store.after_insert_before_ack": ("parcels.service", "parcels.worker", "depots.service"),
    "relay.before_publish": ("parcels.relay",),
    "relay.after_publish_before_checkpoint": ("parcels.relay",),
    "relay.after_checkpoint": ("parcels.relay",),
    "relay.after_replay_before_ack": ("parcels.relay",),
    "projection.before_commit": ("parcels.worker",),
    "projection.after_commit": ("parcels.worker",),
    "inbox.before_effect": ("depots.service", "parcels.worker"),
    "inbox.after_effect_before_ack": ("depots.service", "parcels.worker"),
    "inbox.after_park": ("depots.service",),
    "subscription.after_declare_before_request": ("depots.service",),
    "process.after_append_before_ack": ("depots.service", "parcels.worker"),
    "timers.after_command_before_delete": ("parcels.worker",),
}
REBUILD = ("rebuild.after_batch", "rebuild.before_switch")
# What only the media service reaches is tried in test_media_kills and test_media_export_kills; reports, which need
# the other services' answers, in memory (tests/unit/media/test_report_keeping.py).
MEDIA = {point for point in faults.POINTS if point.startswith(("media.", "media_export.", "report."))}
ACTIONS = ("raise", "kill")
# A process has no more than two subscriptions to begin, so their point is reached twice.
LATER = {"subscription.after_declare_before_request": 2}
CASES = [
    (point, place, f"{nth}:{action}")
    for point, places in PLACES.items()
    for place in places
    for nth in (1, LATER.get(point, 3))
    for action in ACTIONS
    if place == places[0] or (nth, action) == (1, "kill")
]


def test_every_point_is_tried() -> None:
    assert PLACES.keys() | set(REBUILD) | MEDIA == set(faults.POINTS)


@pytest.fixture(scope="module")
def lasting(engines: LocalStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One set of processes for all of these tests, so that each meets what the ones before have left."""
    corner = make_corner(engines, tmp_path_factory.mktemp("points"))
    with running(corner, tmp_path_factory.mktemp("logs")) as started:
        started.work([an_id(1)])
        started.settle()
        yield started


def some_work(system: System) -> None:
    """Two new parcels, one of which expires at once; two commits of several facts."""
    n = next(_rounds)
    system.work([an_id(1000 + n)], rounds=3, prefix=f"round{n}")
    system.work([an_id(5000 + n)], rounds=2, prefix=f"round{n}", kept_seconds=0)


def ahead_of_the_relay(system: System) -> None:
    """Facts reach the consumers latest first, so that they are parked."""
    relay = system.program("parcels.relay")
    relay.signal(signal.SIGSTOP)
    before = system.parcels.store.head()
    some_work(system)
    commits = [c for c in whole_log(system.parcels.store)[before:] if c.category == "parcel"]
    with channel_of(system.env["AMQP_URL"]) as channel:
        for commit in reversed(commits):
            for key, id, body in reversed(list(outgoing("parcels", commit))):
                channel.basic_publish(
                    broker.EVENTS, key, body, broker.event_properties(id, "application/cloudevents+json")
                )
    time.sleep(0.3)
    relay.signal(signal.SIGCONT)


def ask_again(system: System) -> None:
    """A consumer asks for a part of the history."""
    some_work(system)
    with channel_of(system.env["AMQP_URL"]) as channel:
        for queue in ("depots.arrivals", "depots.moves"):
            channel.basic_publish("", "replay.parcels", replay_request(queue, categories=("parcel",)))


def many_at_once(system: System) -> None:
    """Five clients at the same time, so that their commits share inserts."""
    n = next(_rounds)

    def work(who: int) -> Client:
        with closing(Client(system.env["AMQP_URL"], "parcels", system.client.caller)) as client:
            id = an_id(10_000 + 10 * n + who)
            client.execute("register_parcel", {"parcel_id": id}, f"register/{id}")
            for step in range(2):
                client.execute("move_parcel", {"parcel_id": id, "steps": 2}, f"many/{id}/{step}")
        return client

    for client in each_at_once([lambda w=w: work(w) for w in range(5)], timeout=90):
        system.client.ledger.update(client.ledger)


STIRS: dict[tuple[str, str], Callable[[System], None]] = {
    ("store.before_insert", "parcels.service"): many_at_once,
    ("store.after_insert_before_ack", "parcels.service"): many_at_once,
    ("inbox.after_park", "depots.service"): ahead_of_the_relay,
    ("relay.after_replay_before_ack", "parcels.relay"): ask_again,
}


@pytest.mark.parametrize(("point", "place", "way"), CASES, ids=lambda part: part)
def test_a_process_fails_at(lasting: System, point: str, place: str, way: str) -> None:
    system = lasting
    if point.startswith("subscription."):
        # Only a queue that is not there yet has its history asked for.
        system.forget(place).kill()
        with channel_of(system.env["AMQP_URL"]) as channel:
            for queue in ("depots.arrivals", "depots.moves"):
                channel.queue_delete(queue)
        some_work(system)
    system.start_anew(f"{point}/{place}/{way}")
    spec = f"{point}:{way}"
    system.start(place, faults={place: spec})
    armed = system.program(place)
    stir = STIRS.get((point, place), some_work)
    for _ in range(12):
        stir(system)
        if reached_soon(armed.said, f"fault injected: {spec}"):
            break
    else:
        raise AssertionError(f"{spec} was never reached in {place}")
    if way.endswith("kill"):
        until(lambda: armed.exit_code == -signal.SIGKILL, 10, f"{place} is still alive")
    some_work(system)
    system.settle(60)
    system.check()


def reached_soon(said: Callable[[str], bool], text: str, seconds: float = 0.6) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if said(text):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("point", REBUILD)
def test_a_rebuild_fails_at(lasting: System, point: str, action: str) -> None:
    """The read model that serves is untouched, and the next rebuild succeeds."""
    system = lasting
    system.settle()
    before, shelf = documents(system.parcels, "tracks"), system.parcels.reads.shelf("tracks")
    live = shelf.live()
    died = system.programs.start("rebuild", "parcels", fault=f"{point}:1:{action}")
    assert died.wait(30) != 0
    assert died.said("fault injected")
    shelf._known = None
    assert shelf.live() == live
    some_work(system)
    system.settle()
    assert documents(system.parcels, "tracks").items() >= before.items()
    assert system.programs.start("rebuild", "parcels").wait(30) == 0
    shelf._known = None
    assert shelf.live() != live
    some_work(system)
    system.settle()
    system.check()
