"""The nameko face of a service: two RPC methods, `execute` and `query`, and nothing of the domain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar

from nameko.extensions import DependencyProvider, SharedExtension
from nameko.rpc import rpc

from services.kernel import logging
from services.kernel.application import Application, ServiceDefinition
from services.kernel.commit import Caller, StoreUnavailable, VersionConflict
from services.kernel.config import settings
from services.kernel.domain import Rejected
from services.kernel.platform import Platform, open_platform

EXPECTED = (Rejected, VersionConflict, StoreUnavailable)
log = logging.get(__name__)


class OpenPlatform(SharedExtension):
    """Opens the service's platform when the container starts and closes it when it stops; one per container.

    A MongoClient must not be made at import time (it is not fork-safe and its monitors outlive the
    container), so everything is opened here.
    """

    platform: Platform

    def setup(self) -> None:
        """Connect and make sure that indexes exist."""
        definition: ServiceDefinition = self.container.service_cls.definition
        self.platform = open_platform(definition, settings())
        self.platform.ensure_indexes()

    def stop(self) -> None:
        """Let go of the engines."""
        self.platform.close()


class TheApplication(DependencyProvider):
    """Gives each worker the service's application."""

    opened = OpenPlatform()

    def get_dependency(self, worker_ctx: Any) -> Application:
        """See the class."""
        return self.opened.platform.application


class ServiceBase:
    """What every service's nameko class extends; it adds its name, definition and subscriptions."""

    name: ClassVar[str]
    definition: ClassVar[ServiceDefinition]
    application = TheApplication()

    @rpc(expected_exceptions=EXPECTED)
    def execute(
        self,
        command: str,
        data: Mapping[str, Any],
        caller: Mapping[str, Any],
        command_id: str,
        expected_version: int | None = None,
    ) -> dict[str, Any]:
        """Carry out a command; see `Application.execute`."""
        who = Caller.from_wire(caller)
        with _told(tenant=who.tenant, correlation_id=who.correlation_id, command=command):
            return self.application.execute(command, data, who, command_id, expected_version)

    @rpc(expected_exceptions=EXPECTED)
    def query(
        self,
        query: str,
        params: Mapping[str, Any],
        caller: Mapping[str, Any],
        at_least: int | None = None,
    ) -> dict[str, Any]:
        """Answer a query; see `Application.query`."""
        who = Caller.from_wire(caller)
        with _told(tenant=who.tenant, correlation_id=who.correlation_id, query=query):
            return self.application.query(query, params, who, at_least)


@contextmanager
def _told(**ids: Any) -> Iterator[None]:
    """Bind the request's ids, and say in one line when the domain refused it."""
    with logging.bound(**ids):
        try:
            yield
        except Rejected as refused:
            log.info("refused", code=refused.code)
            raise
