"""Jobs that are opened (with a sealed title) and moved: the size and shape of real facts, without their rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, assert_never

from services.kernel.application import On, ServiceDefinition
from services.kernel.commit import Recorded
from services.kernel.domain import Command, Decider, Erased, Event, TenantData
from services.kernel.readmodel import ReadModel


class JobOpened(Event):
    job_id: str
    process_id: str
    customer_id: str
    priority: str
    title: Annotated[str | Erased, TenantData()]


class JobMoved(Event):
    job_id: str
    from_stage: str
    to_stage: str
    generic_state: str


class OpenJob(Command):
    job_id: str
    process_id: str
    customer_id: str
    priority: str
    title: str


class MoveJob(Command):
    job_id: str
    to_stage: str


JobEvent = JobOpened | JobMoved


@dataclass(frozen=True, slots=True)
class Job:
    opened: bool = False
    stage: str = "pending"


def decide(command: OpenJob | MoveJob, state: Job) -> list[JobEvent]:
    match command:
        case OpenJob():
            fields = command.model_dump(exclude={"at", "by"})
            return [] if state.opened else [JobOpened(**fields)]
        case MoveJob(job_id=job_id, to_stage=to_stage):
            return [JobMoved(job_id=job_id, from_stage=state.stage, to_stage=to_stage, generic_state="in_progress")]
        case _ as never:
            assert_never(never)


def evolve(state: Job, event: JobEvent) -> Job:
    match event:
        case JobOpened():
            return Job(opened=True)
        case JobMoved(to_stage=stage):
            return replace(state, stage=stage)
        case _ as never:
            assert_never(never)


job: Decider[OpenJob | MoveJob, Job, JobEvent] = Decider(
    "job", Job(), decide, evolve, {"JobOpened": JobOpened, "JobMoved": JobMoved}
)


class Jobs(ReadModel):
    """One document per job."""

    name = "jobs"
    categories = ("job",)

    def keys(self, fact: Recorded) -> list[str]:
        return [fact.event.job_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any]:
        match fact.event:
            case JobOpened(process_id=process_id, customer_id=customer_id, priority=priority, title=title):
                return {
                    "process_id": process_id,
                    "customer_id": customer_id,
                    "priority": priority,
                    "title": title or None,
                    "stage": "pending",
                    "moves": 0,
                }
            case JobMoved(to_stage=stage):
                return {**(doc or {}), "stage": stage, "moves": (doc or {}).get("moves", 0) + 1}
            case _ as other:
                raise TypeError(other)


def define() -> ServiceDefinition:
    return ServiceDefinition(
        name="sample",
        deciders=(job,),
        commands={"open_job": On(job, OpenJob, id="job_id"), "move_job": On(job, MoveJob, id="job_id")},
        queries={},
        read_models=(Jobs(),),
    )
