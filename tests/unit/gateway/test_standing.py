"""What an account's standing lets people do: one table, obeyed at every door, within seconds of the change."""

from __future__ import annotations

import time
from typing import Any, get_args

import orjson
import pytest
from fastapi import FastAPI

from gateway import standing
from gateway.door import Door
from gateway.frames import Frame
from gateway.live import Listener
from gateway.routes import ROUTES
from gateway.routes.events import _why_over
from gateway.standing import ALL, BY_NAME, STANDING, Kind, Standings, kind_of, refusal
from tests.unit.gateway.conftest import TENANT, USER, Ask, FakeServices, problem, run, token
from tests.unit.gateway.test_revocations import Clock, principal

STATES = ("restricted", "suspended", "paused", "cancelled")
TASK = "01936f5e-0000-7000-8000-0000000000aa"
EVERYTHING = (
    "accounts:read",
    "accounts:edit",
    "users:edit",
    "users:read",
    "tasks:read",
    "tasks:edit",
    "tasks:execute",
    "history:read",
    "customers:edit",
)
DONE = {"id": TASK, "stream": "s", "version": 1, "position": 1}


def test_the_table_is_complete() -> None:
    kinds = set(get_args(Kind)) - {"own", "ops"}
    assert tuple(STANDING) == STATES
    for state, rules in STANDING.items():
        assert rules.keys() == kinds, state
        assert all(roles <= ALL for roles in rules.values())


def test_every_operation_named_in_the_table_exists() -> None:
    names = {route.name for route in ROUTES}
    assert BY_NAME.keys() <= names


def test_no_state_takes_signing_in_and_staffs_work_away() -> None:
    for state in STATES:
        for role in (*ALL, "staff:finance", ""):
            assert refusal(state, role, "own") is None
            assert refusal(state, role, "ops") is None


def test_what_the_table_does_not_know_is_not_refused() -> None:
    assert refusal("active", "viewer", "plan") is None
    assert refusal("past_due", "viewer", "plan") is None


@pytest.mark.parametrize(
    ("state", "role", "may"),
    [
        ("restricted", "owner", {"read", "billing-read", "billing", "field", "finish", "safety"}),
        ("restricted", "technician", {"read", "billing-read", "billing", "field", "finish", "safety"}),
        ("suspended", "owner", {"read", "billing-read", "billing", "finish", "safety"}),
        ("suspended", "admin", {"read", "billing-read", "billing", "finish", "safety"}),
        ("suspended", "technician", {"finish"}),
        ("suspended", "viewer", {"finish"}),
        ("paused", "owner", {"read", "billing-read", "billing", "safety"}),
        ("paused", "admin", {"read", "billing-read", "safety"}),
        ("paused", "technician", {"read", "billing-read"}),
        ("cancelled", "owner", {"read", "billing-read", "billing", "safety"}),
        ("cancelled", "admin", set()),
        ("cancelled", "technician", set()),
    ],
)
def test_who_may_do_what(state: str, role: str, may: set[Kind]) -> None:
    kinds = set(get_args(Kind)) - {"own", "ops"}
    assert {kind for kind in kinds if refusal(state, role, kind) is None} == may


@pytest.mark.parametrize(
    ("name", "safe", "access", "permission", "kind"),
    [
        ("login", False, "entrance", None, "own"),
        ("logout", False, "signed-in", None, "own"),
        ("follow", True, "signed-in", None, "read"),
        ("board", True, "permission", "tasks:read", "read"),
        ("open_task", False, "permission", "tasks:read", "plan"),
        ("advance_task", False, "permission", "tasks:read", "finish"),
        ("claim_task", False, "permission", "tasks:execute", "field"),
        ("invite_user", False, "permission", "users:edit", "plan"),
        ("deactivate_user", False, "permission", "users:edit", "safety"),
        ("invoices", True, "permission", "billing:read", "billing-read"),
        ("accept_quote", False, "permission", "billing:edit", "billing"),
        ("pause", False, "permission", "accounts:close", "billing"),
        ("whatever", False, "permission", "ops:billing", "ops"),
    ],
)
def test_what_a_request_is_for(name: str, safe: bool, access: str, permission: str | None, kind: Kind) -> None:
    assert kind_of(name, safe=safe, access=access, permission=permission) == kind


def test_reading_and_changing_are_told_apart_on_every_route() -> None:
    for route in ROUTES:
        if not isinstance(route, Door) or route.name in BY_NAME:
            continue
        declared: Any = route.openapi_extra
        safe = route.methods == {"GET"}
        kind = kind_of(route.name, safe=safe, access=declared["x-access"], permission=declared.get("x-permission"))
        if kind in ("read", "billing-read"):
            assert safe
        if kind in ("plan", "billing"):
            assert not safe


