"""What the routes of billing and of staff ask the services for, and on whose behalf."""

from __future__ import annotations

import time
from typing import Any

import pytest
from fastapi import FastAPI

from gateway.rpc_client import ServiceUnavailable
from tests.unit.gateway.conftest import ORIGIN, TENANT, USER, Ask, FakeServices, problem, token

ACCOUNT = "01936f5e-0000-7000-8000-00000000cccc"
THING = "01936f5e-0000-7000-8000-00000000dddd"
DONE = {"id": TENANT, "stream": "s", "version": 7, "position": 9}
HASH = "9f2c" * 16
SEATS = {"limit": 10, "used": 4, "free": 6, "reduction": None, "seated": [], "version": 3}
SUBSCRIPTION = {"plan": "standard", "seats": {"granted": 10, "included": 10, "entitlement_version": 1}}


def admin(*permissions: str, **claims: Any) -> str:
    return token(permissions=permissions or ("billing:read", "billing:edit"), **claims)


def staff(*permissions: str, **claims: Any) -> str:
    return token(permissions=permissions, role="staff:commercial", **claims)


def test_the_plan_is_put_together_from_both(ask: Ask, services: FakeServices) -> None:
    services.answers |= {"subscription": SUBSCRIPTION, "seats": SEATS}
    found = ask("GET", "/v1/plan", authorization=admin(), headers={"X-At-Least": "12"})
    assert found.json() == {
        "plan": "standard",
        "seats": {
            "granted": 10,
            "included": 10,
            "entitlement_version": 1,
            "limit": 10,
            "used": 4,
            "free": 6,
            "reduction": None,
        },
    }
    assert services.asked("subscription")[0]["at_least"] == 12
    assert services.asked("seats")[0]["at_least"] is None


def test_a_quote_is_named_and_accepted_by_its_hash(ask: Ask, services: FakeServices) -> None:
    services.answers |= {"quote_seats": {**DONE, "quote": {"hash": HASH}}, "accept_quote": {**DONE, "seats": 12}}
    key = {"Idempotency-Key": "quote-0001"}
    made = ask("POST", "/v1/seat-quotes", authorization=admin(), json={"to_seats": 12}, headers=key)
    again = ask("POST", "/v1/seat-quotes", authorization=admin(), json={"to_seats": 12}, headers=key)
    assert made.status_code == 201
    quote_id = made.json()["quote_id"]
    assert made.headers["location"] == f"/v1/seat-quotes/{quote_id}"
    assert again.json()["quote_id"] == quote_id
    accepted = ask("POST", f"/v1/seat-quotes/{quote_id}/accept", authorization=admin(), json={"hash": HASH})
    assert accepted.json()["seats"] == 12
    (asked,) = services.asked("accept_quote")
    assert asked["data"] == {"quote_id": quote_id, "hash": HASH}
    bad = ask("POST", f"/v1/seat-quotes/{quote_id}/accept", authorization=admin(), json={"hash": "x"})
    problem(bad, 422, "invalid")


@pytest.mark.parametrize("auth_time", [None, time.time() - 601], ids=["never", "long ago"])
def test_more_seats_need_a_password_typed_just_now(ask: Ask, services: FakeServices, auth_time: float | None) -> None:
    services.answers["accept_quote"] = DONE
    path = f"/v1/seat-quotes/{THING}/accept"
    refused = problem(
        ask("POST", path, authorization=admin(auth_time=auth_time), json={"hash": HASH}), 403, "proof-required"
    )
    assert refused["max_age"] == 600
    assert not services.asked("accept_quote")
    recently = admin(auth_time=time.time() - 590)
    assert ask("POST", path, authorization=recently, json={"hash": HASH}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "name", "permission"),
    [
        ("GET", f"/v1/seat-quotes/{THING}", None, "quote", "billing:read"),
        ("POST", f"/v1/seat-quotes/{THING}/decline", None, "decline_quote", "billing:edit"),
        ("POST", "/v1/seat-reduction/cancel", {"order": 1}, "cancel_seat_reduction", "billing:edit"),
        ("GET", "/v1/seats", None, "seats", "users:read"),
        ("GET", "/v1/invoices", None, "invoices", "billing:read"),
        ("GET", f"/v1/invoices/{THING}", None, "invoice", "billing:read"),
        ("GET", "/v1/payments", None, "payments", "billing:read"),
        ("GET", "/v1/balance", None, "balance", "billing:read"),
        (
            "PUT",
            "/v1/billing-details",
            {"legal_name": "A", "tax_id": "900", "address": "B", "city": "C", "email": "a@b.co"},
            "set_billing_details",
            "billing:edit",
        ),
        ("PUT", "/v1/billing-interval", {"interval": "annual"}, "choose_interval", "billing:edit"),
        ("POST", "/v1/account/pause", None, "pause_subscription", "accounts:close"),
        ("POST", "/v1/account/resume", None, "resume_subscription", "accounts:close"),
        ("POST", "/v1/account/cancel", {"reason": "done"}, "cancel_subscription", "accounts:close"),
        ("POST", "/v1/account/keep", None, "keep_subscription", "accounts:close"),
    ],
)
def test_each_needs_its_permission_and_asks_its_service(
    ask: Ask, services: FakeServices, method: str, path: str, body: Any, name: str, permission: str
) -> None:
    services.answers[name] = dict(DONE)
    more = {"json": body} if body is not None else {}
    problem(ask(method, path, authorization=admin("tasks:read"), **more), 403, "forbidden")
    assert ask(method, path, authorization=admin(permission), **more).status_code == 200
    (asked,) = services.asked(name)
    assert asked["caller"]["tenant"] == TENANT
    assert asked["caller"]["actor"] == USER


