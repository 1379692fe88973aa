"""Puts the gateway together: one connection to the broker, the doorkeeper, the routes."""

from __future__ import annotations

import asyncio
import logging as stdlib_logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gateway import errors, openapi
from gateway.auth import Authenticator
from gateway.door import Gatekeeper, Limits
from gateway.health import Health
from gateway.identity import Identity
from gateway.index import RouteIndex
from gateway.limits import Buckets
from gateway.link import Link
from gateway.live import LiveFeed
from gateway.middleware import BodyLimit, Edge
from gateway.origins import Origins
from gateway.public_views import PublicViews
from gateway.receiving.incoming import Incoming
from gateway.receiving.lanes import Lanes
from gateway.receiving.shell import TusShell
from gateway.revocations import RevocationFeed, Revocations
from gateway.routes import ROUTES
from gateway.rpc_client import RpcClient
from gateway.service_calls import Services
from gateway.settings import GatewaySettings
from gateway.settings import settings as read_settings
from gateway.token_use import TokenUse
from gateway.uploads import ObjectStore
from services.kernel import logging

VERSION = "1.0.0"


def create_app(settings: GatewaySettings | None = None) -> FastAPI:
    """The application; it connects when it starts. Raises ValidationError when the environment lacks something."""
    config = settings or read_settings()
    _configure_logging(config.log_level)
    app = FastAPI(
        title="CheckOP",
        version=VERSION,
        openapi_url=None,  # served by a route of our own, made once
        docs_url=None,  # its assets come from elsewhere; /openapi.json is enough for every tool
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    wire(app, config, _rpc_client(config))
    app.add_middleware(
        BodyLimit,
        max_json=config.max_json_bytes,
        max_upload=config.max_upload_bytes,
        max_media=config.max_media_bytes,
    )
    app.add_middleware(TusShell)
    app.add_middleware(Edge, trusted_proxies=config.trusted_proxies, access_log=config.access_log)
    app.add_exception_handler(errors.Problem, errors.on_problem)
    app.add_exception_handler(HTTPException, errors.on_http_exception)
    app.add_exception_handler(RequestValidationError, errors.on_invalid)
    # Not included router by router: each inclusion is one more search on every request.
    app.router.routes.extend([RouteIndex(ROUTES), *ROUTES])
    openapi.install(app)
    return app


def _rpc_client(config: GatewaySettings) -> RpcClient:
    return RpcClient(timeout=config.rpc_timeout_seconds, in_flight=config.rpc_in_flight, wait=config.rpc_wait_seconds)


def wire(app: FastAPI, config: GatewaySettings, rpc: RpcClient) -> None:
    """Give the application's routes everything they work with, on top of this client."""

    identity = Identity(rpc)
    revocations = Revocations()
    feed = RevocationFeed(revocations, identity.revocations)
    live = LiveFeed()
    link = Link(config.amqp_url.get_secret_value(), (rpc, feed, live))
    authenticator = Authenticator(
        identity.ask,
        revocations,
        feed,
        issuer=config.issuer,
        audience=config.audience,
        on_token_use=TokenUse(identity.note_token_use).note,
    )
    app.state.link = link
    app.state.live = live
    app.state.health = Health(link, rpc, feed)
    app.state.objects = ObjectStore(config)
    app.state.incoming = Incoming(config)
    app.state.lanes = Lanes(config.media_in_flight)
    app.state.max_media_bytes = config.max_media_bytes
    services = Services(rpc, Origins(identity.observe))
    limits = _limits(config)
    app.state.gatekeeper = Gatekeeper(authenticator, services, limits)
    app.state.public_views = PublicViews(services, limits.entrances)
    app.state.public_url = config.public_url.rstrip("/")


def _limits(config: GatewaySettings) -> Limits:
    return Limits(
        subjects=Buckets("subject", per_second=config.subject_per_second, burst=config.subject_burst),
        addresses=Buckets("address", per_second=config.address_per_second, burst=config.address_burst),
        entrances=Buckets("entrance", per_second=config.entrance_per_minute / 60.0, burst=config.entrance_burst),
    )


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    link = asyncio.create_task(app.state.link.run())
    try:
        await app.state.link.wait_up(timeout=5.0)  # and start anyway: /readyz tells
        yield
    finally:
        link.cancel()
        with suppress(asyncio.CancelledError):
            await link


def _configure_logging(level: str) -> None:
    logging.configure("gateway", level)
    # The server's own lines take the same road as everybody's.
    for name in ("uvicorn", "uvicorn.error"):
        logger = stdlib_logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
