"""The nameko class of the sample service that subscribes."""

from __future__ import annotations

from typing import Any

from services.kernel.service import ServiceBase
from services.kernel.subscription import subscribes
from tests.examples.kernel import depots


class DepotsService(ServiceBase):
    name = "depots"
    definition = depots()

    @subscribes("depots.arrivals")
    def arrivals(self, delivery: Any) -> None:
        """Into the read model."""
        delivery.take_in()

    @subscribes("depots.moves")
    def moves(self, delivery: Any) -> None:
        """Into facts of its own."""
        delivery.take_in()
