"""Reports over HTTP: a visit with photos and a signature becomes a PDF, follows what changes, and is nobody else's."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdf
import pytest

from tests.examples.reports import photo, strokes
from tests.system.callers import STAGES, Client, Platform, join, problem, register, within
from tests.system.evidence import File, kept, stored, uploaded

SITE = {"lat": 4.62872, "lon": -74.11185}
FORM: dict[str, Any] = {
    "languages": ["es", "en"],
    "choice_lists": {"state": [{"value": "ok", "labels": {"es": "Óptimo", "en": "Fine"}}]},
    "items": [
        {
            "type": "section",
            "name": "arrival",
            "labels": {"es": "Ingreso", "en": "Arrival"},
            "items": [
                {"type": "short_text", "name": "who", "labels": {"es": "Quién recibió", "en": "Received by"}},
                {"type": "single_choice", "name": "state", "choices": "state", "labels": {"es": "Estado"}},
            ],
        },
        {
            "type": "repeat",
            "name": "unit",
            "labels": {"es": "Unidad", "en": "Unit"},
            "items": [
                {"type": "short_text", "name": "serial", "labels": {"es": "Serie"}},
                {"type": "picture", "name": "plate", "labels": {"es": "Placa"}},
            ],
        },
        {"type": "picture", "name": "photos", "max_count": 5, "labels": {"es": "Fotos", "en": "Photos"}},
        {"type": "signature", "name": "signature", "labels": {"es": "Firma del cliente", "en": "Client's signature"}},
    ],
}


@dataclass
class Visit:
    """A company with one visit whose evidence is there but for one photo."""

    owner: Client
    technician: Client
    task_id: str
    submission_id: str
    late: File


@pytest.fixture(scope="module")
def visit(platform: Platform) -> Visit:
    owner = register(platform, "Refrigeración Ñandú S.A.S.")
    technician = join(platform, owner, "technician")
    task_id, form_id = _planned(owner, technician)
    technician.ok("POST", f"/v1/tasks/{task_id}/start")
    shots = [File(photo(n, 640, 480), "image/jpeg", f"foto-{n}.jpg") for n in range(3)]
    signature = File(strokes(1), "image/png", "firma.png")
    for file in (*shots[:2], signature):
        stored(technician, uploaded(technician, file))
    answers = {
        "who": "Álvaro Güiza",
        "state": "ok",
        "unit": [{"serial": "EV-001", "plate": [_named(shots[0])]}, {"serial": "EV-002"}],
        "photos": [_named(shots[1]), _named(shots[2])],
        "signature": [{**_named(signature), "signed_by": "Álvaro Güiza Nariño"}],
    }
    place = {"lat": 4.62861, "lon": -74.11153, "accuracy_m": 12}
    body = {"form": {"id": form_id, "version": 1}, "task_id": task_id, "answers": answers, "place": place}
    submission_id = technician.ok("POST", "/v1/submissions", json=body)["id"]
    status = f"/v1/submissions/{submission_id}/status"
    within(20.0, lambda: owner("GET", status).json().get("media_arrived") == 3)
    return Visit(owner, technician, task_id, submission_id, shots[2])


def _planned(owner: Client, technician: Client) -> tuple[str, str]:
    form_id = owner.ok("POST", "/v1/forms", json={"name": "Inspección técnica"})["id"]
    owner.ok("PUT", f"/v1/forms/{form_id}/draft", json={"content": FORM})
    owner.ok("POST", f"/v1/forms/{form_id}/publish")
    list_id = owner.ok("POST", "/v1/status-lists", json={"name": "Visitas", "stages": STAGES})["id"]
    process_id = owner.ok("POST", "/v1/processes", json={"name": "Mantenimiento"})["id"]
    process = f"/v1/processes/{process_id}"
    owner.ok("PUT", f"{process}/status-list", json={"list_id": list_id})
    subprocess_id = owner.ok("POST", f"{process}/subprocesses", json={"name": "Preventivo"})["subprocess_id"]
    customer = {"code": "C-1", "name": "Cosecha Añeja Ltda.", "city": "Bogotá", "address": "Carrera 50 # 12-34"}
    customer_id = owner.ok("POST", "/v1/customers", json=customer)["id"]
    location = {"name": "Bodega", "position": SITE}
    location_id = owner.ok("POST", f"/v1/customers/{customer_id}/locations", json=location)["location_id"]
    task = {
        "title": "Revisión del cuarto frío",
        "process_id": process_id,
        "subprocess_id": subprocess_id,
        "customer_id": customer_id,
        "location_id": location_id,
        "form_ids": [form_id],
        "user_id": technician.ids["user_id"],
    }
    return owner.soon("assignee-", "POST", "/v1/tasks", json=task)["id"], form_id


def _named(file: File) -> dict[str, Any]:
    return {"id": file.id, "bytes": len(file.content), "type": file.type, "name": file.name}


def ready(who: Client, report_id: str, edition: int = 1) -> dict[str, Any]:
    """The report once it has this edition."""
    path = f"/v1/reports/{report_id}"
    within(60.0, lambda: who("GET", path).json().get("edition", 0) >= edition)
    return who.ok("GET", path)


def pages(who: Client, report_id: str) -> pypdf.PdfReader:
    """The file, read by somebody else's program."""
    answer = who("GET", f"/v1/reports/{report_id}/file")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    return pypdf.PdfReader(io.BytesIO(answer.content))


def words(document: pypdf.PdfReader) -> str:
    return "\n".join(page.extract_text() for page in document.pages)


