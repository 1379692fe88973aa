"""The nameko class of the media service."""

from __future__ import annotations

from typing import Any, ClassVar

from services.kernel.application import ServiceDefinition
from services.kernel.service import ServiceBase
from services.kernel.subscription import subscribes
from services.media.wiring import define


class MediaService(ServiceBase):
    """Commands and queries by inheritance, and whom it hears of."""

    name = "media"
    definition: ClassVar[ServiceDefinition] = define()

    @subscribes("media.crews")
    def follow_crews(self, delivery: Any) -> None:
        """Teams and the account's time zone, as identity tells them."""
        delivery.take_in()

    @subscribes("media.uses")
    def follow_uses(self, delivery: Any) -> None:
        """Which evidence answers name, as forms tells it."""
        delivery.take_in()

    @subscribes("media.wanted")
    def follow_answers(self, delivery: Any) -> None:
        """Evidence that is named after all comes back."""
        delivery.take_in()

    @subscribes("media.reported_tasks")
    def follow_reported_tasks(self, delivery: Any) -> None:
        """Tasks of which there are reports."""
        delivery.take_in()

    @subscribes("media.reported_answers")
    def follow_reported_answers(self, delivery: Any) -> None:
        """Answers of which there are reports."""
        delivery.take_in()
