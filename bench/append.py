"""How many commits a second one process appends, beside plain inserts of the same documents."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import cycle

from pymongo.write_concern import WriteConcern

from bench.facts import opened, sample
from bench.figures import Figure, compare
from bench.ground import Ground
from services.kernel.clock import new_id
from services.kernel.commit import Commit

AIMS: dict[int, float | None] = {1: None, 8: None, 32: 1.5}
PREPARED = 2_000


def measure(ground: Ground) -> Iterator[Figure]:
    """One line for every number of writers."""
    platform = sample(ground.env)
    raw = platform.db.get_collection("raw", write_concern=WriteConcern(w="majority", j=True))
    # What a commit is made of is the same on both sides and made beforehand.
    prepared = [opened(platform) for _ in range(PREPARED)]
    documents = [one.to_document() for one in prepared]

    def insert(turn: int) -> None:
        raw.insert_one({**documents[turn % PREPARED], "_id": new_id(), "commit_id": new_id()})

    def append(turn: int) -> None:
        like = prepared[turn % PREPARED]
        platform.store.append(_anew(like))

    seconds = ground.pick(3.0, 0.7)
    for writers, aim in AIMS.items():
        yield compare(
            f"append, {writers} writer{'s' if writers > 1 else ''}",
            "commits/s",
            ours=lambda writers=writers: _rate(append, writers, seconds),  # type: ignore[misc]
            baseline=lambda writers=writers: _rate(insert, writers, seconds),  # type: ignore[misc]
            rounds=ground.rounds,
            at_least=aim,
            note="threads of one process, w=majority, j=true; baseline: insert_one of the same document into a "
            "collection without further indexes",
        )
    platform.close()


def _anew(like: Commit) -> Commit:
    id = new_id()
    return Commit(
        stream=f"job-{like.tenant}-{id}",
        category=like.category,
        version=1,
        commit_id=id,
        digest=like.digest,
        tenant=like.tenant,
        actor=like.actor,
        at=like.at,
        correlation_id=like.correlation_id,
        events=like.events,
    )


def _rate(work: Callable[[int], None], threads: int, seconds: float) -> float:
    done = [0] * threads
    until = time.perf_counter() + seconds

    def run(mine: int) -> None:
        turns = cycle(range(mine, PREPARED, threads))
        while time.perf_counter() < until:
            work(next(turns))
            done[mine] += 1

    began = time.perf_counter()
    running = [threading.Thread(target=run, args=(mine,)) for mine in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return sum(done) / (time.perf_counter() - began)
