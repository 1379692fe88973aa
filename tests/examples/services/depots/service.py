"""The nameko class of the sample service that subscribes."""

from __future__ import annotations

from services.kernel.service import ServiceBase
from services.kernel.subscription import subscribes
from tests.examples.kernel import depots


class DepotsService(ServiceBase):
    name = "depots"
    definition = depots()

    @subscribes("depots.arrivals")
    def arrivals(self) -> None:
        """Carried out by the inbox."""

    @subscribes("depots.moves")
    def moves(self) -> None:
        """Carried out by the inbox."""


SERVICE = DepotsService
