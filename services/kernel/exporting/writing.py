"""Exports at work: settles what is written, writes it a part at a time, and puts the parts together.

Every step is decided by the log and leaves a fact. Its outcome in the object store is named after its own
content, so a step that is done twice, or by two workers at once, neither doubles nor mixes anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo

from services.kernel import logging, objects
from services.kernel.application import Ask, Do
from services.kernel.domain import Erased, Rejected
from services.kernel.exporting.assembly import Assembly
from services.kernel.exporting.folder import Folder
from services.kernel.exporting.formats import texts_of, zipped
from services.kernel.exporting.job import (
    ENDED,
    ExportJob,
    FailExport,
    FinishExport,
    RecordRows,
    Sheet,
    StartExport,
    export_job,
)
from services.kernel.exporting.kinds import ExportKind, Wanted
from services.kernel.exporting.part import Part
from services.kernel.exporting.workbook import MAX_COLUMNS
from services.kernel.inbox import transient
from services.kernel.shown import shown

log = logging.get(__name__)
KEPT_FOR = timedelta(days=7)


def continue_export(kinds: Mapping[str, ExportKind]) -> Do:
    """The command that takes an export one step further."""

    def run(ask: Ask) -> Mapping[str, Any]:
        if ask.caller.role != "system":
            raise Rejected("forbidden")
        export_id = str(ask.data.get("export_id"))
        job: ExportJob = ask.state(export_job, export_id)
        if not job.under_way:
            return {}
        try:
            return _Step(ask, export_id, job, kinds).take()
        except Exception as why:
            if transient(why):
                raise
            failed = ask.make(FailExport, {"export_id": export_id, "code": _refusal(why).code})
            return ask.handle(export_job, export_id, failed, part="fail").to_wire()

    return Do(run)


def _refusal(why: Exception) -> Rejected:
    """What the requester is told."""
    match why:
        case Rejected():
            return why
        case objects.ObjectLost():
            return Rejected("export-parts-lost")
        case _:
            log.error("export.failed", exc_info=why)
            return Rejected("export-failed")


class _Step:
    """The next step of one export."""

    def __init__(self, ask: Ask, export_id: str, job: ExportJob, kinds: Mapping[str, ExportKind]) -> None:
        requested = job.requested
        assert requested is not None
        if requested.kind not in kinds:
            raise Rejected("export-kind-unknown")
        if isinstance(requested.filters, Erased) or (job.started and isinstance(job.started.sheets, Erased)):
            raise Rejected("erased")
        self._ask = ask
        self._id = export_id
        self._job = job
        self._kind = kinds[requested.kind]
        self._requested = requested
        self._wanted = Wanted(
            filters=requested.filters,
            language=requested.language,
            time_zone=requested.time_zone,
            ask=ask.on_behalf_of(requested.requested_by, requested.role, self._kind.permission),
        )
        self._texts = texts_of(requested.format, ZoneInfo(requested.time_zone), requested.language)
        self._folder = Folder(ask.ports["objects"](), ask.settings.s3_bucket, ask.caller.tenant, export_id)

    def take(self) -> Mapping[str, Any]:
        """Whichever step is next."""
        if self._job.status == "requested":
            return self._start()
        return self._put_together() if self._job.complete else self._write()

    @property
    def _sheets(self) -> Sequence[Sheet]:
        started = self._job.started
        assert started is not None
        return shown(started.sheets) or ()

    def _start(self) -> Mapping[str, Any]:
        try:
            # Whatever was acknowledged before the export was asked for is in it.
            self._ask.await_reads(export_job, self._id)
        except Rejected as behind:
            raise TimeoutError(behind.code) from behind
        plan = self._kind.plan(self._wanted)
        if self._requested.format == "xlsx" and any(len(table.headings) > MAX_COLUMNS for table in plan.tables):
            raise Rejected("export-too-wide")
        fields = {"export_id": self._id, "total": plan.total, "sheets": plan.tables, "scope": plan.scope}
        return self._recorded(self._ask.make(StartExport, fields), "start")

    def _write(self) -> Mapping[str, Any]:
        job, started = self._job, self._job.started
        assert started is not None
        things = self._kind.rows(self._wanted, shown(started.scope) or {}, job.upto)
        part = Part(self._texts, job, self._sheets, pressed=zipped(self._requested.format, len(self._sheets)))
        last = part.take(things)
        pieces = []
        for piece, packed in part.pieces():
            self._folder.put(job.part, piece, packed)
            pieces.append(piece)
        fields = {
            "export_id": self._id,
            "part": job.part,
            "upto": part.upto,
            "things": part.things,
            "pieces": pieces,
            "cut": part.cut,
            "last": last,
        }
        return self._recorded(self._ask.make(RecordRows, fields), f"rows/{job.part}")

    def _put_together(self) -> Mapping[str, Any]:
        assembly = Assembly(self._job, self._requested, self._sheets, self._folder)
        size, digest = assembly.length, sha256()

        def passing() -> Iterator[bytes]:
            for chunk in assembly.chunks():
                digest.update(chunk)
                yield chunk

        self._folder.put_file(passing(), size, assembly.content_type)
        fields = {
            "export_id": self._id,
            "size": size,
            "sha256": digest.hexdigest(),
            "expires_at": self._ask.now + KEPT_FOR,
        }
        return self._recorded(self._ask.make(FinishExport, fields), "ready")

    def _recorded(self, command: Any, part: str) -> Mapping[str, Any]:
        answer = self._ask.handle(export_job, self._id, command, part=part).to_wire()
        if self._ask.state(export_job, self._id).status in ENDED:
            # It ended while this step was taken, and what was cleared away then did not have this step's file.
            self._folder.clear()
        return answer
