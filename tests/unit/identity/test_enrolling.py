"""A phone proves that it has its key, once; whoever took its work in later can tell since when it may not."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from services.identity.domain.device import DeviceEnrolled, DeviceRegistered, EnrolDevice, RevokeDevice, device
from services.kernel.clock import new_id
from services.kernel.testing.given import given
from tests.examples.identity import NOON, PHONE, TEO, ask
from tests.examples.identity_service import ANONYMOUS, Identity, Person, refused

KEY, OTHER_KEY = "A" * 43, "B" * 43
registered = DeviceRegistered(device_id=PHONE, user_id=TEO, label="Pixel", registered_at=NOON)
enrolled = DeviceEnrolled(device_id=PHONE, user_id=TEO, public_key=KEY, enrolled_at=NOON)
enrol = ask(EnrolDevice, device_id=PHONE, user_id=TEO, public_key=KEY)


def test_a_device_has_one_key() -> None:
    given(device).when(enrol).then_rejected("device-unknown")
    given(device, registered).when(enrol).then(enrolled)
    given(device, registered).when(enrol).then_repeating_adds_nothing()
    given(device, registered, enrolled).when(enrol.model_copy(update={"public_key": OTHER_KEY})).then_rejected(
        "device-key-set"
    )
    revoke = ask(RevokeDevice, device_id=PHONE, user_id=TEO)
    (revoked,) = device.decide(revoke, device.replay([registered, enrolled]))
    given(device, registered, enrolled, revoked).when(enrol).then_rejected("device-revoked")


class Phone:
    """An installation with its key."""

    def __init__(self, identity: Identity, person: Person) -> None:
        self.identity, self.person, self.id = identity, person, new_id()
        self._private = Ed25519PrivateKey.generate()
        self.session = identity.login(person, kind="device", device_id=self.id)

    @property
    def public_key(self) -> str:
        return _text(self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        return _text(self._private.sign(text.encode()))

    def enrol(self, key: str | None = None, **changes: Any) -> dict[str, Any]:
        caller = self.identity.caller(self.person, session=self.session["session_id"])
        proof = self.sign(f"checkop-enrol:{self.id}:{self.person.user_id}")
        data = {"device_id": self.id, "public_key": self.public_key, "proof": proof, **changes}
        return self.identity.app.execute("enrol_device", data, caller, key)

    def standing(self) -> dict[str, Any]:
        whose = {"tenant": self.person.account_id, "device_id": self.id, "user_id": self.person.user_id}
        return self.identity.app.query("device_standing", whose, ANONYMOUS)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.fixture
def phone(identity: Identity, ana: Person) -> Phone:
    return Phone(identity, identity.hire(ana, "teo@andes.co"))


def test_the_token_names_the_device_and_its_key_from_then_on(identity: Identity, phone: Phone) -> None:
    assert "did" not in identity.claims(phone.session["access_token"])
    for answer in (phone.enrol("e-1"), phone.enrol("e-1")):
        claims = identity.claims(answer["access_token"])
        assert claims["did"] == phone.id
        assert claims["cnf"]["jwk"] == {"kty": "OKP", "crv": "Ed25519", "x": phone.public_key}
    renewed = identity.anonymous("refresh", refresh_token=phone.session["refresh_token"], ip=None)
    assert identity.claims(renewed["access_token"])["did"] == phone.id


def test_nobody_enrols_a_key_that_is_not_theirs(identity: Identity, ana: Person, phone: Phone) -> None:
    other = Phone(identity, identity.hire(ana, "nubia@andes.co"))
    assert refused(phone.enrol, public_key=other.public_key).code == "proof-invalid"
    assert refused(phone.enrol, proof=other.sign("anything")).code == "proof-invalid"
    assert refused(phone.enrol, public_key="_" * 43).code == "proof-invalid"
    assert refused(phone.enrol, device_id=other.id).code == "device-session-required"
    phone.session = identity.login(phone.person)
    assert refused(phone.enrol).code == "device-session-required"


def test_it_is_known_since_when_a_device_may_not(identity: Identity, ana: Person, phone: Phone) -> None:
    assert phone.standing()["ended"] == "device_unknown"
    phone.enrol()
    assert phone.standing() == {"ended": None, "ended_at": None}
    identity.wait(hours=1)
    identity.by(ana, "deactivate_user", user_id=phone.person.user_id)
    assert phone.standing() == {"ended": "seat_inactive", "ended_at": "2026-11-23T14:00:00.000Z"}
    identity.by(ana, "reactivate_user", user_id=phone.person.user_id)
    assert phone.standing()["ended"] is None
    identity.wait(hours=1)
    identity.by(ana, "revoke_device", device_id=phone.id, user_id=phone.person.user_id)
    assert phone.standing() == {"ended": "device_revoked", "ended_at": "2026-11-23T15:00:00.000Z"}


def test_another_account_learns_nothing_of_a_device(identity: Identity, phone: Phone) -> None:
    stranger = identity.register("eva@otra.co", "Otra")
    whose = {"tenant": phone.person.account_id, "device_id": phone.id, "user_id": phone.person.user_id}
    assert refused(identity.ask, stranger, "device_standing", **whose).code == "forbidden"
