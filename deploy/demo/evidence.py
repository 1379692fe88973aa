"""The part of the story with evidence: photos, a film, a voice, signatures, a line that breaks, a link, a report."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from PIL import Image

from deploy.demo import samples
from deploy.demo.bad_network import FaultProxy, random_faults
from deploy.demo.client import Person, Refused
from deploy.demo.company import Company, until
from deploy.demo.phone import BOGOTA, Phone
from services.kernel.clock import new_id

Say = Callable[[str], None]
SITE = (4.6966, -74.0315)
SEED = 11
TOO_HEAVY = 600_000
_CAMERA_GPS = 0x8825

REPORT_FORM: dict[str, Any] = {
    "languages": ["es", "en"],
    "choice_lists": {
        "states": [
            {"value": "good", "labels": {"es": "Bueno", "en": "Good"}},
            {"value": "fair", "labels": {"es": "Regular", "en": "Fair"}},
        ]
    },
    "items": [
        {
            "type": "section",
            "name": "visit",
            "labels": {"es": "La visita", "en": "The visit"},
            "items": [
                {
                    "type": "short_text",
                    "name": "contact",
                    "labels": {"es": "Quién recibe", "en": "Received by"},
                    "required": True,
                },
                {"type": "barcode", "name": "serial", "labels": {"es": "Código QR del equipo", "en": "QR code"}},
                {"type": "gps", "name": "point", "labels": {"es": "Ubicación", "en": "Place"}},
            ],
        },
        {
            "type": "repeat",
            "name": "machines",
            "labels": {"es": "Equipos revisados", "en": "Machines"},
            "min": 1,
            "items": [
                {"type": "short_text", "name": "machine", "labels": {"es": "Equipo", "en": "Machine"}},
                {
                    "type": "single_choice",
                    "name": "state",
                    "labels": {"es": "Estado", "en": "State"},
                    "choices": "states",
                },
                {
                    "type": "number",
                    "name": "pressure",
                    "labels": {"es": "Presión (bar)", "en": "Pressure (bar)"},
                    "kind": "decimal",
                },
                {
                    "type": "picture",
                    "name": "photos",
                    "labels": {"es": "Fotos", "en": "Photos"},
                    "max_count": 3,
                    "max_bytes": TOO_HEAVY,
                },
            ],
        },
        {
            "type": "section",
            "name": "closing",
            "labels": {"es": "Cierre", "en": "Closing"},
            "items": [
                {"type": "voice", "name": "remark", "labels": {"es": "Nota de voz", "en": "Voice memo"}},
                {"type": "video", "name": "walk", "labels": {"es": "Video", "en": "Video"}, "max_seconds": 30},
                {"type": "document", "name": "plan", "labels": {"es": "Plano", "en": "Plan"}, "kinds": ["pdf"]},
                {
                    "type": "signature",
                    "name": "client_signature",
                    "labels": {"es": "Firma del cliente", "en": "Client's signature"},
                    "required": True,
                },
                {
                    "type": "signature",
                    "name": "technician_signature",
                    "of": "technician",
                    "labels": {"es": "Firma del técnico", "en": "Technician's signature"},
                    "required": True,
                },
            ],
        },
    ],
}

STAGES: list[dict[str, Any]] = [
    {"stage_id": "pending", "name": "Pendiente", "generic_state": "pending"},
    {"stage_id": "in-progress", "name": "En curso", "generic_state": "in_progress"},
    {
        "stage_id": "completed",
        "name": "Terminada",
        "generic_state": "completed",
        "requires": {"task_forms": True, "signature": True, "complete_evidence": True},
    },
]


def media_id(content: bytes) -> str:
    """The name of a file: what it hashes to."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


