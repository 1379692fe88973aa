"""People are invited, promoted, sent away; their sessions and tokens follow; the history tells it all."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from services.identity.domain import permissions
from services.kernel.clock import new_id
from services.kernel.commit import Caller, Commit
from tests.examples.identity_service import ANONYMOUS, BETTER, GOOD, OFFICE_IP, Identity, Person, refused


def refresh(identity: Identity, session: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Exchange the session's token."""
    return identity.anonymous("refresh", refresh_token=session["refresh_token"], **more)


def active(identity: Identity, person: Person, session: dict[str, Any]) -> bool:
    """What the gateway is told of this session."""
    asked = {"sessions": [{"tenant": person.account_id, "session_id": session["session_id"]}]}
    answer = identity.app.query("session_status", asked, ANONYMOUS)
    return bool(answer["sessions"][session["session_id"]]["active"])


def test_the_mailed_link_brings_a_technician_in(identity: Identity, ana: Person) -> None:
    identity.by(ana, "invite_user", email="Teo@Andes.co", name="Teo Paz", role="technician", language="en")
    (mail,) = identity.app.mails.sent
    assert mail["to"] == "teo@andes.co"
    assert mail["subject"] == "Andes Service invites you to CheckOP"
    assert "https://app.checkop.co/invitation?token=inv." in mail["text"]
    token = identity.mailed_token("teo@andes.co")
    shown = identity.app.query("invitation", {"token": token}, ANONYMOUS)
    assert (shown["account_name"], shown["email"], shown["role"]) == ("Andes Service", "teo@andes.co", "technician")
    made = identity.anonymous("accept_invitation", "a-1", token=token, name="Teo", password=GOOD)
    again = identity.anonymous("accept_invitation", "a-1", token=token, name="Teo", password=GOOD)
    assert made == again
    teo = Person(made["user_id"], made["account_id"], "teo@andes.co")
    assert frozenset(identity.login(teo)["permissions"]) == permissions.ROLE_PERMISSIONS["technician"]
    used = refused(identity.anonymous, "accept_invitation", token=token, name="X", password=BETTER)
    assert used.code == "invitation-invalid"
    assert refused(identity.app.query, "invitation", {"token": token}, ANONYMOUS).code == "invitation-invalid"


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.replace("inv.", "rst.", 1),
        lambda token: token.replace(".1.", ".2.", 1),
        lambda token: ".".join(token.split(".")[:4]),
        lambda token: "",
        lambda token: "inv.ñ.ñ.1.ñ",
    ],
)
def test_a_link_cannot_be_made_up(identity: Identity, ana: Person, change: Any) -> None:
    identity.by(ana, "invite_user", email="teo@andes.co", name="Teo Paz", role="technician")
    forged = change(identity.mailed_token("teo@andes.co"))
    refusal = refused(identity.anonymous, "accept_invitation", token=forged, name="X", password=GOOD)
    assert refusal.code == "invitation-invalid"


def test_an_unused_invitation_expires_and_frees_the_address(identity: Identity, ana: Person) -> None:
    invited = identity.by(ana, "invite_user", email="teo@andes.co", name="Teo Paz", role="technician")
    token = identity.mailed_token("teo@andes.co")
    identity.wait(hours=73)
    late = refused(identity.anonymous, "accept_invitation", token=token, name="X", password=GOOD)
    assert late.code == "invitation-expired"
    identity.by(ana, "resend_invitation", user_id=invited["user_id"])
    identity.anonymous("accept_invitation", token=identity.mailed_token("teo@andes.co"), name="Teo", password=GOOD)


def test_an_address_belongs_to_one_person_on_the_whole_platform(identity: Identity, ana: Person) -> None:
    sol = identity.register("sol@costa.co", "Costa")
    taken = {"email": "ana@andes.co", "name": "Ana", "role": "viewer"}
    assert refused(identity.by, sol, "invite_user", **taken).code == "email-taken"
    invited = identity.by(sol, "invite_user", email="teo@x.co", name="Teo", role="viewer")
    assert refused(identity.by, ana, "invite_user", email="teo@x.co", name="Teo", role="viewer").code == "email-taken"
    identity.by(sol, "withdraw_invitation", user_id=invited["user_id"])
    identity.hire(ana, "teo@x.co")


