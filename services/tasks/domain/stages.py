"""A pipeline of stages: each stands for one generic state, and work walks through them one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from services.kernel.domain import Rejected
from services.tasks.domain.values import Id, Name, Position, Value, distance_m

GenericState = Literal["pending", "in_progress", "completed"]
GENERIC_ORDER: tuple[GenericState, ...] = ("pending", "in_progress", "completed")
StageId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


class Demands(Value):
    """What must be proven before a stage is entered; nothing by default.

    `task_forms` are those that the task itself is to be done with, besides the `forms` that every task needs
    here. With `complete_evidence` everything that the task's answers announce must have arrived, too.
    """

    forms: tuple[Id, ...] = Field(default=(), max_length=20)
    photos: int = Field(default=0, ge=0, le=200)
    signature: bool = False
    complete_evidence: bool = False
    task_forms: bool = False
    geolocation_radius_m: int | None = Field(default=None, ge=5, le=100_000)


class Stage(Value):
    """One step of a pipeline. Its name is the account's own and travels beside it, sealed."""

    stage_id: StageId
    generic_state: GenericState
    requires: Demands = Demands()


class StageDraft(Stage):
    """A stage as somebody writes it down, with the name people will read."""

    name: Name

    @property
    def stage(self) -> Stage:
        """The stage without its name."""
        return Stage(stage_id=self.stage_id, generic_state=self.generic_state, requires=self.requires)


Stages = tuple[Stage, ...]

DEFAULT_STAGES: Stages = (
    Stage(stage_id="pending", generic_state="pending"),
    Stage(stage_id="in-progress", generic_state="in_progress"),
    Stage(stage_id="completed", generic_state="completed"),
)
"""What tasks of a process without a status list walk through; their readers name the generic states."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known to be proven for a task at this moment; `awaited` are submissions of which some is missing.

    `planned` is not proven: the forms that the task is to be done with.
    """

    planned: tuple[str, ...] = ()
    forms: frozenset[str] = frozenset()
    photos: int = 0
    signature: bool = False
    awaited: tuple[str, ...] = ()
    position: Position | None = None
    site: Position | None = None


def check_pipeline(stages: Stages) -> None:
    """Refuse a list that work could not walk through from pending over in progress to completed."""
    ids = [stage.stage_id for stage in stages]
    if len(set(ids)) != len(ids):
        raise Rejected("stage-ids-not-unique", stages=sorted({i for i in ids if ids.count(i) > 1}))
    ranks = [GENERIC_ORDER.index(stage.generic_state) for stage in stages]
    if ranks != sorted(ranks):
        raise Rejected("stages-out-of-order", stages=ids)
    missing = [state for rank, state in enumerate(GENERIC_ORDER) if rank not in ranks]
    if missing:
        raise Rejected("generic-state-missing", missing=missing)


def position_of(stages: Stages, stage_id: str) -> int:
    """The place of a stage in its list; refuses a stage that the list does not have."""
    for place, stage in enumerate(stages):
        if stage.stage_id == stage_id:
            return place
    raise Rejected("stage-unknown", stage=stage_id)


def first_of(stages: Stages, generic_state: GenericState) -> Stage:
    """The first stage of a generic state; every checked list has one."""
    return next(stage for stage in stages if stage.generic_state == generic_state)


def last_of(stages: Stages, generic_state: GenericState) -> Stage:
    """The last stage of a generic state; every checked list has one."""
    return next(stage for stage in reversed(stages) if stage.generic_state == generic_state)


def unmet(demands: Demands, evidence: Evidence) -> list[Mapping[str, object]]:
    """What is still missing before a stage with these demands may be entered, as facts a client can show."""
    missing: list[Mapping[str, object]] = []
    asked = (*demands.forms, *(evidence.planned if demands.task_forms else ()))
    forms = [form for form in dict.fromkeys(asked) if form not in evidence.forms]
    if forms:
        missing.append({"demand": "forms", "forms": forms})
    if evidence.photos < demands.photos:
        missing.append({"demand": "photos", "needed": demands.photos, "given": evidence.photos})
    if demands.signature and not evidence.signature:
        missing.append({"demand": "signature"})
    if demands.complete_evidence and evidence.awaited:
        missing.append({"demand": "complete-evidence", "submissions": list(evidence.awaited)})
    if demands.geolocation_radius_m is not None:
        missing += _far(demands.geolocation_radius_m, evidence)
    return missing


def _far(radius_m: int, evidence: Evidence) -> list[Mapping[str, object]]:
    if evidence.site is None:
        return [{"demand": "location-coordinates"}]
    if evidence.position is None:
        return [{"demand": "geolocation", "radius_m": radius_m}]
    away = distance_m(evidence.position, evidence.site)
    return [{"demand": "geolocation", "radius_m": radius_m, "away_m": round(away)}] if away > radius_m else []
