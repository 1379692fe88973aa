"""What a service that has exports adds to its definition: aggregate, commands, queries, read model, reactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from services.kernel.application import Answers, Ask, At, Dispatch, Do, On, Reacting, Reaction, ReadModel
from services.kernel.commit import Recorded
from services.kernel.domain import Decider
from services.kernel.exporting.asking import deleting, expiring, requesting
from services.kernel.exporting.folder import Folder
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
    RequestExport,
    export_job,
)
from services.kernel.exporting.kinds import ExportKind
from services.kernel.exporting.showing import Exports, queries
from services.kernel.exporting.writing import KEPT_FOR, continue_export


def _write(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    match fact.event:
        case ExportRequested(export_id=id) | ExportStarted(export_id=id) | ExportRowsWritten(export_id=id):
            yield Dispatch("continue_export", {"export_id": id})


def _clear_away(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    match fact.event:
        case ExportRequested(export_id=id):
            yield _expiry(fact, id)
        case ExportReady(export_id=id):
            yield _expiry(fact, id)
            Folder(app.objects, app.settings.s3_bucket, fact.tenant, id).clear(keep_file=True)
        case ExportFailed(export_id=id) | ExportDeleted(export_id=id) | ExportExpired(export_id=id):
            Folder(app.objects, app.settings.s3_bucket, fact.tenant, id).clear()


def _expiry(fact: Recorded, export_id: str) -> At:
    # Set when it is asked for and moved when it is ready: one that never becomes ready goes as well.
    return At(fact.at + KEPT_FOR, f"expire-export:{export_id}", Dispatch("expire_export", {"export_id": export_id}))


write_exports = Reaction("write_exports", (export_job.category,), _write)
clear_exports_away = Reaction("clear_exports_away", (export_job.category,), _clear_away)


@dataclass(frozen=True, slots=True)
class ExportParts:
    """The parts; `kinds` by name, and how the account's time zone is found."""

    commands: Mapping[str, On | Do]
    queries: Mapping[str, Answers]
    deciders: Sequence[Decider[Any, Any, Any]] = (export_job,)
    read_models: Sequence[ReadModel] = field(default_factory=lambda: (Exports(),))
    reactions: Sequence[Reaction] = field(default_factory=lambda: (write_exports, clear_exports_away))


def export_parts(kinds: Iterable[ExportKind], time_zone: Callable[[Ask], str]) -> ExportParts:
    """The parts for these kinds of export."""
    known = {kind.name: kind for kind in kinds}
    asked = requesting(known, time_zone)
    return ExportParts(
        commands={
            "request_export": On(export_job, RequestExport, id="export_id", prepare=asked),
            "delete_export": On(export_job, DeleteExport, id="export_id", prepare=deleting),
            # The service's own: its reactions and timers ask for these, nobody else may.
            "continue_export": continue_export(known),
            "expire_export": On(export_job, ExpireExport, id="export_id", prepare=expiring),
        },
        queries=queries(known),
    )
