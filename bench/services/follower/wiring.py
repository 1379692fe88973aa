"""Follows jobs of the sample service into a read model, by way of the broker."""

from __future__ import annotations

from typing import Any

from services.kernel.application import ServiceDefinition, Subscription
from services.kernel.commit import Recorded
from services.kernel.message import Incoming
from services.kernel.readmodel import ReadModel

HANDLER = "follower.seen"


class Opened(Incoming):
    job_id: str
    priority: str


class Moved(Incoming):
    job_id: str
    to_stage: str


class Seen(ReadModel):
    """One document per job."""

    name = "seen"

    def keys(self, fact: Recorded) -> list[str]:
        return [fact.event.job_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any]:
        if isinstance(fact.event, Opened):
            return {"priority": fact.event.priority, "stage": "pending"}
        return {**(doc or {}), "stage": fact.event.to_stage}


def define() -> ServiceDefinition:
    return ServiceDefinition(
        name="follower",
        deciders=(),
        commands={},
        queries={},
        subscriptions=(
            Subscription(
                HANDLER, "sample", categories=("job",), models={"JobOpened": Opened, "JobMoved": Moved}, into=Seen()
            ),
        ),
    )
