"""The nameko class of the forms service."""

from __future__ import annotations

from typing import Any, ClassVar

from services.forms.wiring import define
from services.kernel.application import ServiceDefinition
from services.kernel.service import ServiceBase
from services.kernel.subscription import subscribes


class FormsService(ServiceBase):
    """Commands and queries by inheritance, and whom it hears of."""

    name = "forms"
    definition: ClassVar[ServiceDefinition] = define()

    @subscribes("forms.directory")
    def follow_people(self, delivery: Any) -> None:
        """Seats, teams and the account's time zone, as identity tells them."""
        delivery.take_in()

    @subscribes("forms.media")
    def follow_media(self, delivery: Any) -> None:
        """Which files are there and verified, or were refused, as the service of media tells it."""
        delivery.take_in()
