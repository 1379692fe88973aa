"""What the staff of the platform decides: about reductions, prices, tax, numbers, payments and credits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from services.billing.asking import STAFF, account_named, demand
from services.billing.domain.catalog import CATALOG
from services.kernel.application import Ask, Do
from services.kernel.commit import PLATFORM
from services.kernel.domain import Command, Decider, Rejected


def of_account(decider: Decider[Any, Any, Any], command: type[Command], id: str) -> Do:
    """A decision about one account, which the data names; `id` is the field with the aggregate's id."""

    def run(ask: Ask) -> Mapping[str, Any]:
        demand(ask.caller, STAFF)
        account = account_named(ask)
        made = ask.make(command, ask.data)
        receipt = ask.handle(decider, getattr(made, id), made, part="decision", tenant=account)
        return receipt.to_wire()

    return Do(run)


def of_platform(decider: Decider[Any, Any, Any], command: type[Command], id: str | None = None) -> Do:
    """A decision for the whole platform; without `id` it is about the catalogue, of which there is one."""

    def run(ask: Ask) -> Mapping[str, Any]:
        demand(ask.caller, STAFF)
        made = ask.make(command, ask.data)
        stream = getattr(made, id) if id else CATALOG
        receipt = ask.handle(decider, stream, made, part="decision", tenant=PLATFORM)
        return receipt.to_wire()

    return Do(run)


def check_tenant(ask: Ask) -> None:
    """Refuse whoever does not act for the platform: shared read models are read under its name."""
    demand(ask.caller, STAFF)
    if ask.caller.tenant != PLATFORM:
        raise Rejected("forbidden", permission=STAFF)


def stamp(at: datetime | date) -> str:
    """How moments and days stand in documents: as text that sorts."""
    return at.isoformat()
