"""What must hold of a relay that dies; the same check convicts one that moves its checkpoint too early."""

from __future__ import annotations

from collections.abc import Sequence

from pika.adapters.blocking_connection import BlockingChannel

from services.kernel import faults
from services.kernel.platform import Platform
from services.kernel.relay import Checkpoint, Relay
from tests.support.broker import RunningRelay, take_all
from tests.support.programs import until


def check_crash_of_the_relay(
    service: Platform,
    channel: BlockingChannel,
    queue: str,
    point: str,
    stored: Sequence[tuple[str, int]],
    kind: type[Relay] = Relay,
) -> None:
    """The relay dies at `point`, another one starts: every fact has come, first times in order."""
    died: list[bool] = []

    def die() -> None:
        died.append(True)
        raise faults.InjectedFault(point)

    faults.arm(point, die)
    with RunningRelay(service, kind):
        until(lambda: died, 20)
    faults.disarm()
    with RunningRelay(service, kind):
        until(lambda: Checkpoint(service.db).read() == service.store.head(), 20)
    told = [(message["subject"], message["streamversion"]) for message in take_all(channel, queue)]
    missing = set(stored) - set(told)
    assert not missing, f"{len(missing)} facts were never told"
    assert list(dict.fromkeys(told)) == list(stored), "first times are out of order"