def test_the_last_owner_stays(identity: Identity, ana: Person) -> None:
    luz = identity.hire(ana, "luz@andes.co", "owner", "Luz")
    identity.by(luz, "change_role", user_id=ana.user_id, role="admin")
    assert refused(identity.by, ana, "deactivate_user", user_id=luz.user_id).code == "role-above-own"
    assert refused(identity.by, luz, "change_role", user_id=luz.user_id, role="admin").code == "own-role"
    system = Caller(tenant=ana.account_id, actor=ana.user_id, role="owner")
    data = {"user_id": luz.user_id}
    assert refused(identity.app.execute, "deactivate_user", data, system).code == "last-owner"
    identity.by(luz, "change_role", user_id=ana.user_id, role="owner")
    identity.by(ana, "deactivate_user", user_id=luz.user_id)
    assert identity.ask(ana, "account")["owners"] == [ana.user_id]


def test_two_owners_who_send_each_other_away_leave_one(identity: Identity, ana: Person) -> None:
    luz = identity.hire(ana, "luz@andes.co", "owner", "Luz")
    as_ana, as_luz = identity.caller(ana), identity.caller(luz)
    identity.app.execute("deactivate_user", {"user_id": luz.user_id}, as_ana)
    too_late = refused(identity.app.execute, "deactivate_user", {"user_id": ana.user_id}, as_luz)
    assert too_late.code == "last-owner"


def test_deactivation_ends_sessions_at_once(identity: Identity, ana: Person) -> None:
    teo = identity.hire(ana, "teo@andes.co")
    sessions = [identity.login(teo), identity.login(teo, kind="device", device_id=new_id())]
    identity.by(ana, "deactivate_user", user_id=teo.user_id)
    assert not any(active(identity, teo, session) for session in sessions)
    assert identity.types().count("SessionRevoked") == 2
    assert refused(refresh, identity, sessions[0]).code == "session-revoked"
    told = identity.app.query("revocations", {}, ANONYMOUS)
    assert told["sessions"].keys() == {session["session_id"] for session in sessions}
    assert told["epochs"] == {teo.user_id: 1}
    identity.wait(minutes=11)
    assert not any(identity.app.query("revocations", {}, ANONYMOUS).values())
    assert refused(identity.ask, ana, "revocations").code == "forbidden"


def test_a_session_that_no_list_knew_ends_all_the_same(identity: Identity, ana: Person) -> None:
    """The read model may be behind when a person is deactivated; the epoch is not."""
    teo = identity.hire(ana, "teo@andes.co")
    unseen = identity.app.application.execute(
        "login", {"email": teo.email, "password": GOOD, "ip": OFFICE_IP}, ANONYMOUS, "l-1"
    )
    identity.app.application.execute("deactivate_user", {"user_id": teo.user_id}, identity.caller(ana), "d-1")
    assert not active(identity, teo, unseen)
    identity.app.application.execute("reactivate_user", {"user_id": teo.user_id}, identity.caller(ana), "d-2")
    assert refused(refresh, identity, unseen).code == "session-revoked"


def test_refresh_tokens_rotate_and_a_lost_answer_is_repeated(identity: Identity, ana: Person) -> None:
    first = identity.login(ana)
    second = refresh(identity, first, ip=OFFICE_IP)
    identity.wait(seconds=20)
    facts = len(identity.app.facts())
    assert refresh(identity, first)["refresh_token"] == second["refresh_token"]
    assert len(identity.app.facts()) == facts
    third = refresh(identity, second)
    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3


def test_a_refresh_repeated_long_after_gives_no_token_that_would_end_the_session(
    identity: Identity, ana: Person
) -> None:
    first = identity.login(ana)
    typed = {"refresh_token": first["refresh_token"]}
    second = identity.anonymous("refresh", "r-1", **typed)
    third = refresh(identity, second)
    identity.wait(hours=1)
    assert refused(identity.anonymous, "refresh", "r-1", **typed).code == "refresh-token-used"
    refresh(identity, third)


def test_a_stolen_refresh_token_ends_the_session_and_the_person_hears_of_it(identity: Identity, ana: Person) -> None:
    first = identity.login(ana)
    second = refresh(identity, first)
    identity.wait(seconds=31)
    assert refused(refresh, identity, first).code == "session-revoked"
    assert refused(refresh, identity, second).code == "session-revoked"
    assert not active(identity, ana, first)
    assert identity.app.mails.sent[-1]["subject"] == "Cerramos una sesión tuya en CheckOP"


