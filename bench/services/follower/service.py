"""The follower's nameko class."""

from __future__ import annotations

from services.follower.wiring import HANDLER, define

from services.kernel.service import ServiceBase
from services.kernel.subscription import Delivery, subscribes


class Follower(ServiceBase):
    """Takes in what the sample tells."""

    name = "follower"
    definition = define()

    @subscribes(HANDLER)
    def on_job(self, delivery: Delivery) -> None:
        """One fact."""
        delivery.take_in()
