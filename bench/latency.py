"""How long after a commit its effect can be read in another service, at a steady pace of commits."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from statistics import median, quantiles

from services.follower.wiring import HANDLER

from bench.facts import opened, sample
from bench.figures import Figure
from bench.ground import Ground
from deploy.local.supervisor import Supervisor
from services.kernel.config import Settings
from services.kernel.operator_broker import depth
from services.kernel.platform import Platform, definition_of, open_platform

PER_SECOND = 100
P50_MS, P99_MS = 25.0, 150.0


def measure(ground: Ground) -> Iterator[Figure]:
    """Two lines: the median and the 99th of a hundred."""
    platform = sample(ground.env)
    follower = open_platform(definition_of("follower"), Settings.model_validate(ground.env))
    follower.ensure_indexes()
    programs = [
        ground.program("sample.relay", "-m", "bench.run", "relay", "sample"),
        ground.program("follower.service", "-m", "bench.run", "service", "follower"),
    ]
    halves: list[list[float]] = []
    tails: list[list[float]] = []
    with Supervisor(programs, log=ground.home / "latency.log") as supervisor:
        _until_followed(follower, supervisor)
        _round(platform, follower, 1.0)  # the first messages meet caches that are empty
        for _ in range(min(ground.rounds, 3)):
            waits = _round(platform, follower, ground.pick(10.0, 1.5))
            halves.append([median(waits)])
            tails.append([quantiles(waits, n=100)[98]])
    note = (
        f"{PER_SECOND} commits/s; from the call of append in this process over the relay's process, RabbitMQ and the "
        "inbox in a nameko process until a change stream shows the majority-committed document"
    )
    for name, aim, rounds in (("p50", P50_MS, halves), ("p99", P99_MS, tails)):
        figures = [value for one in rounds for value in one]
        figure = Figure(f"append to effect, {name}", "ms", median(figures), rounds={"ours": figures}, note=note)
        figure.aim, figure.reached = f"≤ {aim:g} ms", figure.ours <= aim
        yield figure
    platform.close()
    follower.close()


def _until_followed(follower: Platform, supervisor: Supervisor) -> None:
    until = time.monotonic() + 60
    while not (depth(follower.settings, HANDLER) or (0, 0))[1]:
        if time.monotonic() > until:
            raise RuntimeError(f"the follower does not come up:\n{supervisor.tail('follower.service')}")
        time.sleep(0.1)


def _round(platform: Platform, follower: Platform, seconds: float) -> list[float]:
    """Milliseconds of every commit; appends keep their pace however long one takes."""
    asked: dict[str, float] = {}
    shown: dict[str, float] = {}
    commits = [opened(platform) for _ in range(int(seconds * PER_SECOND))]
    ids = {one.stream.rsplit(f"{one.tenant}-", 1)[1]: one for one in commits}
    done = threading.Event()

    def watch() -> None:
        with follower.db[follower.reads.shelf("seen").live()].watch() as changes:
            watching.set()
            for change in changes:
                shown[change["documentKey"]["_id"].split(":", 1)[1]] = time.perf_counter()
                if shown.keys() >= ids.keys():
                    done.set()
                    return

    watching = threading.Event()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    watching.wait(10)
    began = time.perf_counter() + 0.1
    with ThreadPoolExecutor(32) as pool:
        for turn, (id, one) in enumerate(ids.items()):
            time.sleep(max(0.0, began + turn / PER_SECOND - time.perf_counter()))
            asked[id] = time.perf_counter()
            pool.submit(platform.store.append, one)
    if not done.wait(60):
        raise RuntimeError(f"{len(ids.keys() - shown.keys())} of {len(ids)} commits had no effect within a minute")
    return [(shown[id] - asked[id]) * 1_000 for id in ids]
