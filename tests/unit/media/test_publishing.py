"""Links at work in the service: what they open, for how long, and what becomes of them when things end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.identity.domain.permissions import ROLE_PERMISSIONS
from services.kernel.commit import PLATFORM, Caller, Recorded
from services.kernel.domain import Rejected
from services.kernel.testing.app import MemoryApp, memory_app
from services.media.domain.link_door import MakeLinkDoor, link_door
from services.media.domain.medium import StoreMedia, WithdrawMedia, medium
from services.media.domain.values import Rendition, Stored, hex_of
from services.media.incoming import DIRECTORY
from services.media.links.publishing import digest_of
from services.media.readmodels.crews import Crews
from services.media.wiring import define
from tests.examples.forms import an_id, sha

TENANT, NEIGHBOUR = an_id(901), an_id(902)
LINK, TECHNICIAN = an_id(1), an_id(2)
PHOTO = {"kind": "media", "id": sha("a")}


class Forms:
    """Says that no answers name an item."""

    def query(self, service: str, query: str, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        """See `Peers.query`."""
        assert (service, query) == ("forms", "media_use")
        return {"used": False}


class House:
    """The service in memory with one stored photo and one document."""

    def __init__(self) -> None:
        self.app: MemoryApp = memory_app(define(), ports={"peers": Forms, "objects": lambda: None})
        self.store(
            sha("a"), "image/jpeg", Rendition(name="screen", object="t/s", type="image/jpeg", bytes=9, sha256="b" * 64)
        )
        self.store(sha("c"), "application/pdf")

    def store(self, media_id: str, type: str, *renditions: Rendition) -> None:
        """Let an item be stored."""
        original = Stored(object=f"t/{media_id[-4:]}", bytes=10)
        keys = dict.fromkeys((original.object, *(one.object for one in renditions)), "k" * 43)
        fields = {"bytes": 10, "type": type, "original": original, "renditions": renditions, "keys": keys}
        self.change(media_id, StoreMedia, uploaded_by=TECHNICIAN, name="Casa de Marta.jpg", **fields)

    def change(self, media_id: str, command: Any, **fields: Any) -> None:
        """Something happens to an item."""
        system = Caller(tenant=TENANT, actor="system:test", role="system", correlation_id="test")
        made = command(media_id=media_id, at=self.app.clock.now(), by="system:test", **fields)
        commit_id = f"{command.__name__}:{media_id}"
        self.app.application.journal.handle(medium, hex_of(media_id), made, commit_id=commit_id, caller=system)
        self.app.follow()

    def stands(self, state: str) -> None:
        """Billing's word about the account."""
        fact = Recorded(
            service="identity", position=1, index=0, stream="s", category="account", version=1, tenant=TENANT,
            actor="x", at=self.app.clock.now(), type="AccountStateChanged", v=1, data={"state": state},
            event=DIRECTORY["AccountStateChanged"].model_validate({"state": state}),
        )  # fmt: skip
        self.app.reads.fold(Crews(), fact)

    def link(self, target: dict[str, str] = PHOTO, link_id: str = LINK, **more: Any) -> str:
        """The secret of a new link."""
        made = self.do("create_public_link", link_id=link_id, target=target, **more)
        return str(made["token"])

    def do(self, command: str, role: str = "admin", tenant: str = TENANT, **data: Any) -> dict[str, Any]:
        """Somebody of this role asks."""
        return self.app.execute(command, data, self.caller(role, tenant))

    def caller(self, role: str, tenant: str = TENANT) -> Caller:
        """Somebody of this role."""
        permissions = ROLE_PERMISSIONS.get(role, frozenset())
        return Caller(tenant=tenant, actor=an_id(7), role=role, permissions=permissions, correlation_id="test")

    def open(self, token: str) -> dict[str, Any]:
        """A stranger comes through the gateway."""
        nobody = Caller(tenant="anonymous", actor="system:gateway", role="", correlation_id="test")
        return self.app.query("opened_link", {"token": token}, nobody)


@pytest.fixture
def house() -> House:
    return House()


def refused(attempt: Any) -> str:
    with pytest.raises(Rejected) as no:
        attempt()
    return f"{no.value.code}:{no.value.details.get('why', '')}".rstrip(":")


def test_a_link_opens_what_was_drawn_anew_under_a_name_that_tells_nothing(house: House) -> None:
    ticket = house.open(house.link())
    assert (ticket["object"], ticket["bytes"], ticket["file_name"]) == ("t/s", 9, "evidence.jpg")
    assert (ticket["link_id"], ticket["account_id"]) == (LINK, TENANT)
    document = house.open(house.link({"kind": "media", "id": sha("c")}, an_id(3)))
    assert (document["object"], document["file_name"]) == (f"t/{sha('c')[-4:]}", "evidence.pdf")


def test_a_photo_that_was_not_drawn_anew_stays_inside(house: House) -> None:
    house.store(sha("d"), "image/png")
    assert refused(lambda: house.link({"kind": "media", "id": sha("d")})) == "rendition-unknown"


