"""An export over HTTP: asked for, followed, fetched in two pieces, and nobody else's."""

from __future__ import annotations

import base64
import hashlib
import io

import openpyxl
import pytest

from tests.system.callers import Client, Platform, join, problem, register, within


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    made = register(platform, "Exporta S.A.S.")
    for n in range(5):
        made.ok("POST", "/v1/customers", json={"code": f"C-{n}", "name": f"=Cliente {n}"})
    return made


def export(who: Client, **body: object) -> str:
    """An export that is ready; its path."""
    made = who.ok("POST", "/v1/exports", json=body)
    path = f"/v1/exports/{made['id']}"
    assert who.ok("GET", path, params={"at_least": made["position"]})["id"] == made["id"]
    within(20.0, lambda: who.ok("GET", path)["status"] == "ready")
    return path


def test_a_download_that_broke_off_goes_on(owner: Client) -> None:
    path = export(owner, kind="customers")
    shown = owner.ok("GET", path)
    assert (shown["written"], shown["total"], shown["tables"][0]["rows"]) == (5, 5, 5)
    first = owner("GET", f"{path}/file", headers={"Range": "bytes=0-999"})
    assert (first.status_code, len(first.content)) == (206, 1_000)
    rest = owner("GET", f"{path}/file", headers={"Range": "bytes=1000-", "If-Range": first.headers["etag"]})
    whole = first.content + rest.content
    assert whole == owner("GET", f"{path}/file").content
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (shown["size"], shown["sha256"])
    digest = base64.b64encode(hashlib.sha256(whole).digest()).decode()
    assert first.headers["repr-digest"] == f"sha-256=:{digest}:"
    sheet = openpyxl.load_workbook(io.BytesIO(whole))["Clientes"]
    assert [row[1] for row in sheet.iter_rows(min_row=2, values_only=True)] == [f"=Cliente {n}" for n in range(5)]


def test_tasks_as_csv_in_english(owner: Client) -> None:
    path = export(owner, kind="tasks", format="csv", language="en", filters={"status": ["completed"]})
    answer = owner("GET", f"{path}/file")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="tasks-')


def test_submissions_by_the_names_of_people(platform: Platform, owner: Client) -> None:
    item = {"type": "short_text", "name": "remark", "labels": {"es": "Observación"}, "required": True}
    form_id = owner.ok("POST", "/v1/forms", json={"name": "Visita"})["id"]
    owner.ok("PUT", f"/v1/forms/{form_id}/draft", json={"content": {"items": [item]}})
    owner.ok("POST", f"/v1/forms/{form_id}/publish")
    technician = join(platform, owner, "technician")
    answers = {"form": {"id": form_id, "version": 1}, "answers": {"remark": "=1+1"}}
    technician.ok("POST", "/v1/submissions", json=answers)
    path = export(owner, kind="submissions", filters={"form_id": form_id})
    sheet = openpyxl.load_workbook(io.BytesIO(owner("GET", f"{path}/file").content))["Visita"]
    head, row = sheet.iter_rows(values_only=True)
    shown = dict(zip(head, row, strict=True))
    assert (shown["Diligenciado por"], shown["Observación"]) == ("Tomás Ruiz", "=1+1")
    foreign = register(platform, "Sin Formularios S.A.S.")
    asked = {"kind": "submissions", "filters": {"form_id": form_id}}
    assert problem(foreign("POST", "/v1/exports", json=asked), 404)["code"] == "form-unknown"


def test_it_is_nobody_elses(platform: Platform, owner: Client) -> None:
    path = export(owner, kind="customers")
    stranger = register(platform, "Ajena S.A.S.")
    viewer, technician = (join(platform, owner, role) for role in ("viewer", "technician"))
    for path_asked in (path, f"{path}/file"):
        problem(stranger("GET", path_asked), 404)
        problem(viewer("GET", path_asked), 404)
        problem(technician("GET", path_asked), 403)
    assert stranger.ok("GET", "/v1/exports")["items"] == []
    own = export(viewer, kind="customers")
    assert [item["id"] for item in viewer.ok("GET", "/v1/exports")["items"]] == [own.rsplit("/", 1)[1]]
    assert len(owner.ok("GET", "/v1/exports", params={"limit": 200})["items"]) >= 3


def test_deleted_it_is_gone(owner: Client) -> None:
    path = export(owner, kind="customers")
    owner.ok("DELETE", path)
    within(10.0, lambda: owner("GET", f"{path}/file").status_code == 410)
