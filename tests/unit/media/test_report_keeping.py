"""Reports as they are kept: made of what tasks and forms really say, anew when that changes, and gone when nobody wants
them."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pypdf
import pytest

from services.kernel import faults
from services.kernel.application import Application
from services.kernel.commit import Caller
from services.kernel.domain import Rejected
from services.media import keeping
from services.media.domain.report import ReportRendered
from services.media.domain.values import Stored
from services.media.reports.following import DOWNLOADS_END, SETTLED_AFTER
from tests.examples.forms import FORM, form, item, text
from tests.examples.forms import TECHNICIAN as FILLED_IN_BY
from tests.examples.media import jpeg, sha_of
from tests.examples.tasks import ADMIN, CUSTOMER, EQUIPMENT, LOCATION, SUPERVISOR, TECHNICIAN, an_id
from tests.unit.forms.account import Account
from tests.unit.media.evidence_room import TENANT, Room
from tests.unit.tasks.office import Office

PHOTO = jpeg(320, 240, seed=5)
SUBMISSION = an_id(77)
VISIT = form(
    item("section", "arrival", items=[text("who")]),
    item("picture", "photo"),
    item("gps", "point"),
)
ANSWERS = {
    "who": "Álvaro Güiza",
    "photo": [{"id": sha_of(PHOTO), "bytes": len(PHOTO), "type": "image/jpeg"}],
    "point": {"lat": 4.5, "lon": -74.1, "accuracy_m": 9},
}


class Town:
    """Tasks, forms and media as they run, in memory; of identity only the names."""

    def __init__(self) -> None:
        self.office, self.account, self.room = Office(TENANT), Account(TENANT), Room()
        self.away = False
        media: Application = self.room.app.application
        media.ports = {**media.ports, "peers": lambda: self}
        self.office.set_up()
        self.account.publish(VISIT)
        where = {"customer_id": CUSTOMER, "location_id": LOCATION, "equipment_id": EQUIPMENT}
        self.task_id = self.office.open(title="Cuarto frío", fields={"serial": "ZX-9"}, user_id=TECHNICIAN, **where)

    def query(self, service: str, query: str, params: Any, *, tenant: str, by: str) -> dict[str, Any]:
        """As a worker asks its peers."""
        if self.away:
            raise OSError("nobody answers")
        if service == "identity":
            named = {FILLED_IN_BY: "Íngrid Muñoz", ADMIN: "Laura Gómez"}
            account = {"name": "Ñandú S.A.S.", "time_zone": "America/Bogota"}
            return account if query == "account" else {"users": named, "teams": {}}
        app = {"tasks": self.office.app, "forms": self.account.app}[service]
        return app.query(query, params, Caller(tenant=tenant, actor=f"system:{by}", role="system"))

    def answer(self) -> None:
        self.account.submit(
            SUBMISSION, form={"id": FORM, "version": 1}, answers=ANSWERS, task_id=self.task_id, place=None
        )
        self.pass_on()

    def pass_on(self) -> None:
        """Everybody hears of everybody, and what is due is done."""
        for listener, speaker in ((self.room, self.office), (self.room, self.account)):
            listener.app.listen_to(speaker.app)
        self.account.app.listen_to(self.room.app)
        self.room.app.listen_to(self.account.app)
        self.room.app.advance(timedelta())

    def ask_for(self, by: str = ADMIN, **changes: Any) -> str:
        wanted = {"kind": "task", "subject_id": self.task_id, **changes}
        made = self.room.app.execute("request_report", wanted, self.office.caller(by))
        self.room.app.advance(timedelta())
        return str(made["id"])

    def show(self, report_id: str) -> dict[str, Any]:
        return self.room.app.query("report", {"report_id": report_id}, self.office.caller(ADMIN))

    def ticket(self, report_id: str, by: str = ADMIN) -> dict[str, Any]:
        return self.room.app.query("report_file", {"report_id": report_id}, self.office.caller(by))

    def words(self, report_id: str) -> str:
        ticket = self.ticket(report_id)
        stored = Stored(object=ticket["object"], bytes=ticket["bytes"])
        data = b"".join(keeping.read(self.room.store, ticket["bucket"], stored, ticket["key"]))
        return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages)

    def settle(self) -> None:
        self.room.app.advance(SETTLED_AFTER + timedelta(seconds=1))


@pytest.fixture
def town() -> Town:
    return Town()


def test_it_tells_what_the_others_say_and_follows_what_changes(town: Town) -> None:
    town.answer()
    report_id = town.ask_for()
    text = town.words(report_id)
    for said in (
        "Ñandú S.A.S.",
        "Cuarto frío",
        "Laura Gómez",
        "Íngrid Muñoz",
        "Álvaro Güiza",
        "ZX-9",
        "Panadería La Espiga Ñuñoa S.A.S.",
        "0 de 1 archivo",
    ):
        assert said in text, said
    first = town.ticket(report_id)["object"]

    town.settle()
    assert town.show(report_id)["edition"] == 1, "nothing has changed"

    town.room.upload(PHOTO)
    town.office.do("edit_task", task_id=town.task_id, title="Cuarto frío dos")
    town.pass_on()
    assert town.show(report_id)["edition"] == 1, "changes come in company"
    town.settle()
    assert town.show(report_id)["edition"] == 2
    text = town.words(report_id)
    assert "Cuarto frío dos" in text
    assert "1 de 1 archivo" in text

    assert first in town.room.kept, "somebody may be reading it"
    town.room.app.advance(DOWNLOADS_END)
    assert first not in town.room.kept
    assert town.ticket(report_id)["object"] in town.room.kept


def test_while_somebody_is_away_it_waits(town: Town) -> None:
    town.away = True
    with pytest.raises(OSError, match="nobody answers"):
        town.ask_for()
    report_id = town.ask_for()
    assert town.show(report_id)["status"] == "requested"
    with pytest.raises(Rejected, match="report-not-ready"):
        town.ticket(report_id)


def test_about_nothing_it_fails_and_may_be_asked_for_again(town: Town) -> None:
    report_id = town.ask_for(subject_id=an_id(99))
    shown = town.show(report_id)
    assert (shown["status"], shown["failed"]) == ("failed", "report-subject-gone")
    with pytest.raises(Rejected, match="report-failed"):
        town.ticket(report_id)
    town.away = True
    with pytest.raises(OSError, match="nobody answers"):
        town.ask_for(subject_id=an_id(99))
    assert town.show(report_id)["failed"] is None


def test_it_is_one_for_all_who_ask_and_theirs_only(town: Town) -> None:
    report_id = town.ask_for()
    with pytest.raises(Rejected, match="report-unknown"):
        town.ticket(report_id, SUPERVISOR)
    with pytest.raises(Rejected, match="forbidden"):
        town.ask_for(TECHNICIAN)
    assert town.ask_for(SUPERVISOR) == report_id
    assert town.ticket(report_id, SUPERVISOR) == town.ticket(report_id)
    assert town.show(report_id)["edition"] == 1
    assert "readers" not in town.show(report_id)


def test_deleted_it_goes_with_its_object_and_its_readers(town: Town) -> None:
    before = town.room.kept
    report_id = town.ask_for()
    assert len(town.room.kept) == len(before) + 1
    town.room.app.execute("delete_report", {"report_id": report_id}, town.office.caller(ADMIN))
    town.room.app.advance(timedelta())
    assert town.room.kept == before
    with pytest.raises(Rejected, match="report-unknown"):
        town.ticket(report_id)


def test_with_the_key_of_the_account_it_cannot_be_opened_any_more(town: Town) -> None:
    report_id = town.ask_for()
    town.room.app.keyring.destroy_tenant(TENANT)
    with pytest.raises(Rejected, match="erased"):
        town.ticket(report_id)


def test_nothing_that_stands_on_it_is_said_in_the_open(town: Town) -> None:
    town.ask_for()
    (fact,) = [fact for fact in town.room.app.facts() if isinstance(fact.event, ReportRendered)]
    commit = next(c for c in town.room.app.store.after(0, 10_000) if c.events[0].type == "ReportRendered")
    assert "key" not in commit.events[0].data
    assert "Cuarto" not in repr(commit.events[0].data)
    assert fact.event.edition == 1


def test_an_edition_whose_maker_died_leaves_nothing_and_is_made_again(town: Town) -> None:
    def die() -> None:
        raise OSError("killed")

    before = set(town.room.kept)
    faults.arm("report.after_edition_before_event", die)
    try:
        with pytest.raises(OSError, match="killed"):
            town.ask_for()
    finally:
        faults.disarm()
    (left,) = set(town.room.kept) - before
    report_id = town.ask_for(SUPERVISOR)
    assert town.show(report_id)["edition"] == 1
    town.room.app.advance(timedelta(hours=2))
    town.room.sweep()
    assert left not in town.room.kept
    assert town.ticket(report_id)["object"] in town.room.kept
