"""The part of the story without a network: a day on a phone, an office that decides otherwise, a bad line home."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from deploy.demo.bad_network import FaultProxy, random_faults
from deploy.demo.client import Person
from deploy.demo.company import Company, until
from deploy.demo.phone import Phone
from services.kernel.clock import new_id

Say = Callable[[str], None]
JOBS = 12
SEED = 7

EXTINGUISHERS: dict[str, Any] = {
    "languages": ["es"],
    "choice_lists": {
        "states": [
            {"value": "good", "labels": {"es": "Bueno"}},
            {"value": "failed", "labels": {"es": "Fallado"}},
        ]
    },
    "items": [
        {"type": "short_text", "name": "contact", "labels": {"es": "Quién recibe"}, "required": True},
        {
            "type": "repeat",
            "name": "extinguishers",
            "labels": {"es": "Extintores"},
            "min": 1,
            "max": 20,
            "items": [
                {"type": "barcode", "name": "serial", "labels": {"es": "Serial"}, "required": True},
                {
                    "type": "number",
                    "name": "pressure",
                    "labels": {"es": "Presión (bar)"},
                    "kind": "decimal",
                    "min": 0,
                    "max": 30,
                    "required": True,
                },
                {
                    "type": "single_choice",
                    "name": "state",
                    "labels": {"es": "Estado"},
                    "choices": "states",
                    "required": True,
                },
                {
                    "type": "long_text",
                    "name": "failure",
                    "labels": {"es": "Qué falla"},
                    "relevant": "${state} = 'failed'",
                    "required": True,
                },
            ],
        },
        {"type": "calculated", "name": "total", "labels": {"es": "Suma"}, "calculation": "sum(${pressure})"},
    ],
}


def publish_form(admin: Person) -> dict[str, Any]:
    """A form with a repeat, a condition and a sum; how a submission names its version."""
    form_id = admin.post("/v1/forms", {"name": "Inspección de extintores", "code": "EXT1"})["id"]
    admin.put(f"/v1/forms/{form_id}/draft", {"content": EXTINGUISHERS})
    admin.post(f"/v1/forms/{form_id}/publish")
    version = until(lambda: admin.get(f"/v1/forms/{form_id}/versions/1"), lambda found: bool(found["hash"]))
    return {"id": form_id, "version": 1, "hash": version["hash"]}


class Day:
    """One technician's day: what was planned for him, what he did, and what the office did meanwhile."""

    def __init__(self, company: Company, admin: Person, technician: Person) -> None:
        self._company = company
        self._admin = admin
        self._technician = technician
        self.form = publish_form(admin)
        self.submissions: list[str] = []
        user_id = technician.ids["user_id"]
        office = [
            company.open_task(admin, f"Extintores, piso {n + 1}", user_id=user_id, form_ids=[self.form["id"]])
            for n in range(JOBS - 1)
        ]
        self.own = company.open_task(technician, "Anotada por la mañana")
        self.jobs = [*office, self.own]
        login = next(login for login in company.logins if login.who.startswith(technician.name))
        self.phone = Phone(company.base_url, login.email, login.password).enrol()

    def set_out(self, say: Say) -> None:
        """With the last network of the day everything that is needed comes onto the phone."""
        until(self.pulled, lambda tasks: set(self.jobs) <= set(tasks))
        self.phone.get(f"/v1/forms/{self.form['id']}/versions/{self.form['version']}")
        say(f"phone enrolled with a key of its own; {JOBS} tasks and form {self.form['hash'][:15]}… are on it")

    def pulled(self) -> dict[str, Any]:
        """The tasks on the phone once it has asked what is new."""
        self.phone.pull()
        return self.phone.tasks()

    def work_without_a_network(self, say: Say) -> None:
        """Every task is started and its form filled in; one is made up on the way, one only edited."""
        phone = self.phone
        for n, job in enumerate(self.jobs[:-1]):
            phone.did("task.start", ("task", job))
            self._fill_in(job, 1 + n % 3)
            phone.did("task.advance", ("task", job), to_stage="in-progress")
        self.made = new_id()
        kind: dict[str, Any] = {"process_id": self._company.process_id, "subprocess_id": self._company.subprocess_id}
        phone.did("task.create", ("task", self.made), title="Fuga vista de camino", **kind)
        phone.did("task.start", ("task", self.made))
        self._fill_in(self.made, 1)
        seen = phone.tasks()[self.own]["version"]
        phone.did("task.edit", ("task", self.own), seen, title="Del campo", description="Hay que volver con escalera.")
        say(f"{len(phone.outbox)} things done on the phone, {len(self.submissions)} forms, 1 task created")

    def _fill_in(self, job: str, many: int) -> None:
        id = new_id()
        self.submissions.append(id)
        rows: list[dict[str, Any]] = [{"serial": f"EX-{n:03}", "pressure": 12.5, "state": "good"} for n in range(many)]
        rows[-1] |= {"pressure": 3, "state": "failed", "failure": "Sin carga"}
        answers = {"contact": "Marta Ñungo", "extinguishers": rows}
        self.phone.did("submission.submit", ("submission", id), answers=answers, task_id=job, extra={"form": self.form})

    def meanwhile_in_the_office(self, other: Person, say: Say) -> None:
        """Nobody in the office knows what the phone holds."""
        self._admin.request("PATCH", f"/v1/tasks/{self.own}", json={"title": "De la oficina"})
        self.taken = self.jobs[0]
        self._admin.post(f"/v1/tasks/{self.taken}/assign", {"user_id": other.ids["user_id"]})
        say("one title edited that was edited on the phone, too; one task given to somebody else")

    def come_home(self, say: Say) -> None:
        """Half of all requests are dropped, cut, doubled, late or lose their answer; each is sent until answered."""
        total = len(self.phone.outbox)
        with self._bad_network() as proxy:
            self.phone.by_way_of(proxy.url)
            proxy.script(random_faults(SEED))
            sent = 0
            while self.phone.outbox:
                # Small batches: many requests, many accidents.
                waiting = self.phone.outbox
                self.phone.outbox = waiting[:4]
                sent += self.phone.hand_in()
                self.phone.outbox = [work for work in waiting if work["id"] not in self.phone.results]
            broken = sum(not exchange.answered for exchange in proxy.log)
            delivered = sum(exchange.delivered for exchange in proxy.log)
            self.phone.by_way_of(self._company.base_url)
        say(f"{total} commands: {sent} requests, {broken} without an answer, {delivered} reached the server")

    @contextmanager
    def _bad_network(self) -> Any:
        door = urlsplit(self._company.base_url)
        with FaultProxy(str(door.hostname), int(door.port or 80)) as proxy:
            yield proxy

    def results(self) -> dict[str, int]:
        """How many commands had which result."""
        found: dict[str, int] = {}
        for result in self.phone.results.values():
            found[result["status"]] = found.get(result["status"], 0) + 1
        return dict(sorted(found.items()))

    def conflict(self) -> dict[str, Any]:
        """The one field that two people changed without knowing of each other."""
        (told,) = [result["conflicts"] for result in self.phone.results.values() if "conflicts" in result]
        (conflict,) = told
        return dict(conflict)

    def arrived(self) -> list[dict[str, Any]]:
        """The submissions of the day, as the office sees them."""
        user_id = self._technician.ids["user_id"]
        page = until(
            lambda: self._admin.get("/v1/submissions", form_id=self.form["id"], user_id=user_id, limit=200),
            lambda found: len(found["items"]) >= len(self.submissions),
        )
        return list(page["items"])

    def decide_over_what_waits(self, say: Say) -> int:
        """The admin gives the task back to whoever did the work, and lets the work take effect."""
        waiting = until(lambda: self._admin.get("/v1/parked-work"), lambda page: bool(page["items"]))["items"]
        for work in sorted(waiting, key=lambda work: int(work["seq"])):
            self._admin.post(f"/v1/parked-work/{work['id']}/release", {"reassign": True})
            say(f"{work['type']} was parked ({work['code']}): given back to its author and released")
        return len(waiting)
