"""How an account stands is billing's word; identity keeps it and puts it into every token."""

from __future__ import annotations

from services.identity.domain.account import AccountStateChanged, ChangeAccountState, account
from services.kernel.commit import Caller
from services.kernel.testing.given import given
from tests.examples.identity import ANDES, ask, registered
from tests.examples.identity_service import ANONYMOUS, Identity, Person, refused


def change(state: str) -> ChangeAccountState:
    return ask(ChangeAccountState, account_id=ANDES, state=state)


def test_an_account_is_active_until_billing_says_otherwise() -> None:
    story = given(account, registered).when(change("restricted"))
    first = AccountStateChanged(account_id=ANDES, state="restricted", former="active", revision=1)
    after = story.then(first)
    after.when(change("restricted")).then_nothing()
    given(account, registered).when(change("active")).then_nothing()
    back = AccountStateChanged(account_id=ANDES, state="active", former="restricted", revision=2)
    after.when(change("active")).then(back)


def test_what_is_unknown_has_no_state() -> None:
    given(account).when(change("paused")).then_rejected("account-unknown")


def set_state(identity: Identity, ana: Person, state: str) -> None:
    billing = Caller(tenant=ana.account_id, actor="system:billing")
    identity.app.execute("change_account_state", {"account_id": ana.account_id, "state": state}, billing)


def test_every_token_says_how_the_account_stands(identity: Identity, ana: Person) -> None:
    session = identity.login(ana)
    claims = identity.claims(session["access_token"])
    assert (claims["acc"], claims["acr"], session["account_state"]) == ("active", 0, "active")
    set_state(identity, ana, "suspended")
    renewed = identity.anonymous("refresh", refresh_token=session["refresh_token"])
    claims = identity.claims(renewed["access_token"])
    assert (claims["acc"], claims["acr"]) == ("suspended", 1)
    assert identity.ask(ana, "account")["state"] == "suspended"
    assert identity.ask(ana, "me")["account"]["state"] == "suspended"


def test_the_gateway_learns_it_from_every_question_it_asks(identity: Identity, ana: Person) -> None:
    session = identity.login(ana)
    key = identity.by(
        ana,
        "create_api_token",
        token_id=session["session_id"],
        name="ERP",
        scopes=["tasks:read"],
        expires_at="2027-01-01T00:00:00Z",
    )["token"]
    set_state(identity, ana, "paused")
    asked = {"sessions": [{"tenant": ana.account_id, "session_id": session["session_id"]}]}
    (status,) = identity.app.query("session_status", asked, ANONYMOUS)["sessions"].values()
    assert (status["state"], status["revision"]) == ("paused", 1)
    known = identity.app.query("authenticate_api_token", {"token": key}, ANONYMOUS)
    assert (known["state"], known["revision"]) == ("paused", 1)
    told = identity.app.query("revocations", {}, ANONYMOUS)
    assert told["accounts"] == {ana.account_id: {"state": "paused", "revision": 1}}
    identity.wait(minutes=11)
    assert identity.app.query("revocations", {}, ANONYMOUS)["accounts"] == {}


def test_the_state_of_an_unknown_account_is_refused(identity: Identity, ana: Person) -> None:
    nowhere = Caller(tenant=ANDES, actor="system:billing")
    refusal = refused(identity.app.execute, "change_account_state", {"account_id": ANDES, "state": "paused"}, nowhere)
    assert refusal.code == "account-unknown"
