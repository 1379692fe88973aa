"""How long the platform takes to come up, and what its processes hold in memory after the load."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.ground import Ground
from deploy.local.supervisor import Supervisor


def started(ground: Ground, seconds: float) -> Iterator[Figure]:
    """Engines (where they are our own) and programs, each until it answers."""
    if ground.engines_started_in is not None:
        note = "MongoDB, RabbitMQ, S3 store and mailbox on empty data directories, side by side, until all are ready"
        yield Figure("start of the engines", "s", ground.engines_started_in, note=note)
    note = "two services with relay and worker each and the gateway, side by side, until /readyz says yes"
    yield Figure("start of the programs", "s", seconds, note=note)


def resident(ground: Ground, supervisor: Supervisor) -> Iterator[Figure]:
    """Resident set of every process; shared pages count fully, so the sum is an upper bound."""
    pids = {name: supervisor.pid(name) for name in supervisor.names} | ground.pids
    for name, pid in pids.items():
        if pid is not None:
            yield Figure(f"memory of {name}", "MB", _rss(pid), note="RSS after the measures above")


def _rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
