"""What every request meets: who may pass, what a body may be, and that every refusal is a problem document."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator

import pytest

from gateway.rpc_client import Overloaded, ServiceTimeout, ServiceUnavailable
from gateway.settings import GatewaySettings
from services.kernel.rpc import RemoteError
from tests.unit.gateway.conftest import ORIGIN, SESSION, SETTINGS, TENANT, USER, Ask, FakeServices, problem, token

TASK = "01936f5e-7c1a-7d2e-9f43-2b7a6c1d0e55"
RECEIPT = {"id": TASK, "stream": f"task-{TENANT}-{TASK}", "version": 4, "position": 77}
ADVANCE = f"/v1/tasks/{TASK}/advance"


@pytest.fixture(autouse=True)
def quiet() -> None:
    logging.disable(logging.CRITICAL)


def test_a_command_goes_out_with_caller_origin_and_command_id(ask: Ask, services: FakeServices) -> None:
    services.answers["advance_task"] = dict(RECEIPT)
    key = "my-key-0001"
    answer = ask("POST", ADVANCE, json={"to_stage": "done"}, headers={"Idempotency-Key": key, "If-Match": '"3"'})
    again = ask("POST", ADVANCE, json={"to_stage": "done"}, headers={"Idempotency-Key": key, "If-Match": '"3"'})
    assert answer.status_code == again.status_code == 200
    assert answer.json() == {"id": TASK, "version": 4, "position": 77}
    assert answer.headers["etag"] == '"4"'
    first, second = services.asked("advance_task")
    assert first["data"] == {"to_stage": "done", "task_id": TASK}
    assert first["expected_version"] == 3
    assert first["command_id"] == second["command_id"]
    caller = first["caller"]
    assert (caller["tenant"], caller["actor"], caller["session"], caller["origin"]) == (TENANT, USER, SESSION, ORIGIN)
    assert caller["permissions"] == ["tasks:edit", "tasks:execute", "tasks:read"]
    assert caller["correlation_id"] == answer.headers["x-correlation-id"]
    (observed,) = services.asked("observe_origin")
    assert observed["data"] == {"session_id": SESSION, "ip": "203.0.113.9"}


def test_the_origin_is_told_before_the_command(ask: Ask, services: FakeServices) -> None:
    services.answers["advance_task"] = dict(RECEIPT)
    ask("POST", ADVANCE, json={"to_stage": "done"})
    names = [name for _, name, _ in services.calls]
    assert names.index("observe_origin") < names.index("advance_task")


def test_no_command_goes_out_when_the_origin_cannot_be_told(ask: Ask, services: FakeServices) -> None:
    services.answers["observe_origin"] = ServiceTimeout("identity")
    problem(ask("POST", ADVANCE, json={"to_stage": "done"}), 504, "timeout")
    assert not services.asked("advance_task")


def test_a_creation_answers_201_with_its_place(ask: Ask, services: FakeServices) -> None:
    services.answers["open_task"] = lambda kwargs: {**RECEIPT, "id": kwargs["data"]["task_id"]}
    body = {"title": "x", "process_id": TASK, "subprocess_id": TASK}
    first = ask("POST", "/v1/tasks", json=body, headers={"Idempotency-Key": "key-00001"})
    again = ask("POST", "/v1/tasks", json=body, headers={"Idempotency-Key": "key-00001"})
    other = ask("POST", "/v1/tasks", json=body)
    assert first.status_code == 201
    assert first.headers["location"] == f"/v1/tasks/{first.json()['id']}"
    assert again.json()["id"] == first.json()["id"] != other.json()["id"]


def test_a_query_passes_what_it_must_include(ask: Ask, services: FakeServices) -> None:
    services.answers["task"] = {"id": TASK, "version": 9, "title": "x"}
    answer = ask("GET", f"/v1/tasks/{TASK}?at_least=12")
    assert answer.headers["etag"] == '"9"'
    assert services.asked("task")[0]["at_least"] == 12
    assert services.asked("task")[0]["caller"]["origin"] is None


def test_nobody_gets_in_without_a_token(ask: Ask, services: FakeServices) -> None:
    answer = ask("GET", f"/v1/tasks/{TASK}", authorization="")
    problem(answer, 401, "authentication-required")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not services.calls


def test_nobody_gets_in_with_a_bad_token_even_where_none_is_needed(ask: Ask) -> None:
    problem(ask("POST", "/v1/sessions/refresh", authorization="nonsense", json={}), 401, "token-invalid")


def test_a_missing_permission_is_named(ask: Ask) -> None:
    held = token(permissions=("tasks:read",))
    document = problem(
        ask("POST", f"/v1/tasks/{TASK}/assign", authorization=held, json={"user_id": USER}), 403, "forbidden"
    )
    assert document["permission"] == "tasks:edit"


def test_admission_comes_before_the_body(ask: Ask) -> None:
    answer = ask("POST", ADVANCE, authorization="", content=b"{", headers={"Content-Type": "application/json"})
    problem(answer, 401, "authentication-required")


@pytest.mark.parametrize(
    "content",
    [b"{", b"nope", b'{"to_stage": NaN}', b'"\\ud800"', b"\xff\xfe", b"[" * 3000, b'{"to_stage": "a"} x'],
)
def test_what_is_no_json_is_said_so(ask: Ask, content: bytes) -> None:
    answer = ask("POST", ADVANCE, content=content, headers={"Content-Type": "application/json"})
    problem(answer, 400, "malformed-json")


@pytest.mark.parametrize(
    "body", [[], "text", 7, None, True, {}, {"to_stage": 7}, {"to_stage": "A B"}, {"to_stage": "a", "x": 1}]
)
def test_wrong_shapes_are_invalid_and_name_the_place(ask: Ask, body: object) -> None:
    document = problem(ask("POST", ADVANCE, json=body), 422, "invalid")
    assert document["errors"]
    assert all({"loc", "msg", "type"} == set(error) for error in document["errors"])


def test_what_was_typed_is_not_repeated(ask: Ask) -> None:
    answer = ask("POST", "/v1/sessions", authorization="", json={"email": "a@example.com", "password": ["hunter2"]})
    problem(answer, 422, "invalid")
    assert "hunter2" not in answer.text


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/xml", "multipart/form-data; boundary=x", "", "json"]
)
def test_other_content_types_are_refused(ask: Ask, content_type: str) -> None:
    answer = ask("POST", ADVANCE, content=b'{"to_stage": "a"}', headers={"Content-Type": content_type})
    problem(answer, 415, "media-type-unsupported")


def test_a_body_without_content_type_is_refused_and_no_body_is_invalid(ask: Ask) -> None:
    problem(ask("POST", ADVANCE, content=b"{}"), 415, "media-type-unsupported")
    problem(ask("POST", ADVANCE), 422, "invalid")


def test_announced_size_is_refused_unread(ask: Ask) -> None:
    headers = {"Content-Type": "application/json"}
    problem(ask("POST", ADVANCE, content=b" " * (1024 * 1024 + 1), headers=headers), 413, "body-too-large")


def test_bytes_count_even_when_no_size_is_announced(ask: Ask) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 65_536

    answer = ask("POST", ADVANCE, content=endless(), headers={"Content-Type": "application/json"})
    problem(answer, 413, "body-too-large")


def test_uploads_have_a_limit_of_their_own(ask: Ask) -> None:
    held = token(permissions=("imports:edit",))
    big = {"file": ("c.csv", b"x" * (6 * 1024 * 1024 + 1), "text/csv")}
    problem(
        ask("POST", "/v1/imports", authorization=held, files=big, data={"kind": "customers"}), 413, "body-too-large"
    )


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [("c.exe", b"x", 415, "file-type-unsupported"), ("c.csv", b"", 422, "file-empty"), ("", b"x", 422, "invalid")],
)
def test_useless_uploads(ask: Ask, name: str, content: bytes, status: int, code: str) -> None:
    held = token(permissions=("imports:edit",))
    answer = ask("POST", "/v1/imports", authorization=held, files={"file": (name, content)}, data={"kind": "customers"})
    problem(answer, status, code)


def test_broken_multipart_is_a_malformed_body(ask: Ask) -> None:
    held = token(permissions=("imports:edit",))
    headers = {"Content-Type": "multipart/form-data"}
    problem(ask("POST", "/v1/imports", authorization=held, content=b"x", headers=headers), 400, "malformed-body")


def test_a_parameter_that_does_not_exist_is_refused_and_named(ask: Ask, services: FakeServices) -> None:
    answer = ask("GET", "/v1/board?generic_state=completed&limit=5", authorization=token(permissions=("tasks:read",)))
    assert answer.status_code == 422
    assert answer.json()["code"] == "parameter-unknown"
    assert answer.json()["parameters"] == ["generic_state"]
    assert not services.asked("task_board")


def test_unknown_places_and_methods(ask: Ask) -> None:
    problem(ask("GET", "/v1/nothing"), 404, "not-found")
    problem(ask("GET", "/v1/tasks/"), 404, "not-found")
    answer = ask("PUT", f"/v1/tasks/{TASK}")
    problem(answer, 405, "method-not-allowed")
    assert "GET" in answer.headers["allow"]
    problem(ask("GET", "/v1/tasks/not-a-uuid"), 422, "invalid")


@pytest.mark.parametrize(
    ("raised", "status", "code"),
    [
        (RemoteError("Rejected", ("task-unknown", {"task_id": TASK})), 404, "task-unknown"),
        (RemoteError("Rejected", ("stage-not-reachable", {"stage": "a"})), 409, "stage-not-reachable"),
        (RemoteError("Rejected", ("version-mismatch", {"expected": 1, "actual": 2})), 412, "version-mismatch"),
        (RemoteError("Rejected", ("invalid", {"errors": []})), 422, "invalid"),
        (RemoteError("Rejected", ("forbidden", {})), 403, "forbidden"),
        (RemoteError("VersionConflict", ("internals",)), 409, "version-conflict"),
        (RemoteError("StoreUnavailable", ("internals",)), 503, "service-unavailable"),
        (RemoteError("KeyError", ("internals",), "internals"), 500, "internal"),
        (RemoteError("Rejected", ()), 500, "internal"),
        (ServiceUnavailable("internals"), 503, "service-unavailable"),
        (Overloaded("internals"), 503, "overloaded"),
        (ServiceTimeout("internals"), 504, "timeout"),
        (RuntimeError("internals"), 500, "internal"),
    ],
)
def test_whatever_goes_wrong_behind_is_a_problem_without_internals(
    ask: Ask, services: FakeServices, raised: Exception, status: int, code: str
) -> None:
    services.answers["advance_task"] = raised
    answer = ask("POST", ADVANCE, json={"to_stage": "done"})
    problem(answer, status, code)
    assert "internals" not in answer.text
    assert (status == 503) == ("retry-after" in answer.headers)


def test_facts_of_a_refusal_are_shown_but_cannot_forge_the_document(ask: Ask, services: FakeServices) -> None:
    facts = {"stage": "a", "status": 200, "type": "x", "title": "x", "code": "x", "headers": "x"}
    services.answers["advance_task"] = RemoteError("Rejected", ("stage-not-reachable", facts))
    document = problem(ask("POST", ADVANCE, json={"to_stage": "done"}), 409, "stage-not-reachable")
    assert document["stage"] == "a"


def test_a_delay_says_how_long(ask: Ask, services: FakeServices) -> None:
    services.answers["login"] = RemoteError("Rejected", ("login-delayed", {"retry_after": 8}))
    answer = ask("POST", "/v1/sessions", authorization="", json={"email": "a@example.com", "password": "x"})
    problem(answer, 429, "login-delayed")
    assert answer.headers["retry-after"] == "8"


def test_problems_speak_spanish(ask: Ask) -> None:
    answer = ask("GET", "/v1/nothing", headers={"Accept-Language": "es-CO,en;q=0.5"})
    assert problem(answer, 404, "not-found")["title"] == "No encontrado"
    assert answer.headers["content-language"] == "es"


def test_correlation_ids_come_back_and_go_on(ask: Ask, services: FakeServices) -> None:
    services.answers["task"] = {"id": TASK}
    given = "6f7a0f0e-5a9a-4a3e-9a54-1a3c3f6d2b11"
    answer = ask("GET", f"/v1/tasks/{TASK}", headers={"X-Correlation-Id": given})
    assert answer.headers["x-correlation-id"] == given
    assert services.asked("task")[0]["caller"]["correlation_id"] == given


def test_every_answer_carries_the_security_headers(ask: Ask) -> None:
    for answer in (ask("GET", "/healthz"), ask("GET", "/v1/nothing"), ask("GET", "/openapi.json")):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers


class TestLimits:
    @pytest.fixture
    def settings(self) -> GatewaySettings:
        slow = {"subject_per_second": 0.01, "address_per_second": 0.01, "entrance_per_minute": 0.01}
        return SETTINGS.model_copy(update=slow | {"subject_burst": 3, "address_burst": 4, "entrance_burst": 2})

    def test_a_subject_is_slowed_down(self, ask: Ask, services: FakeServices) -> None:
        services.answers["task"] = {"id": TASK}
        answers = [ask("GET", f"/v1/tasks/{TASK}") for _ in range(4)]
        assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
        problem(answers[3], 429, "rate-limited")
        assert re.fullmatch(r"\d+", answers[3].headers["retry-after"])
        assert answers[3].headers["ratelimit"].startswith('"subject";r=0')

    def test_log_in_is_slowed_down_sooner(self, ask: Ask, services: FakeServices) -> None:
        services.answers["login"] = RemoteError("Rejected", ("credentials-invalid", {}))
        body = {"email": "a@example.com", "password": "x"}
        answers = [ask("POST", "/v1/sessions", authorization="", json=body) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert len(services.asked("login")) == 2

    def test_bad_tokens_are_slowed_down_by_address(self, ask: Ask) -> None:
        codes = [ask("GET", "/v1/me", authorization=f"x.y.{n}").status_code for n in range(6)]
        assert codes == [401, 401, 401, 401, 429, 429]


def test_a_log_in_gives_its_origin_to_later_commands(ask: Ask, services: FakeServices) -> None:
    services.answers["login"] = {**RECEIPT, "session_id": SESSION, "origin_id": ORIGIN, "access_token": "x"}
    services.answers["advance_task"] = dict(RECEIPT)
    answer = ask("POST", "/v1/sessions", authorization="", json={"email": "a@example.com", "password": "x"})
    assert answer.status_code == 201
    assert "origin_id" not in answer.json()
    assert services.asked("login")[0]["data"]["ip"] == "203.0.113.9"
    ask("POST", ADVANCE, json={"to_stage": "done"})
    assert not services.asked("observe_origin")
    assert services.asked("advance_task")[0]["caller"]["origin"] == ORIGIN


def test_history_as_csv_is_all_pages(ask: Ask, services: FakeServices) -> None:
    pages = {None: {"text": "time,actor\r\n1,a\r\n", "next": "p2"}, "p2": {"text": "2,b\r\n", "next": None}}
    services.answers["history_csv"] = lambda kwargs: pages[kwargs["params"].get("cursor")]
    answer = ask("GET", "/v1/history.csv?type=TaskAdvanced", authorization=token(permissions=("history:read",)))
    assert answer.text == "time,actor\r\n1,a\r\n2,b\r\n"
    assert answer.headers["content-type"].startswith("text/csv")
    assert all(kwargs["params"]["type"] == "TaskAdvanced" for kwargs in services.asked("history_csv"))


def test_readiness_names_the_part_that_is_down(ask: Ask, services: FakeServices) -> None:
    services.answers["health"] = ServiceUnavailable("x")
    answer = ask("GET", "/readyz", authorization="")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "broker": "down",
        "identity": "down",
        "tasks": "down",
        "forms": "down",
        "billing": "down",
        "media": "down",
        "revocations": "stale",
    }
    assert ask("GET", "/healthz", authorization="").json() == {"status": "ok"}
