"""An export as a decider: each step is taken once, and what comes too late adds nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.kernel.domain import ERASED
from services.kernel.exporting.job import (
    DeleteExport,
    ExpireExport,
    ExportDeleted,
    ExportExpired,
    ExportFailed,
    ExportReady,
    ExportRequested,
    ExportRowsWritten,
    ExportStarted,
    FailExport,
    FinishExport,
    Piece,
    RecordRows,
    RequestExport,
    Sheet,
    StartExport,
    TableCount,
    export_job,
)
from services.kernel.testing.given import given
from tests.examples.exporting import NOON, OWNER, ZONE
from tests.examples.kernel import an_id

EXPORT = an_id(31)
ASKED: dict[str, Any] = {"export_id": EXPORT, "at": NOON, "by": OWNER.actor}
WANTED: dict[str, Any] = {
    "kind": "boats",
    "format": "xlsx",
    "language": "es",
    "time_zone": ZONE,
    "filters": {"even": True},
    "role": "owner",
}
SHEETS = (Sheet(name="Barcos", headings=("Id", "Nombre")), Sheet(name="Peces", headings=("Barco",)))
LATER = NOON + timedelta(days=7)


def piece(table: int, rows: int, **changes: Any) -> Piece:
    fields = {"table": table, "book": 1, "rows": rows, "crc": 7, "size": 20, "packed": 10, "digest": "d" * 64}
    return Piece(**{**fields, **changes})


requested = ExportRequested(export_id=EXPORT, requested_by=OWNER.actor, **WANTED)
started = ExportStarted(export_id=EXPORT, began_at=NOON, total=3, sheets=SHEETS, scope={"even": True})
FIRST: dict[str, Any] = {
    "part": 0,
    "upto": "b",
    "things": 2,
    "pieces": (piece(0, 2), piece(1, 3)),
    "cut": (1, 0),
    "last": False,
}
LAST: dict[str, Any] = {
    "part": 1,
    "upto": "c",
    "things": 1,
    "pieces": (piece(0, 1, crc=9),),
    "cut": (2, 0),
    "last": True,
}
first = ExportRowsWritten(export_id=EXPORT, **FIRST)
last = ExportRowsWritten(export_id=EXPORT, **LAST)
ready = ExportReady(
    export_id=EXPORT,
    things=3,
    size=99,
    sha256="a" * 64,
    tables=(TableCount(rows=3, cut=3), TableCount(rows=3, cut=0)),
    expires_at=LATER,
)
failed = ExportFailed(export_id=EXPORT, code="export-too-wide")
deleted = ExportDeleted(export_id=EXPORT)
expired = ExportExpired(export_id=EXPORT)

REQUEST = RequestExport(**ASKED, **WANTED)
START = StartExport(**ASKED, total=3, sheets=SHEETS, scope={"even": True})
ROWS = RecordRows(**ASKED, **FIRST)
LAST_ROWS = RecordRows(**ASKED, **LAST)
FINISH = FinishExport(**ASKED, size=99, sha256="a" * 64, expires_at=LATER)
FAIL = FailExport(**ASKED, code="export-too-wide")
DELETE = DeleteExport(**ASKED)
EXPIRE = ExpireExport(**ASKED)
WRITTEN = [requested, started, first, last]


@pytest.mark.parametrize(
    ("before", "command", "facts"),
    [
        ([], REQUEST, [requested]),
        ([requested], START, [started]),
        ([requested, started], ROWS, [first]),
        ([requested, started, first], LAST_ROWS, [last]),
        (WRITTEN, FINISH, [ready]),
        ([requested], FAIL, [failed]),
        ([requested, started], FAIL, [failed]),
        ([requested], DELETE, [deleted]),
        ([*WRITTEN, ready], DELETE, [deleted]),
        ([*WRITTEN, ready], EXPIRE, [expired]),
        ([requested, started], EXPIRE, [expired]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_step_is_taken_once(before: list[Any], command: Any, facts: list[Any]) -> None:
    given(export_job, *before).when(command).then(*facts)
    given(export_job, *before).when(command).then_repeating_adds_nothing()


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ([requested], ROWS),
        ([requested, started], FINISH),
        ([requested, started, first], ROWS),
        ([requested, started], LAST_ROWS),
        ([*WRITTEN], LAST_ROWS),
        ([requested, started, deleted], ROWS),
        ([*WRITTEN, deleted], FINISH),
        ([*WRITTEN, ready], FAIL),
        ([*WRITTEN, ready, expired], DELETE),
        ([requested, failed], EXPIRE),
        ([requested, deleted], START),
    ],
)
def test_what_comes_too_late_or_too_early_adds_nothing(before: list[Any], command: Any) -> None:
    given(export_job, *before).when(command).then_nothing()


@pytest.mark.parametrize(
    ("before", "command", "code"),
    [
        ([], START, "export-unknown"),
        ([], DELETE, "export-unknown"),
        ([requested], REQUEST.model_copy(update={"format": "csv"}), "export-exists"),
    ],
)
def test_refusals(before: list[Any], command: Any, code: str) -> None:
    given(export_job, *before).when(command).then_rejected(code)


def test_the_pieces_of_a_file_add_up() -> None:
    state = given(export_job, *WRITTEN).state
    member = state.members[0, 1]
    assert (member.rows, member.crc, member.size, member.packed) == (3, 9, 40, 20)
    assert [part for part, _ in member.pieces] == [0, 1]
    assert (state.rows(0), state.rows(1), state.upto, state.things) == (3, 3, "c", 3)
    assert state.book(0) == (1, member)


def test_after_erasure_it_still_folds() -> None:
    gone = [
        requested.model_copy(update={"filters": ERASED}),
        started.model_copy(update={"sheets": ERASED, "scope": ERASED}),
    ]
    state = given(export_job, *gone, first, expired).state
    assert state.status == "expired"
