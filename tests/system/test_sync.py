"""Two phones, an office and a bad network in front of the running platform: whatever breaks, nothing is lost.

Hypothesis chooses what is done and what the network does to it. Kept at every step: one answer per
command for ever; nothing acknowledged is lost; nothing takes effect twice; an own creation is never unknown;
and at the end, with a good network, outboxes are empty and each phone shows what the server has for it.
"""

from __future__ import annotations

import os
import time
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from deploy.demo.bad_network import (
    CutReply,
    CutRequest,
    DeliverLate,
    DropBeforeSend,
    Duplicate,
    Fault,
    FaultProxy,
    LoseReply,
    Pass,
)
from deploy.demo.client import Person, Refused
from deploy.demo.company import Company
from deploy.demo.fieldwork import publish_form
from deploy.demo.phone import Offline, Phone
from services.kernel.clock import new_id
from tests.system.callers import PASSWORD, Platform, within

EXAMPLES = int(os.environ.get("CHECKOP_SYNC_EXAMPLES", "6"))
STEPS = 25
STAGE_AFTER = {"pending": "on-the-way", "on-the-way": "in-progress", "in-progress": "pending-validation"}

SHARES = st.sampled_from([0.0, 0.2, 0.5, 0.9])
FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.just(Pass()),
    st.just(DropBeforeSend()),
    st.builds(CutRequest, SHARES),
    st.just(LoseReply()),
    st.builds(CutReply, SHARES),
    st.builds(Duplicate, st.booleans()),
    st.just(DeliverLate()),
)
PHONES = st.integers(0, 1)


@pytest.fixture(scope="module")
def company(platform: Platform) -> Company:
    made = Company.register(platform.base_url, platform.mailbox_url, "Redes S.A.S.", "Laura Gómez", PASSWORD)
    made.define_work(made.owner)
    made.form_team(made.owner, "Cuadrilla", [made.invite(made.owner, n, "technician", PASSWORD) for n in NAMES])
    return made


NAMES = ("Tomás Ruiz", "Nubia Cárdenas")


@pytest.fixture(scope="module")
def form(company: Company) -> dict[str, Any]:
    """As a submission names it."""
    return publish_form(company.owner)


@pytest.fixture(scope="module")
def bad_network(platform: Platform) -> Any:
    door = urlsplit(platform.base_url)
    with FaultProxy(str(door.hostname), int(door.port or 80)) as proxy:
        yield proxy


