"""A process and the subprocesses under it."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from services.tasks.domain.process import (
    ActivateProcess,
    ActivateSubprocess,
    AddSubprocess,
    AttachStatusList,
    CreateProcess,
    DeactivateProcess,
    DeactivateSubprocess,
    LinkTeams,
    ProcessActivated,
    ProcessCreated,
    ProcessDeactivated,
    ProcessFieldsSet,
    ProcessRenamed,
    RenameProcess,
    RenameSubprocess,
    SetProcessFields,
    StatusListAttached,
    SubprocessActivated,
    SubprocessAdded,
    SubprocessDeactivated,
    SubprocessRenamed,
    TeamsLinked,
    process,
)
from tests.examples.tasks import (
    ADMIN,
    LIST,
    NOW,
    OTHER_SUBPROCESS,
    OTHER_TEAM,
    PROCESS,
    SUBPROCESS,
    TEAM,
    process_created,
    subprocess_added,
)

ASKED = {"process_id": PROCESS, "at": NOW, "by": ADMIN}
SUB = {**ASKED, "subprocess_id": SUBPROCESS}
THERE = (process_created, subprocess_added)


@pytest.mark.parametrize(
    ("before", "command", "fact"),
    [
        ((), CreateProcess(**ASKED, name="Ventas"), ProcessCreated(process_id=PROCESS, name="Ventas")),
        (THERE, RenameProcess(**ASKED, name="Ventas"), ProcessRenamed(process_id=PROCESS, name="Ventas")),
        (THERE, DeactivateProcess(**ASKED), ProcessDeactivated(process_id=PROCESS)),
        (
            (*THERE, ProcessDeactivated(process_id=PROCESS)),
            ActivateProcess(**ASKED),
            ProcessActivated(process_id=PROCESS),
        ),
        (
            THERE,
            AttachStatusList(**ASKED, list_id=LIST),
            StatusListAttached(process_id=PROCESS, list_id=LIST),
        ),
        (
            (*THERE, StatusListAttached(process_id=PROCESS, list_id=LIST)),
            AttachStatusList(**ASKED, list_id=None),
            StatusListAttached(process_id=PROCESS, list_id=None),
        ),
        (
            THERE,
            LinkTeams(**ASKED, team_ids=(OTHER_TEAM, TEAM, TEAM)),
            TeamsLinked(process_id=PROCESS, team_ids=(TEAM, OTHER_TEAM)),
        ),
        (
            (process_created,),
            AddSubprocess(**SUB, name="Correctivo"),
            SubprocessAdded(process_id=PROCESS, subprocess_id=SUBPROCESS, name="Correctivo"),
        ),
        (
            THERE,
            RenameSubprocess(**SUB, name="Correctivo"),
            SubprocessRenamed(process_id=PROCESS, subprocess_id=SUBPROCESS, name="Correctivo"),
        ),
        (
            THERE,
            DeactivateSubprocess(**SUB),
            SubprocessDeactivated(process_id=PROCESS, subprocess_id=SUBPROCESS),
        ),
        (
            (*THERE, SubprocessDeactivated(process_id=PROCESS, subprocess_id=SUBPROCESS)),
            ActivateSubprocess(**SUB),
            SubprocessActivated(process_id=PROCESS, subprocess_id=SUBPROCESS),
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_asked_becomes_a_fact_once(before: tuple[Any, ...], command: Any, fact: Any) -> None:
    given(process, *before).when(command).then(fact)
    given(process, *before).when(command).then_repeating_adds_nothing()


@pytest.mark.parametrize(
    "command",
    [
        RenameProcess(**ASKED, name="Ventas"),
        DeactivateProcess(**ASKED),
        ActivateProcess(**ASKED),
        AttachStatusList(**ASKED, list_id=LIST),
        LinkTeams(**ASKED, team_ids=()),
        AddSubprocess(**SUB, name="Correctivo"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_unknown_process_is_refused(command: Any) -> None:
    given(process).when(command).then_rejected("process-unknown")


@pytest.mark.parametrize(
    "command",
    [RenameSubprocess(**SUB, name="Correctivo"), DeactivateSubprocess(**SUB), ActivateSubprocess(**SUB)],
    ids=lambda value: type(value).__name__,
)
def test_an_unknown_subprocess_is_refused(command: Any) -> None:
    given(process, process_created).when(command).then_rejected("subprocess-unknown")


def test_an_id_in_use_is_refused_for_something_else() -> None:
    given(process, *THERE).when(CreateProcess(**ASKED, name="Ventas")).then_rejected("process-exists")
    given(process, *THERE).when(AddSubprocess(**SUB, name="Otro")).then_rejected("subprocess-exists")


def test_subprocesses_are_kept_apart() -> None:
    added = SubprocessAdded(process_id=PROCESS, subprocess_id=OTHER_SUBPROCESS, name="Correctivo")
    off = SubprocessDeactivated(process_id=PROCESS, subprocess_id=OTHER_SUBPROCESS)
    state = given(process, *THERE, added, off).state
    assert state.subprocess(SUBPROCESS).active
    assert not state.subprocess(OTHER_SUBPROCESS).active


@pytest.mark.parametrize("of", [None, SUBPROCESS])
def test_own_fields_have_values_of_the_process_and_of_each_subprocess(of: str | None) -> None:
    command = SetProcessFields(**ASKED, subprocess_id=of, fields={"cost_centre": "CC-1"})
    fact = ProcessFieldsSet(
        process_id=PROCESS, subprocess_id=of, changed=("cost_centre",), fields={"cost_centre": "CC-1"}
    )
    given(process, *THERE).when(command).then(fact)
    given(process, *THERE).when(command).then_repeating_adds_nothing()
    erased = fact.model_copy(update={"fields": ERASED})
    given(process, *THERE, erased).when(command).then(fact)


def test_own_fields_of_what_does_not_exist() -> None:
    given(process).when(SetProcessFields(**ASKED, fields={})).then_rejected("process-unknown")
    given(process, process_created).when(SetProcessFields(**SUB, fields={})).then_rejected("subprocess-unknown")


@pytest.mark.parametrize("kind", [SubprocessRenamed, SubprocessActivated, SubprocessDeactivated])
def test_any_fact_in_any_order_makes_a_state(kind: Any) -> None:
    fact = kind.model_validate({"process_id": PROCESS, "subprocess_id": SUBPROCESS, "name": "x"})
    assert SUBPROCESS in given(process, fact).state.subprocesses
