"""A status list holds an ordered pipeline that work can walk through."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from services.tasks.domain.stages import StageDraft
from services.tasks.domain.status_list import (
    ChangeStatusList,
    DefineStatusList,
    StatusListChanged,
    StatusListDefined,
    status_list,
)
from tests.examples.tasks import ADMIN, DRAFTS, LIST, NOW, STAGE_NAMES, STAGES, list_defined


def define(**changes: Any) -> DefineStatusList:
    return DefineStatusList(
        **{"list_id": LIST, "name": "Mantenimiento", "stages": DRAFTS, "at": NOW, "by": ADMIN, **changes}
    )


def change(**changes: Any) -> ChangeStatusList:
    return ChangeStatusList(
        **{"list_id": LIST, "name": "Mantenimiento", "stages": DRAFTS, "at": NOW, "by": ADMIN, **changes}
    )


def draft(stage_id: str, generic_state: Any) -> StageDraft:
    return StageDraft(stage_id=stage_id, generic_state=generic_state, name=stage_id.title())


def test_a_list_is_defined_with_its_stages_and_their_names() -> None:
    given(status_list).when(define()).then(
        StatusListDefined(list_id=LIST, name="Mantenimiento", stages=STAGES, stage_names=STAGE_NAMES)
    )


def test_defining_the_same_list_again_adds_nothing() -> None:
    given(status_list).when(define()).then_repeating_adds_nothing()


def test_an_id_in_use_is_refused_for_another_list() -> None:
    given(status_list, list_defined).when(define(name="Ventas")).then_rejected("status-list-exists")


def test_a_list_is_changed_as_a_whole() -> None:
    shorter = tuple(d for d in DRAFTS if d.stage_id != "audited")
    names = {d.stage_id: d.name for d in shorter}
    given(status_list, list_defined).when(change(name="Corta", stages=shorter)).then(
        StatusListChanged(list_id=LIST, name="Corta", stages=STAGES[:-1], stage_names=names)
    )


def test_changing_to_what_it_is_adds_nothing() -> None:
    given(status_list, list_defined).when(change(name="Corta")).then_repeating_adds_nothing()
    given(status_list, list_defined).when(change()).then_nothing()


def test_an_unknown_list_cannot_be_changed() -> None:
    given(status_list).when(change()).then_rejected("status-list-unknown")


@pytest.mark.parametrize(
    ("stages", "code"),
    [
        ((draft("a", "pending"), draft("a", "in_progress"), draft("c", "completed")), "stage-ids-not-unique"),
        ((draft("a", "in_progress"), draft("b", "pending"), draft("c", "completed")), "stages-out-of-order"),
        ((draft("a", "pending"), draft("b", "pending"), draft("c", "completed")), "generic-state-missing"),
        ((draft("a", "in_progress"), draft("b", "in_progress"), draft("c", "completed")), "generic-state-missing"),
    ],
)
def test_a_pipeline_that_work_cannot_walk_is_refused(stages: Any, code: str) -> None:
    given(status_list).when(define(stages=stages)).then_rejected(code)
    given(status_list, list_defined).when(change(stages=stages)).then_rejected(code)


def test_a_pipeline_of_two_stages_is_not_even_a_request() -> None:
    with pytest.raises(ValidationError):
        define(stages=DRAFTS[:2])


def test_a_list_whose_names_are_erased_still_has_its_stages() -> None:
    erased = list_defined.model_copy(update={"name": ERASED, "stage_names": ERASED})
    assert given(status_list, erased).state.stages == STAGES
