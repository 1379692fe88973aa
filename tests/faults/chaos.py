"""Work while everything around is killed, stopped, reordered and doubled; then quiet, and the count."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import LocalStack
from tests.examples.kernel import an_id, caller
from tests.support.client import Client
from tests.support.log_checks import whole_log
from tests.support.system import System, republish

TWICE = ("parcels.relay", "parcels.worker", "depots.service", "depots.worker")
PRODUCERS = 2


@dataclass
class Chaos:
    """One run: `streams` things with `commits` commands each, for at least `seconds` under faults by `seed`."""

    engines: LocalStack
    env: Mapping[str, str]
    home: Path
    seed: int
    streams: int = 20
    commits: int = 10
    seconds: float = 15.0
    calm_within: float = 120.0
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[BaseException] = field(default_factory=list)

    def run(self) -> str:
        """Raises AssertionError when an invariant does not hold; answers the verdict line."""
        print(f"chaos: seed {self.seed}", flush=True)
        with System(self.env, self.home) as system:
            system.record()
            system.start("parcels.service")
            system.start(*TWICE, copies=2)
            time.sleep(1)  # a broker killed within half a second of a queue's declaration forgets it half-way
            self._under_faults(system)
            for program in system.all():
                program.signal(signal.SIGCONT)
            began = time.monotonic()
            try:
                system.settle(self.calm_within)
                verdict = self._verdict(system, time.monotonic() - began)
                print(verdict, flush=True)
                system.check()
            except AssertionError as broken:
                raise AssertionError(f"seed {self.seed}, {dict(self.faults)}: {broken}") from broken
        return verdict

    def _under_faults(self, system: System) -> None:
        stop = threading.Event()
        producers = [self._thread(lambda n=n: self._produce(system, n)) for n in range(PRODUCERS)]
        others = [
            self._thread(lambda: self._gremlin(system, stop)),
            self._thread(lambda: self._kill(system, stop)),
            self._thread(lambda: self._break_engines(stop)),
        ]
        until = time.monotonic() + self.seconds
        while (time.monotonic() < until or any(p.is_alive() for p in producers)) and not self.failures:
            time.sleep(0.1)
        stop.set()
        for thread in (*others, *producers):
            thread.join(180)
        if self.failures:
            raise AssertionError(f"seed {self.seed}: {self.failures!r}") from self.failures[0]

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        def guarded() -> None:
            try:
                work()
            except BaseException as failed:
                self.failures.append(failed)

        thread = threading.Thread(target=guarded)
        thread.start()
        return thread

    def _produce(self, system: System, producer: int) -> None:
        """Its share of the commands, in a fixed order and under fixed ids; every one until it is answered."""
        chance = random.Random(self.seed * 100 + producer)
        ids = [an_id(n) for n in range(self.streams) if n % PRODUCERS == producer]
        with closing(Client(system.env["AMQP_URL"], "parcels", caller(), timeout=2.0)) as client:
            for n in range(self.commits):
                for id in ids:
                    if n == 0:
                        kept = chance.choice((0, 3600))
                        client.execute("register_parcel", {"parcel_id": id, "kept_seconds": kept}, f"{id}/0", 180)
                    else:
                        move = {"parcel_id": id, "steps": chance.randrange(1, 4)}
                        client.execute("move_parcel", move, f"{id}/{n}", 180)
            system.client.ledger.update(client.ledger)

    def _gremlin(self, system: System, stop: threading.Event) -> None:
        chance = random.Random(self.seed + 1)
        while not stop.wait(0.3):
            with suppress(Exception):  # the engines are away now and then
                republish(system.env, whole_log(system.parcels.store), chance, 15)
                self.faults["doubled"] += 15

    def _kill(self, system: System, stop: threading.Event) -> None:
        chance = random.Random(self.seed + 2)
        while not stop.wait(chance.uniform(0.4, 1.2)):
            program = chance.choice(system.all())
            how = chance.choice(("kill", "kill", "kill", "stop", "freeze"))
            self.faults[f"{program.name} {how}"] += 1
            if how == "kill":
                program.signal(signal.SIGKILL)
            elif how == "stop":
                program.signal(signal.SIGTERM)
            else:
                program.signal(signal.SIGSTOP)
                stop.wait(1.5)
                program.signal(signal.SIGCONT)

    def _break_engines(self, stop: threading.Event) -> None:
        for engine, share in ((self.engines.rabbitmq, 0.3), (self.engines.mongod, 0.4)):
            if not stop.wait(self.seconds * share):
                engine.kill()
                self.faults[f"{engine.name} kill"] += 1
                engine.start()

    def _verdict(self, system: System, calm_after: float) -> str:
        log = whole_log(system.parcels.store)
        commanded = [c for c in log if c.commit_id.startswith("cmd:") and c.actor == caller().actor]
        wanted = self.streams * self.commits
        faults = ", ".join(f"{name} {count}" for name, count in sorted(self.faults.items()))
        return (
            f"verdict: seed {self.seed} · {faults} · restarts {sum(system.restarts.values())} · "
            f"commits {len(commanded)}/{wanted}, {len(log)} in all, contiguous to {log[-1].position} · "
            f"parked {system.depots.db['inbox_parked'].count_documents({})} · calm after {calm_after:.1f} s"
        )


def expect_all(chaos: Chaos, verdict: str) -> None:
    """Every command was acknowledged and is in the log once."""
    wanted = chaos.streams * chaos.commits
    assert f"commits {wanted}/{wanted}," in verdict, verdict
