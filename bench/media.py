"""Evidence on its way in and out: how fast files come, are looked at and made small, and reports are set."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import threading
import time
import wave
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

import httpx
from PIL import Image
from tusclient.client import TusClient

from bench.figures import Figure, compare
from bench.gateway import PASSWORD, UNLIMITED
from bench.ground import Ground
from deploy.demo import samples
from deploy.demo.client import Person
from deploy.demo.company import Company, until
from deploy.local.programs import platform
from deploy.local.supervisor import Supervisor
from services.kernel.config import Settings
from services.kernel.platform import objects
from services.media.inspecting.helper import Helpers

MB = 1_000_000
CHUNK = 8 * 1024 * 1024
PUBLISHED = 2.0
"""Submissions of 5 MB a second from 50 devices that ODK Central's developers published, at best."""
_numbers = count(1)


def measure(ground: Ground) -> Iterator[Figure]:
    """On a platform of its own, with the databases of its own."""
    env = ground.apart("media") | {**UNLIMITED, "CHECKOP_ACCESS_LOG": "0"}
    with Supervisor(platform(env), log=ground.home / "media.log"):
        company = Company.register(env["CHECKOP_GATEWAY_URL"], env["MAILBOX_URL"], "Bench SAS", "Olga Ruiz", PASSWORD)
        login = company.logins[0]
        yield from _transport(ground, env, lambda: Person(company.base_url).log_in(login.email, login.password))
        yield _devices(ground, company)
        field = next(login for login in company.logins if "technician" in login.who)
        owner, technician = (Person(company.base_url).log_in(one.email, one.password) for one in (login, field))
        yield _report(ground, owner, technician)
    yield _pictures(ground)


def _transport(ground: Ground, env: Mapping[str, str], owner: Any) -> Iterator[Figure]:
    """One large file after the other, by each way in; what looks at them has finished before the next begins."""
    length = int(ground.pick(48, 4)) * MB
    store = objects(Settings.model_validate(env))
    bucket, looked = Settings.model_validate(env).s3_incoming_bucket, list[float]()

    def raw() -> float:
        content, name = _sound(length), f"bench/{next(_numbers)}"
        began = time.perf_counter()
        store.put_object(bucket, name, io.BytesIO(content), len(content))
        took = time.perf_counter() - began
        store.remove_object(bucket, name)
        return len(content) / MB / took

    def tus() -> float:
        content, person = _sound(length), owner()
        began = time.perf_counter()
        upload_id = _send(person, content, "audio/wav")
        took = time.perf_counter() - began
        looked.append(len(content) / MB / _looked_at(person, upload_id))
        return len(content) / MB / took

    def form() -> float:
        content, person = _sound(length), owner()
        began = time.perf_counter()
        asked = {"id": _name(content), "bytes": len(content), "type": "audio/wav", "via": "form"}
        plan = person.post("/v1/media", asked)
        way = plan["form"]
        httpx.post(way["url"], data=way["fields"], files={"file": content}, timeout=120).raise_for_status()
        person.post(f"/v1/uploads/{plan['upload_id']}/complete")
        took = time.perf_counter() - began
        _looked_at(person, plan["upload_id"])
        return len(content) / MB / took

    size = f"a sound file of {length // MB} MB, one at a time; baseline: the S3 client's put of the same bytes"
    tusd = f"{size}; ours: tuspy with chunks of {CHUNK // 1024**2} MiB through the gateway"
    yield compare("upload by tus", "MB/s", ours=tus, baseline=raw, rounds=ground.rounds, note=tusd)
    posted = f"{size}; ours: planned at the gateway, posted to the store, completed at the gateway"
    yield compare("upload by presigned form", "MB/s", ours=form, baseline=raw, rounds=ground.rounds, note=posted)
    note = "from the last byte to `stored`: read back, hashed, decoded, sealed with AES-256-GCM, written again"
    yield Figure("looking at a large file", "MB/s", median(looked), note=note)


