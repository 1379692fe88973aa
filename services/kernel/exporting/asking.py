"""Who may ask for an export, who may have it, and who may take it away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.kernel.exporting.job import ExportJob, export_job
from services.kernel.exporting.kinds import ExportKind

READ, EDIT = "exports:read", "exports:edit"
AT_ONCE = 10
"""How many exports of one account may be under way."""
SEES_ALL = frozenset({"owner", "admin", "system"})

Fields = Mapping[str, Any]


def requesting(kinds: Mapping[str, ExportKind], time_zone: Callable[[Ask], str]) -> Callable[[Ask], Fields]:
    """Who may ask for an export: whoever may export, and may see what is exported."""

    def prepare(ask: Ask) -> Fields:
        demand(ask, EDIT)
        kind = kind_named(kinds, ask.data.get("kind"))
        demand(ask, kind.permission)
        if ask.reads["exports"].count({"status": {"$in": ["requested", "writing"]}}) >= AT_ONCE:
            raise Rejected("too-many-exports", at_once=AT_ONCE)
        filters = _checked(kind, ask.data.get("filters") or {})
        if kind.check is not None:
            kind.check(ask, filters)
        return {
            **ask.data,
            "filters": filters,
            "time_zone": time_zone(ask),
            "role": ask.caller.role,
        }

    return prepare


def deleting(ask: Ask) -> Fields:
    """Who may take an export away: who may have it."""
    demand(ask, EDIT)
    job: ExportJob = ask.state(export_job, str(ask.data.get("export_id")))
    if job.requested is None or not may_have(ask, job.requested.requested_by):
        raise Rejected("export-unknown", export_id=ask.data.get("export_id"))
    return ask.data


def expiring(ask: Ask) -> Fields:
    """The timer's own."""
    if ask.caller.role != "system":
        raise Rejected("forbidden")
    return ask.data


def demand(ask: Ask, permission: str) -> None:
    """Refuse a caller without this permission; the system's own policies hold all."""
    if ask.caller.role != "system" and permission not in ask.caller.permissions:
        raise Rejected("forbidden", permission=permission)


def kind_named(kinds: Mapping[str, ExportKind], name: Any) -> ExportKind:
    """One of the kinds that there are. Raises Rejected("export-kind-unknown")."""
    kind = kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise Rejected("export-kind-unknown", kind=name)
    return kind


def _checked(kind: ExportKind, filters: Any) -> dict[str, Any]:
    try:
        checked = kind.filters.model_validate(filters)
    except ValidationError as wrong:
        errors = [
            {"loc": ["filters", *e["loc"]], "msg": e["msg"], "type": e["type"]}
            for e in wrong.errors(include_url=False, include_input=False, include_context=False)
        ]
        raise Rejected("invalid", errors=errors) from None
    return checked.model_dump(mode="json", exclude_unset=True)


def may_have(ask: Ask, requested_by: str) -> bool:
    """Whether an export that this person asked for may be given to the caller."""
    # A file holds what its requester may see, which may be more than others may.
    return ask.caller.role in SEES_ALL or requested_by == ask.caller.actor
