"""What exports add to the media service: who may ask, what is done by itself, and when packages go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.kernel.application import Ask, Do, On, Reacting, Reaction
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.exporting.asking import EDIT, demand, may_have
from services.kernel.timers import At, Dispatch
from services.media.asking import checked
from services.media.domain.media_export import (
    DeleteMediaExport,
    ExpireMediaExport,
    MediaExport,
    MediaExportDeleted,
    MediaExportExpired,
    MediaExportReady,
    MediaExportRequested,
    RequestMediaExport,
    media_export,
)
from services.media.exporting import showing, writing
from services.media.exporting.choosing import MediaFilters
from services.media.exporting.showing import KEPT_FOR, KIND, MODEL, MediaExports
from services.media.standing import READ, demand_system, time_zone

AT_ONCE = 3
"""How many packages of one account may be under way."""

Fields = Mapping[str, Any]


def requesting(ask: Ask) -> Fields:
    """Who may ask: whoever may take things out, and may see evidence."""
    demand(ask, EDIT)
    demand(ask, READ)
    asked = dict(ask.data)
    if asked.pop("kind", KIND) != KIND:
        raise Rejected("export-kind-unknown", kind=ask.data["kind"])
    if asked.pop("format", "zip") != "zip":
        raise Rejected("export-format-unknown", format=ask.data["format"])
    if ask.reads[MODEL].count({"status": {"$in": ["requested", "writing"]}}) >= AT_ONCE:
        raise Rejected("too-many-exports", at_once=AT_ONCE)
    filters = checked(MediaFilters, asked.get("filters") or {}).model_dump(mode="json", exclude_none=True)
    return {**asked, "filters": filters, "time_zone": time_zone(ask), "role": ask.caller.role}


def deleting(ask: Ask) -> Fields:
    """Who may take it away: who may have it."""
    demand(ask, EDIT)
    job: MediaExport = ask.state(media_export, str(ask.data.get("export_id")))
    if job.requested is None or not may_have(ask, job.requested.requested_by):
        raise Rejected("export-unknown", export_id=ask.data.get("export_id"))
    return ask.data


def expiring(ask: Ask) -> Fields:
    """The timer's own."""
    demand_system(ask.caller)
    return ask.data


def react(fact: Recorded, app: Reacting) -> Iterable[At]:
    """Write it, let it expire, and let its object go."""
    id = fact.event.export_id
    named = {"export_id": id}
    match fact.event:
        case MediaExportRequested():
            yield At(fact.at, f"write-media-export:{id}", Dispatch("write_media_export", named))
            yield At(fact.at + KEPT_FOR, f"expire-media-export:{id}", Dispatch("expire_export", named))
        case MediaExportReady(expires_at=expires_at):
            yield At(expires_at, f"expire-media-export:{id}", Dispatch("expire_export", named))
        case MediaExportDeleted(object=str(object)) | MediaExportExpired(object=str(object)):
            yield At(fact.at, f"clear-media-export:{id}", Dispatch("clear_objects", {"objects": [object]}))


DECIDERS = (media_export,)
COMMANDS: Mapping[str, On | Do] = {
    "request_export": On(media_export, RequestMediaExport, id="export_id", prepare=requesting),
    "delete_export": On(media_export, DeleteMediaExport, id="export_id", prepare=deleting),
    # The service's own: its timers ask for these, nobody else may.
    "write_media_export": Do(writing.write_media_export),
    "expire_export": On(media_export, ExpireMediaExport, id="export_id", prepare=expiring),
}
QUERIES = showing.QUERIES
READ_MODELS = (MediaExports(),)
REACTIONS = (Reaction("look_after_media_exports", ("media_export",), react),)
