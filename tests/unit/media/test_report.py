"""A report is asked for, set edition by edition as it changes, and taken away."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.kernel.domain import ERASED, Rejected
from services.kernel.testing.given import given
from services.media.domain.report import (
    DeleteReport,
    FailReport,
    RecordEdition,
    Report,
    ReportCommand,
    ReportDeleted,
    ReportFailed,
    ReportRendered,
    ReportRequested,
    RequestReport,
    report,
)
from services.media.domain.values import Stored
from tests.examples.reports import AT

ID = "5b1c6a52-8f0e-5c7d-9a3b-2d1f00c0ffee"
TASK = "0199f3ac-0000-7000-8000-000000000001"
BASIS, OTHER = "a" * 64, "b" * 64


def ask(by: str = "laura") -> RequestReport:
    return RequestReport(report_id=ID, kind="task", subject_id=TASK, language="es", at=AT, by=by)


def asked(by: str = "laura") -> ReportRequested:
    return ReportRequested(report_id=ID, kind="task", subject_id=TASK, language="es", requested_by=by)


def record(basis: str = BASIS, object: str = "t/1") -> RecordEdition:
    stored = Stored(object=object, bytes=4_000)
    return RecordEdition(report_id=ID, basis=basis, pages=3, sha256="c" * 64, stored=stored, key="k", at=AT, by="s")


def rendered(edition: int = 1, basis: str = BASIS, object: str = "t/1", replaces: str | None = None) -> ReportRendered:
    fields: dict[str, Any] = {"pages": 3, "bytes": 4_000, "sha256": "c" * 64, "key": "k"}
    return ReportRendered(report_id=ID, edition=edition, basis=basis, object=object, replaces=replaces, **fields)


def fail(code: str = "report-failed") -> FailReport:
    return FailReport(report_id=ID, code=code, at=AT, by="s")


def delete() -> DeleteReport:
    return DeleteReport(report_id=ID, at=AT, by="laura")


def test_is_asked_for_once_by_each() -> None:
    given(report).when(ask()).then(asked())
    given(report).when(ask()).then_repeating_adds_nothing()
    given(report, asked()).when(ask("pedro")).then(asked("pedro"))
    given(report, asked(), rendered()).when(ask()).then()


def test_an_edition_is_recorded_once() -> None:
    given(report, asked()).when(record()).then(rendered())
    given(report, asked()).when(record()).then_repeating_adds_nothing()


def test_the_next_edition_names_the_object_that_it_replaces() -> None:
    given(report, asked(), rendered()).when(record(OTHER, "t/2")).then(rendered(2, OTHER, "t/2", "t/1"))


def test_what_shows_the_same_is_no_new_edition() -> None:
    given(report, asked(), rendered()).when(record(object="t/2")).then()


def test_nothing_is_kept_of_a_report_that_nobody_wants() -> None:
    given(report).when(record()).then()
    given(report, asked(), ReportDeleted(report_id=ID, object=None)).when(record()).then()


def test_failing_is_told_once_and_keeps_the_edition_before() -> None:
    failed = ReportFailed(report_id=ID, code="report-failed")
    given(report, asked()).when(fail()).then(failed)
    given(report, asked()).when(fail()).then_repeating_adds_nothing()
    given(report).when(fail()).then()
    state = given(report, asked(), rendered(), failed).state
    assert (state.status, state.objects, state.failed) == ("ready", ("t/1",), "report-failed")
    assert given(report, asked(), failed).state.status == "failed"


def test_who_asks_again_after_a_failure_has_it_tried_again() -> None:
    failed = ReportFailed(report_id=ID, code="report-failed")
    given(report, asked(), failed).when(ask()).then(asked())


def test_deleting_takes_the_object_and_the_right_to_it() -> None:
    gone = ReportDeleted(report_id=ID, object="t/1")
    given(report, asked(), rendered()).when(delete()).then(gone)
    given(report, asked(), rendered()).when(delete()).then_repeating_adds_nothing()
    given(report).when(delete()).then_rejected("report-unknown")
    state = given(report, asked(), rendered(), gone).state
    assert (state.wanted, state.readers, state.objects) == (False, frozenset(), ())


def test_after_deleting_editions_go_on_counting() -> None:
    history = (asked(), rendered(), ReportDeleted(report_id=ID, object="t/1"), asked())
    given(report, *history).when(record(object="t/2")).then(rendered(2, object="t/2"))


def test_an_erased_key_stays_erased() -> None:
    erased = rendered().model_copy(update={"key": ERASED})
    latest = given(report, asked(), erased).state.latest
    assert latest is not None
    assert latest.key is ERASED


COMMANDS = st.one_of(
    st.sampled_from(["laura", "pedro"]).map(ask),
    st.tuples(st.sampled_from([BASIS, OTHER]), st.integers(1, 5).map(lambda n: f"t/{n}")).map(lambda two: record(*two)),
    st.just(fail()),
    st.just(delete()),
)


@for_all(st.lists(COMMANDS, max_size=12))
def test_whatever_is_done_every_object_is_current_or_named_to_go(commands: list[ReportCommand]) -> None:
    state: Report = report.initial_state
    made, going, editions = [], [], []
    for command in commands:
        try:
            events = report.decide(command, state)
        except Rejected:
            continue
        for event in events:
            state = report.evolve(state, event)
            if isinstance(event, ReportRendered):
                made.append(event.object)
                editions.append(event.edition)
                going += [event.replaces] if event.replaces else []
            if isinstance(event, ReportDeleted):
                going += [event.object] if event.object else []
    assert sorted(made) == sorted([*going, *state.objects])
    assert editions == list(range(1, len(editions) + 1))


def test_an_unknown_report_is_nothing_to_delete() -> None:
    with pytest.raises(Rejected):
        report.decide(delete(), report.initial_state)
