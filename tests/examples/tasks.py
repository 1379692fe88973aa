"""The tasks service's canonical things: one account's work, its people, places and facts, to be varied by tests."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from services.tasks.domain.customer import CustomerCreated, LocationAdded, Place, Profile
from services.tasks.domain.equipment import Plate
from services.tasks.domain.evidence_events import FormAnswered
from services.tasks.domain.process import ProcessCreated, SubprocessAdded
from services.tasks.domain.stages import Demands, Stage, StageDraft
from services.tasks.domain.status_list import StatusListDefined
from services.tasks.domain.task_events import TaskAdvanced, TaskAssigned, TaskCancelled, TaskOpened
from services.tasks.domain.values import ANYTIME, Position


def an_id(number: int) -> str:
    """The id of the n-th example thing."""
    return f"0196a000-0000-7000-8000-{number:012d}"


NOW = datetime(2026, 3, 2, 14, 30, tzinfo=UTC)

ADMIN, SUPERVISOR, TECHNICIAN, COLLEAGUE, STRANGER = (an_id(n) for n in range(1, 6))
TEAM, OTHER_TEAM = an_id(11), an_id(12)
PROCESS, OTHER_PROCESS, SUBPROCESS, OTHER_SUBPROCESS = (an_id(n) for n in range(21, 25))
LIST = an_id(31)
CUSTOMER, LOCATION = an_id(41), an_id(42)
TASK, SUBTASK = an_id(51), an_id(52)
FORM, SERVICE, OTHER_FORM = an_id(61), an_id(62), an_id(63)
EQUIPMENT = an_id(65)
SUBMISSION, OTHER_SUBMISSION = an_id(71), an_id(72)

BOGOTA = Position(lat=4.65, lon=-74.06)
NEARBY = Position(lat=4.6503, lon=-74.0601, accuracy_m=8)
MEDELLIN = Position(lat=6.2442, lon=-75.5812)

STAGE_NAMES = {
    "pending": "Pendiente",
    "on-the-way": "En camino",
    "in-progress": "En ejecución",
    "pending-validation": "Pendiente de validación",
    "completed": "Completada",
    "audited": "Auditada",
}
STAGES = (
    Stage(stage_id="pending", generic_state="pending"),
    Stage(stage_id="on-the-way", generic_state="in_progress"),
    Stage(stage_id="in-progress", generic_state="in_progress"),
    Stage(stage_id="pending-validation", generic_state="in_progress"),
    Stage(stage_id="completed", generic_state="completed"),
    Stage(stage_id="audited", generic_state="completed"),
)
DRAFTS = tuple(StageDraft(**stage.model_dump(), name=STAGE_NAMES[stage.stage_id]) for stage in STAGES)


def demanding(stage_id: str, **demands: Any) -> tuple[Stage, ...]:
    """The example's stages, one of them with demands."""
    return tuple(
        stage.model_copy(update={"requires": Demands(**demands)}) if stage.stage_id == stage_id else stage
        for stage in STAGES
    )


list_defined = StatusListDefined(list_id=LIST, name="Mantenimiento", stages=STAGES, stage_names=STAGE_NAMES)
process_created = ProcessCreated(process_id=PROCESS, name="Mantenimiento")
subprocess_added = SubprocessAdded(process_id=PROCESS, subprocess_id=SUBPROCESS, name="Mantenimiento preventivo")
PROFILE = Profile(
    code="900.123.456-7",
    name="Panadería La Espiga Ñuñoa S.A.S.",
    country="Colombia",
    department="Cundinamarca",
    city="Bogotá",
    address="Calle 72 # 10-34",
    phone="+57 601 555 0101",
    email="compras@laespiga.example",
)
CLAIM = "fingerprint/1"
customer_created = CustomerCreated(customer_id=CUSTOMER, claim=CLAIM, profile=PROFILE)
PLATE = Plate(name="Ascensor torre B", code="EQ-7", serial="SN-0042", model="KX-200")
PLACE = Place(name="Sede Chapinero", address="Carrera 13 # 60-21", position=BOGOTA)
location_added = LocationAdded(customer_id=CUSTOMER, location_id=LOCATION, place=PLACE)


def opened(**changes: Any) -> TaskOpened:
    """A task as the office opened it, with changes."""
    return TaskOpened(
        **{
            "task_id": TASK,
            "title": "Revisión de ascensor",
            "description": "Torre B, piso 4",
            "process_id": PROCESS,
            "subprocess_id": SUBPROCESS,
            "list_id": LIST,
            "stages": STAGES,
            "stage_names": STAGE_NAMES,
            "form_ids": (),
            "service_ids": (),
            "customer_id": CUSTOMER,
            "location_id": LOCATION,
            "window": ANYTIME,
            "priority": "normal",
            "fields": {},
            "parent_id": None,
            "blocks_parent": False,
            "opened_by": ADMIN,
            **changes,
        }
    )


def assigned(user_id: str | None = None, team_id: str | None = None, **before: Any) -> TaskAssigned:
    """The task given to somebody, from nobody unless said otherwise."""
    return TaskAssigned(
        **{
            "task_id": TASK,
            "user_id": user_id,
            "team_id": team_id,
            "from_user_id": None,
            "from_team_id": None,
            **before,
        }
    )


def answered(**changes: Any) -> FormAnswered:
    """The form filled in for the task, everything arrived, with changes."""
    return FormAnswered(
        **{
            "task_id": TASK,
            "submission_id": SUBMISSION,
            "form_id": FORM,
            "version": 1,
            "photos": 0,
            "signatures": 0,
            "complete": True,
            **changes,
        }
    )


def walked(*stage_ids: str, task_id: str = TASK) -> list[TaskAdvanced]:
    """The task advanced along these stages, the first being where it stands."""
    states = {stage.stage_id: stage.generic_state for stage in STAGES}
    return [
        TaskAdvanced(task_id=task_id, from_stage=here, to_stage=there, generic_state=states[there])
        for here, there in pairwise(stage_ids)
    ]


TO_PROGRESS = walked("pending", "on-the-way", "in-progress")
TO_VALIDATION = walked("pending", "on-the-way", "in-progress", "pending-validation")
TO_COMPLETED = walked("pending", "on-the-way", "in-progress", "pending-validation", "completed")
cancelled = TaskCancelled(task_id=TASK, stage="pending", reason="El cliente aplazó la visita")