@pytest.mark.parametrize(
    "token", ["", "cor.x.y.0.z", "cor.a.b.c.d", "cor....", "cor.1.2.-1.x", "x" * 4000, "cor.a.b.٣.d"]
)
def test_a_refresh_token_cannot_be_made_up(identity: Identity, ana: Person, token: str) -> None:
    assert refused(refresh, identity, {"refresh_token": token}).code == "token-invalid"


def test_logging_out_ends_one_session(identity: Identity, ana: Person) -> None:
    one, other = identity.login(ana), identity.login(ana)
    identity.app.execute("logout", {}, identity.caller(ana, session=one["session_id"]))
    assert not active(identity, ana, one)
    assert active(identity, ana, other)
    mine = identity.ask(ana, "sessions")["items"]
    assert [(s["session_id"], s["ip"]) for s in mine] == [(other["session_id"], OFFICE_IP)]


def test_sessions_are_revoked_by_their_holder_or_an_administrator(identity: Identity, ana: Person) -> None:
    teo = identity.hire(ana, "teo@andes.co")
    his, hers = identity.login(teo), identity.login(ana)
    assert refused(identity.by, teo, "revoke_session", session_id=hers["session_id"]).code == "session-unknown"
    assert refused(identity.ask, teo, "sessions", user_id=ana.user_id).code == "forbidden"
    identity.by(ana, "revoke_session", session_id=his["session_id"])
    assert not active(identity, teo, his)


def test_a_lost_phone_is_sent_away(identity: Identity, ana: Person) -> None:
    teo, phone = identity.hire(ana, "teo@andes.co"), new_id()
    on_phone = identity.login(teo, kind="device", device_id=phone, device_label="Pixel 8")
    on_desk = identity.login(teo)
    assert [d["label"] for d in identity.ask(teo, "devices")["items"]] == ["Pixel 8"]
    identity.by(ana, "revoke_device", device_id=phone, user_id=teo.user_id)
    assert not active(identity, teo, on_phone)
    assert active(identity, teo, on_desk)
    assert refused(identity.login, teo, kind="device", device_id=phone).code == "device-revoked"
    assert refused(refresh, identity, on_phone).code == "session-revoked"
    assert refused(identity.by, teo, "revoke_device", device_id=phone, user_id=ana.user_id).code == "forbidden"


def test_a_session_on_a_lost_phone_ends_before_any_list_knows(identity: Identity, ana: Person) -> None:
    phone = new_id()
    on_phone = identity.login(ana, kind="device", device_id=phone)
    identity.app.application.execute("revoke_device", {"device_id": phone}, identity.caller(ana), "d-1")
    assert refused(refresh, identity, on_phone).code == "session-revoked"
    (ended,) = [fact.event for fact in identity.app.facts() if fact.type == "SessionRevoked"]
    assert ended.reason == "no-longer-entitled"


