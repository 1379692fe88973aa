"""Writes an export of media: looks at every file once, then puts the package together while it is sealed and stored.

Nothing is held but the list: a file is read twice, first for its checksum, which a ZIP says before the content.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from cryptography.exceptions import InvalidTag

from services.kernel import faults, logging, objects
from services.kernel.application import Ask
from services.kernel.domain import Erased, Rejected
from services.kernel.exporting.package import STORED, Packed, length, package
from services.kernel.inbox import transient
from services.media.domain.media_export import (
    FailMediaExport,
    FinishMediaExport,
    MediaExport,
    MediaExportRequested,
    StartMediaExport,
    media_export,
)
from services.media.domain.medium import Medium, medium
from services.media.domain.values import hex_of
from services.media.exporting.choosing import Chosen, MediaFilters, chosen
from services.media.exporting.manifest import Entry, as_csv, as_json, sums
from services.media.exporting.showing import KEPT_FOR
from services.media.keeping import file_of, keep, read
from services.media.standing import READ, demand_system

log = logging.get(__name__)

Fields = Mapping[str, Any]
Chunks = Callable[[], Iterable[bytes]]


def write_media_export(ask: Ask) -> Fields:
    """Write the package, from the beginning whatever an attempt before has done.

    Raises what is worth another attempt: PeerAway, or OSError of the object store.
    """
    demand_system(ask.caller)
    id = str(ask.data["export_id"])
    job: MediaExport = ask.state(media_export, id)
    if not job.under_way or job.requested is None:
        return {}
    try:
        return _Writing(ask, id, job.requested).run()
    except Exception as why:
        if transient(why):
            raise
        code = _refusal(why).code
        failed = ask.make(FailMediaExport, {"export_id": id, "code": code})
        return ask.handle(media_export, id, failed, part="failed").to_wire()


def _refusal(why: Exception) -> Rejected:
    """What the requester is told."""
    if isinstance(why, Rejected):
        return why
    log.error("export.failed", exc_info=why)
    return Rejected("export-failed")


class _Writing:
    """One attempt."""

    def __init__(self, ask: Ask, id: str, requested: MediaExportRequested) -> None:
        if isinstance(requested.filters, Erased):
            raise Rejected("erased")
        self._ask = ask
        self._id = id
        self._requested = requested
        self._filters = MediaFilters.model_validate(requested.filters)
        self._store = ask.ports["objects"]()
        self._bucket = ask.settings.s3_media_bucket

    def run(self) -> Fields:
        """From the choice to the package."""
        asker = self._ask.on_behalf_of(self._requested.requested_by, self._requested.role, READ)
        files = list(chosen(asker, self._filters, self._requested.language, self._requested.time_zone))
        begun = {"export_id": self._id, "files": len(files), "bytes": sum(file.bytes for file in files)}
        self._ask.handle(media_export, self._id, self._ask.make(StartMediaExport, begun), part="start")
        entries = [Entry(file, self._checked(file)) for file in files]
        del files
        packed = list(self._packed(entries))
        digest, size = hashlib.sha256(), length(packed)
        stored, key = keep(
            self._store,
            self._bucket,
            self._ask.caller.tenant,
            f"media_export/{self._id}",
            self._passing(packed, digest),
            size,
        )
        faults.reached("media_export.after_package_before_event")
        fields = {
            "export_id": self._id,
            "files": sum(entry.crc is not None for entry in entries),
            "lost": sum(entry.crc is None for entry in entries),
            "sha256": digest.hexdigest(),
            "stored": stored,
            "key": key,
            "expires_at": self._ask.now + KEPT_FOR,
        }
        made = self._ask.make(FinishMediaExport, fields)
        answer = self._ask.handle(media_export, self._id, made, part="ready").to_wire()
        if stored.object not in self._ask.state(media_export, self._id).objects:
            # It ended while this attempt was made, or another was first: nothing names this one.
            objects.remove(self._store, self._bucket, stored.object)
        return answer

    def _checked(self, file: Chosen) -> int | None:
        """The checksum of the original, if it is whole; None where it is not."""
        crc, digest = 0, hashlib.sha256()
        try:
            for chunk in self._original(file):
                crc = zlib.crc32(chunk, crc)
                digest.update(chunk)
        except (objects.ObjectLost, InvalidTag, Rejected) as why:
            log.warning("export.file_lost", media_id=file.media_id, why=repr(why))
            return None
        return crc if digest.hexdigest() == hex_of(file.media_id) else None

    def _original(self, file: Chosen) -> Iterator[bytes]:
        known: Medium = self._ask.state(medium, hex_of(file.media_id))
        stored, key = file_of(known, "original")
        return read(self._store, self._bucket, stored, key)

    def _packed(self, entries: list[Entry]) -> Iterator[Packed]:
        for entry in entries:
            if entry.crc is not None:
                size = entry.file.bytes
                yield Packed(entry.file.path, entry.crc, size, size, partial(self._original, entry.file), STORED)
        others = []
        for name, content in (("manifest.csv", as_csv), ("manifest.json", as_json)):
            listed, digest = _listed(name, partial(content, entries))
            others.append((name, digest))
            yield listed
        yield _listed("SHA256SUMS", partial(sums, entries, others))[0]

    def _passing(self, packed: list[Packed], digest: Any) -> Iterator[bytes]:
        at = self._ask.now.astimezone(ZoneInfo(self._requested.time_zone))
        for chunk in package(packed, at):
            digest.update(chunk)
            yield chunk


def _listed(name: str, content: Chunks) -> tuple[Packed, str]:
    """A list as a file of the package, and its sha256; written twice rather than held."""
    crc, size, digest = 0, 0, hashlib.sha256()
    for chunk in content():
        crc = zlib.crc32(chunk, crc)
        size += len(chunk)
        digest.update(chunk)
    return Packed(name, crc, size, size, content, STORED), digest.hexdigest()
