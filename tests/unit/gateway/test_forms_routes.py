"""Forms and submissions over HTTP: what is asked of the service, and what caches and spreadsheets need."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest

from gateway.rpc_client import ServiceTimeout
from gateway.words.forms import FAULT_WORDS, FINDING_WORDS
from services.kernel.rpc import RemoteError
from tests.unit.gateway.conftest import Ask, FakeServices, token

FORM = "01936f5e-0000-7000-8000-00000000f001"
HASH = f"sha256:{'a' * 64}"
EDITOR = token(permissions=("forms:read", "forms:edit"))
FIELD = token(permissions=("tasks:execute", "submissions:read"))
RECEIPT = {"id": FORM, "stream": "s", "version": 2, "position": 9}


def test_a_version_is_fetched_once(ask: Ask, services: FakeServices) -> None:
    services.answers["form_version"] = {"form_id": FORM, "number": 3, "hash": HASH, "content": {"items": []}}
    path = f"/v1/forms/{FORM}/versions/3"
    first = ask("GET", path, authorization=EDITOR)
    assert (first.status_code, first.headers["etag"]) == (200, f'"{HASH}"')
    assert services.asked("form_version")[0]["params"] == {"form_id": FORM, "version": 3}
    again = ask("GET", path, authorization=EDITOR, headers={"If-None-Match": f'"{HASH}"'})
    assert (again.status_code, again.content) == (304, b"")
    other = ask("GET", path, authorization=EDITOR, headers={"If-None-Match": '"sha256:b"'})
    assert other.status_code == 200


def test_answers_keep_the_offset_of_their_place(ask: Ask, services: FakeServices) -> None:
    services.answers["submit"] = RECEIPT
    body = {"form": {"id": FORM, "version": 1}, "answers": {"a": 1}, "occurred_at": "2026-11-23T09:12:03-05:00"}
    answer = ask("POST", "/v1/submissions", authorization=FIELD, json=body)
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/submissions/{FORM}")
    (asked,) = services.asked("submit")
    assert asked["data"]["occurred_at"] == "2026-11-23T09:12:03-05:00"
    assert asked["data"].keys() == {"submission_id", "form", "answers", "occurred_at"}


def test_the_place_of_the_task_is_told_by_the_service_of_tasks(ask: Ask, services: FakeServices) -> None:
    services.answers |= {"submit": RECEIPT, "sites": {"sites": {FORM: {"lat": 4.65, "lon": -74.06}}}}
    body = {"form": {"id": FORM, "version": 1}, "answers": {}, "task_id": FORM}
    assert ask("POST", "/v1/submissions", authorization=FIELD, json=body).status_code == 201
    services.answers["sites"] = ServiceTimeout("tasks")
    assert ask("POST", "/v1/submissions", authorization=FIELD, json=body).status_code == 201
    claimed = {**body, "site": {"lat": 1, "lon": 1}}
    assert ask("POST", "/v1/submissions", authorization=FIELD, json=claimed).status_code == 422
    first, second = services.asked("submit")
    assert first["data"]["site"] == {"lat": 4.65, "lon": -74.06}
    assert "site" not in second["data"]


@pytest.mark.parametrize(
    "body",
    [
        {"answers": {}},
        {"form": {"id": FORM, "version": 0}, "answers": {}},
        {"form": {"id": FORM, "version": 1}, "answers": []},
        {"form": {"id": FORM, "version": 1}, "answers": {}, "occurred_at": "2026-11-23T09:12:03"},
        {"form": {"id": FORM, "version": 1}, "answers": {}, "media": [{"id": "x", "bytes": 1, "type": "image/png"}]},
    ],
)
def test_what_is_no_submission_does_not_reach_the_service(ask: Ask, services: FakeServices, body: Any) -> None:
    assert ask("POST", "/v1/submissions", authorization=FIELD, json=body).status_code == 422
    assert services.asked("submit") == []


def test_the_queue_of_parked_ones_is_a_filter(ask: Ask, services: FakeServices) -> None:
    services.answers["submissions"] = {"items": [], "next": None}
    path = "/v1/submissions?status=parked&status=released&parked=answers_invalid&from=2026-11-01T05:00:00Z"
    assert ask("GET", path, authorization=FIELD).status_code == 200
    assert services.asked("submissions")[0]["params"] == {
        "status": ["parked", "released"],
        "parked": "answers_invalid",
        "from": "2026-11-01T05:00:00+00:00",
        "limit": 50,
    }


def test_an_import_is_reported_in_the_callers_language(ask: Ask, services: FakeServices) -> None:
    remark = {"sheet": "survey", "row": 4, "column": "type", "code": "type-unsupported", "value": "geoshape"}
    services.answers["import_xlsform"] = lambda _: {**RECEIPT, "hash": HASH, "report": [remark], "faults": []}
    told = {}
    for language in ("es", "en"):
        file = {"file": ("visita.xlsx", b"PK..", "application/octet-stream")}
        answer = ask(
            "POST", "/v1/forms/import", authorization=EDITOR, files=file, headers={"Accept-Language": language}
        )
        assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/forms/{FORM}")
        told[language] = answer.json()["report"][0]["text"]
    assert "no está soportado" in told["es"]
    assert "not supported" in told["en"]
    asked = services.asked("import_xlsform")[0]["data"]
    assert (asked["file_name"], base64.b64decode(asked["file"])) == ("visita", b"PK..")


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("visita.pdf", b"%PDF", "file-type-unsupported"),
        ("visita.xlsx", b"", "file-empty"),
        ("visita.xlsx", b"0" * (2 * 1024 * 1024 + 1), "body-too-large"),
    ],
)
def test_a_file_that_cannot_be_a_form_is_refused_at_the_door(
    ask: Ask, services: FakeServices, name: str, data: bytes, code: str
) -> None:
    answer = ask("POST", "/v1/forms/import", authorization=EDITOR, files={"file": (name, data)})
    assert answer.json()["code"] == code
    assert services.asked("import_xlsform") == []


def test_a_version_comes_as_a_workbook(ask: Ask, services: FakeServices) -> None:
    services.answers["form_xlsform"] = {"file": base64.b64encode(b"PK..").decode(), "hash": HASH}
    answer = ask("GET", f"/v1/forms/{FORM}/versions/1/xlsform", authorization=EDITOR)
    assert answer.content == b"PK.."
    assert answer.headers["content-disposition"].startswith("attachment")


def test_findings_and_faults_come_with_words(ask: Ask, services: FakeServices) -> None:
    missing = {"path": "a", "code": "required", "facts": {}}
    own = {"path": "b", "code": "constraint", "facts": {"message": {"es": "Muy poco"}}}
    services.answers["submit"] = RemoteError("Rejected", ["answers-invalid", {"findings": [missing, own]}])
    body = {"form": {"id": FORM, "version": 1}, "answers": {}}
    told = ask("POST", "/v1/submissions", authorization=FIELD, json=body, headers={"Accept-Language": "en"}).json()
    assert [finding["text"] for finding in told["findings"]] == ["An answer is required.", "Muy poco"]
    fault = {"path": "items/0", "name": "a", "part": "relevant", "code": "circle", "facts": {"names": ["a"]}}
    services.answers["form_draft"] = {"form_id": FORM, "hash": HASH, "content": {}, "faults": [fault]}
    shown = ask("GET", f"/v1/forms/{FORM}/draft", authorization=EDITOR, headers={"Accept-Language": "es"}).json()
    assert shown["faults"] == [{**fault, "text": "Estos dependen unos de otros en círculo."}]


def test_every_finding_and_fault_has_words() -> None:
    root = Path(__file__).parents[3] / "services" / "forms"
    judged = _codes(root / "domain" / "limits.py", root / "domain" / "judging.py", root / "domain" / "reading.py")
    checked = _codes(root / "domain" / "check.py", *(root / "expressions").glob("*.py"))
    assert judged == FINDING_WORDS.keys()
    assert checked - {"default-invalid", "not-a-choice"} <= FAULT_WORDS.keys()
    assert FAULT_WORDS.keys() <= checked


WRITTEN = re.compile(
    r"""(?:yield|wrong=|code=|Error\(|_fault\([^)]*?|_found\([^)]*?|: )\s*"""
    r"""["']([a-z]+(?:-[a-z]+)+|required|constraint|circle)["']"""
)
"""How a code stands in the service: given, raised, or looked up."""


def _codes(*paths: Path) -> set[str]:
    return {code for path in paths for code in WRITTEN.findall(path.read_text())}


def test_header_edits_send_what_is_given(ask: Ask, services: FakeServices) -> None:
    services.answers["edit_form_header"] = RECEIPT
    ask("PATCH", f"/v1/forms/{FORM}", authorization=EDITOR, json={"code": "X1", "name": None})
    assert services.asked("edit_form_header")[0]["data"] == {"code": "X1", "form_id": FORM}


@pytest.mark.parametrize(
    ("method", "path", "permission"),
    [
        ("POST", "/v1/forms", "forms:edit"),
        ("GET", "/v1/forms", "forms:read"),
        ("POST", "/v1/submissions", "tasks:execute"),
        ("GET", "/v1/submissions", "submissions:read"),
        ("POST", f"/v1/submissions/{FORM}/release", "submissions:edit"),
    ],
)
def test_each_door_has_its_key(ask: Ask, method: str, path: str, permission: str) -> None:
    answer = ask(method, path, authorization=token(permissions=("tasks:read",)), json={} if method == "POST" else None)
    assert (answer.status_code, answer.json()["permission"]) == (403, permission)
