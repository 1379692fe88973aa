"""Every object that is kept of an account, and what it belongs to: the map by which all of it can be found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.kernel.commit import Recorded
from services.kernel.readmodel import ReadModel
from services.media.domain.media_export import MediaExportDeleted, MediaExportExpired, MediaExportReady
from services.media.domain.medium import MediaForgotten, MediaStored
from services.media.domain.report import ReportDeleted, ReportRendered
from services.media.domain.values import hex_of

Document = dict[str, Any]


class Objects(ReadModel):
    """One document per owner, named `<category>/<id>`, with the keys of its objects in the bucket of media."""

    name = "objects"
    categories = ("medium", "report", "media_export")
    indexes = ([("tenant", 1), ("objects.object", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The owner."""
        match fact.event:
            case MediaStored(media_id=media_id) | MediaForgotten(media_id=media_id):
                return [f"medium/{hex_of(media_id)}"]
            case ReportRendered(report_id=report_id) | ReportDeleted(report_id=report_id):
                return [f"report/{report_id}"]
            case (
                MediaExportReady(export_id=export_id)
                | MediaExportDeleted(export_id=export_id)
                | MediaExportExpired(export_id=export_id)
            ):
                return [f"media_export/{export_id}"]
            case _:
                return []

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """What is kept of the owner now."""
        match fact.event:
            case MediaStored() as event:
                original = {"object": event.original.object, "kind": "original", "bytes": event.original.bytes}
                others = [{"object": one.object, "kind": one.name, "bytes": one.bytes} for one in event.renditions]
                return {"media_id": event.media_id, "objects": [original, *others]}
            case ReportRendered() as event:
                return {"media_id": None, "objects": [{"object": event.object, "kind": "report", "bytes": event.bytes}]}
            case MediaExportReady() as event:
                return {"media_id": None, "objects": [{"object": event.object, "kind": "export", "bytes": event.bytes}]}
            case _:
                return None
