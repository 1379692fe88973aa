"""How many facts a second a read model is rebuilt from, beside a cursor that only reads the same log."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

from bench.facts import FACTS_PER_JOB, fill, sample
from bench.figures import Figure, compare
from bench.ground import Ground


def measure(ground: Ground) -> Iterator[Figure]:
    """One line."""
    platform = sample(ground.env)
    facts = int(ground.pick(50_000, 5_000))
    fill(platform, facts)
    platform.close()

    def turn(kind: str) -> float:
        command = [sys.executable, "-m", "bench.reread", kind]
        done = subprocess.run(command, env=ground.env, check=True, capture_output=True, text=True)  # noqa: S603
        said = json.loads(done.stdout)
        if said["facts"] != facts:
            raise RuntimeError(f"{said['facts']} of {facts} facts were read")
        return float(said["facts"] / said["seconds"])

    yield compare(
        "rebuild of a read model",
        "facts/s",
        ours=lambda: turn("rebuild"),
        baseline=lambda: turn("read"),
        rounds=ground.rounds,
        at_least=0.25,
        note=f"{facts} facts of {facts // FACTS_PER_JOB} documents, every {FACTS_PER_JOB}th with a sealed field; "
        "baseline: a cursor over the same log that decodes BSON and does nothing",
    )