def test_a_phone_sent_away_while_somebody_logs_in_on_it_stays_outside(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, store = new_id(), identity.app.store
    identity.login(ana, kind="device", device_id=phone)
    append = store.append

    def late(commit: Commit) -> Commit:
        if commit.category == "session":
            monkeypatch.undo()
            identity.by(ana, "revoke_device", device_id=phone)
        return append(commit)

    monkeypatch.setattr(store, "append", late)
    assert refused(identity.login, ana, kind="device", device_id=phone).code == "device-revoked"
    assert identity.types().count("SessionOpened") == identity.types().count("SessionRevoked") == 2


def test_the_log_in_of_an_ended_session_gives_no_token_once_more(identity: Identity, ana: Person) -> None:
    session = identity.login(ana, command_id="once")
    identity.by(ana, "revoke_session", session_id=session["session_id"])
    assert refused(identity.login, ana, command_id="once").code == "session-revoked"


def test_a_browser_left_alone_is_logged_out(identity: Identity, ana: Person) -> None:
    identity.by(ana, "set_policies", inactivity_minutes=15)
    session = identity.login(ana)
    identity.wait(minutes=14)
    session = refresh(identity, session)
    identity.wait(minutes=16)
    assert refused(refresh, identity, session).code == "session-revoked"


def test_a_changed_password_keeps_this_session_and_ends_the_others(identity: Identity, ana: Person) -> None:
    this, other = identity.login(ana), identity.login(ana)
    caller = identity.caller(ana, session=this["session_id"])
    wrong = {"current_password": "wrong", "new_password": BETTER}
    assert refused(identity.app.execute, "change_password", wrong, caller).code == "credentials-invalid"
    identity.app.execute("change_password", {"current_password": GOOD, "new_password": BETTER}, caller)
    assert active(identity, ana, this)
    assert not active(identity, ana, other)
    fresh = refresh(identity, this)
    assert identity.claims(fresh["access_token"])["epoch"] == 1
    assert refused(identity.login, ana).code == "credentials-invalid"
    identity.wait(seconds=5)
    identity.login(ana, password=BETTER)


def test_changing_the_password_once_more_by_the_same_request_changes_nothing(identity: Identity, ana: Person) -> None:
    typed = {"current_password": GOOD, "new_password": BETTER}
    first = identity.by(ana, "change_password", "p-1", **typed)
    assert identity.by(ana, "change_password", "p-1", **typed) == first
    assert refused(identity.by, ana, "change_password", "p-2", **typed).code == "credentials-invalid"
    forged = typed | {"new_password": "otra cosa bien larga"}
    assert refused(identity.by, ana, "change_password", "p-1", **forged).code == "idempotency-key-reused"


def test_guessing_the_own_password_is_delayed_too(identity: Identity, ana: Person) -> None:
    for _ in range(3):
        refused(identity.by, ana, "change_password", current_password="wrong", new_password=BETTER)
        identity.wait(milliseconds=1)
    late = refused(identity.by, ana, "change_password", current_password=GOOD, new_password=BETTER)
    assert late.code == "login-delayed"
    identity.login(ana)  # elsewhere nothing is delayed


def test_a_forgotten_password_is_reset_by_a_link_that_works_once(identity: Identity, ana: Person) -> None:
    session = identity.login(ana)
    sent = len(identity.app.mails.sent)
    assert identity.anonymous("request_password_reset", email="nobody@andes.co") == {}
    assert len(identity.app.mails.sent) == sent
    assert identity.anonymous("request_password_reset", email="ana@andes.co") == {}
    token = identity.mailed_token("ana@andes.co")
    identity.anonymous("request_password_reset", email="ana@andes.co")  # within the minute: no second mail
    assert len(identity.app.mails.sent) == sent + 1
    weak = refused(identity.anonymous, "reset_password", token=token, password="andes2024")
    assert weak.code == "password-contains-name"
    identity.anonymous("reset_password", token=token, password=BETTER)
    assert refused(identity.anonymous, "reset_password", token=token, password=GOOD).code == "reset-invalid"
    assert not active(identity, ana, session)
    identity.login(ana, password=BETTER)


def test_a_reset_link_lasts_an_hour_and_not_for_the_deactivated(identity: Identity, ana: Person) -> None:
    identity.anonymous("request_password_reset", email="ana@andes.co")
    token = identity.mailed_token("ana@andes.co")
    identity.wait(hours=1)
    late = refused(identity.anonymous, "reset_password", token=token, password=BETTER)
    assert late.code == "reset-expired"
    teo = identity.hire(ana, "teo@andes.co")
    identity.by(ana, "deactivate_user", user_id=teo.user_id)
    sent = len(identity.app.mails.sent)
    identity.anonymous("request_password_reset", email="teo@andes.co")
    assert len(identity.app.mails.sent) == sent


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("corto1", "password-too-short"),
        ("x1" * 65, "password-too-long"),
        ("contraseña1", "password-too-common"),
        ("P4ssw0rd2024!", "password-too-common"),
        ("qwertyuiop", "password-too-common"),
        ("11111111", "password-too-common"),
        ("12345678", "password-too-common"),
        ("20242024", "password-too-common"),
        ("AndesAndes!9x", "password-contains-name"),
        ("la casa de ruiz", "password-contains-name"),
    ],
)
def test_weak_passwords_are_refused(identity: Identity, password: str, code: str) -> None:
    typed = {"name": "Andes Service", "owner_name": "Ana Ruiz", "email": "ana@andes.co", "password": password}
    assert refused(identity.anonymous, "register_account", **typed).code == code
    assert identity.types() == []


