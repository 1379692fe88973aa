"""An account with forms, in memory: its people as identity told of them, its inspection published."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any

from services.forms.domain.schema import Content
from services.forms.incoming import DIRECTORY
from services.forms.readmodels.directory import Directory
from services.forms.wiring import define
from services.identity.domain.permissions import ROLE_PERMISSIONS
from services.kernel.commit import Caller, Recorded
from services.kernel.testing.app import START, MemoryApp, memory_app
from tests.examples.forms import ADMIN, ANSWERS, COLLEAGUE, DEVICE, FORM, INSPECTION, SUPERVISOR, TECHNICIAN, an_id

TENANT = an_id(901)
ROLES = {ADMIN: "admin", SUPERVISOR: "supervisor", TECHNICIAN: "technician", COLLEAGUE: "technician"}
OCCURRED = "2026-11-23T07:40:00-05:00"


class Account:
    """Every call is made in the role that the person has."""

    def __init__(self, tenant: str = TENANT) -> None:
        self.tenant = tenant
        self.app: MemoryApp = memory_app(define())
        self._told = 0
        self.tell("AccountRegistered", time_zone="America/Bogota")
        for user_id, role in ROLES.items():
            self.tell("UserActivated", at=datetime.fromisoformat("2026-01-01T00:00:00Z"), user_id=user_id, role=role)

    def tell(self, type: str, at: datetime = START, **data: Any) -> None:
        """Something happened in identity."""
        self._told += 1
        fact = Recorded(
            service="identity", position=self._told, index=0, stream="of-identity", category="any",
            version=self._told, tenant=self.tenant, actor="somebody", at=at, type=type, v=1, data=data,
            event=DIRECTORY[type].model_validate(data),
        )  # fmt: skip
        self.app.reads.fold(Directory(), fact)

    def caller(self, user_id: str, **changes: Any) -> Caller:
        """This person, as the gateway would say."""
        role = ROLES[user_id]
        fields = {"tenant": self.tenant, "actor": user_id, "role": role, "permissions": ROLE_PERMISSIONS[role]}
        return Caller(**{**fields, "correlation_id": "test", **changes})

    def do(self, command: str, by: str = ADMIN, command_id: str | None = None, **data: Any) -> dict[str, Any]:
        """Carry out a command."""
        return self.app.execute(command, data, self.caller(by), command_id)

    def as_system(self, command: str, **data: Any) -> dict[str, Any]:
        """Carry out one of the service's own commands."""
        system = Caller(tenant=self.tenant, actor="system:test", role="system", correlation_id="test")
        return self.app.execute(command, data, system)

    def ask(self, query: str, by: str = ADMIN, **params: Any) -> dict[str, Any]:
        """Answer a query."""
        return self.app.query(query, params, self.caller(by))

    def publish(self, content: Content = INSPECTION, form_id: str = FORM) -> dict[str, Any]:
        """A version of a form, the form made where it is missing; how a submission names it."""
        self.do("create_form", form_id=form_id, name="Inspección de extintores", code="INS1")
        self.do("save_form_draft", form_id=form_id, content=content.to_json())
        self.do("publish_form", form_id=form_id)
        known = self.ask("form_version", form_id=form_id)
        return {"id": form_id, "version": known["number"], "hash": known["hash"]}

    def submit(self, submission_id: str, by: str = TECHNICIAN, **changes: Any) -> dict[str, Any]:
        """Answers handed in online."""
        fields = {"form": {"id": FORM, "version": 1}, "answers": copy.deepcopy(ANSWERS), "occurred_at": OCCURRED}
        return self.do("submit", by=by, submission_id=submission_id, **{**fields, **changes})

    def push(
        self, *commands: dict[str, Any], by: str = TECHNICIAN, command_id: str | None = None, **around: Any
    ) -> list[dict[str, Any]]:
        """A device's batch; its results."""
        batch = {"device_id": DEVICE, "received_at": RECEIVED, "offset_ms": 1_200, "commands": list(commands), **around}
        answer = self.do("accept_submissions", by=by, command_id=command_id, **batch)
        results: list[dict[str, Any]] = answer["results"]
        return results


RECEIVED = "2026-11-23T13:00:00+00:00"
"""When the server had it, by its own clock."""


def queued(id: str, submission_id: str, **changes: Any) -> dict[str, Any]:
    """A submission as it stands in a device's queue."""
    return {
        "id": id,
        "type": "submission.submit",
        "aggregate": {"kind": "submission", "id": submission_id},
        "form": {"id": FORM, "version": 1},
        "occurred_at": OCCURRED,
        "body": {"answers": copy.deepcopy(ANSWERS)},
        **changes,
    }
