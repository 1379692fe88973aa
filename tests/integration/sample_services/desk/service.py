"""The desk's nameko class."""

from __future__ import annotations

from services.desk.wiring import define

from services.kernel.service import ServiceBase
from services.kernel.subscription import Delivery, subscribes


class Desk(ServiceBase):
    name = "desk"
    definition = define()

    @subscribes("desk.ledger")
    def on_order(self, delivery: Delivery) -> None:
        delivery.take_in()
