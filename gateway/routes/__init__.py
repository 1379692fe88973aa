"""One module per resource: bodies in, commands and queries out, nothing decided here."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.routes import (
    access,
    accounts,
    customers,
    events,
    health,
    history,
    imports,
    invitations,
    me,
    processes,
    sessions,
    status_lists,
    tasks,
    teams,
    users,
)

V1 = APIRouter(prefix="/v1")
for _router in (
    accounts.router,
    sessions.router,
    invitations.router,
    me.router,
    users.router,
    teams.router,
    access.profiles,
    access.devices,
    access.api_tokens,
    history.router,
    processes.router,
    status_lists.router,
    customers.router,
    tasks.router,
    imports.router,
    events.router,
):
    V1.include_router(_router)

ROUTERS = (V1, health.router)
"""Everything the gateway answers."""
