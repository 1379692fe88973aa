"""Two phones against the service in memory, with every trick of a network and read models that lag; and wrong designs.

The machine is the protocol's own proof: each of the four classic mistakes must be found by it. A run takes
seconds; with CHECKOP_SYNC_EXAMPLES it takes as long as one likes.
"""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from services.kernel.domain import Rejected
from services.tasks.sync import pull, push
from services.tasks.sync.wire import FieldWork
from tests.examples.tasks import COLLEAGUE, PROCESS, SUBPROCESS, TECHNICIAN
from tests.unit.tasks.office import Office
from tests.unit.tasks.phone import Phone, Work

HISTORIES = int(os.environ.get("CHECKOP_SYNC_EXAMPLES", "150"))
PATIENCE = 4_000
STEPS = 40


class World:
    """One account, its two phones and the messages that are still on their way."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.office = Office()
        self.office.set_up()
        self.phones = [Phone(self.office, TECHNICIAN), Phone(self.office, COLLEAGUE)]
        self.late: list[tuple[Phone, list[Work]]] = []
        self.stale: list[tuple[Phone, dict[str, Any]]] = []
        self.jobs: list[str] = []
        self.notes: dict[str, list[str]] = defaultdict(list)
        self.made: dict[Phone, list[str]] = {phone: [] for phone in self.phones}
        app = self.office.app
        self._follow = app.follow
        app.follow = self._lag  # type: ignore[method-assign]
        app.reads.head = lambda: app._followed
        self.lagging = False

    def _lag(self) -> None:
        if not self.lagging:
            self._follow()

    def run(self) -> None:
        """A history: things happen, then the network is good again and everybody must agree."""
        actions: list[Callable[[], None]] = [
            self.opens, self.opens, self.notes_down, self.notes_down, self.steps, self.sends, self.sends, self.sends,
            self.pulls, self.pulls, self.plans, self.gives, self.calls_off, self.arrives_late, self.lags,
        ]  # fmt: skip
        for _ in range(STEPS):
            self.dice.choice(actions)()
        self.heal()

    def phone(self) -> Phone:
        return self.dice.choice(self.phones)

    def known(self, phone: Phone) -> str | None:
        ids = sorted({*phone.tasks(), *self.made[phone]})
        return self.dice.choice(ids) if ids else None

    def opens(self) -> None:
        phone, id = self.phone(), str(uuid4())
        self.made[phone].append(id)
        self.jobs.append(id)
        phone.did("task.create", ("task", id), title="En campo", process_id=PROCESS, subprocess_id=SUBPROCESS)

    def notes_down(self) -> None:
        phone = self.phone()
        if (id := self.known(phone)) is not None:
            self.notes[id].append(phone.did("task.note", ("task", id), text="visto")["id"])

    def steps(self) -> None:
        phone = self.phone()
        if (id := self.known(phone)) is not None:
            phone.did("task.start", ("task", id))

    def sends(self) -> None:
        """Any window, to begin with the first or not; the answer may be lost, doubled, or the request be late."""
        phone = self.phone()
        begin = self.dice.choice((0, 0, 0, 1, 2))
        window = phone.outbox[begin : begin + self.dice.randint(1, 4)]
        if not window:
            return
        match self.dice.choice(("arrives", "arrives", "answer lost", "doubled", "late")):
            case "arrives":
                phone.heard(phone.push(*window))
            case "answer lost":
                phone.push(*window)
            case "doubled":
                first, second = phone.push(*window), phone.push(*window)
                settled = [result for result in first if result["status"] != "deferred"]
                assert all(result in second for result in settled), "another answer to a repeated command"
                phone.heard(second)
            case "late":
                self.late.append((phone, window))

    def arrives_late(self) -> None:
        if self.late:
            phone, window = self.late.pop(self.dice.randrange(len(self.late)))
            phone.push(*window)

    def pulls(self) -> None:
        phone = self.phone()
        page = phone.page(self.dice.choice((1, 2, 500)))
        if self.dice.random() < 0.8:
            phone.take(page)

    def plans(self) -> None:
        user_id = self.dice.choice((TECHNICIAN, COLLEAGUE))
        self.jobs.append(self.office.open(user_id=user_id))

    def gives(self) -> None:
        self._office("assign_task", user_id=self.dice.choice((TECHNICIAN, COLLEAGUE)))

    def calls_off(self) -> None:
        self._office("cancel_task", reason="Ya no.")

    def _office(self, command: str, **data: Any) -> None:
        if not self.jobs:
            return
        try:
            self.office.do(command, task_id=self.dice.choice(self.jobs), **data)
        except Rejected as no:
            if no.code not in ("task-unknown", "task-cancelled", "task-completed"):
                raise

    def lags(self) -> None:
        self.lagging = not self.lagging
        self._lag()

    def heal(self) -> None:
        while self.late:
            self.arrives_late()
        self.lagging = False
        self._lag()
        for phone in self.phones:
            for _ in range(5):
                if phone.outbox:
                    phone.heard(phone.push())
            assert not phone.outbox, "the queue does not drain"
        self.check()

    def check(self) -> None:
        for phone in self.phones:
            phone.pull()
            for result in phone.results.values():
                assert result.get("code") != "task_unknown", "an own creation was not known"
            self.check_own_work_is_seen(phone)
        for id, written in self.notes.items():
            there = Counter(note["note_id"] for note in self.office.ask("task", task_id=id)["notes"])
            results = {k: r for phone in self.phones for k, r in phone.results.items()}
            applied = [note for note in written if results[note]["status"] == "applied"]
            assert dict(there) == dict.fromkeys(applied, 1), "a note was lost or doubled"
        for phone in self.phones:
            carried = self.office.ask("task_board", user_id=phone.user_id, limit=200)["items"]
            ours = {task["id"]: (task["status"], task["version"]) for task in carried}
            assert ours == {id: (t["status"], t["version"]) for id, t in phone.tasks().items()}, "views differ"

    def check_own_work_is_seen(self, phone: Phone) -> None:
        assert phone.through == phone._seq, "own work does not become visible"


def test_no_history_of_two_phones_breaks_the_protocol() -> None:
    for seed in range(HISTORIES):
        World(seed).run()


def found_by(complaint: str) -> None:
    """The machine finds a wrong design, and by what is expected of it."""
    for seed in range(PATIENCE):
        try:
            World(seed).run()
        except AssertionError as seen:
            found = str(seen)
            break
    else:
        raise AssertionError(f"not found in {PATIENCE} histories")
    assert complaint in found


def test_a_service_that_takes_work_in_any_order_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_any_order(self: push.Taking) -> Any:
        results = []
        for work in self._push.commands:
            facts = self._ask.outcome(self._name(work), work.sent) or self._carry_out(work)
            results.append(self._read(work, facts))
        return {"results": results, "last_seq": 0}

    monkeypatch.setattr(push.Taking, "take", in_any_order)
    monkeypatch.setattr(World, "check_own_work_is_seen", lambda self, phone: None)  # it counts nothing
    found_by("an own creation was not known")


def test_a_service_that_forgets_what_it_has_done_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: push.Taking, work: FieldWork) -> str:
        names: dict[str, str] = self.__dict__.setdefault("names", {})
        return names.setdefault(work.id, f"{work.id}/{uuid4()}")

    monkeypatch.setattr(push.Taking, "_part", forgetful)
    monkeypatch.setattr(push, "work_id", lambda *_: str(uuid4()))
    monkeypatch.setattr(push.Taking, "_known", push.Taking._settle)
    found_by("another answer to")


def test_a_cursor_over_places_that_are_not_yet_visible_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def raw_position(ask: Any, model: str) -> int:
        head: int = ask._app.journal.store.head()
        return head

    monkeypatch.setattr("services.kernel.application.Ask.followed", raw_position)
    found_by("views differ")


def test_a_feed_that_never_says_what_to_forget_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pull, "_removals", lambda scope, rows: [])
    found_by("views differ")