def test_a_profile_narrows_and_widens_within_the_licence(identity: Identity, ana: Person) -> None:
    sara = identity.hire(ana, "sara@andes.co", "supervisor", "Sara")
    profile: dict[str, Any] = {
        "profile_id": new_id(),
        "name": "Planner",
        "permissions": ["tasks:read", "tasks:execute", "users:read"],
    }
    identity.by(ana, "define_profile", **profile)
    identity.by(ana, "assign_profile", user_id=sara.user_id, profile_id=profile["profile_id"])
    session = identity.login(sara)
    assert session["permissions"] == ["tasks:read", "users:read"]
    changed = profile | {"permissions": ["tasks:read", "history:read"]}
    identity.by(ana, "change_profile", **changed)
    assert refresh(identity, session)["permissions"] == ["history:read", "tasks:read"]
    assert identity.claims(refresh(identity, session)["access_token"])["epoch"] == 2
    identity.by(ana, "delete_profile", profile_id=profile["profile_id"])
    assert identity.ask(sara, "me")["permissions"] == sorted(permissions.ROLE_PERMISSIONS["supervisor"])
    unknown = refused(identity.by, ana, "assign_profile", user_id=sara.user_id, profile_id=profile["profile_id"])
    assert unknown.code == "profile-unknown"


def test_nobody_gives_more_than_they_have(identity: Identity, ana: Person) -> None:
    sara = identity.hire(ana, "sara@andes.co", "supervisor", "Sara")
    strong: dict[str, Any] = {"profile_id": new_id(), "name": "Strong", "permissions": ["users:edit"]}
    assert refused(identity.by, sara, "define_profile", **strong).code == "beyond-own-permissions"
    forged = strong | {"by_permissions": ["users:edit"]}
    assert refused(identity.by, sara, "define_profile", **forged).code == "beyond-own-permissions"
    invite = {"email": "x@andes.co", "name": "X", "role": "admin"}
    assert refused(identity.by, sara, "invite_user", **invite).code == "role-above-own"
    assert identity.register("x@andes.co", "Xenia").email == "x@andes.co"  # the refusal claimed nothing


def test_teams_and_their_people_are_listed(identity: Identity, ana: Person) -> None:
    teo, north, field = identity.hire(ana, "teo@andes.co"), new_id(), new_id()
    identity.by(ana, "create_team", team_id=field, name="Field")
    made = identity.by(ana, "create_team", team_id=north, name="North", parent=field)
    assert made["team_id"] == north
    identity.by(ana, "add_team_member", team_id=north, user_id=teo.user_id)
    identity.by(ana, "set_team_leaders", team_id=north, leaders=[ana.user_id])
    stranger = refused(identity.by, ana, "add_team_member", team_id=north, user_id=new_id())
    assert stranger.code == "user-unknown"
    assert refused(identity.by, ana, "move_team", team_id=field, parent=north).code == "team-cycle"
    teams = {t["team_id"]: t for t in identity.ask(ana, "teams")["items"]}
    assert teams[north]["members"] == [teo.user_id]
    assert [u["user_id"] for u in identity.ask(ana, "users", team_id=north, role="technician")["items"]] == [
        teo.user_id
    ]
    assert identity.ask(teo, "me")["teams"] == [{"team_id": north, "name": "North", "leads": False}]
    identity.by(ana, "remove_team_member", team_id=north, user_id=teo.user_id)
    identity.by(ana, "delete_team", team_id=north)
    assert [t["name"] for t in identity.ask(ana, "teams")["items"]] == ["Field"]


def test_the_directory_is_searched_and_paged(identity: Identity, ana: Person) -> None:
    for n in range(7):
        identity.by(ana, "invite_user", email=f"p{n}@andes.co", name=f"Person {n}", role="viewer")
    seen: list[str] = []
    cursor = None
    while True:
        found = identity.ask(ana, "users", limit=3, cursor=cursor)
        seen += [row["name"] for row in found["items"]]
        if (cursor := found["next"]) is None:
            break
    assert seen == ["Ana Ruiz", *(f"Person {n}" for n in range(7))]
    assert [u["email"] for u in identity.ask(ana, "users", text="P3@")["items"]] == ["p3@andes.co"]
    assert identity.ask(ana, "users", text=".*")["items"] == []
    assert refused(identity.ask, ana, "users", cursor="nonsense").code == "cursor-invalid"
    one = identity.ask(ana, "user", user_id=ana.user_id)
    assert (one["status"], one["role"], one["email"]) == ("active", "owner", "ana@andes.co")


