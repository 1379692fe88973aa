"""Who may ask billing for what."""

from __future__ import annotations

from services.billing.domain.catalog import CATALOG, Catalog, catalog
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM, Caller
from services.kernel.domain import Rejected

READ, EDIT, STAFF = "billing:read", "billing:edit", "ops:billing"


def demand(caller: Caller, permission: str) -> None:
    """Refuse a caller without this permission; the system's own policies hold all."""
    if caller.role != "system" and permission not in caller.permissions:
        raise Rejected("forbidden", permission=permission)


def own_only(caller: Caller) -> None:
    """Refuse everybody but the service's own reactions and timers."""
    if caller.role != "system":
        raise Rejected("forbidden", permission="system")


def account_named(ask: Ask) -> str:
    """The account that staff acts on. Raises Rejected("invalid") where none is named."""
    account = ask.data.get("account_id")
    if not isinstance(account, str) or not account:
        raise Rejected("invalid", errors=[{"loc": ["account_id"], "msg": "an id is required", "type": "missing"}])
    return account


def the_catalog(ask: Ask) -> Catalog:
    """The platform's catalogue as of now."""
    state: Catalog = ask.state(catalog, CATALOG, tenant=PLATFORM)
    return state
