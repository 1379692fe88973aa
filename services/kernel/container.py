"""What every nameko container of a service holds: its platform, opened once, and the application for each worker."""

from __future__ import annotations

from typing import Any

from nameko.extensions import DependencyProvider, SharedExtension

from services.kernel.application import Application, ServiceDefinition
from services.kernel.config import settings
from services.kernel.platform import Platform, open_platform


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