class TestAtTheDoor:
    @pytest.mark.parametrize("state", STATES)
    def test_by_the_token(self, ask: Ask, services: FakeServices, state: str) -> None:
        services.answers |= {"task_board": {"items": [], "next": None}, "open_task": DONE, "advance_task": DONE}
        ours = token(permissions=EVERYTHING, role="technician", acc=state, acr=1)
        plan = ask("POST", f"/v1/tasks/{TASK}/cancel", authorization=ours, json={"reason": "x"})
        problem(plan, 403, f"account-{state}")
        assert not services.asked("cancel_task")
        finish = ask("POST", f"/v1/tasks/{TASK}/advance", authorization=ours, json={"to_stage": "done"})
        assert (finish.status_code == 200) == (state in ("restricted", "suspended"))
        read = ask("GET", "/v1/board", authorization=ours)
        assert (read.status_code == 200) == (state in ("restricted", "paused"))

    def test_it_says_what_to_do_in_both_languages(self, ask: Ask) -> None:
        ours = token(permissions=EVERYTHING, role="viewer", acc="suspended", acr=1)
        english = problem(ask("GET", "/v1/board", authorization=ours), 403, "account-suspended")
        assert "pay it under Billing" in english["detail"]
        spanish = ask("GET", "/v1/board", authorization=ours, headers={"Accept-Language": "es"})
        assert "Facturación" in problem(spanish, 403, "account-suspended")["detail"]

    def test_a_change_counts_at_once_and_only_for_that_account(
        self, app: FastAPI, ask: Ask, services: FakeServices
    ) -> None:
        services.answers["task_board"] = {"items": [], "next": None}
        ours = token(permissions=EVERYTHING, role="viewer")
        assert ask("GET", "/v1/board", authorization=ours).status_code == 200
        revocations = app.state.gatekeeper.authenticator._revocations
        revocations.learn(changed("suspended", 1, account_id="another"))
        assert ask("GET", "/v1/board", authorization=ours).status_code == 200
        revocations.learn(changed("suspended", 1))
        problem(ask("GET", "/v1/board", authorization=ours), 403, "account-suspended")
        renewed = token(permissions=EVERYTHING, role="viewer", acc="active", acr=2)
        assert ask("GET", "/v1/board", authorization=renewed).status_code == 200
        revocations.learn(changed("active", 2))
        assert ask("GET", "/v1/board", authorization=ours).status_code == 200

    def test_an_api_token_stands_as_its_account(self, ask: Ask, services: FakeServices) -> None:
        services.answers |= {
            "authenticate_api_token": {
                "tenant": TENANT,
                "user_id": USER,
                "token_id": TASK,
                "role": "supervisor",
                "permissions": list(EVERYTHING),
                "epoch": 3,
                "state": "suspended",
                "revision": 1,
                "expires_at": time.time() + 100,
            },
            "note_api_token_use": DONE,
        }
        key = "cop_" + "a" * 93
        problem(ask("GET", "/v1/board", authorization=key), 403, "account-suspended")

    def test_while_identity_is_silent_its_answer_counts(self, ask: Ask, services: FakeServices) -> None:
        (session,) = services.answers["session_status"]["sessions"].values()
        session |= {"state": "paused", "revision": 4}
        problem(
            ask(
                "POST",
                f"/v1/tasks/{TASK}/cancel",
                authorization=token(permissions=EVERYTHING),
                json={"reason": "x"},
            ),
            403,
            "account-paused",
        )


def changed(state: str, revision: int, account_id: str = TENANT) -> bytes:
    data = {"account_id": account_id, "state": state, "revision": revision}
    return orjson.dumps({"type": "co.checkop.identity.AccountStateChanged.v1", "data": data})


def test_an_open_stream_ends_with_the_right_to_read(app: FastAPI) -> None:
    authenticator = app.state.gatekeeper.authenticator
    listener = Listener(principal(tenant=TENANT, role="supervisor", expires_at=time.time() + 100))
    listener.offer(Frame("1", "tasks:read", b""))
    assert run(_why_over(listener, authenticator, thorough=False)) is None
    authenticator._revocations.learn(changed("suspended", 1))
    assert run(_why_over(listener, authenticator, thorough=False)) == "account-suspended"


def test_the_later_word_counts() -> None:
    clock = Clock()
    known = Standings(600.0, clock)
    known.learn("t", "suspended", 3)
    known.learn("t", "active", 2)
    assert known.of(principal(revision=2)) == "suspended"
    assert known.of(principal(revision=3, state="paused")) == "paused"
    assert known.of(principal(tenant="other")) == "active"
    clock.now += 601
    known.forget()
    assert len(known) == 0
    assert known.of(principal()) == "active"


def test_a_snapshot_brings_what_was_missed(app: FastAPI) -> None:
    revocations = app.state.gatekeeper.authenticator._revocations
    revocations.load({"accounts": {TENANT: {"state": "cancelled", "revision": 9}}})
    assert revocations.standings.of(principal(tenant=TENANT)) == "cancelled"
    assert standing.refusal("cancelled", "admin", "read") is not None
