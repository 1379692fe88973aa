"""Who names objects in the bucket of media, and how long each of them is before it is sealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.kernel.domain import Decider
from services.media.domain.media_export import MediaExport, media_export
from services.media.domain.medium import Medium, medium
from services.media.domain.report import Report, report

Kept = Callable[[Any], Mapping[str, int]]


def _of_medium(state: Medium) -> Mapping[str, int]:
    if state.stored is None:
        return {}
    original = state.stored.original
    return {original.object: original.bytes, **{one.object: one.bytes for one in state.stored.renditions}}


def _of_report(state: Report) -> Mapping[str, int]:
    return {state.latest.object: state.latest.bytes} if state.latest else {}


def _of_export(state: MediaExport) -> Mapping[str, int]:
    return {state.ready.object: state.ready.bytes} if state.ready else {}


OWNERS: Mapping[str, tuple[Decider[Any, Any, Any], Kept]] = {
    "medium": (medium, _of_medium),
    "report": (report, _of_report),
    "media_export": (media_export, _of_export),
}
"""By the category that an object bears as its owner's: what says of its state which objects are its own."""