def test_accounts_do_not_see_one_another(identity: Identity, ana: Person) -> None:
    sol = identity.register("sol@costa.co", "Costa")
    assert refused(identity.ask, sol, "user", user_id=ana.user_id).code == "user-unknown"
    assert refused(identity.by, sol, "deactivate_user", user_id=ana.user_id).code == "user-unknown"
    session = identity.login(ana)
    assert refused(identity.by, sol, "revoke_session", session_id=session["session_id"]).code == "session-unknown"
    asked = [{"tenant": ana.account_id, "session_id": session["session_id"]}]
    assert refused(identity.ask, sol, "session_status", sessions=asked).code == "forbidden"
    assert [u["name"] for u in identity.ask(sol, "users")["items"]] == ["Ana Ruiz"]
    assert identity.ask(sol, "account")["name"] == "Costa"


def token_for(identity: Identity, person: Person, **more: Any) -> dict[str, Any]:
    """A new API token of this person."""
    expires = (identity.app.clock.now() + timedelta(days=30)).isoformat()
    wanted = {"token_id": new_id(), "name": "ERP", "scopes": ["tasks:read", "users:edit"], "expires_at": expires}
    return identity.by(person, "create_api_token", **wanted | more)


def test_an_api_token_acts_for_its_maker(identity: Identity, ana: Person) -> None:
    made = token_for(identity, ana)
    key = made["token"]
    known = identity.app.query("authenticate_api_token", {"token": key, "ip": OFFICE_IP}, ANONYMOUS)
    assert (known["tenant"], known["user_id"], known["token_id"]) == (ana.account_id, ana.user_id, made["id"])
    assert known["permissions"] == ["tasks:read", "users:edit"]
    identity.by(ana, "note_api_token_use", token_id=made["id"])
    (listed,) = identity.ask(ana, "api_tokens")["items"]
    assert listed["last_used_on"] == "2026-11-23"
    assert "secret_hash" not in listed
    identity.by(ana, "revoke_api_token", token_id=made["id"])
    assert refused(identity.app.query, "authenticate_api_token", {"token": key}, ANONYMOUS).code == "token-invalid"
    assert identity.app.query("revocations", {}, ANONYMOUS)["api_tokens"].keys() == {made["id"]}


def test_an_api_token_is_shown_again_to_the_same_request_only(identity: Identity, ana: Person) -> None:
    id, expires = new_id(), (identity.app.clock.now() + timedelta(days=30)).isoformat()
    wanted = {"token_id": id, "name": "ERP", "scopes": ["tasks:read"], "expires_at": expires}
    first = identity.by(ana, "create_api_token", "t-1", **wanted)
    assert identity.by(ana, "create_api_token", "t-1", **wanted) == first
    assert refused(identity.by, ana, "create_api_token", "t-2", **wanted).code == "token-exists"
    assert refused(identity.by, ana, "create_api_token", **wanted | {"token_id": "7"}).code == "invalid"


def test_an_api_token_is_never_stronger_than_its_maker_is_now(identity: Identity, ana: Person) -> None:
    luz = identity.hire(ana, "luz@andes.co", "admin", "Luz")
    key = token_for(identity, luz, ip_allow_list=["190.24.1.0/24"])["token"]

    def known(ip: str = OFFICE_IP) -> Any:
        return identity.app.query("authenticate_api_token", {"token": key, "ip": ip}, ANONYMOUS)

    assert refused(known, "8.8.8.8").code == "token-invalid"
    identity.by(ana, "change_role", user_id=luz.user_id, role="viewer")
    assert known()["permissions"] == ["tasks:read"]
    identity.by(ana, "deactivate_user", user_id=luz.user_id)
    assert refused(known).code == "token-invalid"
    identity.by(ana, "reactivate_user", user_id=luz.user_id)
    identity.wait(days=30)
    assert refused(known).code == "token-invalid"


@pytest.mark.parametrize(
    "change",
    [
        lambda k: k[:-1] + "!",
        lambda k: k[:50] + ("0" if k[50] != "0" else "1") + k[51:],
        lambda k: "cop_",
        lambda k: k + "0",
    ],
)
def test_an_api_token_cannot_be_made_up(identity: Identity, ana: Person, change: Any) -> None:
    forged = change(token_for(identity, ana)["token"])
    refusal = refused(identity.app.query, "authenticate_api_token", {"token": forged}, ANONYMOUS)
    assert refusal.code == "token-invalid"


