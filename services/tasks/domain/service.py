"""A service is an entry of the account's catalogue: what kind of help a task gives, to find and count it by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.values import Id, Name

TenantName = Annotated[str | Erased, TenantData()]


class ServiceAdded(Event):
    """The catalogue has one more entry."""

    service_id: str
    name: TenantName


class ServiceRenamed(Event):
    """It goes by another name."""

    service_id: str
    name: TenantName


class ServiceDeactivated(Event):
    """No longer for new tasks."""

    service_id: str


class ServiceActivated(Event):
    """For new tasks again."""

    service_id: str


ServiceEvent = ServiceAdded | ServiceRenamed | ServiceDeactivated | ServiceActivated


class AddService(Command):
    """Add an entry."""

    service_id: Id
    name: Name


class RenameService(Command):
    """Give it another name."""

    service_id: Id
    name: Name


class DeactivateService(Command):
    """Stop offering it."""

    service_id: Id


class ActivateService(Command):
    """Offer it again."""

    service_id: Id


ServiceCommand = AddService | RenameService | DeactivateService | ActivateService


@dataclass(frozen=True, slots=True)
class Service:
    """The entry as it is now."""

    exists: bool = False
    name: str | Erased = ""
    active: bool = True


initial_state = Service()


def decide(command: ServiceCommand, state: Service) -> list[ServiceEvent]:
    service_id = command.service_id
    if isinstance(command, AddService):
        if not state.exists:
            return [ServiceAdded(service_id=service_id, name=command.name)]
        if state.name == command.name:
            return []
        raise Rejected("service-exists", service_id=service_id)
    if not state.exists:
        raise Rejected("service-unknown", service_id=service_id)
    match command:
        case RenameService(name=name):
            return [] if name == state.name else [ServiceRenamed(service_id=service_id, name=name)]
        case DeactivateService():
            return [ServiceDeactivated(service_id=service_id)] if state.active else []
        case ActivateService():
            return [] if state.active else [ServiceActivated(service_id=service_id)]
        case _:
            assert_never(command)


def evolve(state: Service, event: ServiceEvent) -> Service:
    match event:
        case ServiceAdded(name=name):
            return replace(state, exists=True, name=name)
        case ServiceRenamed(name=name):
            return replace(state, name=name)
        case ServiceDeactivated():
            return replace(state, active=False)
        case ServiceActivated():
            return replace(state, active=True)
        case _:
            assert_never(event)


service: Decider[ServiceCommand, Service, ServiceEvent] = Decider(
    "service",
    initial_state,
    decide,
    evolve,
    events={
        "ServiceAdded": ServiceAdded,
        "ServiceRenamed": ServiceRenamed,
        "ServiceDeactivated": ServiceDeactivated,
        "ServiceActivated": ServiceActivated,
    },
)
