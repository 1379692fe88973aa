"""How long the platform takes to come up, and what its processes hold in memory after the load."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure
from bench.ground import Ground
from deploy.local.programs import SERVICES
from deploy.local.supervisor import Supervisor


def started(ground: Ground, seconds: float) -> Iterator[Figure]:
    """Engines (where they are our own) and programs, each until it answers."""
    if ground.engines_started_in is not None:
        note = "MongoDB, RabbitMQ, S3 store and mailbox on empty data directories, side by side, until all are ready"
        yield Figure("start of the engines", "s", ground.engines_started_in, note=note)
    note = f"{len(SERVICES)} services with relay and worker each and the gateway, side by side, until /readyz says yes"
    yield Figure("start of the programs", "s", seconds, note=note)


def resident(ground: Ground, supervisor: Supervisor) -> Iterator[Figure]:
    """Resident set of every process; shared pages count fully, so the sum is an upper bound."""
    for name, pid in _pids(ground, supervisor).items():
        yield Figure(f"memory of {name}", "MB", _rss(pid), note="RSS after the measures above")


def used(ground: Ground, supervisor: Supervisor) -> dict[str, float]:
    """Seconds of CPU that every process has used so far."""
    return {name: _cpu(pid) for name, pid in _pids(ground, supervisor).items()}


def resting(ground: Ground, supervisor: Supervisor, seconds: float) -> dict[str, float]:
    """Share of a core that every process uses while nothing is asked of it."""
    before = used(ground, supervisor)
    time.sleep(seconds)
    return {name: (now - before[name]) / seconds for name, now in used(ground, supervisor).items()}


def _pids(ground: Ground, supervisor: Supervisor) -> dict[str, int]:
    pids = {name: supervisor.pid(name) for name in supervisor.names} | ground.pids
    return {name: pid for name, pid in pids.items() if pid is not None}


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
