"""Whoever is logged in proves anew who they are: the password again, the second factor too, and no guessing."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from tests.examples.identity_service import GOOD, Identity, Person, refused


@pytest.fixture
def begun(identity: Identity, ana: Person) -> dict[str, Any]:
    """Ana has logged in."""
    return identity.login(ana)


def prove(identity: Identity, ana: Person, session: str, key: str | None = None, **typed: Any) -> dict[str, Any]:
    """She types it once more."""
    caller = identity.caller(ana, session=session)
    return identity.app.execute("prove_session", {"password": GOOD, **typed}, caller, key)


def when_proven(identity: Identity, answer: dict[str, Any]) -> float:
    """What the access token says about it, in seconds since now."""
    proven: float = identity.claims(answer["access_token"])["auth_time"] - identity.app.clock.now().timestamp()
    return proven


def test_the_access_token_says_when_the_password_was_typed(
    identity: Identity, ana: Person, begun: dict[str, Any]
) -> None:
    assert when_proven(identity, begun) == 0
    identity.wait(minutes=11)
    renewed = identity.anonymous("refresh", refresh_token=begun["refresh_token"], ip=None)
    assert when_proven(identity, renewed) == -660
    proven = prove(identity, ana, begun["session_id"])
    assert when_proven(identity, proven) == 0
    assert proven["refresh_token"] == renewed["refresh_token"]
    identity.wait(minutes=1)
    again = identity.anonymous("refresh", refresh_token=proven["refresh_token"], ip=None)
    assert when_proven(identity, again) == -60


def test_a_repeated_proof_is_as_old_as_the_first(identity: Identity, ana: Person, begun: dict[str, Any]) -> None:
    identity.wait(minutes=1)
    prove(identity, ana, begun["session_id"], "p-1")
    identity.wait(minutes=20)
    assert when_proven(identity, prove(identity, ana, begun["session_id"], "p-1")) == -1200
    other = refused(prove, identity, ana, begun["session_id"], "p-1", password="another one 42")
    assert other.code == "idempotency-key-reused"


def test_guessing_is_refused_and_slowed(identity: Identity, ana: Person, begun: dict[str, Any]) -> None:
    session = begun["session_id"]
    codes = []
    for n in range(5):
        codes.append(refused(prove, identity, ana, session, password=f"a wrong guess {n}").code)
        identity.wait(milliseconds=5)
    assert codes == ["credentials-invalid"] * 3 + ["login-delayed"] * 2
    assert refused(prove, identity, ana, session).code == "login-delayed"


def test_with_a_second_factor_the_password_alone_proves_nothing(
    identity: Identity, ana: Person, begun: dict[str, Any]
) -> None:
    session = begun["session_id"]
    secret = identity.by(ana, "enrol_totp", password=GOOD)["secret"]
    code = pyotp.TOTP(secret)
    confirmed = identity.by(ana, "confirm_totp", code=code.at(identity.app.clock.now()))
    identity.wait(minutes=1)
    assert refused(prove, identity, ana, session).code == "totp-required"
    assert refused(prove, identity, ana, session, totp="000000").code == "totp-invalid"
    shown = code.at(identity.app.clock.now())
    assert when_proven(identity, prove(identity, ana, session, totp=shown)) == 0
    assert refused(prove, identity, ana, session, totp=shown).code == "totp-invalid"
    spare = confirmed["recovery_codes"][0]
    prove(identity, ana, session, recovery_code=spare)
    assert refused(prove, identity, ana, session, recovery_code=spare).code in ("recovery-code-invalid", "totp-invalid")


def test_nobody_proves_a_session_that_is_not_theirs(identity: Identity, ana: Person, begun: dict[str, Any]) -> None:
    teo = identity.hire(ana, "teo@andes.co")
    assert refused(prove, identity, teo, begun["session_id"]).code == "session-unknown"
    identity.app.execute("logout", {}, identity.caller(ana, session=begun["session_id"]), "out")
    assert refused(prove, identity, ana, begun["session_id"]).code == "session-revoked"
