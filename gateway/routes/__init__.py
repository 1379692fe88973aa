"""One module per resource: bodies in, commands and queries out, nothing decided here."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.routing import APIRoute

from gateway.routes import (
    access,
    accounts,
    billing,
    customers,
    dynamic_fields,
    equipment,
    events,
    exports,
    forms,
    health,
    history,
    imports,
    invitations,
    links,
    me,
    ops,
    parked_work,
    processes,
    recurrences,
    saved_filters,
    services,
    sessions,
    status_lists,
    submissions,
    sync,
    tasks,
    teams,
    users,
    whereabouts,
)

_ROUTERS: tuple[APIRouter, ...] = (
    accounts.router,
    sessions.router,
    invitations.router,
    me.router,
    users.router,
    teams.router,
    access.profiles,
    access.devices,
    sync.router,
    parked_work.router,
    access.api_tokens,
    history.router,
    processes.router,
    status_lists.router,
    customers.router,
    equipment.router,
    services.router,
    dynamic_fields.router,
    tasks.router,
    recurrences.router,
    whereabouts.router,
    saved_filters.router,
    forms.router,
    submissions.router,
    imports.router,
    exports.router,
    links.router,
    links.public,
    billing.router,
    ops.router,
    events.router,
    health.router,
)

ROUTES = tuple(route for router in _ROUTERS for route in router.routes if isinstance(route, APIRoute))
"""Everything the gateway answers."""
