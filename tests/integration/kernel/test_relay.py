"""The relay on a real broker: everything is told at least once and in order, whoever fails and however often."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import replace

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from services.kernel import broker, faults
from services.kernel.clock import new_id
from services.kernel.platform import Platform
from services.kernel.relay import Checkpoint, replay_request
from tests.examples.kernel import LABEL, RECIPIENT, an_id, caller, parcels
from tests.integration.kernel.conftest import Open
from tests.support.broker import RunningRelay, channel_of, declare, take, take_all
from tests.support.programs import until
from tests.support.relay_checks import check_crash_of_the_relay

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def env(platform_env: dict[str, str]) -> dict[str, str]:
    """Of programs with a virtual host of this module's own."""
    return platform_env


@pytest.fixture
def service(open_service: Open) -> Platform:
    """With a name, and so with routing keys, of its own."""
    return open_service(replace(parcels(), name=f"parcels{next(_numbers)}"))


@pytest.fixture(scope="module")
def channel(env: dict[str, str]) -> Iterator[BlockingChannel]:
    with channel_of(env["AMQP_URL"]) as opened:
        declare(opened, broker.STRAYS[0])
        yield opened


@pytest.fixture
def queue(channel: BlockingChannel, service: Platform) -> str:
    """A consumer's queue of this service's parcels."""
    return declare(
        channel, broker.consumer_queue(f"of-{service.definition.name}", service.definition.name, ("parcel",))
    )


def tell(service: Platform, parcels: int = 3, moves: int = 4) -> int:
    """Facts of several streams in turn, some of them several to a commit; answers how many."""
    ids, before = [an_id(n) for n in range(parcels)], len(as_stored(service))
    for id in ids:
        service.application.execute("register_parcel", {"parcel_id": id}, caller(), new_id())
    for n in range(moves):
        for id in ids:
            service.application.execute("move_parcel", {"parcel_id": id, "steps": 1 + n % 2}, caller(), new_id())
    return len(as_stored(service)) - before


def numbered(messages: list[dict[str, object]]) -> list[tuple[object, object]]:
    return [(message["subject"], message["streamversion"]) for message in messages]


def as_stored(service: Platform, category: str = "parcel") -> list[tuple[str, int]]:
    """Every fact of the log, in order."""
    return [
        (c.stream, c.version + n)
        for c in service.store.after(0, 10_000)
        if c.category == category
        for n in range(len(c.events))
    ]


def checkpoint(service: Platform) -> int:
    return Checkpoint(service.db).read()


def test_every_fact_is_told_once_and_in_order_in_quiet_times(
    service: Platform, channel: BlockingChannel, queue: str
) -> None:
    first = tell(service)
    with RunningRelay(service):
        told = take(channel, queue, first)
        more = tell(service)
        told += take(channel, queue, more)
        until(lambda: checkpoint(service) == service.store.head(), 10)
    assert numbered(told) == as_stored(service)
    assert take_all(channel, queue) == []
    assert not [m for m in told if RECIPIENT in str(m) or LABEL in str(m)]


def test_a_relay_that_starts_again_goes_on_behind_its_checkpoint(
    service: Platform, channel: BlockingChannel, queue: str
) -> None:
    with RunningRelay(service):
        take(channel, queue, tell(service))
    assert checkpoint(service) == service.store.head()
    second = tell(service)
    with RunningRelay(service):
        assert numbered(take(channel, queue, second)) == as_stored(service)[-second:]
    assert take_all(channel, queue) == []


def test_the_checkpoint_moves_only_behind_what_the_broker_has_confirmed(
    service: Platform, channel: BlockingChannel, queue: str
) -> None:
    count = tell(service)
    seen: list[tuple[str, int, int]] = []
    amqp_url = service.settings.amqp_url.get_secret_value()

    def look(point: str) -> None:
        with channel_of(amqp_url) as own:
            waiting = own.queue_declare(queue, passive=True).method.message_count
        seen.append((point, waiting, checkpoint(service)))

    for point in ("relay.before_publish", "relay.after_publish_before_checkpoint", "relay.after_checkpoint"):
        faults.arm(point, lambda p=point: look(p))
    with RunningRelay(service):
        until(lambda: checkpoint(service) == service.store.head(), 20)
    head = service.store.head()
    assert seen[0] == ("relay.before_publish", 0, 0)
    assert [(point, position) for point, _, position in seen[1:3]] == [
        ("relay.after_publish_before_checkpoint", 0),
        ("relay.after_checkpoint", head),
    ]
    assert len(take_all(channel, queue)) == count


@pytest.mark.parametrize(
    "point", ["relay.before_publish", "relay.after_publish_before_checkpoint", "relay.after_checkpoint"]
)
def test_a_crash_of_the_relay_loses_nothing(
    service: Platform, channel: BlockingChannel, queue: str, point: str
) -> None:
    tell(service)
    check_crash_of_the_relay(service, channel, queue, point, as_stored(service))