def test_the_secret_is_kept_nowhere(house: House) -> None:
    token = house.link()
    log = "".join(str(commit) for commit in house.app.store.after(0, 2**31))
    assert token not in log
    assert token not in str([*house.app.reads.of(TENANT)["public_links"].find({})])


def test_a_repeated_request_tells_the_same_secret(house: House) -> None:
    caller = house.caller("admin")
    asked = {"link_id": LINK, "target": PHOTO}
    first, second = (house.app.execute("create_public_link", asked, caller, "one")["token"] for _ in range(2))
    assert first == second
    assert len([fact for fact in house.app.facts() if fact.type == "PublicLinkCreated"]) == 1


def test_a_door_whose_link_was_never_made_shows_nothing(house: House) -> None:
    # What a crash between the two leaves behind.
    token, system = "t" * 43, house.caller("system")
    door = {"digest": digest_of(token), "account_id": TENANT, "link_id": an_id(5)}
    made = MakeLinkDoor(at=house.app.clock.now(), by="system:test", **door)
    journal = house.app.application.journal
    journal.handle(link_door, door["digest"], made, commit_id="door", caller=system, tenant=PLATFORM)
    assert refused(lambda: house.open(token)) == "link-ended:expired"
    assert refused(lambda: house.open(token + "t")) == "link-unknown"


@pytest.mark.parametrize("days", [1, 30])
def test_a_link_ends_by_itself(house: House, days: int) -> None:
    token = house.link(days=days)
    house.app.advance(timedelta(days=days) - timedelta(seconds=1))
    house.open(token)
    house.app.advance(timedelta(seconds=1))
    assert refused(lambda: house.open(token)) == "link-ended:expired"


def test_the_account_settles_how_long(house: House) -> None:
    house.do("set_evidence_settings", link_days=2)
    token = house.link()
    house.app.advance(timedelta(days=2))
    assert refused(lambda: house.open(token)) == "link-ended:expired"


def test_a_revoked_link_is_dead(house: House) -> None:
    token = house.link()
    house.do("revoke_public_link", link_id=LINK, reason="Wrong person")
    assert refused(lambda: house.open(token)) == "link-ended:revoked"


def test_a_link_ends_with_its_evidence_and_with_the_key_of_the_account(house: House) -> None:
    token, other = house.link(), house.link({"kind": "media", "id": sha("c")}, an_id(3))
    house.change(sha("a"), WithdrawMedia)
    assert refused(lambda: house.open(token)) == "link-ended:gone"
    house.app.keyring.destroy_tenant(TENANT)
    assert refused(lambda: house.open(other)) == "link-ended:gone"


def test_a_link_ends_with_the_account(house: House) -> None:
    token = house.link()
    house.stands("suspended")
    house.open(token)
    house.stands("cancelled")
    assert refused(lambda: house.open(token)) == "link-ended:account"


def test_nobody_shows_what_he_may_not_see(house: House) -> None:
    assert refused(lambda: house.do("create_public_link", "viewer", link_id=LINK, target=PHOTO)) == "forbidden"
    assert refused(lambda: house.do("create_public_link", "supervisor", link_id=LINK, target=PHOTO)) == "medium-unknown"
    strange = lambda: house.do("create_public_link", tenant=NEIGHBOUR, link_id=LINK, target=PHOTO)  # noqa: E731
    assert refused(strange) == "medium-unknown"
    report = {"kind": "report", "id": an_id(9)}
    assert refused(lambda: house.do("create_public_link", link_id=LINK, target=report)) == "report-unknown"


def test_views_are_the_gateways_to_note(house: House) -> None:
    house.link()
    seen = {"link_id": LINK, "address": "203.0.113.9", "agent": "Reader/1.0"}
    assert refused(lambda: house.do("note_link_view", **seen)) == "forbidden"
    for view in ("one", "two", "one"):
        house.app.execute("note_link_view", seen, house.caller("system"), view)
    shown = house.app.query("public_link", {"link_id": LINK}, house.caller("viewer"))
    assert (shown["views"], len(shown["seen"])) == (2, 2)


def test_links_are_listed_by_what_they_are(house: House) -> None:
    house.link()
    house.link({"kind": "media", "id": sha("c")}, an_id(3), days=1)
    house.app.advance(timedelta(days=1))

    def listed(**params: Any) -> list[str]:
        page = house.app.query("public_links", params, house.caller("viewer"))
        return [f"{item['id'][-2:]} {item['status']}" for item in page["items"]]

    assert sorted(listed()) == ["01 open", "03 expired"]
    assert listed(status="ended") == ["03 expired"]
    assert listed(status="open") == ["01 open"]
    assert listed(target_id=sha("a")) == ["01 open"]


def test_a_logo_is_a_picture_that_is_stored(house: House) -> None:
    house.do("set_evidence_settings", logo=sha("a"))
    for other in (sha("c"), sha("f")):
        assert refused(lambda other=other: house.do("set_evidence_settings", logo=other)) == "medium-unknown"
    shown = house.app.query("evidence_settings", {}, house.caller("owner"))
    assert shown == {"logo": sha("a"), "language": "es", "link_days": 30, "footer": ""}
