"""An account at work, in memory: its people in the directory, its process and customer set up by commands."""

from __future__ import annotations

import hashlib
from typing import Any

from services.identity.domain.permissions import ROLE_PERMISSIONS
from services.kernel.clock import new_id
from services.kernel.commit import Caller, Recorded
from services.kernel.message import Incoming
from services.kernel.readmodel import ReadModel
from services.kernel.testing.app import START, MemoryApp, memory_app
from services.tasks.incoming import DIRECTORY
from services.tasks.readmodels.directory import Directory
from services.tasks.readmodels.known_forms import FORMS, KnownForms
from services.tasks.wiring import define
from tests.examples.tasks import (
    ADMIN,
    COLLEAGUE,
    CUSTOMER,
    DRAFTS,
    EQUIPMENT,
    LIST,
    LOCATION,
    PLACE,
    PLATE,
    PROCESS,
    PROFILE,
    SERVICE,
    STRANGER,
    SUBPROCESS,
    SUPERVISOR,
    TEAM,
    TECHNICIAN,
    an_id,
)
from tests.support.bucket import Bucket
from tests.support.peers import Peers

TENANT = an_id(901)
VIEWER = an_id(6)
ROLES = {
    ADMIN: "admin",
    SUPERVISOR: "supervisor",
    VIEWER: "viewer",
    TECHNICIAN: "technician",
    COLLEAGUE: "technician",
    STRANGER: "technician",
}


class Office:
    """A fresh account; every call is made in the role that the person has."""

    def __init__(self, tenant: str = TENANT) -> None:
        self.tenant = tenant
        self.roles = dict(ROLES)
        self.bucket = Bucket()
        self.peers = Peers()
        self.app: MemoryApp = memory_app(define(), ports={"objects": lambda: self.bucket, "peers": lambda: self.peers})
        self._told = 0
        self.tell("AccountRegistered", time_zone="America/Bogota")
        for user_id, role in self.roles.items():
            self.tell("UserActivated", user_id=user_id, role=role)

    def tell(self, type: str, **data: Any) -> None:
        """Something happened in identity."""
        self._heard("identity", DIRECTORY[type], Directory(), type, data)

    def tell_of_forms(self, type: str, **data: Any) -> None:
        """Something happened in forms."""
        self._heard("forms", FORMS[type], KnownForms(), type, data)

    def _heard(self, service: str, read: type[Incoming], into: ReadModel, type: str, data: dict[str, Any]) -> None:
        self._told += 1
        fact = Recorded(
            service=service,
            position=self._told,
            index=0,
            stream=f"of-{service}",
            category="any",
            version=self._told,
            tenant=self.tenant,
            actor="somebody",
            at=START,
            type=type,
            v=1,
            data=data,
            event=read.model_validate(data),
        )
        self.app.reads.fold(into, fact)

    def team(self, team_id: str, *members: str, leaders: tuple[str, ...] = (), parent: str | None = None) -> None:
        """A team with these people."""
        self.tell("TeamCreated", team_id=team_id, parent=parent)
        self.tell("TeamLeadersSet", team_id=team_id, leaders=leaders)
        for member in members:
            self.tell("TeamMemberAdded", team_id=team_id, user_id=member)

    def caller(self, user_id: str) -> Caller:
        """This person, as the gateway would say."""
        role = self.roles[user_id]
        return Caller(
            tenant=self.tenant,
            actor=user_id,
            role=role,
            permissions=ROLE_PERMISSIONS[role],
            origin=None,
            correlation_id="test",
        )

    def do(self, command: str, by: str = ADMIN, command_id: str | None = None, **data: Any) -> dict[str, Any]:
        """Carry out a command."""
        return self.app.execute(command, data, self.caller(by), command_id)

    def as_system(self, command: str, command_id: str | None = None, **data: Any) -> dict[str, Any]:
        """Carry out one of the service's own commands."""
        system = Caller(tenant=self.tenant, actor="system:test", role="system", correlation_id="test")
        return self.app.execute(command, data, system, command_id)

    def ask(self, query: str, by: str = ADMIN, **params: Any) -> dict[str, Any]:
        """Answer a query."""
        return self.app.query(query, params, self.caller(by))

    def set_up(self) -> None:
        """A process with a status list and a subprocess, a team, a customer with equipment, a service, a field."""
        drafts = [draft.model_dump(mode="json") for draft in DRAFTS]
        self.do("define_status_list", list_id=LIST, name="Mantenimiento", stages=drafts)
        self.do("create_process", process_id=PROCESS, name="Mantenimiento")
        self.do("attach_status_list", process_id=PROCESS, list_id=LIST)
        self.do("add_subprocess", process_id=PROCESS, subprocess_id=SUBPROCESS, name="Mantenimiento preventivo")
        self.team(TEAM, TECHNICIAN, COLLEAGUE)
        self.do("create_customer", customer_id=CUSTOMER, **PROFILE.model_dump(mode="json"))
        self.do("add_location", customer_id=CUSTOMER, location_id=LOCATION, **PLACE.model_dump(mode="json"))
        place = {"customer_id": CUSTOMER, "location_id": LOCATION}
        self.do("install_equipment", equipment_id=EQUIPMENT, **place, **PLATE.model_dump(mode="json"))
        self.do("define_field", entity="task", key="serial", field={"label": "Serial", "rules": {"type": "text"}})
        self.do("add_service", service_id=SERVICE, name="Preventivo")

    def open(self, by: str = ADMIN, **changes: Any) -> str:
        """A task; its id."""
        task_id = changes.pop("task_id", None) or new_id()
        fields = {"title": "Revisión", "process_id": PROCESS, "subprocess_id": SUBPROCESS, **changes}
        self.do("open_task", by, task_id=task_id, **fields)
        return str(task_id)

    def upload(self, data: bytes, kind: str, **changes: Any) -> str:
        """A file put into the bucket and an import of it requested; its id."""
        import_id = new_id()
        key = f"{self.tenant}/imports/{import_id}"
        self.bucket.objects[key] = data
        self.do(
            "request_import",
            **{
                "import_id": import_id,
                "kind": kind,
                "object_key": key,
                "sha256": hashlib.sha256(data).hexdigest(),
                "size": len(data),
                "file_name": "archivo.xlsx",
                **changes,
            },
        )
        return import_id
