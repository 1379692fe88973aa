"""Commits of the sample service in quantity: the documents that every measure below writes, sends or reads."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from services.sample.wiring import Job, JobMoved, JobOpened, job

from services.kernel.clock import new_id
from services.kernel.commit import Commit, StoredEvent, stream_of
from services.kernel.config import Settings
from services.kernel.platform import Platform, definition_of, open_platform

TENANT = new_id()
ACTOR = new_id()
FACTS_PER_JOB = 5
BULK = 2_000


def sample(environment: dict[str, str]) -> Platform:
    """The sample service on the engines, empty."""
    platform = open_platform(definition_of("sample"), Settings.model_validate(environment))
    platform.client.drop_database(platform.db.name)
    platform.ensure_indexes()
    return platform


def commit(platform: Platform, job_id: str, version: int, event: Any) -> Commit:
    """One fact as a commit that has no place yet."""
    stream = stream_of(job.category, TENANT, job_id)
    stored: StoredEvent = platform.registry.encode(
        event, category=job.category, stream=stream, version=version, tenant=TENANT, keyring=platform.keyring
    )
    return Commit(
        stream=stream,
        category=job.category,
        version=version,
        commit_id=f"cmd:{TENANT}:{new_id()}",
        digest="0" * 32,
        tenant=TENANT,
        actor=ACTOR,
        at=platform.clock.now(),
        correlation_id=new_id(),
        events=(stored,),
    )


def opened(platform: Platform) -> Commit:
    """A new job, with its title sealed."""
    job_id = new_id()
    event = JobOpened(
        job_id=job_id,
        process_id=ACTOR,
        customer_id=ACTOR,
        priority="normal",
        title="Cambio de medidor en la calle 93",
    )
    return commit(platform, job_id, 1, event)


def lives(platform: Platform) -> Iterator[Commit]:
    """Jobs without end: each is opened and then moved."""
    while True:
        first = opened(platform)
        yield first
        job_id, state = first.stream.removeprefix(f"{job.category}-{TENANT}-"), Job(opened=True)
        for version in range(2, FACTS_PER_JOB + 1):
            event = JobMoved(
                job_id=job_id, from_stage=state.stage, to_stage=f"stage-{version}", generic_state="in_progress"
            )
            yield commit(platform, job_id, version, event)
            state = job.evolve(state, event)


def fill(platform: Platform, commits: int) -> None:
    """A log of this length, written in bulk: how it came about is not what is measured."""
    position = platform.store.head()
    source = lives(platform)
    while commits > 0:
        batch = list(islice(source, min(BULK, commits)))
        placed = [one.placed(position + i).to_document() for i, one in enumerate(batch, start=1)]
        platform.db["events"].insert_many(placed)
        position += len(batch)
        commits -= len(batch)
