"""Logging in: what proves a person, what strangers learn from a refusal, and what the tokens say."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher

from services.identity import passwords
from services.identity.domain import permissions
from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from tests.examples.identity_service import ANONYMOUS, BETTER, GOOD, OFFICE_IP, Identity, Person, refused


def _dies(_: str) -> str:
    raise ConnectionError


def test_the_owner_logs_in_with_what_was_registered(identity: Identity, ana: Person) -> None:
    answer = identity.login(ana)
    claims = identity.claims(answer["access_token"])
    assert (claims["sub"], claims["tid"], claims["sid"]) == (ana.user_id, ana.account_id, answer["session_id"])
    assert claims["role"] == "owner"
    assert frozenset(claims["perms"]) == permissions.ROLE_PERMISSIONS["owner"]
    assert claims["exp"] - claims["iat"] == 300 == answer["expires_in"]
    assert claims["epoch"] == 0


def test_registering_twice_with_one_request_makes_one_account(identity: Identity) -> None:
    typed = {"name": "Andes", "owner_name": "Ana", "email": "ana@andes.co", "password": GOOD}
    first = identity.anonymous("register_account", "r-1", **typed)
    assert identity.anonymous("register_account", "r-1", **typed) == first
    assert identity.types().count("AccountRegistered") == 1
    assert refused(identity.anonymous, "register_account", "r-2", **typed).code == "email-taken"


def test_a_half_made_registration_is_finished_by_its_repeat(
    identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = {"name": "Andes", "owner_name": "Ana", "email": "ana@andes.co", "password": GOOD}

    with monkeypatch.context() as broken:
        broken.setattr(passwords, "hash_of", _dies)
        with pytest.raises(ConnectionError):
            identity.anonymous("register_account", "r-1", **typed)
    assert identity.types() == ["LoginNameClaimed", "AccountRegistered"]
    identity.anonymous("register_account", "r-1", **typed)
    assert identity.types().count("AccountRegistered") == identity.types().count("UserRegistered") == 1


def test_an_address_claimed_in_vain_is_free_an_hour_later(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(passwords, "hash_of", _dies)
        with pytest.raises(ConnectionError):
            identity.register()
    assert refused(identity.register).code == "email-taken"
    identity.wait(hours=2)
    identity.login(identity.register())


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({"email": "nobody@andes.co"}, "credentials-invalid"),
        ({"password": "wrong"}, "credentials-invalid"),
        ({"password": ""}, "credentials-invalid"),
        ({"email": " ANA@Andes.co "}, None),
        ({"email": "no address"}, "invalid"),
        ({"password": "x" * 2000}, "invalid"),
        ({"device_id": "not-an-id"}, "invalid"),
        ({"surprise": 1}, "invalid"),
    ],
)
def test_what_is_typed_wrong(identity: Identity, ana: Person, typed: dict[str, Any], code: str | None) -> None:
    if code is None:
        assert identity.login(ana, **typed)["user_id"] == ana.user_id
    else:
        assert refused(identity.login, ana, **typed).code == code


def test_a_stranger_learns_nothing_of_who_exists(identity: Identity, ana: Person) -> None:
    """Known and unknown addresses answer alike, attempt for attempt, up to and through the delay."""
    answers: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for email in ("ana@andes.co", "nobody@andes.co"):
        for _ in range(6):
            refusal = refused(identity.login, ana, email=email, password="wrong")
            answers.setdefault(email, []).append((refusal.code, refusal.details))
            identity.wait(milliseconds=10)
    known, unknown = answers.values()
    assert known == unknown
    assert [code for code, _ in known] == ["credentials-invalid"] * 3 + ["login-delayed"] * 3


def test_the_hashing_is_done_for_nobody_too(identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    verify = passwords._verify

    def counting(stored: str, password: str) -> bool:
        hashed.append(stored)
        return verify(stored, password)

    monkeypatch.setattr(passwords, "_verify", counting)
    refused(identity.login, ana, email="nobody@andes.co")
    invited = identity.by(ana, "invite_user", email="teo@andes.co", name="Teo", role="viewer")
    refused(identity.login, Person(invited["user_id"], ana.account_id, "teo@andes.co"))
    assert len(hashed) == 2


def test_without_a_password_no_password_is_right(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    invited = identity.by(ana, "invite_user", email="teo@andes.co", name="Teo", role="viewer")
    monkeypatch.setattr(passwords, "_verify", lambda stored, password: True)
    refusal = refused(identity.login, Person(invited["user_id"], ana.account_id, "teo@andes.co"))
    assert refusal.code == "credentials-invalid"


def test_guessing_is_delayed_and_forgiven(identity: Identity, ana: Person) -> None:
    for _ in range(3):
        refused(identity.login, ana, password="wrong")
        identity.wait(milliseconds=1)
    assert refused(identity.login, ana).details == {"retry_after": 1}
    identity.wait(seconds=2)
    identity.login(ana)
    refused(identity.login, ana, password="wrong")
    identity.login(ana)
    assert identity.types().count("LoginRefused") == 4


def test_a_stranger_cannot_keep_the_owner_out_of_a_known_device(identity: Identity, ana: Person) -> None:
    phone = new_id()
    identity.login(ana, device_id=phone, kind="device")
    for _ in range(30):
        refused(identity.login, ana, password="wrong")
        identity.wait(milliseconds=1)
    assert refused(identity.login, ana).code == "login-delayed"
    identity.login(ana, device_id=phone, kind="device")


def test_a_deactivated_person_is_told_so_only_with_the_right_password(identity: Identity, ana: Person) -> None:
    teo = identity.hire(ana, "teo@andes.co")
    identity.by(ana, "deactivate_user", user_id=teo.user_id)
    assert refused(identity.login, teo, password="wrong").code == "credentials-invalid"
    assert refused(identity.login, teo).code == "user-inactive"
    identity.by(ana, "reactivate_user", user_id=teo.user_id)
    identity.login(teo)


def test_policies_bind_the_log_in(identity: Identity, ana: Person) -> None:
    office = ["190.24.1.0/24"]
    elsewhere = refused(identity.by, ana, "set_policies", ip_allow_list=office, ip="8.8.8.8")
    assert elsewhere.code == "ip-list-excludes-you"
    identity.by(ana, "set_policies", ip_allow_list=office, password_max_age_days=30, ip=OFFICE_IP)
    session = identity.login(ana)
    assert refused(identity.login, ana, ip="8.8.8.8").code == "ip-not-allowed"
    away = refused(identity.anonymous, "refresh", refresh_token=session["refresh_token"], ip="8.8.8.8")
    assert away.code == "ip-not-allowed"
    identity.wait(days=31)
    assert refused(identity.login, ana).code == "password-expired"


def test_the_caller_cannot_claim_another_address_than_the_gateway_saw(identity: Identity, ana: Person) -> None:
    forged = refused(identity.by, ana, "set_policies", ip_allow_list=["10.0.0.0/8"], ip="8.8.8.8", caller_ip="10.0.0.1")
    assert forged.code == "ip-list-excludes-you"


def enrol(identity: Identity, person: Person) -> tuple[str, list[str]]:
    """Give the person an authenticator; answers its secret and the recovery codes."""
    shown = identity.by(person, "enrol_totp", password=person.password)
    assert shown["otpauth_uri"].startswith("otpauth://totp/CheckOP:")
    confirmed = identity.by(person, "confirm_totp", "confirm-1", code=code_of(identity, shown["secret"]))
    return shown["secret"], confirmed["recovery_codes"]


def code_of(identity: Identity, secret: str) -> str:
    """What the authenticator shows now."""
    return pyotp.TOTP(secret).at(identity.app.clock.now())


def test_with_an_authenticator_a_code_is_asked_for_and_works_once(identity: Identity, ana: Person) -> None:
    secret, codes = enrol(identity, ana)
    assert len(set(codes)) == 10
    assert refused(identity.login, ana).code == "totp-required"
    assert refused(identity.login, ana, totp="000000").code == "totp-invalid"
    assert refused(identity.login, ana, totp=code_of(identity, secret)).code == "totp-invalid"  # confirmed with it
    identity.wait(seconds=30)
    code = code_of(identity, secret)
    identity.login(ana, totp=code)
    identity.wait(milliseconds=5)
    assert refused(identity.login, ana, totp=code).code == "totp-invalid"
    identity.wait(minutes=2)
    assert refused(identity.login, ana, totp=code).code in {"totp-invalid", "login-delayed"}


def test_a_log_in_with_a_code_is_repeated_when_its_answer_was_lost(identity: Identity, ana: Person) -> None:
    secret, codes = enrol(identity, ana)
    identity.wait(seconds=30)
    for proof in ({"totp": code_of(identity, secret)}, {"recovery_code": codes[0]}):
        typed = {"email": ana.email, "password": GOOD, "ip": OFFICE_IP} | proof
        request = new_id()
        first = identity.anonymous("login", request, **typed)
        assert identity.anonymous("login", request, **typed)["session_id"] == first["session_id"]


def test_a_recovery_code_stands_in_once(identity: Identity, ana: Person) -> None:
    _, codes = enrol(identity, ana)
    identity.login(ana, recovery_code=codes[3].lower().replace("-", " "))
    assert refused(identity.login, ana, recovery_code=codes[3]).code == "totp-invalid"
    assert identity.ask(ana, "me")["recovery_codes_left"] == 9


def test_recovery_codes_are_told_again_to_the_same_request_only(identity: Identity, ana: Person) -> None:
    shown = identity.by(ana, "enrol_totp", password=GOOD)
    code = code_of(identity, shown["secret"])
    first = identity.by(ana, "confirm_totp", "c-1", code=code)
    identity.wait(minutes=5)
    assert identity.by(ana, "confirm_totp", "c-1", code=code)["recovery_codes"] == first["recovery_codes"]
    assert refused(identity.by, ana, "confirm_totp", "c-2", code=code).code == "totp-invalid"


def test_the_second_proof_needs_the_password_anew(identity: Identity, ana: Person) -> None:
    assert refused(identity.by, ana, "enrol_totp", password="wrong").code == "credentials-invalid"
    enrol(identity, ana)
    assert refused(identity.by, ana, "disable_totp", password="wrong").code == "credentials-invalid"
    identity.by(ana, "disable_totp", password=GOOD)
    identity.login(ana)


def test_where_policy_demands_a_second_proof_nothing_else_goes_before_it(identity: Identity, ana: Person) -> None:
    identity.by(ana, "set_policies", required_mfa_roles=["owner"], ip=OFFICE_IP)
    answer = identity.login(ana)
    assert answer["must_enrol_totp"]
    assert answer["permissions"] == []
    enrol(identity, ana)
    fresh = identity.anonymous("refresh", refresh_token=answer["refresh_token"], ip=OFFICE_IP)
    assert not fresh["must_enrol_totp"]
    assert "users:edit" in fresh["permissions"]
    refusal = refused(identity.by, ana, "disable_totp", password=GOOD)
    assert refusal.code == "totp-required-by-policy"


def test_a_repeated_log_in_is_one_session_and_still_needs_the_password(identity: Identity, ana: Person) -> None:
    typed = {"email": ana.email, "password": GOOD, "ip": OFFICE_IP}
    first = identity.anonymous("login", "l-1", **typed)
    again = identity.anonymous("login", "l-1", **typed)
    assert (first["session_id"], first["refresh_token"]) == (again["session_id"], again["refresh_token"])
    with pytest.raises(Rejected):
        identity.anonymous("login", "l-1", **typed | {"password": BETTER})


def test_a_password_hashed_of_old_is_hashed_anew(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    identity.login(ana)
    identity.login(ana)
    assert identity.types().count("PasswordRehashed") == 1


def test_no_secret_is_in_any_message_or_open_field(identity: Identity, ana: Person) -> None:
    identity.by(ana, "invite_user", email="teo@andes.co", name="Teo Paz", role="technician")
    identity.login(ana)
    enrol(identity, ana)
    words = ["ana@andes.co", "teo@andes.co", "Teo Paz", "Ana Ruiz", "Andes Service", "$argon2", OFFICE_IP]
    open_fields = repr([fact.data for fact in identity.app.facts()])
    assert not [word for word in words if word in open_fields]
    assert identity.app.query("signing_keys", {}, ANONYMOUS)["keys"][0].keys() == {
        "kty",
        "crv",
        "x",
        "kid",
        "alg",
        "use",
    }
