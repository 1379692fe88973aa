"""When an import is requested, its file is checked; when nobody has applied it in a week, it expires."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from services.kernel.application import At, Dispatch, Reacting, Reaction
from services.kernel.commit import Recorded
from services.tasks.domain.import_job import ImportRequested

KEPT_FOR = timedelta(days=7)


def react(fact: Recorded, app: Reacting) -> Iterable[Dispatch | At]:
    """Check now, expire later."""
    match fact.event:
        case ImportRequested(import_id=import_id):
            yield Dispatch("check_import", {"import_id": import_id})
            yield At(
                fact.at + KEPT_FOR,
                f"expire-import:{fact.tenant}:{import_id}",  # the id is a client's: it counts in its account only
                Dispatch("expire_import", {"import_id": import_id}),
            )


check_import_when_requested = Reaction("check_import_when_requested", ("import_job",), react)
