"""People of Progresus: let in by the operator only, with a second proof only, and above nobody's account."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from services.identity.domain.permissions import PERMISSIONS, ROLE_PERMISSIONS, governs
from services.identity.domain.staff import OPERATOR, STAFF_ACCOUNT, STAFF_PERMISSIONS, STAFF_ROLES
from services.kernel.commit import PLATFORM, Caller
from tests.examples.identity_service import ANONYMOUS, GOOD, Identity, Person, refused

OPERATING = Caller(tenant=PLATFORM, actor="operator:root", role=OPERATOR)
CARLA = {"email": "carla@progresus.co", "name": "Carla Comercial", "role": "staff:commercial"}


def invite(identity: Identity, **changes: Any) -> dict[str, Any]:
    return identity.app.execute("invite_staff", CARLA | changes, OPERATING)


def hire(identity: Identity, **changes: Any) -> Person:
    """Invited, and in through the mailed link."""
    invite(identity, **changes)
    email = str(changes.get("email", CARLA["email"]))
    made = identity.anonymous("accept_invitation", token=identity.mailed_token(email), name="Carla", password=GOOD)
    return Person(made["user_id"], made["account_id"], email)


def test_the_operator_lets_staff_in_by_mail(identity: Identity) -> None:
    invite(identity)
    (mail,) = identity.app.mails.sent
    assert mail["subject"] == "Progresus S.A.S. te invita a CheckOP"
    made = identity.anonymous(
        "accept_invitation", token=identity.mailed_token("carla@progresus.co"), name="Carla", password=GOOD
    )
    assert made["account_id"] == STAFF_ACCOUNT


def test_staff_can_do_nothing_before_a_second_proof(identity: Identity) -> None:
    carla = hire(identity)
    session = identity.login(carla)
    assert (session["permissions"], session["must_enrol_totp"]) == ([], True)
    secret = identity.by(carla, "enrol_totp", password=GOOD)["secret"]
    identity.by(carla, "confirm_totp", code=pyotp.TOTP(secret).at(identity.app.clock.now()))
    identity.wait(minutes=1)
    assert refused(identity.login, carla).code == "totp-required"
    session = identity.login(carla, totp=pyotp.TOTP(secret).at(identity.app.clock.now()))
    assert frozenset(session["permissions"]) == STAFF_PERMISSIONS["staff:commercial"]
    claims = identity.claims(session["access_token"])
    assert (claims["tid"], claims["role"]) == (STAFF_ACCOUNT, "staff:commercial")
    assert refused(identity.by, carla, "disable_totp", password=GOOD).code == "totp-required-by-policy"


def test_asked_again_before_the_link_was_used_another_link_is_sent(identity: Identity) -> None:
    first = invite(identity)
    identity.wait(hours=1)
    assert invite(identity)["user_id"] == first["user_id"]
    assert len(identity.app.mails.sent) == 2
    identity.anonymous(
        "accept_invitation", token=identity.mailed_token("carla@progresus.co"), name="Carla", password=GOOD
    )
    assert refused(invite, identity).code == "email-taken"


def test_staff_leaves(identity: Identity) -> None:
    carla = hire(identity)
    session = identity.login(carla)
    identity.app.execute("dismiss_staff", {"email": carla.email}, OPERATING)
    assert refused(identity.login, carla).code == "user-inactive"
    assert refused(identity.anonymous, "refresh", refresh_token=session["refresh_token"]).code == "session-revoked"
    invite(identity, email="leo@progresus.co", role="staff:legal")
    identity.app.execute("dismiss_staff", {"email": "leo@progresus.co"}, OPERATING)
    gone = identity.mailed_token("leo@progresus.co")
    refusal = refused(identity.anonymous, "accept_invitation", token=gone, name="Leo", password=GOOD)
    assert refusal.code == "invitation-invalid"
    nobody = refused(identity.app.execute, "dismiss_staff", {"email": "x@progresus.co"}, OPERATING)
    assert nobody.code == "user-unknown"


def test_nobody_but_the_operator_makes_staff(identity: Identity, ana: Person) -> None:
    for caller in (ANONYMOUS, identity.caller(ana)):
        assert refused(identity.app.execute, "invite_staff", CARLA, caller).code == "forbidden"
        assert refused(identity.app.execute, "dismiss_staff", {"email": CARLA["email"]}, caller).code == "forbidden"
    ordinary = {"email": "x@andes.co", "name": "X", "role": "staff:finance"}
    assert refused(identity.by, ana, "invite_user", **ordinary).code == "invalid"
    luz = identity.hire(ana, "luz@andes.co", "viewer")
    assert refused(identity.by, ana, "change_role", user_id=luz.user_id, role="staff:finance").code == "invalid"
    sold = {"email": ana.email}
    assert refused(identity.app.execute, "dismiss_staff", sold, OPERATING).code == "user-unknown"
    assert refused(invite, identity, email=ana.email).code == "email-taken"


def test_no_profile_and_no_role_of_an_account_holds_what_staff_may(identity: Identity, ana: Person) -> None:
    for role in ("owner", "admin", "supervisor", "viewer", "technician"):
        assert not any(name.startswith("ops:") for name in ROLE_PERMISSIONS[role])
    assert not any(name.startswith("ops:") for name in PERMISSIONS)
    wanted = {"profile_id": ana.account_id, "name": "Ops", "permissions": ["ops:billing"]}
    assert refused(identity.by, ana, "define_profile", **wanted).code == "permission-unknown"


@pytest.mark.parametrize("role", STAFF_ROLES)
def test_no_account_governs_staff_and_staff_holds_no_permission_of_an_account(role: Any) -> None:
    assert not governs("owner", role)
    assert governs(OPERATOR, role)
    assert all(permission.startswith("ops:") for permission in ROLE_PERMISSIONS[role])
