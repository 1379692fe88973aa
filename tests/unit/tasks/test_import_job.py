"""An import: checked first, applied on request, each row once."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.testing.given import given
from services.tasks.domain.import_job import (
    ApplyImport,
    DiscardImport,
    ImportApplied,
    ImportChecked,
    ImportDiscarded,
    ImportFinished,
    ImportRejected,
    ImportRequested,
    ImportRowsApplied,
    RecordCheck,
    RecordRows,
    RejectImport,
    RequestImport,
    RowError,
    import_job,
)
from tests.examples.tasks import ADMIN, NOW, an_id

IMPORT = an_id(81)
ASKED: dict[str, Any] = {"import_id": IMPORT, "at": NOW, "by": ADMIN}
FILE: dict[str, Any] = {
    "kind": "customers",
    "object_key": "account/imports/1",
    "sha256": "0" * 64,
    "size": 10,
    "file_name": "clientes.xlsx",
}
requested = ImportRequested(import_id=IMPORT, requested_by=ADMIN, **FILE)
DRY_RUN: dict[str, Any] = {
    "rows": 3,
    "good": 2,
    "bad": 1,
    "errors": (RowError(row=3, column="name", code="required"),),
    "unlisted": 0,
    "values": {"3:name": ""},
    "ignored_columns": (),
}
checked = ImportChecked(import_id=IMPORT, **DRY_RUN)
applied = ImportApplied(import_id=IMPORT, skip_bad_rows=True, applied_by=ADMIN)
ROWS: dict[str, Any] = {"applied": 1, "skipped": 1, "refused": ()}
first_rows = ImportRowsApplied(import_id=IMPORT, upto=3, **ROWS)
finished = ImportFinished(import_id=IMPORT, applied=2, skipped=2, refused=0)
rejected = ImportRejected(import_id=IMPORT, code="file-empty")
discarded = ImportDiscarded(import_id=IMPORT)

REQUEST = RequestImport(**ASKED, **FILE)
REJECT = RejectImport(**ASKED, code="file-empty")
CHECK = RecordCheck(**ASKED, **DRY_RUN)
APPLY = ApplyImport(**ASKED, skip_bad_rows=True)
DISCARD = DiscardImport(**ASKED)


def rows(after: int, upto: int, last: bool) -> RecordRows:
    return RecordRows(**ASKED, **ROWS, after=after, upto=upto, last=last)


@pytest.mark.parametrize(
    ("before", "command", "facts"),
    [
        ([], REQUEST, [requested]),
        ([requested], REJECT, [rejected]),
        ([requested], CHECK, [checked]),
        ([requested, checked], APPLY, [applied]),
        ([requested, checked, applied], rows(1, 3, False), [first_rows]),
        (
            [requested, checked, applied, first_rows],
            rows(3, 5, True),
            [first_rows.model_copy(update={"upto": 5}), finished],
        ),
        ([requested], DISCARD, [discarded]),
        ([requested, checked], DISCARD, [discarded]),
        ([requested, rejected], DISCARD, [discarded]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_each_step_is_taken_once(before: list[Any], command: Any, facts: list[Any]) -> None:
    given(import_job, *before).when(command).then(*facts)
    given(import_job, *before).when(command).then_repeating_adds_nothing()


@pytest.mark.parametrize(
    ("before", "command", "code"),
    [
        ([], APPLY, "import-unknown"),
        ([], DISCARD, "import-unknown"),
        ([requested], REQUEST.model_copy(update={"size": 11}), "import-exists"),
        ([requested], APPLY, "import-not-checked"),
        ([requested, rejected], APPLY, "import-not-checked"),
        ([requested, checked, discarded], APPLY, "import-not-checked"),
        ([requested, checked], ApplyImport(**ASKED), "import-has-bad-rows"),
        ([requested, checked, applied], DISCARD, "import-under-way"),
    ],
)
def test_refusals(before: list[Any], command: Any, code: str) -> None:
    given(import_job, *before).when(command).then_rejected(code)


@pytest.mark.parametrize(
    ("before", "command"),
    [
        ([requested, discarded], CHECK),
        ([requested, discarded], REJECT),
        ([requested, checked, applied, first_rows], rows(1, 3, False)),
        ([requested, checked, applied, first_rows, finished], rows(3, 5, True)),
        ([requested, checked, applied, first_rows, finished], APPLY),
    ],
)
def test_what_comes_too_late_adds_nothing(before: list[Any], command: Any) -> None:
    given(import_job, *before).when(command).then_nothing()
