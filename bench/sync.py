"""Phones that all come home at once: submissions taken a second, and how long one waits for what is new."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench.figures import Figure
from bench.gateway import PASSWORD, UNLIMITED
from bench.ground import Ground
from deploy.demo.company import Company, until
from deploy.demo.phone import PUSH, Phone
from deploy.local.programs import platform
from deploy.local.supervisor import Supervisor
from services.kernel import heap
from services.kernel.clock import new_id
from services.kernel.commit import Caller
from services.kernel.config import Settings
from services.kernel.platform import Platform, definition_of, open_platform

QUESTIONS = 250
CHANGES = 500
PUBLISHED = 41.2
"""Submissions a second of the same shape that ODK Central's developers published (2018, their hardware)."""
WRITERS = 8


def measure(ground: Ground) -> Iterator[Figure]:
    """On a platform of its own, with the databases of its own."""
    env = ground.apart("phones") | {**UNLIMITED, "CHECKOP_ACCESS_LOG": "0"}
    with Supervisor(platform(env), log=ground.home / "phones.log"):
        company = Company.register(env["CHECKOP_GATEWAY_URL"], env["MAILBOX_URL"], "Bench SAS", "Olga Ruiz", PASSWORD)
        company.define_work(company.owner)
        names = [f"Tecnico{n} Ruiz" for n in range(int(ground.pick(10, 2)))]
        crew = [company.invite(company.owner, name, "technician", PASSWORD) for name in names]
        yield _submissions(ground, company)
        tasks = open_platform(definition_of("tasks"), Settings.model_validate(env))
        yield from _feed(ground, company, tasks, crew[0].ids["user_id"])
        tasks.close()


def _submissions(ground: Ground, company: Company) -> Figure:
    """Every phone has its own connection and sends one submission after the other, each answered before the next."""
    devices, each = int(ground.pick(500, 10)), int(ground.pick(6, 2))
    form = _form(company)
    logins = [login for login in company.logins if "technician" in login.who]
    with ThreadPoolExecutor(4) as several:
        phones = list(several.map(lambda n: _enrolled(company, logins[n % len(logins)]), range(devices)))
    until(lambda: phones[0].get("/v1/forms/" + form["id"]), lambda found: bool(found["versions"]))
    answers = {f"q{n:03}": f"respuesta {n}" for n in range(QUESTIONS)}
    spec = ground.home / "phones.json"
    spec.write_text(json.dumps({"door": company.base_url, "phones": [_day(p, form, answers, each) for p in phones]}))
    said = _send(ground, spec)
    if said["bad"]:
        raise RuntimeError(f"not taken: {said['bad']}")
    note = (
        f"{devices} phones at once, each on a connection of its own with {each} submissions of a form of {QUESTIONS} "
        f"questions ({said['bytes'] / 1_024:.1f} KB a request, signed beforehand), all answered `applied`; wait of one "
        f"p50 {said['p50_ms']:.0f} ms, p99 {said['p99_ms']:.0f} ms with {said['again']} times told to come again in a "
        f"second; ODK Central's published figure: {PUBLISHED}/s"
    )
    aim = f"> {PUBLISHED}/s"
    return Figure("submissions from phones", "submissions/s", said["per_second"], aim=aim,
                  reached=said["per_second"] > PUBLISHED, note=note)  # fmt: skip


def _form(company: Company) -> dict[str, Any]:
    owner = company.owner
    items = [{"type": "short_text", "name": f"q{n:03}", "labels": {"es": f"Pregunta {n}"}} for n in range(QUESTIONS)]
    form_id = owner.post("/v1/forms", {"name": "Larga"})["id"]
    owner.put(f"/v1/forms/{form_id}/draft", {"content": {"languages": ["es"], "items": items}})
    owner.post(f"/v1/forms/{form_id}/publish")
    version = until(lambda: owner.get(f"/v1/forms/{form_id}/versions/1"), lambda found: bool(found["hash"]))
    return {"id": form_id, "version": 1, "hash": version["hash"]}


def _enrolled(company: Company, login: Any) -> Phone:
    return Phone(company.base_url, login.email, login.password).enrol()


def _day(phone: Phone, form: Mapping[str, Any], answers: Mapping[str, str], each: int) -> list[str]:
    """The phone's requests, word for word, signed."""
    return [
        phone.request_text(
            "POST",
            PUSH,
            {
                "commands": [
                    phone.did("submission.submit", ("submission", new_id()), answers=answers, extra={"form": form})
                ]
            },
        )
        for _ in range(each)
    ]


def _send(ground: Ground, spec: Path) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "bench.phones", str(spec)], env=ground.env, check=True, capture_output=True, text=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _feed(ground: Ground, company: Company, tasks: Platform, user_id: str) -> Iterator[Figure]:
    """How long one phone waits for 500 changes, and a new one for everything."""
    many, rounds = int(ground.pick(10_000, 600)), int(ground.pick(20, 3))
    system = Caller(tenant=company.owner.ids["account_id"], actor="system:bench", role="system")
    kind = {"process_id": company.process_id, "subprocess_id": company.subprocess_id, "user_id": user_id}
    ids = [new_id() for _ in range(many)]

    def execute(command: str, data: dict[str, Any]) -> None:
        tasks.application.execute(command, data, system, new_id())

    with ThreadPoolExecutor(WRITERS) as several:
        list(several.map(lambda id: execute("open_task", {"task_id": id, "title": "Visita", **kind}), ids))
        _until_followed(tasks)
        phone = _enrolled(company, next(login for login in company.logins if "technician" in login.who))
        began = time.perf_counter()
        phone.pull(CHANGES)
        took = time.perf_counter() - began
        if len(phone.tasks()) != many:
            raise AssertionError(f"{len(phone.tasks())} of {many} tasks came")
        note = f"a new phone, {many:,} tasks in pages of {CHANGES}, from the first request to the last page taken in"
        yield Figure("snapshot for a new phone", "s", took, aim="< 10 s", reached=took < 10, note=note)
        heap.settle()  # else every few pages the collector walks over this process's own 10,000 tasks meanwhile
        waits = []
        for n in range(rounds):
            changed = ids[: min(CHANGES, many)]
            list(several.map(lambda id, n=n: execute("edit_task", {"task_id": id, "title": f"Visita {n}"}), changed))
            _until_followed(tasks)
            began = time.perf_counter()
            page = phone.page(CHANGES)
            waits.append((time.perf_counter() - began) * 1_000)
            phone.take(page)
            if len(page["changes"]) != len(changed):
                raise AssertionError(f"{len(page['changes'])} changes came")
    p95 = quantiles(waits, n=20)[18]
    note = f"one page with {CHANGES} changed tasks out of {many:,}, {rounds} times; median {median(waits):.0f} ms"
    yield Figure("pull of 500 changes, p95", "ms", p95, aim="< 200 ms", reached=p95 < 200, note=note)


def _until_followed(tasks: Platform) -> None:
    head = tasks.store.head()
    until_moment = time.monotonic() + 300
    while tasks.reads.followed("field_feed") < head:
        if time.monotonic() > until_moment:
            raise RuntimeError("the feed does not catch up")
        time.sleep(0.05)
