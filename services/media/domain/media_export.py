"""An export of media: the originals of an account's evidence in one package, kept for a while and then gone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.media.domain.report import Code, Digest, Language
from services.media.domain.values import Id, Stored


class MediaExportRequested(Event):
    """Somebody asked for it. It will hold what this person may see."""

    export_id: str
    language: Language
    time_zone: str
    filters: Annotated[dict[str, Any] | Erased, TenantData()]
    requested_by: str
    role: str


class MediaExportStarted(Event):
    """So many files will be in it, of so many bytes together."""

    export_id: str
    files: int
    bytes: int


class MediaExportReady(Event):
    """The package can be fetched until it expires. `lost` files were meant to be in it and are not there any more.

    `key` opens the object: it goes with the account's key, and the package with it.
    """

    export_id: str
    files: int
    lost: int
    bytes: int
    sha256: str
    object: str
    expires_at: AwareDatetime
    key: Annotated[str | Erased, TenantData()]


class MediaExportFailed(Event):
    """No package will come of it."""

    export_id: str
    code: str


class MediaExportDeleted(Event):
    """Nobody wants it any more; this object goes."""

    export_id: str
    object: str | None


class MediaExportExpired(Event):
    """Its time is over; this object goes."""

    export_id: str
    object: str | None


MediaExportEvent = (
    MediaExportRequested
    | MediaExportStarted
    | MediaExportReady
    | MediaExportFailed
    | MediaExportDeleted
    | MediaExportExpired
)


class RequestMediaExport(Command):
    """Ask for it."""

    export_id: Id
    language: Language = "es"
    time_zone: str
    filters: dict[str, Any]
    role: str


class StartMediaExport(Command):
    """Note how much it will be."""

    export_id: Id
    files: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]


class FinishMediaExport(Command):
    """The package is stored."""

    export_id: Id
    files: Annotated[int, Field(ge=0)]
    lost: Annotated[int, Field(ge=0)]
    sha256: Digest
    stored: Stored
    key: str
    expires_at: AwareDatetime


class FailMediaExport(Command):
    """Give up, and say why."""

    export_id: Id
    code: Code


class DeleteMediaExport(Command):
    """Take the package away, or stop writing it."""

    export_id: Id


class ExpireMediaExport(Command):
    """Take the package away because its time is over."""

    export_id: Id


MediaExportCommand = (
    RequestMediaExport | StartMediaExport | FinishMediaExport | FailMediaExport | DeleteMediaExport | ExpireMediaExport
)
Status = Literal["none", "requested", "writing", "ready", "failed", "deleted", "expired"]


@dataclass(frozen=True, slots=True)
class MediaExport:
    """How it stands; `ready` is the package as long as it is kept."""

    status: Status = "none"
    requested: MediaExportRequested | None = None
    ready: MediaExportReady | None = None

    @property
    def under_way(self) -> bool:
        """Whether there is something left to do."""
        return self.status in ("requested", "writing")

    @property
    def objects(self) -> tuple[str, ...]:
        """The keys of everything that is kept of it."""
        return (self.ready.object,) if self.ready else ()


initial_state = MediaExport()


def decide(command: MediaExportCommand, state: MediaExport) -> list[MediaExportEvent]:
    export_id = command.export_id
    if isinstance(command, RequestMediaExport):
        return _request(command, state)
    if state.requested is None:
        raise Rejected("export-unknown", export_id=export_id)
    kept = state.status in ("requested", "writing", "ready")
    match command:
        case StartMediaExport(files=files, bytes=bytes):
            started = MediaExportStarted(export_id=export_id, files=files, bytes=bytes)
            return [started] if state.status == "requested" else []
        case FinishMediaExport():
            return [_ready(command)] if state.under_way else []
        case FailMediaExport(code=code):
            return [MediaExportFailed(export_id=export_id, code=code)] if state.under_way else []
        case DeleteMediaExport():
            return [MediaExportDeleted(export_id=export_id, object=_object(state))] if kept else []
        case ExpireMediaExport():
            return [MediaExportExpired(export_id=export_id, object=_object(state))] if kept else []
        case _:
            assert_never(command)


def _request(command: RequestMediaExport, state: MediaExport) -> list[MediaExportEvent]:
    fields = command.model_dump(exclude={"at", "by"})
    requested = MediaExportRequested(**fields, requested_by=command.by)
    if state.requested not in (None, requested):
        raise Rejected("export-exists", export_id=command.export_id)
    return [] if state.requested else [requested]


def _ready(command: FinishMediaExport) -> MediaExportReady:
    return MediaExportReady(
        export_id=command.export_id,
        files=command.files,
        lost=command.lost,
        bytes=command.stored.bytes,
        sha256=command.sha256,
        object=command.stored.object,
        expires_at=command.expires_at,
        key=command.key,
    )


def _object(state: MediaExport) -> str | None:
    return state.ready.object if state.ready else None


def evolve(state: MediaExport, event: MediaExportEvent) -> MediaExport:
    match event:
        case MediaExportRequested():
            return MediaExport("requested", event)
        case MediaExportStarted():
            return replace(state, status="writing")
        case MediaExportReady():
            return replace(state, status="ready", ready=event)
        case MediaExportFailed():
            return replace(state, status="failed")
        case MediaExportDeleted():
            return replace(state, status="deleted", ready=None)
        case MediaExportExpired():
            return replace(state, status="expired", ready=None)
        case _:
            assert_never(event)


media_export: Decider[MediaExportCommand, MediaExport, MediaExportEvent] = Decider(
    "media_export",
    initial_state,
    decide,
    evolve,
    events={
        "MediaExportRequested": MediaExportRequested,
        "MediaExportStarted": MediaExportStarted,
        "MediaExportReady": MediaExportReady,
        "MediaExportFailed": MediaExportFailed,
        "MediaExportDeleted": MediaExportDeleted,
        "MediaExportExpired": MediaExportExpired,
    },
)