def test_two_relays_at_once_tell_everything_in_an_order_that_inboxes_can_mend(
    service: Platform, channel: BlockingChannel, queue: str
) -> None:
    with RunningRelay(service), RunningRelay(service):
        for _ in range(5):
            tell(service)
        head = service.store.head()
        until(lambda: checkpoint(service) == head, 20)
    told = numbered(take_all(channel, queue))
    assert set(told) == set(as_stored(service))
    first_times = list(dict.fromkeys(told))
    for stream in {stream for stream, _ in first_times}:
        versions = [version for of, version in first_times if of == stream]
        assert versions == sorted(versions)


def test_a_relay_that_wakes_up_late_repeats_and_does_no_harm(
    service: Platform, channel: BlockingChannel, queue: str
) -> None:
    """A zombie: it stood still between publishing and checkpoint while another told everything and more."""
    asleep, awake = threading.Event(), threading.Event()

    def sleep_once() -> None:
        if not asleep.is_set():
            asleep.set()
            assert awake.wait(20)

    faults.arm("relay.after_publish_before_checkpoint", sleep_once)
    tell(service)
    with RunningRelay(service):
        assert asleep.wait(20)
        with RunningRelay(service):
            tell(service)
            head = service.store.head()
            until(lambda: checkpoint(service) == head, 20)
        awake.set()
        tell(service)
        until(lambda: checkpoint(service) == service.store.head(), 20)
        assert checkpoint(service) > head
    assert set(numbered(take_all(channel, queue))) == set(as_stored(service))


def test_what_nobody_follows_is_kept_among_the_strays(service: Platform, channel: BlockingChannel) -> None:
    channel.queue_purge(broker.UNROUTED)
    count = tell(service)
    with RunningRelay(service):
        strays = take(channel, broker.UNROUTED, count)
        until(lambda: checkpoint(service) == service.store.head(), 10)
    assert numbered(strays) == as_stored(service)


def ask(channel: BlockingChannel, service: Platform, request: bytes) -> None:
    channel.basic_publish(
        "", broker.replay_queue(service.definition.name).name, request, pika.BasicProperties(delivery_mode=2)
    )


def test_history_is_sent_again_to_the_queue_that_asks_and_to_no_other(
    service: Platform, channel: BlockingChannel, queue: str
) -> None:
    other = declare(channel, broker.Queue(f"new-{service.definition.name}", {}))
    with RunningRelay(service):
        count = tell(service)
        assert len(take(channel, queue, count)) == count
        stored = as_stored(service)

        ask(channel, service, replay_request(other, categories=("parcel",)))
        assert numbered(take(channel, other, count)) == stored

        ask(channel, service, replay_request(other, categories=("*",)))
        assert numbered(take(channel, other, count)) == stored

        ask(channel, service, replay_request(other, categories=("parcel",), start=4, to=7))
        positions = [message["position"] for message in take(channel, other, 5, timeout=3)]
        assert set(positions) == {4, 5, 6, 7}

        (stream, _) = stored[0]
        ask(channel, service, replay_request(other, stream=stream, start=3))
        of_stream = [(of, version) for of, version in stored if of == stream]
        again = numbered(take_all(channel, other, quiet=1))
        assert again[-4:] == of_stream[-4:]
        assert (stream, 3) in again
        assert (stream, 1) not in again

        ask(channel, service, replay_request(other, categories=("tally",)))
        ask(channel, service, replay_request(other, stream="parcel-nobody-nothing"))
        ask(channel, service, replay_request("no-such-queue", categories=("parcel",)))
        assert take_all(channel, other) == []
    assert take_all(channel, queue) == []
    replays = channel.queue_declare(broker.replay_queue(service.definition.name).name, passive=True)
    assert replays.method.message_count == 0, "a request was not acknowledged"


def test_a_request_that_makes_no_sense_does_not_keep_the_relay_from_its_work(
    service: Platform, channel: BlockingChannel, queue: str
) -> None:
    declare(channel, broker.replay_queue(service.definition.name))
    with RunningRelay(service):
        for nonsense in (b"", b"{}", b"[]", b'{"queue": 7, "from": "x"}'):
            ask(channel, service, nonsense)
        count = tell(service)
        assert set(numbered(take(channel, queue, count, timeout=40))) == set(as_stored(service))
        ask(channel, service, replay_request(queue, categories=("parcel",)))
        assert set(numbered(take(channel, queue, count, timeout=40))) == set(as_stored(service))


def test_the_relay_says_that_it_lives_and_how_far_it_is(service: Platform, channel: BlockingChannel) -> None:
    beats = declare(
        channel,
        broker.Queue(f"beats-{service.definition.name}", {}, ((broker.HEARTBEATS, service.definition.name),)),
    )
    with RunningRelay(service):
        tell(service)
        heard = take(channel, beats, 3, timeout=10)
    assert {beat["service"] for beat in heard} == {service.definition.name}
    assert heard[-1]["position"] == service.store.head()
    assert len(heard) == 3
