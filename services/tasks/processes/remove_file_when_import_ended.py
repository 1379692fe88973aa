"""When an import has ended, one way or the other, its file is removed from the object store."""

from __future__ import annotations

from services.kernel.application import Reacting, Reaction
from services.kernel.commit import Recorded
from services.kernel.objects import remove
from services.tasks.domain.import_job import ImportDiscarded, ImportFinished, ImportRejected, import_job


def react(fact: Recorded, app: Reacting) -> None:
    """Remove it; doing so twice does no harm."""
    match fact.event:
        case ImportFinished(import_id=id) | ImportRejected(import_id=id) | ImportDiscarded(import_id=id):
            job = app.state(import_job, fact.tenant, id)
            remove(app.objects, app.settings.s3_bucket, job.requested.object_key)


remove_file_when_import_ended = Reaction("remove_file_when_import_ended", ("import_job",), react)
