"""Uploads: how many are open and by whom, and how each one stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp
from services.media.domain.upload import Upload, UploadBegun, UploadFinished, upload

Document = dict[str, Any]


class OpenUploads(ReadModel):
    """One document per upload whose bytes are still awaited or looked at."""

    name = "open_uploads"
    categories = ("upload",)
    indexes = ([("tenant", 1), ("begun_by", 1)],)

    def keys(self, fact: Recorded) -> Sequence[str]:
        """The upload."""
        return [fact.event.upload_id]

    def evolve(self, doc: Document | None, fact: Recorded) -> Document | None:
        """The upload, until it has ended."""
        match fact.event:
            case UploadBegun() as event:
                return {"begun_by": event.begun_by, "bytes": event.bytes, "expires_at": stamp(event.expires_at)}
            case UploadFinished():
                return doc
            case _:
                return None


class UploadQuery(Query):
    """One upload."""

    upload_id: str


def own_upload(ask: Ask, upload_id: str) -> Upload:
    """An upload of the caller's, as of now; somebody else's is as unknown to him as none."""
    known: Upload = ask.state(upload, upload_id)
    if known.begun is None or (ask.caller.role != "system" and known.begun.begun_by != ask.caller.actor):
        raise Rejected("upload-unknown", upload_id=upload_id)
    return known


def find_upload(query: UploadQuery, ask: Ask) -> Mapping[str, Any]:
    """How an upload stands, out of the log itself: what was just written is seen."""
    known = own_upload(ask, query.upload_id)
    assert known.begun is not None
    begun = known.begun
    return {
        "id": begun.upload_id,
        "status": known.status,
        "code": known.code or None,
        "media_id": begun.media_id,
        "bytes": begun.bytes,
        "type": begun.type,
        "name": shown(begun.name) or "",
        "via": begun.via,
        "begun_by": begun.begun_by,
        "expires_at": stamp(begun.expires_at),
    }


QUERIES: Mapping[str, Answers] = {"upload": (UploadQuery, find_upload)}
