"""A desk that keeps a ledger of the shop's orders; it stumbles over the orders named in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from services.kernel.application import ServiceDefinition, Subscription
from services.kernel.commit import Recorded
from services.kernel.message import Incoming
from services.kernel.readmodel import ReadModel


class Placed(Incoming):
    order_id: str
    total: int


class Paid(Incoming):
    order_id: str


class Ledger(ReadModel):
    """One document per order, with the number of facts that made it."""

    name = "ledger"

    def keys(self, fact: Recorded) -> list[str]:
        return [fact.event.order_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any]:
        stumbles = Path(os.environ["SAMPLE_STUMBLES"])
        if stumbles.exists() and fact.event.order_id in stumbles.read_text().split():
            raise ValueError("cannot be booked")
        match fact.event:
            case Placed(total=total):
                return {"total": total, "paid": False, "facts": 1}
            case _:
                return {**(doc or {}), "paid": True, "facts": (doc or {})["facts"] + 1}


def define() -> ServiceDefinition:
    return ServiceDefinition(
        name="desk",
        deciders=(),
        commands={},
        queries={},
        subscriptions=(
            Subscription(
                "desk.ledger",
                source="shop",
                categories=("order",),
                models={"OrderPlaced": Placed, "OrderPaid": Paid},
                into=Ledger(),
            ),
        ),
    )
