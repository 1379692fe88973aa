"""What holds for a task whatever is asked of it, in whatever order."""

from __future__ import annotations

from typing import Any

from hypothesis import given as having
from hypothesis import settings
from hypothesis import strategies as st

from services.kernel.domain import Rejected
from services.tasks.domain.stages import DEFAULT_STAGES, Demands, GenericState, Stage, check_pipeline
from services.tasks.domain.task import task
from services.tasks.domain.task_events import Task, TaskAdvanced, TaskReopened
from services.tasks.domain.task_evidence import AnswerForm, CompleteAnswer, DiscardAnswer, NoteTask, ReleaseAnswer
from services.tasks.domain.task_execution import (
    AbandonOpening,
    AdvanceTask,
    CancelTask,
    ClaimTask,
    ExecutionFacts,
    ExpectSubtask,
    ReopenTask,
    StartTask,
)
from services.tasks.domain.task_planning import AssignTask, EditTask, OpenTask, PlanningFacts
from services.tasks.domain.values import Window
from tests.examples.tasks import (
    ADMIN,
    COLLEAGUE,
    FORM,
    NOW,
    OTHER_PROCESS,
    OTHER_SUBPROCESS,
    PROCESS,
    STAGE_NAMES,
    STAGES,
    SUBMISSION,
    SUBPROCESS,
    SUBTASK,
    TASK,
    TEAM,
    TECHNICIAN,
    answered,
    opened,
)

PLANNING = PlanningFacts(manages=True, stages=STAGES, stage_names=STAGE_NAMES)
MOVED = PlanningFacts(manages=True, stages=DEFAULT_STAGES)
EXECUTION = ExecutionFacts(manages=True, teams=frozenset({TEAM}))
people = st.sampled_from([ADMIN, TECHNICIAN, COLLEAGUE])
stage_ids = st.sampled_from([stage.stage_id for stage in (*STAGES, *DEFAULT_STAGES)])
openings = st.integers(1, 3)


def asked(command: Any, **fields: Any) -> st.SearchStrategy[Any]:
    given = {name: v if isinstance(v, st.SearchStrategy) else st.just(v) for name, v in fields.items()}
    return st.fixed_dictionaries({"by": people, **given}).map(lambda values: command(task_id=TASK, at=NOW, **values))


commands = st.one_of(
    asked(OpenTask, title="x", process_id=PROCESS, subprocess_id=SUBPROCESS, facts=PLANNING),
    asked(EditTask, title=st.sampled_from(["x", "y"]), window=Window(), facts=PLANNING),
    asked(EditTask, process_id=OTHER_PROCESS, subprocess_id=OTHER_SUBPROCESS, facts=MOVED),
    asked(AssignTask, user_id=people, facts=PLANNING),
    asked(AssignTask, team_id=TEAM, facts=PLANNING),
    asked(AssignTask, facts=PLANNING),
    asked(ClaimTask, facts=EXECUTION),
    asked(StartTask, facts=EXECUTION),
    asked(AdvanceTask, to_stage=stage_ids, facts=EXECUTION),
    asked(CancelTask, reason="porque sí", facts=EXECUTION),
    asked(ReopenTask, reason="porque no", facts=EXECUTION),
    asked(ExpectSubtask, subtask_id=SUBTASK, opening=openings),
    asked(AbandonOpening, opening=openings),
    asked(AnswerForm, submission_id=SUBMISSION, form_id=FORM, version=1, amendment=openings),
    asked(CompleteAnswer, submission_id=SUBMISSION),
    asked(ReleaseAnswer, submission_id=SUBMISSION),
    asked(DiscardAnswer, submission_id=SUBMISSION),
    asked(NoteTask, note_id=SUBMISSION, text=st.sampled_from(["x", "y"])),
)


@settings(max_examples=150)
@having(st.lists(commands, max_size=40))
def test_a_walk_never_skips_and_a_replay_ends_where_the_story_did(asked_for: list[Any]) -> None:
    state, history = task.initial_state, []
    for command in asked_for:
        try:
            facts = task.decide(command, state)
        except Rejected:
            continue
        for fact in facts:
            _check_step(state, fact)
            state = task.evolve(state, fact)
        history += facts
        assert task.decide(command, state) == [], f"repeated: {command}"
        assert state.opened is None or state.stage in {stage.stage_id for stage in state.stages}
    assert task.replay(history) == state


def _check_step(state: Task, fact: Any) -> None:
    order = [stage.stage_id for stage in state.stages]
    match fact:
        case TaskAdvanced(from_stage=here, to_stage=there):
            assert here == state.stage
            assert order.index(there) == order.index(here) + 1
        case TaskReopened(to_stage=there):
            assert order.index(there) <= order.index(state.stage)


kinds = st.sampled_from(list(task.events.values()))
FILLED: dict[str, Any] = {
    **opened().model_dump(),
    "user_id": TECHNICIAN,
    "team_id": TEAM,
    "from_stage": "pending",
    "to_stage": "completed",
    "generic_state": "completed",
    "stage_id": "completed",
    "stage": "pending",
    "radius_m": 100,
    "position": {"lat": 4.6, "lon": -74.0},
    "reason": "x",
    "changed": (),
    "subtask_id": SUBTASK,
    **answered().model_dump(),
    "note_id": SUBMISSION,
    "follows": {"submission_id": SUBMISSION, "form_id": FORM, "field": "x", "task_id": None},
    "text": "x",
    "from_window": {},
    "from_priority": "low",
    **{f"from_{name}": "x" for name in ("user_id", "team_id", "title", "description")},
    **{f"from_{name}": "x" for name in ("process_id", "subprocess_id", "customer_id", "location_id", "equipment_id")},
    "from_form_ids": (),
    "from_service_ids": (),
    "from_fields": {},
}


@settings(max_examples=100)
@having(st.lists(kinds, max_size=12))
def test_any_facts_in_any_order_make_a_state(happened: list[Any]) -> None:
    task.replay([kind.model_validate(FILLED) for kind in happened])


generic_states: st.SearchStrategy[GenericState] = st.sampled_from(["pending", "in_progress", "completed"])


@settings(max_examples=100)
@having(st.lists(generic_states, min_size=1, max_size=8))
def test_a_checked_pipeline_can_be_walked_from_end_to_end(states: list[GenericState]) -> None:
    stages = tuple(Stage(stage_id=f"s{n}", generic_state=state, requires=Demands()) for n, state in enumerate(states))
    walkable = set(states) == {"pending", "in_progress", "completed"} and states == sorted(
        states, key=["pending", "in_progress", "completed"].index
    )
    try:
        check_pipeline(stages)
    except Rejected:
        assert not walkable
    else:
        assert walkable
