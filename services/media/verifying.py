"""An upload whose bytes are all there: they are looked at, and kept under lock or refused with the reason."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, BinaryIO

from services.kernel import faults, objects
from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.kernel.segments import covering, folder
from services.media import keeping, segments
from services.media.domain.medium import Medium, RejectMedia, RestoreMedia, StoreMedia, medium
from services.media.domain.upload import SettleUpload, Upload, UploadBegun, upload
from services.media.domain.values import Code, Rendition, Stored, hex_of
from services.media.inspecting.findings import Made, Refused
from services.media.inspecting.helper import HELPERS, Looked
from services.media.standing import demand_system

Fields = Mapping[str, Any]
LASTS = timedelta(minutes=30)
"""An attempt that takes longer is given up: the sweep takes objects that nobody has named for an hour."""
_CHUNK = 1024 * 1024
_OF_THE_UPLOAD = frozenset({"hash-mismatch", "length-mismatch"})
"""Other bytes came than were announced: that says nothing of the content whose name they were to have, which may still
come, or everybody who knows a hash could have a colleague's evidence called refused."""


class TooSlow(OSError):
    """The attempt took so long that its objects may be swept away; the next one begins anew."""


def verify_upload(ask: Ask) -> Fields:
    """See a finished upload through; safe to repeat from wherever it was broken off.

    Raises OSError when the object store is away or the attempt took too long, which is worth another attempt.
    """
    demand_system(ask.caller)
    upload_id = str(ask.data["upload_id"])
    known: Upload = ask.state(upload, upload_id)
    if known.begun is None or known.status != "finished":
        return {}
    item: Medium = ask.state(medium, hex_of(known.begun.media_id))
    if item.stored is None:
        try:
            _take_in(ask, known.begun)
        except Refused as refused:
            if refused.code not in _OF_THE_UPLOAD:
                _refuse(ask, known.begun, refused.code)
            return _settle(ask, upload_id, "rejected", refused.code)
        except Rejected as refusal:
            if refusal.code != "erased":
                raise
            # The account is no more: nothing of it is sealed again, and what came in does not stay either.
            place = folder(ask.caller.tenant, upload_id)
            objects.remove_below(ask.ports["objects"](), ask.settings.s3_incoming_bucket, place)
            return {}
    elif item.status == "withdrawn":
        restore = ask.make(RestoreMedia, {"media_id": known.begun.media_id})
        ask.handle(medium, hex_of(known.begun.media_id), restore, part="restore")
    faults.reached("media.after_event_before_settle")
    return _settle(ask, upload_id, "stored", "")


def _settle(ask: Ask, upload_id: str, outcome: str, code: str) -> Fields:
    settle = ask.make(SettleUpload, {"upload_id": upload_id, "outcome": outcome, "code": code})
    receipt = ask.handle(upload, upload_id, settle, part="upload")
    faults.reached("media.after_settle_before_removal")
    return receipt.to_wire()


def _refuse(ask: Ask, begun: UploadBegun, code: Code) -> None:
    reject = {"media_id": begun.media_id, "upload_id": begun.upload_id, "code": code}
    ask.handle(medium, hex_of(begun.media_id), ask.make(RejectMedia, reject), part="reject")


def _take_in(ask: Ask, begun: UploadBegun) -> None:
    with tempfile.TemporaryFile() as file:
        _gather(ask, begun, file)
        with HELPERS.look(file, begun.type) as looked:
            faults.reached("media.before_original")
            _keep(ask, begun, file, looked)


def _gather(ask: Ask, begun: UploadBegun, file: BinaryIO) -> None:
    """The bytes in one nameless file, which is what is hashed, looked at and sealed; raises Refused."""
    store, bucket = ask.ports["objects"](), ask.settings.s3_incoming_bucket
    chain = covering(segments.found(store, bucket, ask.caller.tenant, begun.upload_id))
    digest, length = hashlib.sha256(), 0
    for chunk in segments.content(store, bucket, chain):
        length += len(chunk)
        if length > begun.bytes:
            raise Refused("length-mismatch")
        digest.update(chunk)
        file.write(chunk)
    if length != begun.bytes:
        raise Refused("length-mismatch")
    if digest.hexdigest() != hex_of(begun.media_id):
        raise Refused("hash-mismatch")
    file.flush()


@dataclass(slots=True)
class _Kept:
    """The objects of one attempt, and what opens them."""

    ask: Ask
    owner: str
    keys: dict[str, str] = field(default_factory=dict)

    def put(self, file: BinaryIO, length: int) -> Stored:
        """Seal one more file."""
        where = {"tenant": self.ask.caller.tenant, "owner": self.owner}
        store, bucket = self.ask.ports["objects"](), self.ask.settings.s3_media_bucket
        stored, key = keeping.keep(store, bucket, chunks=_read(file), length=length, **where)
        self.keys[stored.object] = key
        return stored

    def drop(self) -> None:
        """Remove them again: another attempt was faster."""
        for key in self.keys:
            objects.remove(self.ask.ports["objects"](), self.ask.settings.s3_media_bucket, key)


def _keep(ask: Ask, begun: UploadBegun, file: BinaryIO, looked: Looked) -> None:
    kept = _Kept(ask, f"medium/{hex_of(begun.media_id)}")
    # The wall's clock, as the sweep's: it also goes on while this machine sleeps.
    began = time.time()
    try:
        original = kept.put(file, begun.bytes)
        renditions = tuple(_rendition(kept, looked, made) for made in looked.found.made)
        faults.reached("media.after_original_before_event")
        if time.time() - began > LASTS.total_seconds():
            raise TooSlow
    except Exception:
        with suppress(OSError):
            kept.drop()
        raise
    store = {
        **looked.found.model_dump(exclude={"made"}),
        "media_id": begun.media_id,
        "bytes": begun.bytes,
        "uploaded_by": begun.begun_by,
        "original": original,
        "renditions": renditions,
        "keys": kept.keys,
        "name": begun.name or "",
    }
    # When it is not known whether this landed, the objects stay: they are named, or the sweep takes them.
    try:
        ask.handle(medium, hex_of(begun.media_id), ask.make(StoreMedia, store), part="store")
    except Rejected:
        kept.drop()
        raise
    now: Medium = ask.state(medium, hex_of(begun.media_id))
    if original.object not in now.objects:
        kept.drop()


def _rendition(kept: _Kept, looked: Looked, made: Made) -> Rendition:
    file = looked.forms[made.place]
    digest, length = hashlib.sha256(), 0
    for chunk in _read(file):
        digest.update(chunk)
        length += len(chunk)
    stored = kept.put(file, length)
    return Rendition(
        name=made.name,
        object=stored.object,
        type=made.type,
        bytes=length,
        sha256=digest.hexdigest(),
        width=made.width,
        height=made.height,
    )


def _read(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
