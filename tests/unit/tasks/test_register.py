"""Equipment and the catalogue of services: registered, edited, moved, out of service, and named by tasks."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.clock import new_id
from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from services.tasks.domain.equipment import (
    EditEquipment,
    EquipmentEdited,
    EquipmentInstalled,
    EquipmentMoved,
    EquipmentRetired,
    EquipmentReturned,
    InstallEquipment,
    MoveEquipment,
    RetireEquipment,
    ReturnEquipment,
    equipment,
)
from services.tasks.domain.service import (
    ActivateService,
    AddService,
    DeactivateService,
    RenameService,
    ServiceActivated,
    ServiceAdded,
    ServiceDeactivated,
    ServiceRenamed,
    service,
)
from tests.examples.tasks import (
    ADMIN,
    CUSTOMER,
    EQUIPMENT,
    LOCATION,
    NOW,
    PLATE,
    SERVICE,
    TECHNICIAN,
    an_id,
)
from tests.unit.tasks.office import Office
from tests.unit.tasks.test_service import refused

HERE = {"customer_id": CUSTOMER, "location_id": LOCATION}
THERE = {"customer_id": CUSTOMER, "location_id": an_id(43)}
installed = EquipmentInstalled(equipment_id=EQUIPMENT, plate=PLATE, **HERE)
retired = EquipmentRetired(equipment_id=EQUIPMENT)
added = ServiceAdded(service_id=SERVICE, name="Preventivo")


def ask(command: Any, **fields: Any) -> Any:
    return command(**{"at": NOW, "by": ADMIN, **fields})


def of(command: Any, **fields: Any) -> Any:
    return ask(command, equipment_id=EQUIPMENT, **fields)


class TestEquipment:
    INSTALL = of(InstallEquipment, plate=PLATE, **HERE)

    def test_installed_once(self) -> None:
        given(equipment).when(self.INSTALL).then(installed)
        given(equipment).when(self.INSTALL).then_repeating_adds_nothing()
        given(equipment, installed).when(of(InstallEquipment, plate=PLATE, **THERE)).then_rejected("equipment-exists")

    def test_what_is_known_of_it_changes(self) -> None:
        edit = of(EditEquipment, changes={"serial": "SN-1", "name": PLATE.name})
        edited = PLATE.model_copy(update={"serial": "SN-1"})
        given(equipment, installed).when(edit).then(
            EquipmentEdited(equipment_id=EQUIPMENT, changed=("serial",), plate=edited)
        )
        given(equipment, installed).when(edit).then_repeating_adds_nothing()

    def test_also_after_everything_known_was_erased(self) -> None:
        erased = installed.model_copy(update={"plate": ERASED})
        given(equipment, erased).when(of(EditEquipment, changes={"name": "Nevera"})).then_repeating_adds_nothing()

    def test_moved(self) -> None:
        moved = EquipmentMoved(equipment_id=EQUIPMENT, **THERE, from_customer_id=CUSTOMER, from_location_id=LOCATION)
        given(equipment, installed).when(of(MoveEquipment, **THERE)).then(moved)
        given(equipment, installed).when(of(MoveEquipment, **THERE)).then_repeating_adds_nothing()

    def test_out_of_service_and_back(self) -> None:
        given(equipment, installed).when(of(RetireEquipment)).then(retired)
        given(equipment, installed).when(of(RetireEquipment)).then_repeating_adds_nothing()
        given(equipment, installed, retired).when(of(ReturnEquipment)).then(EquipmentReturned(equipment_id=EQUIPMENT))
        given(equipment, installed, retired).when(of(ReturnEquipment)).then_repeating_adds_nothing()

    @pytest.mark.parametrize(
        "command",
        [of(EditEquipment, changes={}), of(MoveEquipment, **HERE), of(RetireEquipment), of(ReturnEquipment)],
        ids=lambda command: type(command).__name__,
    )
    def test_what_does_not_exist_does_not_change(self, command: Any) -> None:
        given(equipment).when(command).then_rejected("equipment-unknown")


class TestCatalogue:
    def test_an_entry_comes_goes_and_is_renamed(self) -> None:
        story = given(service).when(ask(AddService, service_id=SERVICE, name="Preventivo")).then(added)
        story.when(ask(AddService, service_id=SERVICE, name="Preventivo")).then_nothing()
        story.when(ask(AddService, service_id=SERVICE, name="Otro")).then_rejected("service-exists")
        story.when(ask(RenameService, service_id=SERVICE, name="MP")).then(
            ServiceRenamed(service_id=SERVICE, name="MP")
        )
        story.when(ask(RenameService, service_id=SERVICE, name="MP")).then_repeating_adds_nothing()
        off = story.when(ask(DeactivateService, service_id=SERVICE)).then(ServiceDeactivated(service_id=SERVICE))
        off.when(ask(DeactivateService, service_id=SERVICE)).then_nothing()
        off.when(ask(ActivateService, service_id=SERVICE)).then(ServiceActivated(service_id=SERVICE))
        story.when(ask(ActivateService, service_id=SERVICE)).then_nothing()

    def test_what_does_not_exist_does_not_change(self) -> None:
        given(service).when(ask(DeactivateService, service_id=SERVICE)).then_rejected("service-unknown")


class TestInTheOffice:
    def test_equipment_is_found_by_what_stands_on_it_and_where_it_stands(self, office: Office) -> None:
        for text in ("sn-00", "eq-7", "torre", "ascensor t", "kx"):
            assert [row["id"] for row in office.ask("equipment_list", text=text)["items"]] == [EQUIPMENT], text
        assert office.ask("equipment_list", text="042")["items"] == []
        assert len(office.ask("equipment_list", location_id=LOCATION, active=True)["items"]) == 1
        assert office.ask("equipment_list", customer_id=an_id(999))["items"] == []
        office.do("edit_equipment", equipment_id=EQUIPMENT, model=None)
        office.do("retire_equipment", equipment_id=EQUIPMENT)
        found = office.ask("equipment", TECHNICIAN, equipment_id=EQUIPMENT)
        assert (found["model"], found["serial"], found["active"]) == (None, "SN-0042", False)
        refused("equipment-unknown", office.ask, "equipment", equipment_id=an_id(999))

    def test_it_stands_where_the_customer_has_a_place(self, office: Office) -> None:
        new = {"equipment_id": new_id(), "name": "x", "customer_id": CUSTOMER, "location_id": an_id(999)}
        refused("location-unknown", office.do, "install_equipment", **new)
        elsewhere = {"equipment_id": EQUIPMENT, "customer_id": an_id(999), "location_id": LOCATION}
        refused("customer-unknown", office.do, "move_equipment", **elsewhere)
        refused("forbidden", office.do, "install_equipment", TECHNICIAN, **new)

    def test_a_task_names_equipment_of_its_own_place(self, office: Office) -> None:
        task_id = office.open(customer_id=CUSTOMER, location_id=LOCATION, equipment_id=EQUIPMENT)
        (row,) = office.ask("task_board", equipment_id=EQUIPMENT)["items"]
        assert (row["id"], row["equipment_name"]) == (task_id, PLATE.name)
        other = an_id(44)
        office.do("add_location", customer_id=CUSTOMER, location_id=other, name="Bodega")
        refused("equipment-elsewhere", office.open, customer_id=CUSTOMER, location_id=other, equipment_id=EQUIPMENT)
        office.do("edit_task", task_id=task_id, location_id=other)
        assert office.ask("task", task_id=task_id)["equipment_id"] is None
        office.do("edit_task", task_id=task_id, location_id=LOCATION, equipment_id=EQUIPMENT)
        office.do("edit_task", task_id=task_id, customer_id=None)
        assert office.ask("task", task_id=task_id)["equipment_id"] is None
        office.do("retire_equipment", equipment_id=EQUIPMENT)
        refused("equipment-retired", office.open, customer_id=CUSTOMER, equipment_id=EQUIPMENT)

    def test_a_task_is_found_by_its_services(self, office: Office) -> None:
        task_id = office.open(service_ids=[SERVICE])
        office.open()
        assert [row["id"] for row in office.ask("task_board", service_id=SERVICE)["items"]] == [task_id]
        office.do("deactivate_service", service_id=SERVICE)
        refused("service-inactive", office.open, service_ids=[SERVICE])
        office.do("edit_task", task_id=task_id, service_ids=[SERVICE], title="Conserva el servicio que tenía")
        assert [(s["name"], s["active"]) for s in office.ask("services")["items"]] == [("Preventivo", False)]
        assert office.ask("services", active=True)["items"] == []
