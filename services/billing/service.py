"""The nameko class of the billing service."""

from __future__ import annotations

from typing import Any, ClassVar

from services.billing.wiring import define
from services.kernel.application import ServiceDefinition
from services.kernel.service import ServiceBase
from services.kernel.subscription import subscribes


class BillingService(ServiceBase):
    """Commands and queries by inheritance, and what it follows of other services."""

    name = "billing"
    definition: ClassVar[ServiceDefinition] = define()

    @subscribes("billing.identity")
    def follow_identity(self, delivery: Any) -> None:
        """New accounts, and what becomes of reductions."""
        delivery.take_in()
