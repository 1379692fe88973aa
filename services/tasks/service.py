"""The nameko class of the tasks service."""

from __future__ import annotations

from typing import Any, ClassVar

from services.kernel.application import ServiceDefinition
from services.kernel.service import ServiceBase
from services.kernel.subscription import subscribes
from services.tasks.wiring import define


class TasksService(ServiceBase):
    """Commands and queries by inheritance, and what it follows of other services."""

    name = "tasks"
    definition: ClassVar[ServiceDefinition] = define()

    @subscribes("tasks.directory")
    def follow_directory(self, delivery: Any) -> None:
        """People, teams and the account's time zone, as identity tells them."""
        delivery.take_in()

    @subscribes("tasks.forms")
    def follow_forms(self, delivery: Any) -> None:
        """Which version of a form is published, and which forms are in use."""
        delivery.take_in()

    @subscribes("tasks.submissions")
    def follow_submissions(self, delivery: Any) -> None:
        """What was handed in for tasks, and what is to follow from it."""
        delivery.take_in()