def _sound(length: int) -> bytes:
    """A WAV of noise, another one each time."""
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(48_000)
        sound.writeframes(os.urandom(length // 4 * 4))
    return out.getvalue()


def _name(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _send(person: Person, content: bytes, type: str) -> str:
    """By an independent client of the protocol; answers the upload's id."""
    client = TusClient(f"{person.base_url}/v1/uploads", headers={"Authorization": f"Bearer {person._token}"})
    told = {"sha256": hashlib.sha256(content).hexdigest(), "filetype": type, "filename": "bench"}
    uploader = client.uploader(file_stream=io.BytesIO(content), chunk_size=CHUNK, metadata=told)
    uploader.upload()
    return str(uploader.url).rsplit("/", 1)[1]


def _looked_at(person: Person, upload_id: str) -> float:
    began = time.perf_counter()
    seen = until(
        lambda: person.get(f"/v1/uploads/{upload_id}"), lambda found: found["status"] in ("stored", "rejected")
    )
    if seen["status"] != "stored":
        raise RuntimeError(f"the upload was {seen}")
    return time.perf_counter() - began


def _devices(ground: Ground, company: Company) -> Figure:
    """Every device sends a photo and the answers that name it, and waits until its own copy may go."""
    many, each = int(ground.pick(50, 4)), int(ground.pick(3, 1))
    item = {"type": "picture", "name": "photo", "labels": {"es": "Foto"}, "max_bytes": 8 * MB}
    form = _published(company.owner, {"languages": ["es"], "items": [item]})
    names = [f"Tecnico{n} Ruiz" for n in range(int(ground.pick(10, 2)))]
    for name in names:
        company.invite(company.owner, name, "technician", PASSWORD)
    logins = [login for login in company.logins if "technician" in login.who]
    people = [Person(company.base_url).log_in(login.email, login.password) for login in logins]
    heavy = _heavy_photo()

    def device(number: int) -> None:
        person = people[number % len(people)]
        for n in range(each):
            photo = _another(heavy, f"{number}/{n}")
            _send(person, photo, "image/jpeg")
            item = {"id": _name(photo), "bytes": len(photo), "type": "image/jpeg"}
            taken = person.post("/v1/submissions", {"form": form, "answers": {"photo": [item]}})
            while not person.get(f"/v1/submissions/{taken['id']}/status", at_least=taken["position"])["safe"]:
                time.sleep(1.0)  # as a phone would ask: now and then

    with ThreadPoolExecutor(many) as devices:
        began = time.perf_counter()
        list(devices.map(device, range(many)))
        took = time.perf_counter() - began
    rate = many * each / took
    note = (
        f"{many} devices at once, {each} submissions each with a photo of {len(heavy) / MB:.1f} MB and 12 megapixels, "
        f"from its first byte (tus) until it is looked at, sealed, made small and the submission is complete; "
        f"ODK Central's published figure: 1 to {PUBLISHED:g}/s without renditions"
    )
    return Figure(
        "photos of 5 MB from 50 devices",
        "submissions/s",
        rate,
        aim=f"> {PUBLISHED:g}/s",
        reached=rate > PUBLISHED,
        note=note,
    )


def _published(owner: Person, content: Mapping[str, Any]) -> dict[str, Any]:
    form_id = owner.post("/v1/forms", {"name": "Con fotos"})["id"]
    owner.put(f"/v1/forms/{form_id}/draft", {"content": content})
    owner.post(f"/v1/forms/{form_id}/publish")
    version = until(lambda: owner.get(f"/v1/forms/{form_id}/versions/1"), lambda found: bool(found["hash"]))
    return {"id": form_id, "version": 1, "hash": version["hash"]}


def _heavy_photo() -> bytes:
    """Twelve megapixels that weigh about 5 MB, as a phone's best setting makes them."""
    image = Image.effect_noise((4000, 3000), 40).convert("RGB")
    for quality in range(95, 30, -5):
        out = io.BytesIO()
        image.save(out, "JPEG", quality=quality)
        if out.tell() <= 5.2 * MB:
            break
    return out.getvalue()


def _another(photo: bytes, mark: str) -> bytes:
    """The same picture as another file: a comment behind its beginning."""
    comment = mark.encode()
    return photo[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + photo[2:]


PHOTOS, ANSWERS = 18, 24


def _report(ground: Ground, owner: Person, technician: Person) -> Figure:
    """A report of one submission with many answers and photos, asked for anew each time in another submission."""
    content = {
        "languages": ["es"],
        "items": [
            *({"type": "short_text", "name": f"q{n}", "labels": {"es": f"Pregunta {n}"}} for n in range(ANSWERS)),
            {"type": "picture", "name": "photos", "labels": {"es": "Fotos"}, "max_count": PHOTOS},
        ],
    }
    form = _published(owner, content)
    now = datetime.now(UTC)
    photos = [samples.photo(f"N{n}", now, (4.65, -74.06), size=(2000, 1500), seed=n) for n in range(PHOTOS)]
    for photo in photos:
        _looked_at(owner, _send(owner, photo, "image/jpeg"))
    items = [{"id": _name(photo), "bytes": len(photo), "type": "image/jpeg"} for photo in photos]
    answers = {**{f"q{n}": "Sin novedad, según lo acordado" for n in range(ANSWERS)}, "photos": items}
    took = []
    with Peak("services.media.reports.press") as press:
        for _ in range(ground.rounds):
            taken = technician.post("/v1/submissions", {"form": form, "answers": answers})
            owner.get(f"/v1/submissions/{taken['id']}", at_least=taken["position"])
            began = time.perf_counter()
            made = owner.post("/v1/reports", {"kind": "submission", "subject_id": taken["id"], "language": "es"})
            ready = until(lambda id=made["id"]: owner.get(f"/v1/reports/{id}"), lambda one: one["status"] == "ready")
            took.append(time.perf_counter() - began)
    note = (
        f"{ANSWERS} answers and {PHOTOS} photos on {ready['pages']} pages, {ready['bytes'] / MB:.1f} MB as PDF/A; from "
        f"the request until it can be fetched; the process that sets it held {press.megabytes:.0f} MB at most"
    )
    return Figure("report with 18 photos", "s", median(took), rounds={"ours": took}, note=note)


class Peak:
    """The most memory that a process of this module ever held while one looked."""

    def __init__(self, module: str) -> None:
        self._module = module.encode()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self.megabytes = 0.0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            for process in Path("/proc").glob("[0-9]*"):
                with suppress(OSError):
                    if self._module in (process / "cmdline").read_bytes():
                        self.megabytes = max(self.megabytes, _high_water(process))


def _high_water(process: Path) -> float:
    for line in (process / "status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1_000
    return 0.0


def _pictures(ground: Ground) -> Figure:
    """One photo after the other through the process that looks at files, and the same by Pillow alone."""
    many = int(ground.pick(20, 3))
    photo = samples.photo("CAVA 3", datetime.now(UTC), (4.65, -74.06), size=(4000, 3000))
    helpers = Helpers(1)

    def ours() -> float:
        began = time.perf_counter()
        for _ in range(many):
            with tempfile.TemporaryFile() as file:
                file.write(photo)
                file.flush()
                with helpers.look(file, "image/jpeg"):
                    pass
        return many / (time.perf_counter() - began)

    def baseline() -> float:
        began = time.perf_counter()
        for _ in range(many):
            image = Image.open(io.BytesIO(photo))
            for side in (1600, 320):
                image.thumbnail((side, side))
                image.save(io.BytesIO(), "JPEG", quality=82)
        return many / (time.perf_counter() - began)

    ours()  # the process is up, and its libraries are loaded
    note = (
        f"a JPEG of 12 megapixels and {len(photo) / MB:.1f} MB: sniffed, tried for polyglots, decoded whole, "
        "its camera's notes read, drawn anew for a screen and small; baseline: Pillow's `thumbnail` and `save` twice"
    )
    figure = compare(
        "photos looked at and made small", "photos/s", ours=ours, baseline=baseline, rounds=ground.rounds, note=note
    )
    helpers.end()
    return figure
