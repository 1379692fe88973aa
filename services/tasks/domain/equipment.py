"""Equipment is what work is done on: a machine or an installation at one location of a customer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from pydantic import StringConstraints

from services.kernel.domain import ERASED, Command, Decider, Erased, Event, Rejected, TenantData
from services.tasks.domain.values import Id, Line, Name, Value

Mark = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Remark = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


class Plate(Value):
    """What stands on the machine, and what the account says about it."""

    name: Line
    code: Mark | None = None
    serial: Mark | None = None
    model: Name | None = None
    manufacturer: Name | None = None
    remarks: Remark = ""


class PlateChanges(Plate):
    """What is given is to change."""

    name: Line = ""


PlateData = Annotated[Plate | Erased, TenantData()]


class EquipmentInstalled(Event):
    """One more piece of equipment, at this location."""

    equipment_id: str
    customer_id: str
    location_id: str
    plate: PlateData


class EquipmentEdited(Event):
    """What is known of it changed; `changed` names the fields."""

    equipment_id: str
    changed: tuple[str, ...]
    plate: PlateData


class EquipmentMoved(Event):
    """It stands somewhere else."""

    equipment_id: str
    customer_id: str
    location_id: str
    from_customer_id: str
    from_location_id: str


class EquipmentRetired(Event):
    """No new work on it."""

    equipment_id: str


class EquipmentReturned(Event):
    """It is in service again."""

    equipment_id: str


EquipmentEvent = EquipmentInstalled | EquipmentEdited | EquipmentMoved | EquipmentRetired | EquipmentReturned


class InstallEquipment(Command):
    """Register a piece of equipment."""

    equipment_id: Id
    customer_id: Id
    location_id: Id
    plate: Plate


class EditEquipment(Command):
    """Change what is known of it."""

    equipment_id: Id
    changes: PlateChanges


class MoveEquipment(Command):
    """Say where it stands now."""

    equipment_id: Id
    customer_id: Id
    location_id: Id


class RetireEquipment(Command):
    """Take it out of service."""

    equipment_id: Id


class ReturnEquipment(Command):
    """Put it back into service."""

    equipment_id: Id


EquipmentCommand = InstallEquipment | EditEquipment | MoveEquipment | RetireEquipment | ReturnEquipment


@dataclass(frozen=True, slots=True)
class Equipment:
    """The piece as it is now."""

    exists: bool = False
    customer_id: str = ""
    location_id: str = ""
    plate: Plate | Erased = ERASED
    active: bool = True


initial_state = Equipment()


def decide(command: EquipmentCommand, state: Equipment) -> list[EquipmentEvent]:
    equipment_id = command.equipment_id
    if isinstance(command, InstallEquipment):
        return _install(command, state)
    if not state.exists:
        raise Rejected("equipment-unknown", equipment_id=equipment_id)
    match command:
        case EditEquipment(changes=changes):
            before = Plate(name="-") if isinstance(state.plate, Erased) else state.plate
            after = before.model_copy(update={name: getattr(changes, name) for name in changes.model_fields_set})
            changed = tuple(name for name in Plate.model_fields if getattr(before, name) != getattr(after, name))
            return [EquipmentEdited(equipment_id=equipment_id, changed=changed, plate=after)] if changed else []
        case MoveEquipment(customer_id=customer_id, location_id=location_id):
            if (customer_id, location_id) == (state.customer_id, state.location_id):
                return []
            moved = EquipmentMoved(
                equipment_id=equipment_id,
                customer_id=customer_id,
                location_id=location_id,
                from_customer_id=state.customer_id,
                from_location_id=state.location_id,
            )
            return [moved]
        case RetireEquipment():
            return [EquipmentRetired(equipment_id=equipment_id)] if state.active else []
        case ReturnEquipment():
            return [] if state.active else [EquipmentReturned(equipment_id=equipment_id)]
        case _:
            assert_never(command)


def _install(command: InstallEquipment, state: Equipment) -> list[EquipmentEvent]:
    installed = EquipmentInstalled(
        equipment_id=command.equipment_id,
        customer_id=command.customer_id,
        location_id=command.location_id,
        plate=command.plate,
    )
    if not state.exists:
        return [installed]
    if evolve(initial_state, installed) == replace(state, active=True):
        return []
    raise Rejected("equipment-exists", equipment_id=command.equipment_id)


def evolve(state: Equipment, event: EquipmentEvent) -> Equipment:
    match event:
        case EquipmentInstalled(customer_id=customer_id, location_id=location_id, plate=plate):
            return replace(state, exists=True, customer_id=customer_id, location_id=location_id, plate=plate)
        case EquipmentEdited(plate=plate):
            return replace(state, plate=plate)
        case EquipmentMoved(customer_id=customer_id, location_id=location_id):
            return replace(state, customer_id=customer_id, location_id=location_id)
        case EquipmentRetired():
            return replace(state, active=False)
        case EquipmentReturned():
            return replace(state, active=True)
        case _:
            assert_never(event)


equipment: Decider[EquipmentCommand, Equipment, EquipmentEvent] = Decider(
    "equipment",
    initial_state,
    decide,
    evolve,
    events={
        "EquipmentInstalled": EquipmentInstalled,
        "EquipmentEdited": EquipmentEdited,
        "EquipmentMoved": EquipmentMoved,
        "EquipmentRetired": EquipmentRetired,
        "EquipmentReturned": EquipmentReturned,
    },
)