def test_no_route_of_an_account_lowers_its_seats(shell: FastAPI) -> None:
    paths = shell.openapi()["paths"]
    lowering = [path for path in paths if "downgrade" in path]
    assert lowering
    for path in lowering:
        assert path.startswith("/ops/")
        assert all(operation["x-permission"].startswith("ops:") for operation in paths[path].values())


def test_an_invoice_comes_as_pdf(app: FastAPI, ask: Ask, services: FakeServices) -> None:
    class Objects:
        async def get(self, key: str) -> bytes:
            return f"%PDF {key}".encode()

    app.state.objects = Objects()
    services.answers["invoice_document"] = {"object_key": "invoices/1", "file_name": "COP-1.pdf"}
    answer = ask("GET", f"/v1/invoices/{THING}/pdf", authorization=admin())
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == 'inline; filename="COP-1.pdf"'
    assert answer.content == b"%PDF invoices/1"


def test_everybody_may_know_how_the_account_stands(ask: Ask, services: FakeServices) -> None:
    services.answers["account_state"] = {"standing": "suspended", "leaving": None}
    answer = ask("GET", "/v1/account/state", authorization=token(permissions=(), role="technician", acc="suspended"))
    assert answer.json()["state"] == "suspended"
    assert answer.json()["may"] == {
        "read": False,
        "billing-read": False,
        "billing": False,
        "field": False,
        "finish": True,
        "safety": False,
        "plan": False,
    }


def test_how_the_account_stands_is_known_while_billing_is_away(ask: Ask, services: FakeServices) -> None:
    services.answers["account_state"] = ServiceUnavailable("billing")
    answer = ask("GET", "/v1/account/state", authorization=admin(acc="restricted", acr=1))
    assert (answer.status_code, answer.json()["state"], answer.json()["may"]["plan"]) == (200, "restricted", False)


