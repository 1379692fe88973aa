"""How many facts a second a read model is rebuilt from, beside a cursor that only reads the same log."""

from __future__ import annotations

import time
from collections.abc import Iterator

from pymongo.read_concern import ReadConcern
from services.sample.wiring import Jobs

from bench.facts import FACTS_PER_JOB, fill, sample
from bench.figures import Figure, compare
from bench.ground import Ground
from services.kernel.projection import Projector


def measure(ground: Ground) -> Iterator[Figure]:
    """One line."""
    platform = sample(ground.env)
    facts = int(ground.pick(50_000, 5_000))
    fill(platform, facts)
    log = platform.db.get_collection("events", read_concern=ReadConcern("majority"))

    def read() -> float:
        began = time.perf_counter()
        count = sum(1 for _ in log.find({"_id": {"$gt": 0}}).sort("_id", 1).batch_size(2_000))
        return count / (time.perf_counter() - began)

    def rebuild() -> float:
        projector = Projector(platform.db, Jobs(), platform.store, platform.registry, platform.keyring)
        began = time.perf_counter()
        _generation, folded = projector.rebuild()
        return folded / (time.perf_counter() - began)

    yield compare(
        "rebuild of a read model",
        "facts/s",
        ours=rebuild,
        baseline=read,
        rounds=min(ground.rounds, 3),
        at_least=0.25,
        note=f"{facts} facts of {facts // FACTS_PER_JOB} documents, every {FACTS_PER_JOB}th with a sealed field; "
        "baseline: a cursor over the same log that decodes BSON and does nothing",
    )
    platform.close()
