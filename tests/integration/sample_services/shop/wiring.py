"""A shop: orders are placed and paid; one read model of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from services.kernel.application import On, ServiceDefinition
from services.kernel.commit import Recorded
from services.kernel.domain import Command, Decider, Erased, Event, Subject
from services.kernel.readmodel import ReadModel


class OrderPlaced(Event):
    order_id: str
    customer_id: str
    total: int
    name: Annotated[str | Erased, Subject("customer_id")]


class OrderPaid(Event):
    order_id: str


class PlaceOrder(Command):
    order_id: str
    customer_id: str
    total: int
    name: str


class PayOrder(Command):
    order_id: str


@dataclass(frozen=True, slots=True)
class Order:
    placed: bool = False
    paid: bool = False


def decide(command: PlaceOrder | PayOrder, state: Order) -> list[OrderPlaced | OrderPaid]:
    match command:
        case PlaceOrder(order_id=id, customer_id=who, total=total, name=name):
            return [] if state.placed else [OrderPlaced(order_id=id, customer_id=who, total=total, name=name)]
        case PayOrder(order_id=id):
            return [] if state.paid else [OrderPaid(order_id=id)]


def evolve(state: Order, event: OrderPlaced | OrderPaid) -> Order:
    return Order(placed=True, paid=state.paid or isinstance(event, OrderPaid))


order = Decider("order", Order(), decide, evolve, {"OrderPlaced": OrderPlaced, "OrderPaid": OrderPaid})


class Orders(ReadModel):
    """One document per order."""

    name = "orders"
    categories = ("order",)

    def keys(self, fact: Recorded) -> list[str]:
        return [fact.event.order_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any]:
        match fact.event:
            case OrderPlaced(total=total, name=name):
                return {"total": total, "name": name or None, "paid": False}
            case _:
                return {**(doc or {}), "paid": True}


def define() -> ServiceDefinition:
    return ServiceDefinition(
        name="shop",
        deciders=(order,),
        commands={
            "place_order": On(order, PlaceOrder, id="order_id"),
            "pay_order": On(order, PayOrder, id="order_id"),
        },
        queries={},
        read_models=(Orders(),),
    )
