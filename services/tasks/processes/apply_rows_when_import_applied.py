"""When an import is applied, its rows are carried out, some at a time, until the last."""

from __future__ import annotations

from collections.abc import Iterable

from services.kernel.application import Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded
from services.tasks.domain.import_job import ImportApplied, ImportRowsApplied


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
    """The next rows; after the last there are none and nothing happens."""
    match fact.event:
        case ImportApplied(import_id=import_id) | ImportRowsApplied(import_id=import_id):
            yield Dispatch("apply_rows", {"import_id": import_id})


apply_rows_when_import_applied = Reaction("apply_rows_when_import_applied", ("import_job",), react)