class Field(RuleBasedStateMachine):
    """Chance decides; `world` is filled in by the test."""

    platform: Platform
    company: Company
    form: dict[str, Any]
    proxy: FaultProxy

    @initialize()
    def begin(self) -> None:
        self.proxy.script(())
        logins = [login for login in self.company.logins if "technician" in login.who]
        self.phones = [Phone(self.platform.base_url, login.email, login.password).enrol() for login in logins]
        for phone in self.phones:
            phone.pull()
            phone.by_way_of(self.proxy.url)
        self.office: Person = self.company.owner
        self.jobs: list[str] = []
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.notes: dict[str, list[str]] = defaultdict(list)
        self.submissions: dict[str, str] = {}

    def _remember(self, phone: Phone) -> None:
        for id, result in phone.results.items():
            known = self.acknowledged.setdefault(id, result)
            assert known == result

    def _task(self, phone: Phone, number: int) -> str | None:
        known = sorted({*phone.tasks(), *phone.made})
        return known[number % len(known)] if known else None

    @rule(phone=PHONES)
    def opens_a_task_on_the_phone(self, phone: int) -> None:
        id = new_id()
        work = {"process_id": self.company.process_id, "subprocess_id": self.company.subprocess_id}
        self.phones[phone].did("task.create", ("task", id), title="En campo", **work)
        self._note(self.phones[phone], id)
        self.jobs.append(id)

    @rule(phone=PHONES, number=st.integers(0, 30))
    def takes_the_next_step(self, phone: int, number: int) -> None:
        carrier = self.phones[phone]
        if (id := self._task(carrier, number)) is None:
            return
        stage = carrier.tasks().get(id, {}).get("stage", "pending")
        if stage == "pending":
            carrier.did("task.start", ("task", id))
        elif stage in STAGE_AFTER:
            carrier.did("task.advance", ("task", id), to_stage=STAGE_AFTER[stage])

    @rule(phone=PHONES, number=st.integers(0, 30))
    def writes_a_note(self, phone: int, number: int) -> None:
        if (id := self._task(self.phones[phone], number)) is not None:
            self._note(self.phones[phone], id)

    def _note(self, phone: Phone, id: str) -> None:
        self.notes[id].append(phone.did("task.note", ("task", id), text="visto")["id"])

    @rule(phone=PHONES, number=st.integers(0, 30))
    def fills_in_a_form(self, phone: int, number: int) -> None:
        id, carrier = new_id(), self.phones[phone]
        rows = [{"serial": "EX-001", "pressure": 12.5, "state": "good"}]
        body: dict[str, Any] = {"answers": {"contact": "Marta", "extinguishers": rows}}
        if (task := self._task(carrier, number)) is not None:
            body["task_id"] = task
        work = carrier.did("submission.submit", ("submission", id), extra={"form": self.form}, **body)
        self.submissions[id] = work["id"]

    @rule(phone=PHONES)
    def tries_what_is_online_only(self, phone: int) -> None:
        self.phones[phone].did("task.assign", ("task", new_id()))

    @rule(phone=PHONES, faults=st.lists(FAULTS, max_size=3), window=st.tuples(st.integers(0, 4), st.integers(1, 8)))
    def sends_some_of_it(self, phone: int, faults: list[Fault], window: tuple[int, int]) -> None:
        """Any window of what waits, so that later work may arrive before earlier work."""
        carrier = self.phones[phone]
        begin, length = window
        chosen = carrier.outbox[begin : begin + length] or carrier.outbox[:1]
        if not chosen:
            return
        self.proxy.script(faults)
        with suppress(Offline):
            carrier.push(chosen)
        self._remember(carrier)

    @rule(phone=PHONES, faults=st.lists(FAULTS, max_size=2), limit=st.sampled_from([1, 3, 500]))
    def asks_what_is_new(self, phone: int, faults: list[Fault], limit: int) -> None:
        self.proxy.script(faults)
        with suppress(Offline):
            self.phones[phone].take(self.phones[phone].page(limit))

    @rule(to=PHONES)
    def the_office_plans_work(self, to: int) -> None:
        self.jobs.append(self.company.open_task(self.office, "De la oficina", user_id=self.phones[to].user_id))

    @precondition(lambda self: self.jobs)
    @rule(to=PHONES, number=st.integers(0, 30))
    def the_office_gives_work_to_another(self, to: int, number: int) -> None:
        self._office(f"/v1/tasks/{self.jobs[number % len(self.jobs)]}/assign", {"user_id": self.phones[to].user_id})

    @precondition(lambda self: self.jobs)
    @rule(number=st.integers(0, 30))
    def the_office_calls_work_off(self, number: int) -> None:
        self._office(f"/v1/tasks/{self.jobs[number % len(self.jobs)]}/cancel", {"reason": "Ya no."})

    def _office(self, path: str, body: dict[str, Any]) -> None:
        try:
            self.office.post(path, body)
        except Refused as no:
            # Not there yet, or not in a state for that: the office sees why and goes on.
            if no.status not in (404, 409):
                raise

    @rule(service=st.sampled_from(["tasks.service", "tasks.worker", "tasks.relay", "forms.service"]))
    def a_process_dies(self, service: str) -> None:
        self.platform.supervisor.kill(service)

    def teardown(self) -> None:
        """With a good network everything arrives, once, and everybody sees the same."""
        if not hasattr(self, "phones"):
            return
        self.proxy.release()
        self.proxy.script(())
        for phone in self.phones:
            phone.hand_in()
            assert phone.outbox == []
            self._remember(phone)
        self._check_answers()
        self._check_once()
        self._check_submissions()
        self._check_views()

    def _check_answers(self) -> None:
        for result in self.acknowledged.values():
            assert result["status"] in ("applied", "noop", "parked", "rejected"), result
            assert result.get("code") != "task_unknown", f"an own creation was unknown: {result}"
            assert result["status"] != "rejected" or result["code"] == "online_only", result

    def _check_once(self) -> None:
        """Every note that was acknowledged is there exactly once, and no step was taken twice."""
        newest = max((result["position"] for result in self.acknowledged.values()), default=0)
        for id, written in self.notes.items():
            seen = found(self.office, id, newest)
            assert seen is not None, f"task {id} was acknowledged and is lost"
            there = Counter(note["note_id"] for note in seen["notes"])
            applied = [note for note in written if self.acknowledged[note]["status"] == "applied"]
            assert {note: there[note] for note in written if there[note]} == dict.fromkeys(applied, 1)
            stages = [entry["to"]["stage"] for entry in seen["history"] if entry["what"] == "TaskAdvanced"]
            assert len(stages) == len(set(stages)), f"a step was taken twice: {stages}"

    def _check_submissions(self) -> None:
        """Each is there once, and as it was answered; of the task that it names it is evidence."""
        assert {self.acknowledged[work]["status"] for work in self.submissions.values()} <= {"applied"}

        def there() -> bool:
            found = [s for s in every_submission(self.office, self.form["id"]) if s["id"] in self.submissions]
            return sorted(s["id"] for s in found) == sorted(self.submissions)

        within(20.0, there)

    def _check_views(self) -> None:
        for phone in self.phones:

            def same(phone: Phone = phone) -> bool:
                phone.pull()
                return phone.through_seq == phone._seq and self._carried_by(phone) == {
                    id: (task["stage"], task["status"], task["version"]) for id, task in phone.tasks().items()
                }

            within(20.0, same)

    def _carried_by(self, phone: Phone) -> dict[str, Any]:
        found: dict[str, Any] = {}
        cursor: dict[str, str] = {}
        while True:
            page = self.office.get("/v1/board", user_id=phone.user_id, limit=200, **cursor)
            found |= {t["id"]: (t["stage"], t["status"], t["version"]) for t in page["items"]}
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}


def found(office: Person, id: str, at_least: int) -> dict[str, Any] | None:
    """The task as of that position, waited for: a read model may have been killed a moment ago."""
    until = time.monotonic() + 20
    while True:
        try:
            return office.get(f"/v1/tasks/{id}", at_least=at_least)
        except Refused as no:
            if no.code == "task-unknown":
                return None
            if no.code != "not-yet-visible" or time.monotonic() > until:
                raise


def every_submission(office: Person, form_id: str) -> list[dict[str, Any]]:
    """All of a form, page by page."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = office.get("/v1/submissions", form_id=form_id, limit=200, **cursor)
        items += page["items"]
        if page["next"] is None:
            return items
        cursor = {"cursor": page["next"]}


def test_whatever_breaks_everything_arrives_once_and_everybody_agrees(
    platform: Platform, company: Company, form: dict[str, Any], bad_network: FaultProxy
) -> None:
    world = {"platform": platform, "company": company, "form": form, "proxy": bad_network}
    machine = type("FieldHere", (Field,), world)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            derandomize=EXAMPLES <= 6,
            print_blob=True,
        ),
    )