class Visit:
    """One visit with everything that proves it, from the first photo to the report in the customer's hands."""

    def __init__(self, company: Company, admin: Person, technician: Person, phone: Phone, customer_id: str) -> None:
        self._company = company
        self._admin = admin
        self._technician = technician
        self._phone = phone
        self.form = self._publish()
        self.job = self._open_task(customer_id)
        self.submission = new_id()
        self.files: dict[str, tuple[bytes, str]] = {}
        self.report_id = ""

    def _publish(self) -> dict[str, Any]:
        form_id = self._admin.post("/v1/forms", {"name": "Acta de mantenimiento", "code": "ACTA1"})["id"]
        self._admin.put(f"/v1/forms/{form_id}/draft", {"content": REPORT_FORM})
        self._admin.post(f"/v1/forms/{form_id}/publish")
        version = until(lambda: self._admin.get(f"/v1/forms/{form_id}/versions/1"), lambda found: bool(found["hash"]))
        return {"id": form_id, "version": 1, "hash": version["hash"]}

    def _open_task(self, customer_id: str) -> str:
        admin = self._admin
        stages = admin.post("/v1/status-lists", {"name": "Con evidencia", "stages": STAGES})["id"]
        process = admin.post("/v1/processes", {"name": "Mantenimiento certificado"})["id"]
        admin.put(f"/v1/processes/{process}/status-list", {"list_id": stages})
        inside = admin.post(f"/v1/processes/{process}/subprocesses", {"name": "Cuartos fríos"})["subprocess_id"]
        customer = admin.get(f"/v1/customers/{customer_id}")
        made = admin.post(
            "/v1/tasks",
            {
                "title": "Mantenimiento de la cava 3",
                "description": "Revisión semestral con acta firmada.",
                "process_id": process,
                "subprocess_id": inside,
                "customer_id": customer_id,
                "location_id": customer["locations"][0]["location_id"],
                "user_id": self._phone.user_id,
                "form_ids": [self.form["id"]],
            },
        )
        return str(made["id"])

    def put_the_sign_on_reports(self, say: Say) -> None:
        """From the web: the company's sign goes straight to the store, and stands on every report from now on."""
        sign = samples.logo()
        asked = {"id": media_id(sign), "bytes": len(sign), "type": "image/png", "name": "logo.png", "via": "form"}
        plan = self._admin.post("/v1/media", asked)
        way = plan["form"]
        httpx.post(way["url"], data=way["fields"], files={"file": sign}, timeout=20).raise_for_status()
        self._admin.post(f"/v1/uploads/{plan['upload_id']}/complete")
        until(
            lambda: self._admin.get(f"/v1/uploads/{plan['upload_id']}"), lambda found: bool(found["status"] == "stored")
        )
        footer = "Frío Andino S.A.S. · NIT 900.555.777-1 · servicio@frio.example.com"
        self._admin.put("/v1/evidence-settings", {"logo": media_id(sign), "footer": footer})
        say("a form signed for one file of one type and length took it to the object store; links live for 30 days")

    def gather(self, say: Say) -> None:
        """Without a network: photos, a film, a voice, a document, a scanned code, two signatures, and the answers."""
        now = datetime.now(BOGOTA)
        pictures = [
            samples.photo(f"CAVA 3-{n + 1}", now, SITE, seed=n, size=(2400, 1800) if n < 3 else (4000, 3000))
            for n in range(4)
        ]
        files = {f"photo {n + 1}": (content, "image/jpeg") for n, content in enumerate(pictures)}
        files |= {
            "voice": (samples.voice(), "audio/wav"),
            "film": (samples.film(place=SITE), "video/mp4"),
            "plan": (samples.document("Plano del cuarto frio", ["Evaporador 1", "Evaporador 2"]), "application/pdf"),
            "client's signature": (samples.signature(1), "image/png"),
            "technician's signature": (samples.signature(2), "image/png"),
        }
        self.files = files
        phone = self._phone
        phone.did("task.start", ("task", self.job))
        phone.did(
            "submission.submit",
            ("submission", self.submission),
            answers=self._answers([f"photo {n + 1}" for n in range(4)]),
            task_id=self.job,
            place={"lat": SITE[0], "lon": SITE[1], "accuracy_m": 9},
            extra={"form": self.form, "media": self._manifest()},
        )
        weight = sum(len(content) for content, _ in files.values())
        say(f"{len(files)} files, {weight / 1e6:.1f} MB; the QR code says {_QR!r}; the photos say where and when")

    def _answers(self, photos: list[str]) -> dict[str, Any]:
        named = {name: media_id(content) for name, (content, _) in self.files.items()}
        return {
            "contact": "Marta Ñungo",
            "serial": _QR,
            "point": {"lat": SITE[0], "lon": SITE[1], "accuracy_m": 9},
            "machines": [
                {
                    "machine": "Evaporador 1",
                    "state": "good",
                    "pressure": 12.5,
                    "photos": [named[p] for p in photos[:2]],
                },
                {
                    "machine": "Evaporador 2",
                    "state": "fair",
                    "pressure": 9.75,
                    "photos": [named[p] for p in photos[2:]],
                },
            ],
            "remark": named["voice"],
            "walk": named["film"],
            "plan": named["plan"],
            "client_signature": [{"id": named["client's signature"], "signed_by": "Marta Ñungo"}],
            "technician_signature": [{"id": named["technician's signature"], "signed_by": "Tomás Ruiz"}],
        }

    def _manifest(self) -> list[dict[str, Any]]:
        return [{"id": media_id(content), "bytes": len(content), "type": type} for content, type in self.files.values()]

    def hand_in(self, say: Say) -> None:
        """Answers first, then all files but one, over a line that breaks; each goes on where it was cut."""
        self._phone.hand_in()
        door = urlsplit(self._company.base_url)
        with FaultProxy(str(door.hostname), int(door.port or 80)) as proxy:
            self._phone.by_way_of(proxy.url)
            proxy.script(random_faults(SEED))
            for name, (content, type) in self.files.items():
                if name != "film":
                    self._phone.upload(content, type)
            broken, asked = sum(not one.answered for one in proxy.log), len(proxy.log)
            self._phone.by_way_of(self._company.base_url)
        say(f"{len(self.files) - 1} files in {asked} requests, {broken} of them without an answer; none began anew")

    def see_what_is_missing(self, say: Say) -> None:
        """What the office sees while something is missing; the heavy photo is refused, the answers stand."""
        status = until(
            self._status, lambda seen: seen["media_arrived"] == len(self.files) - 2 and len(seen["refused"]) == 1
        )
        say(f"{status['media_arrived']} of {status['media_declared']} files; complete: {status['complete']}")
        heavy = len(self.files["photo 4"][0])
        say(f"a photo of {heavy / 1e6:.1f} MB was refused: {next(iter(status['refused'].values()))}")

    def mend(self, say: Say) -> None:
        """The technician puts a lighter photo in the place of the refused one, and the film arrives."""
        light = samples.photo("CAVA 3-4", datetime.now(BOGOTA), SITE, seed=9, size=(2000, 1500))
        self.files["photo 4"] = (light, "image/jpeg")
        self._phone.did(
            "submission.amend",
            ("submission", self.submission),
            answers=self._answers([f"photo {n + 1}" for n in range(4)]),
            reason="Foto más liviana",
            extra={"media": self._manifest()},
        )
        self._phone.hand_in()
        for name in ("photo 4", "film"):
            self._phone.upload(*self.files[name])
        status = until(self._status, lambda seen: bool(seen["safe"]))
        say(f"{status['media_arrived']} of {status['media_declared']} files; the phone may delete its copies")

    def _status(self) -> dict[str, Any]:
        return self._admin.get(f"/v1/submissions/{self.submission}/status")

    def complete(self) -> None:
        """The last stage, which asks for complete evidence. Raises Refused."""
        self._technician.post(f"/v1/tasks/{self.job}/advance", {"to_stage": "completed"})

    def complete_when_known(self) -> None:
        """The same once the tasks service has heard that everything has arrived. Raises TimeoutError."""

        def attempt() -> dict[str, Any]:
            with suppress(Refused):
                self.complete()
            return self._admin.get(f"/v1/tasks/{self.job}")

        until(attempt, lambda task: bool(task["stage"] == "completed"))

    def share_a_photo(self, say: Say) -> Callable[[], int]:
        """A public link to a photo: it shows no place; answers what its end is checked with."""
        photo, _ = self.files["photo 1"]
        link = self._admin.post("/v1/public-links", {"target": {"kind": "media", "id": media_id(photo)}, "days": 7})
        seen = httpx.get(link["url"], timeout=20).raise_for_status()
        inside = Image.open(io.BytesIO(photo)).getexif().get_ifd(_CAMERA_GPS)
        outside = Image.open(io.BytesIO(seen.content)).getexif()
        if not inside or outside:
            raise AssertionError(f"the camera's notes: inside {dict(inside)}, outside {dict(outside)}")
        watched = until(
            lambda: self._admin.get(f"/v1/public-links/{link['id']}"), lambda shown: bool(shown["views"] == 1)
        )
        say(f"a stranger sees {len(seen.content):,} bytes of {seen.headers['content-type']}, without place or camera")
        say(f"written down: 1 view, from {watched['seen'][0]['address']}")

        def revoke() -> int:
            self._admin.post(f"/v1/public-links/{link['id']}/revoke", {"reason": "Demo"})
            began = time.perf_counter()
            status = httpx.get(link["url"], timeout=20).status_code
            say(f"revoked: {status} after {(time.perf_counter() - began) * 1000:.0f} ms")
            return status

        return revoke

    def report(self, to: Path, say: Say) -> str:
        """The report of the task, as a file on the disk; its path from here."""
        asked = {"kind": "task", "subject_id": self.job, "language": "es"}
        self.report_id = str(self._admin.post("/v1/reports", asked)["id"])
        made = until(lambda: self._admin.get(f"/v1/reports/{self.report_id}"), lambda seen: seen["status"] == "ready")
        content = self._admin.content(f"/v1/reports/{self.report_id}/file")
        file = to / "reporte-cava-3.pdf"
        file.write_bytes(content)
        path = os.path.relpath(file)
        say(f"{path}: {made['pages']} pages, {len(content):,} bytes")
        return path


_QR = "CHK-EV-0003"