def asked(who: Client, visit: Visit, **more: str) -> str:
    body = {"kind": "task", "subject_id": visit.task_id, **more}
    return str(who.ok("POST", "/v1/reports", json=body)["id"])


def test_a_visit_on_paper_that_follows_what_changes(visit: Visit) -> None:
    owner = visit.owner
    report_id = asked(owner, visit)
    shown = ready(owner, report_id)
    assert (shown["kind"], shown["subject_id"], shown["language"]) == ("task", visit.task_id, "es")
    document = pages(owner, report_id)
    assert len(document.pages) == shown["pages"]
    text = words(document)
    for said in (
        "Refrigeración Ñandú S.A.S.",
        "Revisión del cuarto frío",
        "Cosecha Añeja Ltda.",
        "Carrera 50 # 12-34, Bogotá",
        "Inspección técnica",
        "Quién recibió",
        "Álvaro Güiza Nariño",
        "Óptimo",
        "EV-002",
        "3 de 4 archivos recibidos",
        "aún no recibido",
    ):
        assert said in text, said
    assert len({image.name for page in document.pages for image in page.images}) >= 3
    stored(visit.technician, uploaded(visit.technician, visit.late))
    newer = ready(owner, report_id, shown["edition"] + 1)
    within(60.0, lambda: "4 de 4 archivos recibidos" in words(pages(owner, report_id)))
    assert newer["sha256"] != shown["sha256"]


def test_asked_for_again_it_is_the_same_and_each_language_has_its_own(visit: Visit) -> None:
    spanish, english = asked(visit.owner, visit), asked(visit.owner, visit, language="en")
    assert asked(visit.owner, visit, language="es") == spanish != english
    assert ready(visit.owner, english)["language"] == "en"
    text = words(pages(visit.owner, english))
    for said in ("Service report", "Received by", "Fine", "Client's signature", "Estado"):
        assert said in text, said


def test_a_submission_on_paper(visit: Visit) -> None:
    body = {"kind": "submission", "subject_id": visit.submission_id}
    report_id = visit.owner.ok("POST", "/v1/reports", json=body)["id"]
    ready(visit.owner, report_id)
    text = words(pages(visit.owner, report_id))
    assert "Informe de formulario" in text
    assert "Revisión del cuarto frío" in text


def test_it_is_nobody_elses(platform: Platform, visit: Visit) -> None:
    report_id = asked(visit.owner, visit)
    ready(visit.owner, report_id)
    stranger, supervisor = register(platform, "Ajena S.A.S."), join(platform, visit.owner, "supervisor")
    body = {"kind": "task", "subject_id": visit.task_id}
    assert problem(stranger("POST", "/v1/reports", json=body), 404)["code"] == "task-unknown"
    for other in (stranger, supervisor):
        for path in (f"/v1/reports/{report_id}", f"/v1/reports/{report_id}/file"):
            assert problem(other("GET", path), 404)["code"] == "report-unknown"
        problem(other("DELETE", f"/v1/reports/{report_id}"), 404)
        assert other.ok("GET", "/v1/reports")["items"] == []
    problem(visit.technician("POST", "/v1/reports", json=body), 403)
    found = visit.owner.ok("GET", "/v1/reports", params={"subject_id": visit.task_id})["items"]
    assert report_id in [item["id"] for item in found]


def test_deleted_it_is_gone_with_its_object(platform: Platform, visit: Visit) -> None:
    tenant = visit.owner.ids["account_id"]
    body = {"kind": "submission", "subject_id": visit.submission_id, "language": "en"}
    before = set(kept(platform, tenant))
    report_id = visit.owner.ok("POST", "/v1/reports", json=body)["id"]
    ready(visit.owner, report_id)
    (added,) = set(kept(platform, tenant)) - before
    visit.owner.ok("DELETE", f"/v1/reports/{report_id}")
    within(20.0, lambda: added not in kept(platform, tenant))
    problem(visit.owner("GET", f"/v1/reports/{report_id}/file"), 404)
    within(10.0, lambda: visit.owner("GET", f"/v1/reports/{report_id}").status_code == 404)


def test_evidence_as_one_package_that_proves_itself(visit: Visit, tmp_path: Path) -> None:
    owner = visit.owner
    made = owner.ok("POST", "/v1/exports", json={"kind": "media", "filters": {"task_id": visit.task_id}})
    path = f"/v1/exports/{made['id']}"
    within(60.0, lambda: owner("GET", path).json().get("status") == "ready")
    shown = owner.ok("GET", path)
    assert shown["kind"] == "media"
    assert shown["written"] == shown["total"] >= 3
    assert made["id"] in [item["id"] for item in owner.ok("GET", "/v1/exports")["items"]]
    answer = owner("GET", f"{path}/file")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"].startswith('attachment; filename="evidencias-')
    assert hashlib.sha256(answer.content).hexdigest() == shown["sha256"]
    part = owner("GET", f"{path}/file", headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, answer.content[100:200])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        package.extractall(tmp_path)
        rows = json.loads(package.read("manifest.json"))
    subprocess.run(["sha256sum", "-c", "--strict", "SHA256SUMS"], cwd=tmp_path, check=True, capture_output=True)
    assert {row["task"] for row in rows} == {"Revisión del cuarto frío"}
    assert {row["user"] for row in rows} == {"Tomás Ruiz"}
    wrong = owner("POST", "/v1/exports", json={"kind": "media", "format": "xlsx"})
    assert problem(wrong, 422)["code"] == "export-format-unknown"
    problem(visit.technician("POST", "/v1/exports", json={"kind": "media"}), 403)
    owner.ok("DELETE", path)
    within(10.0, lambda: owner("GET", f"{path}/file").status_code == 410)
