"""What the service does before equipment or a catalogue entry may decide, and before a task may name one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.tasks.domain.customer import Customer, customer
from services.tasks.domain.equipment import Equipment, equipment
from services.tasks.domain.service import Service, service
from services.tasks.standing import demand

Fields = Mapping[str, Any]


def installing(ask: Ask) -> Fields:
    """Who may register equipment, and that the place exists."""
    demand(ask.caller, "customers:edit")
    known: Equipment = ask.state(equipment, str(ask.data.get("equipment_id")))
    if not known.exists:
        check_place(ask, ask.data.get("customer_id"), ask.data.get("location_id"))
    return _split(ask.data, "plate")


def editing(ask: Ask) -> Fields:
    """Who may change what is known of equipment."""
    demand(ask.caller, "customers:edit")
    return _split(ask.data, "changes")


def moving(ask: Ask) -> Fields:
    """Who may move equipment, and that the new place exists."""
    demand(ask.caller, "customers:edit")
    check_place(ask, ask.data.get("customer_id"), ask.data.get("location_id"))
    return ask.data


def _split(data: Fields, under: str) -> dict[str, Any]:
    ids = {"equipment_id", "customer_id", "location_id"}
    kept = {name: value for name, value in data.items() if name in ids}
    return {**kept, under: {name: value for name, value in data.items() if name not in ids}}


def check_place(ask: Ask, customer_id: Any, location_id: Any) -> None:
    """Refuse a customer that does not exist, or a location it does not have."""
    if customer_id is None:
        return
    known: Customer = ask.state(customer, str(customer_id))
    if not known.exists:
        raise Rejected("customer-unknown", customer_id=str(customer_id))
    if location_id is not None:
        known.location(str(location_id))


def check_equipment(ask: Ask, equipment_id: str | None, customer_id: str | None, location_id: str | None) -> None:
    """Refuse equipment that does not exist, is out of service, or stands elsewhere."""
    if equipment_id is None:
        return
    known: Equipment = ask.state(equipment, equipment_id)
    if not known.exists:
        raise Rejected("equipment-unknown", equipment_id=equipment_id)
    if not known.active:
        raise Rejected("equipment-retired", equipment_id=equipment_id)
    if known.customer_id != customer_id or location_id not in (None, known.location_id):
        raise Rejected("equipment-elsewhere", customer_id=known.customer_id, location_id=known.location_id)


def check_services(ask: Ask, service_ids: Iterable[str]) -> None:
    """Refuse what is not, or no longer, in the catalogue."""
    for service_id in service_ids:
        known: Service = ask.state(service, service_id)
        if not known.exists:
            raise Rejected("service-unknown", service_id=service_id)
        if not known.active:
            raise Rejected("service-inactive", service_id=service_id)
