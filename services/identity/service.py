"""The nameko class of the identity service."""

from __future__ import annotations

from typing import Any, ClassVar

from services.identity.wiring import define
from services.kernel.application import ServiceDefinition
from services.kernel.service import ServiceBase
from services.kernel.subscription import subscribes


class IdentityService(ServiceBase):
    """Commands and queries by inheritance, and the facts that its history is made of."""

    name = "identity"
    definition: ClassVar[ServiceDefinition] = define()

    @subscribes("identity.history.identity")
    def follow_identity(self, delivery: Any) -> None:
        """What people did here."""
        delivery.take_in()

    @subscribes("identity.history.tasks")
    def follow_tasks(self, delivery: Any) -> None:
        """What people did to tasks, processes and customers."""
        delivery.take_in()

    @subscribes("identity.history.forms")
    def follow_forms(self, delivery: Any) -> None:
        """What people did to forms, and what they handed in."""
        delivery.take_in()

    @subscribes("identity.history.billing")
    def follow_billing_for_history(self, delivery: Any) -> None:
        """What people and staff did to subscription, invoices and payments."""
        delivery.take_in()

    @subscribes("identity.billing")
    def follow_billing(self, delivery: Any) -> None:
        """How many seats are sold, and how accounts stand."""
        delivery.take_in()