def test_the_history_tells_who_did_what_from_where(identity: Identity, ana: Person) -> None:
    identity.wait(minutes=1)
    session = identity.login(ana)
    caller = identity.caller(ana, session=session["session_id"], origin=session["origin_id"])
    identity.app.execute("invite_user", {"email": "t@x.co", "name": "=HYPERLINK()", "role": "viewer"}, caller)
    refused(identity.login, ana, password="wrong")
    identity.app.listen_to(identity.app)
    entries = identity.ask(ana, "history")["items"]
    first = ["SeatPoolOpened", "UserActivated", "PasswordSet", "UserRegistered", "AccountRegistered"]
    assert [e["type"] for e in entries][-5:] == first
    invited = next(e for e in entries if e["type"] == "UserInvited")
    assert (invited["actor"], invited["actor_name"], invited["ip"]) == (ana.user_id, "Ana Ruiz", OFFICE_IP)
    assert invited["module"] == "users"
    assert invited["detail"]["role"] == "viewer"
    assert "email" not in invited["detail"]
    opened = next(e for e in entries if e["type"] == "SessionOpened")
    assert (opened["actor"], opened["ip"]) == (ana.user_id, OFFICE_IP)
    assert "LoginRefused" in {e["type"] for e in entries}
    assert "LoginNameClaimed" not in {e["type"] for e in entries}


def test_the_history_is_filtered_and_paged(identity: Identity, ana: Person) -> None:
    identity.wait(days=1)
    teo = identity.hire(ana, "teo@andes.co")
    identity.app.listen_to(identity.app)
    everything = identity.ask(ana, "history")["items"]
    walked: list[dict[str, Any]] = []
    cursor = None
    while True:
        found = identity.ask(ana, "history", limit=2, cursor=cursor)
        walked += found["items"]
        if (cursor := found["next"]) is None:
            break
    assert walked == everything
    by_teo = identity.ask(ana, "history", actor=teo.user_id)["items"]
    assert {e["type"] for e in by_teo} == {"SeatAssigned", "InvitationAccepted", "PasswordSet", "UserActivated"}
    day = (identity.app.clock.now() - timedelta(hours=1)).isoformat()
    assert "AccountRegistered" not in {e["type"] for e in identity.ask(ana, "history", since=day)["items"]}
    before = identity.ask(ana, "history", until=day, module="accounts")["items"]
    assert [e["type"] for e in before] == ["AccountRegistered"]
    assert identity.ask(ana, "history", service="tasks")["items"] == []
    sol = identity.register("sol@costa.co", "Costa")
    assert identity.ask(sol, "history")["items"] == []


def test_the_history_leaves_as_harmless_csv(identity: Identity, ana: Person) -> None:
    luz = identity.hire(ana, "luz@andes.co", "admin", "=cmd|' /C calc'!A0")
    identity.by(luz, "rename_account", name="Andes")
    identity.app.listen_to(identity.app)
    text, cursor = "", None
    while True:
        chunk = identity.ask(ana, "history_csv", limit=3, cursor=cursor)
        text += chunk["text"]
        if (cursor := chunk["next"]) is None:
            break
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(identity.ask(ana, "history")["items"])
    assert {row["name"] for row in rows if row["actor"] == luz.user_id} == {"'=cmd|' /C calc'!A0"}
    assert rows[0]["action"] == "AccountRenamed"


def test_an_origin_is_reported_once_whoever_reports_it(identity: Identity, ana: Person) -> None:
    session = identity.login(ana)
    caller = identity.caller(ana, session=session["session_id"])
    first = identity.app.execute("observe_origin", {"session_id": session["session_id"], "ip": "10.0.0.9"}, caller)
    again = identity.app.execute("observe_origin", {"session_id": session["session_id"], "ip": "10.0.0.9"}, caller)
    assert first["id"] == again["id"] != session["origin_id"]
    same = identity.app.execute("observe_origin", {"session_id": session["session_id"], "ip": OFFICE_IP}, caller)
    assert same["id"] == session["origin_id"]
    assert identity.ask(ana, "sessions")["items"][0]["ip"] in {"10.0.0.9", OFFICE_IP}
