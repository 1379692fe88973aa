"""One module per resource: bodies in, commands and queries out, nothing decided here."""

from __future__ import annotations

from fastapi import APIRouter

from gateway.routes import customers, events, health, imports, processes, status_lists, tasks

V1 = APIRouter(prefix="/v1")
for _module in (processes, status_lists, customers, tasks, imports, events):
    V1.include_router(_module.router)

ROUTERS = (V1, health.router)
"""Everything the gateway answers."""
