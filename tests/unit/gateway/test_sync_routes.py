"""Phones at the door: their own signature, their clock, what they may when their right has ended, and the relay."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.rpc_client import ServiceTimeout
from services.kernel.clock import new_id
from tests.unit.gateway.conftest import SESSION, TENANT, USER, Ask, FakeServices, problem, token

DEVICE = "01936f5e-0000-7000-8000-00000000abcd"
KEY = Ed25519PrivateKey.generate()
PUSH, PULL = "/v1/sync/push", "/v1/sync/pull"


def text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def phone_token(**claims: Any) -> str:
    bound = {
        "did": DEVICE,
        "cnf": {"jwk": {"kty": "OKP", "crv": "Ed25519", "x": text(KEY.public_key().public_bytes_raw())}},
    }
    return token(permissions=("tasks:read", "tasks:execute", "offline"), **{"role": "technician", **bound, **claims})


def sign(method: str, target: str, body: bytes | None, key: Ed25519PrivateKey = KEY, **changes: str) -> dict[str, str]:
    """The headers of a request as the phone makes it."""
    digest = "" if body is None else f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
    headers = {"Sync-Protocol": "1", "Device-Time": datetime.now(UTC).isoformat(), "Content-Digest": digest}
    headers |= {"Content-Type": "application/json"}
    headers |= changes
    signed = "\n".join((method, target, headers["Content-Digest"], headers["Device-Time"], DEVICE))
    return {
        name: value for name, value in {"Device-Signature": text(key.sign(signed.encode())), **headers}.items() if value
    }


def work(seq: int = 1, type: str = "task.start", **more: Any) -> dict[str, Any]:
    aggregate = {"kind": "task", "id": new_id()}
    return {
        "id": new_id(),
        "seq": seq,
        "type": type,
        "aggregate": aggregate,
        "occurred_at": "2026-11-23T09:00:00-05:00",
    } | more


def push(ask: Ask, *commands: dict[str, Any], authorization: str | None = None, **changes: str) -> httpx.Response:
    body = json.dumps({"commands": list(commands)}).encode()
    headers = sign("POST", PUSH, body, **changes)
    return ask("POST", PUSH, authorization=authorization or phone_token(), content=body, headers=headers)


@pytest.fixture(autouse=True)
def answers(services: FakeServices) -> None:
    services.answers |= {
        "take_commands": lambda kwargs: {
            "results": [{"id": c["id"], "seq": c["seq"], "status": "applied"} for c in kwargs["data"]["commands"]],
            "last_seq": 1,
        },
        "sync_pull": {"changes": [], "cursor": "c", "more": False, "through_seq": 0, "scope_hash": "s", "reset": True},
        "sync_context": {"next": 1, "sites": {}},
    }


def test_work_goes_on_with_its_clock_word_for_word(ask: Ask, services: FakeServices) -> None:
    sent = work(surprise={"of": "a newer app"})
    ahead = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    answer = push(ask, sent, **{"Device-Time": ahead})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["status"] == "applied"
    assert answer.headers["server-time"]
    (asked,) = services.asked("take_commands")
    assert asked["data"]["commands"] == [{**sent, "sent": sent, "relayed": None}]
    assert asked["data"]["device_id"] == DEVICE
    assert abs(asked["data"]["offset_ms"] - 600_000) < 5_000
    assert asked["command_id"] == f"device/{DEVICE}/{USER}"
    assert "quarantine" not in asked["data"]


def test_only_the_phone_itself_is_let_in(ask: Ask, services: FakeServices) -> None:
    body = json.dumps({"commands": [work()]}).encode()
    other = sign("POST", PUSH, body, key=Ed25519PrivateKey.generate())
    problem(
        ask("POST", PUSH, authorization=phone_token(), content=body, headers=other), 401, "device-signature-invalid"
    )
    unsigned = {name: value for name, value in sign("POST", PUSH, body).items() if name != "Device-Signature"}
    problem(
        ask("POST", PUSH, authorization=phone_token(), content=body, headers=unsigned), 401, "device-signature-invalid"
    )
    elsewhere = sign("POST", PULL, body)
    problem(
        ask("POST", PUSH, authorization=phone_token(), content=body, headers=elsewhere), 401, "device-signature-invalid"
    )
    swapped = json.dumps({"commands": []}).encode()
    problem(
        ask("POST", PUSH, authorization=phone_token(), content=swapped, headers=sign("POST", PUSH, body)),
        400,
        "header-invalid",
    )
    problem(push(ask, work(), authorization=token()), 403, "device-not-enrolled")
    problem(
        ask("POST", PUSH, authorization="", content=body, headers=sign("POST", PUSH, body)),
        401,
        "authentication-required",
    )
    standard = phone_token(perms=["tasks:read"], role="viewer")
    problem(push(ask, work(), authorization=standard), 403, "forbidden")
    assert not services.asked("take_commands")


@pytest.mark.parametrize(
    "changes",
    [{"Sync-Protocol": "2"}, {"Sync-Protocol": ""}, {"Device-Time": "noon"}, {"Device-Time": "2026-11-23T09:00:00"}],
)
def test_what_does_not_speak_the_protocol_is_told_so(ask: Ask, changes: dict[str, str]) -> None:
    problem(push(ask, work(), **changes), 400, "header-invalid")


def test_submissions_are_judged_first_and_only_those_whose_turn_it_is(ask: Ask, services: FakeServices) -> None:
    first, second, early = work(7), work(8, "submission.submit"), work(10, "submission.submit")
    job, place = new_id(), {"lat": 4.65, "lon": -74.06}
    second["body"] = {"task_id": job}
    services.answers["sync_context"] = {"next": 7, "sites": {job: place}}
    verdict = {"id": second["id"], "status": "applied", "missing_media": []}
    services.answers["accept_submissions"] = {"results": [verdict]}
    push(ask, first, second, early)
    (relayed,) = services.asked("accept_submissions")
    assert relayed["data"]["commands"] == [second]
    assert relayed["data"]["sites"] == {job: place}
    assert services.asked("sync_context")[0]["params"]["task_ids"] == [job]
    (taken,) = services.asked("take_commands")
    assert [c["relayed"] for c in taken["data"]["commands"]] == [None, verdict, None]


def test_nothing_is_settled_while_submissions_cannot_be_judged(ask: Ask, services: FakeServices) -> None:
    services.answers["accept_submissions"] = ServiceTimeout("forms")
    problem(push(ask, work(1, "submission.submit")), 504, "timeout")
    assert not services.asked("take_commands")


def test_a_phone_whose_right_has_ended_hands_in_what_it_has_and_gets_nothing(ask: Ask, services: FakeServices) -> None:
    ended_at = datetime.now(UTC) - timedelta(hours=71)
    services.answers["device_standing"] = {"ended": "device_revoked", "ended_at": ended_at.isoformat()}
    past = phone_token(iat=time.time() - 3_000, exp=time.time() - 2_700)
    assert push(ask, work(), authorization=past).status_code == 200
    (taken,) = services.asked("take_commands")
    assert taken["data"]["quarantine"] == "device_revoked"
    wiped = ask("GET", PULL, authorization=past, headers=sign("GET", PULL, None))
    assert problem(wiped, 403, "device-revoked")["wipe"] is True
    late = (datetime.now(UTC) - timedelta(hours=73)).isoformat()
    services.answers["device_standing"] = {"ended": "device_revoked", "ended_at": late}
    assert problem(push(ask, work(), authorization=past), 403, "device-revoked")["wipe"] is True
    assert len(services.asked("take_commands")) == 1


def test_a_token_that_has_only_run_out_is_to_be_renewed(ask: Ask, services: FakeServices) -> None:
    services.answers["device_standing"] = {"ended": None, "ended_at": None}
    past = phone_token(iat=time.time() - 3_000, exp=time.time() - 2_700)
    problem(push(ask, work(), authorization=past), 401, "token-expired")
    ancient = phone_token(iat=time.time() - 91 * 86_400, exp=time.time() - 91 * 86_400 + 300)
    problem(push(ask, work(), authorization=ancient), 401, "token-expired")


def test_pulling_says_which_device_and_packs_what_is_long(ask: Ask, services: FakeServices) -> None:
    target = f"{PULL}?cursor=abc&limit=20"
    answer = ask("GET", target, authorization=phone_token(), headers=sign("GET", target, None))
    assert answer.status_code == 200
    assert services.asked("sync_pull")[0]["params"] == {"device_id": DEVICE, "cursor": "abc", "limit": 20}
    services.answers["sync_pull"] = {"changes": [{"op": "put", "kind": "task", "id": "x"}] * 100}
    packed = ask(
        "GET", PULL, authorization=phone_token(), headers=sign("GET", PULL, None) | {"Accept-Encoding": "gzip"}
    )
    assert packed.headers["content-encoding"] == "gzip"
    assert len(packed.json()["changes"]) == 100


@pytest.mark.parametrize(
    ("state", "status", "code"), [("paused", 423, "sync-paused"), ("cancelled", 410, "sync-ended")]
)
def test_a_resting_account_keeps_its_phones_as_they_are(ask: Ask, state: str, status: int, code: str) -> None:
    problem(push(ask, work(), authorization=phone_token(acc=state)), status, code)


@pytest.mark.parametrize("state", ["restricted", "suspended"])
def test_what_is_owed_stops_no_finished_work(ask: Ask, state: str) -> None:
    assert push(ask, work(), authorization=phone_token(acc=state)).status_code == 200


@pytest.mark.parametrize("commands", [[{"seq": 1}], [{"id": "x", "seq": 1, "type": "t"}], [7], [work()] * 501])
def test_a_batch_that_cannot_be_answered_command_by_command_is_refused(ask: Ask, commands: list[Any]) -> None:
    assert push(ask, *commands).status_code == 422


def test_enrolling_goes_to_identity(ask: Ask, services: FakeServices) -> None:
    services.answers["enrol_device"] = {
        "id": DEVICE,
        "stream": "s",
        "version": 2,
        "position": 3,
        "access_token": "a",
        "device_id": DEVICE,
    }
    body = {"device_id": DEVICE, "public_key": "A" * 43, "proof": "B" * 86}
    answer = ask("POST", "/v1/devices", json=body)
    assert answer.status_code == 201
    assert services.asked("enrol_device")[0]["caller"]["session"] == SESSION
    assert services.asked("enrol_device")[0]["caller"]["tenant"] == TENANT
