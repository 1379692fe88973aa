"""Forms through the front door: drafted, published, filled in, mended, exchanged as spreadsheets."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.examples.forms import ANSWERS, INSPECTION
from tests.system.callers import Client, Platform, join, problem, register

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    return register(platform, "Formularios S.A.S.")


@pytest.fixture(scope="module")
def technician(platform: Platform, owner: Client) -> Client:
    return join(platform, owner, "technician")


@pytest.fixture(scope="module")
def form_id(owner: Client) -> str:
    """The inspection, published."""
    id: str = owner.ok("POST", "/v1/forms", json={"name": "Inspección", "code": "INS1"})["id"]
    owner.ok("PUT", f"/v1/forms/{id}/draft", json={"content": INSPECTION.to_json()})
    seen(owner, owner.ok("POST", f"/v1/forms/{id}/publish"), f"/v1/forms/{id}")
    return id


def handed_in(form_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "form": {"id": form_id, "version": 1, "hash": INSPECTION.hash},
        "answers": {**ANSWERS, **changes},
        "occurred_at": "2026-11-20T09:12:03-05:00",
    }


def seen(client: Client, answer: dict[str, Any], path: str) -> dict[str, Any]:
    """What a path shows once it shows what was just done."""
    return client.ok("GET", path, headers={"X-At-Least": str(answer["position"])})


def test_a_version_is_the_same_for_everybody_and_for_ever(owner: Client, technician: Client, form_id: str) -> None:
    path = f"/v1/forms/{form_id}/versions/1"
    answer = technician("GET", path)
    assert answer.json()["content"] == INSPECTION.to_json()
    assert answer.headers["etag"] == f'"{INSPECTION.hash}"'
    assert technician("GET", path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    listed = owner.ok("GET", "/v1/forms?search=insp")["items"]
    assert [(one["id"], one["published"], one["active"]) for one in listed] == [(form_id, 1, True)]


def test_a_faulty_draft_is_told_fault_by_fault(owner: Client) -> None:
    id = owner.ok("POST", "/v1/forms", json={"name": "Con errores"})["id"]
    item = {"type": "number", "name": "n", "labels": {"es": "N"}, "constraint": ". > ${x}", "relevant": "1 +"}
    owner.ok("PUT", f"/v1/forms/{id}/draft", json={"content": {"items": [item]}})
    refused = problem(owner("POST", f"/v1/forms/{id}/publish"), 422)
    assert refused["code"] == "form-faulty"
    assert [(fault["part"], fault["code"], fault["facts"]["column"]) for fault in refused["faults"]] == [
        ("relevant", "expression-syntax", 4),
        ("constraint", "field-unknown", 5),
    ]


def test_answers_are_judged_kept_and_amended(owner: Client, technician: Client, form_id: str) -> None:
    refused = problem(technician("POST", "/v1/submissions", json=handed_in(form_id, contact="")), 422)
    assert [(one["path"], one["code"]) for one in refused["findings"]] == [("contact", "required")]
    assert refused["findings"][0]["text"] == "An answer is required."
    key = {"Idempotency-Key": f"forms-{uuid.uuid4()}"}
    answer = technician.ok("POST", "/v1/submissions", json=handed_in(form_id), headers=key)
    assert technician.ok("POST", "/v1/submissions", json=handed_in(form_id), headers=key) == answer
    path = f"/v1/submissions/{answer['id']}"
    shown = seen(technician, answer, path)
    assert (shown["media_arrived"], shown["media_declared"], shown["complete"]) == (0, 4, False)
    assert shown["answers"]["total"] == 16.5
    amended = technician.ok("POST", f"{path}/amend", json={"answers": {**ANSWERS, "contact": "Otra"}, "reason": "x"})
    shown = seen(owner, amended, path)
    assert (shown["answers"]["contact"], shown["original"]["contact"]) == ("Otra", "Marta Ñungo")
    assert seen(technician, amended, f"{path}/status")["safe"] is False


def test_only_who_executes_hands_in_and_each_sees_his_own(
    platform: Platform, owner: Client, technician: Client, form_id: str
) -> None:
    assert problem(owner("POST", "/v1/submissions", json=handed_in(form_id)), 403)["code"] == "forbidden"
    answer = technician.ok("POST", "/v1/submissions", json=handed_in(form_id))
    colleague = join(platform, owner, "technician")
    listed = seen(colleague, answer, "/v1/submissions")
    assert listed["items"] == []
    assert problem(colleague("GET", f"/v1/submissions/{answer['id']}"), 404)["code"] == "submission-unknown"
    stranger = register(platform, "Ajena S.A.S.")
    for method, path in (("GET", ""), ("GET", "/status"), ("POST", "/release")):
        refused = problem(stranger(method, f"/v1/submissions/{answer['id']}{path}"), 404)
        assert refused["code"] == "submission-unknown"
    viewer = join(platform, owner, "viewer")
    assert viewer.ok("GET", f"/v1/submissions/{answer['id']}")["id"] == answer["id"]
    assert problem(viewer("POST", f"/v1/submissions/{answer['id']}/release"), 403)["code"] == "forbidden"


def test_a_version_goes_out_as_a_workbook_and_comes_back_the_same(owner: Client, form_id: str) -> None:
    out = owner("GET", f"/v1/forms/{form_id}/versions/1/xlsform")
    assert out.headers["content-type"] == XLSX
    back = owner.ok("POST", "/v1/forms/import", files={"file": ("inspección.xlsx", out.content, XLSX)})
    assert (back["hash"], back["report"], back["faults"]) == (INSPECTION.hash, [], [])
    assert seen(owner, back, f"/v1/forms/{back['id']}")["name"] == "Inspección"
    useless = owner("POST", "/v1/forms/import", files={"file": ("x.xlsx", b"no workbook", XLSX)})
    assert problem(useless, 422)["code"] == "xlsform-unreadable"