class TestStaff:
    @pytest.mark.parametrize(
        ("path", "body", "name", "permission", "data"),
        [
            ("downgrades", {"to": 10, "ticket": "T-1"}, "request_seat_reduction", "ops:downgrades", {"to": 10}),
            ("downgrades/3/approve", None, "approve_seat_reduction", "ops:downgrades", {"order": 3}),
            ("downgrades/3/reject", {"reason": "no"}, "reject_seat_reduction", "ops:downgrades", {"order": 3}),
            ("downgrades/3/cancel", None, "cancel_seat_reduction", "ops:downgrades", {"order": 3}),
            (
                "payments",
                {
                    "id": THING,
                    "invoice_id": THING,
                    "cash": {"amount": "95000.00"},
                    "withholdings": [{"kind": "reteica", "amount": {"amount": "5"}}],
                    "received_on": "2026-12-03",
                },
                "record_payment",
                "ops:payments",
                {"payment_id": THING, "cash": {"amount": "95000.00"}},
            ),
            (f"payments/{THING}/reverse", {"reason": "x"}, "reverse_payment", "ops:payments", {"payment_id": THING}),
            (
                f"invoices/{THING}/credit-notes",
                {"lines": [{"line_no": 1, "amount": {"amount": "1.50"}}], "reason": "x"},
                "credit_invoice",
                "ops:payments",
                {"invoice_id": THING},
            ),
            ("unpark", {"until": "2026-12-01T05:00:00Z"}, "unpark_account", "ops:payments", {}),
        ],
    )
    def test_decides_about_an_account_that_the_path_names(
        self, ask: Ask, services: FakeServices, path: str, body: Any, name: str, permission: str, data: dict[str, Any]
    ) -> None:
        services.answers[name] = dict(DONE)
        more = {"json": body} if body is not None else {}
        where = f"/ops/accounts/{ACCOUNT}/{path}"
        problem(ask("POST", where, authorization=admin(), **more), 403, "forbidden")
        problem(ask("POST", where, authorization=staff("ops:accounts"), **more), 403, "forbidden")
        answer = ask("POST", where, authorization=staff("ops:billing", permission), **more)
        assert answer.status_code in (200, 201), answer.text
        (asked,) = services.asked(name)
        assert asked["data"]["account_id"] == ACCOUNT
        assert data.items() <= asked["data"].items()
        caller = asked["caller"]
        assert (caller["tenant"], caller["actor"], caller["origin"]) == ("platform", f"staff:{USER}", ORIGIN)
        assert "ops:billing" in caller["permissions"]

    def test_is_seen_from_its_own_address(self, ask: Ask, services: FakeServices) -> None:
        services.answers["approve_seat_reduction"] = dict(DONE)
        ours = staff("ops:billing", "ops:downgrades")
        ask("POST", f"/ops/accounts/{ACCOUNT}/downgrades/3/approve", authorization=ours)
        (seen,) = services.asked("observe_origin")
        assert (seen["caller"]["tenant"], seen["caller"]["actor"]) == (TENANT, USER)

    @pytest.mark.parametrize(
        ("path", "name", "permission", "tenant", "held"),
        [
            (f"accounts/{ACCOUNT}/subscription", "subscription_of", "ops:billing", "platform", ["ops:billing"]),
            (f"accounts/{ACCOUNT}/seats", "seats", "ops:accounts", ACCOUNT, []),
            (f"accounts/{ACCOUNT}/invoices", "invoices", "ops:billing", ACCOUNT, ["billing:read"]),
            (f"accounts/{ACCOUNT}/payments", "payments", "ops:billing", ACCOUNT, ["billing:read"]),
            (f"accounts/{ACCOUNT}/balance", "balance", "ops:billing", ACCOUNT, ["billing:read"]),
            ("downgrades", "seat_reductions", "ops:billing", "platform", ["ops:billing"]),
            ("catalog", "catalog", "ops:billing", "platform", ["ops:billing"]),
            ("catalog/number-ranges/COP", "number_range", "ops:billing", "platform", ["ops:billing"]),
        ],
    )
    def test_reads_an_account_with_no_more_than_it_needs(
        self,
        ask: Ask,
        services: FakeServices,
        path: str,
        name: str,
        permission: str,
        tenant: str,
        held: list[str],
    ) -> None:
        services.answers[name] = {"items": []}
        problem(ask("GET", f"/ops/{path}", authorization=admin()), 403, "forbidden")
        assert ask("GET", f"/ops/{path}", authorization=staff(permission)).status_code == 200
        (asked,) = services.asked(name)
        caller = asked["caller"]
        assert (caller["tenant"], caller["actor"], caller["permissions"]) == (tenant, f"staff:{USER}", held)

    @pytest.mark.parametrize(
        ("path", "body", "name"),
        [
            (
                "prices",
                {
                    "interval": "monthly",
                    "base_fee": {"amount": "1"},
                    "extra_seat": {"amount": "2.50"},
                    "effective_from": "2027-01-01",
                },
                "price_plan",
            ),
            (
                "taxes",
                {
                    "applies_to": "domestic",
                    "tax_code": "IVA19",
                    "rate": "0.19",
                    "basis": "E.T. art. 468",
                    "effective_from": "2027-01-01",
                },
                "set_tax",
            ),
            (
                "number-ranges",
                {
                    "prefix": "COP",
                    "resolution": "1876",
                    "first": 1,
                    "last": 9,
                    "valid_from": "2026-01-01",
                    "valid_to": "2027-01-01",
                },
                "authorise_range",
            ),
        ],
    )
    def test_keeps_the_catalogue(self, ask: Ask, services: FakeServices, path: str, body: Any, name: str) -> None:
        services.answers[name] = dict(DONE)
        problem(ask("POST", f"/ops/catalog/{path}", authorization=staff("ops:billing"), json=body), 403, "forbidden")
        ours = staff("ops:billing", "ops:catalog")
        assert ask("POST", f"/ops/catalog/{path}", authorization=ours, json=body).status_code == 200

    def test_money_is_never_a_floating_point_number(self, ask: Ask) -> None:
        ours = staff("ops:billing", "ops:payments")
        paid = {"invoice_id": THING, "cash": {"amount": 95000.1}, "received_on": "2026-12-03"}
        problem(ask("POST", f"/ops/accounts/{ACCOUNT}/payments", authorization=ours, json=paid), 422, "invalid")
