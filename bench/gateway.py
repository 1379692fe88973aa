"""Requests a second through the front door, beside a plain web application that writes or reads once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx

from bench.figures import Figure, compare
from bench.footprint import resident, started
from bench.ground import Ground
from deploy.demo.company import Company
from deploy.local import ports
from deploy.local.programs import platform
from deploy.local.supervisor import Program, Supervisor
from services.kernel import health
from services.kernel.config import Settings
from services.kernel.operator_broker import depth
from services.kernel.platform import Platform, definition_of, open_platform

CONNECTIONS = 32
SERVICES = ("identity", "tasks")
# Whoever measures is one caller at one address; how often one may call is not what is measured.
UNLIMITED = {
    f"CHECKOP_RATE_{who}": "1000000"
    for who in (
        *("SUBJECT_PER_SECOND", "SUBJECT_BURST", "ADDRESS_PER_SECOND", "ADDRESS_BURST"),
        *("ENTRANCE_PER_MINUTE", "ENTRANCE_BURST"),
    )
}
_runs = count(1)


def measure(ground: Ground) -> Iterator[Figure]:
    """Start-up, commands, queries, and what every process holds in memory afterwards."""
    ground.env |= {**UNLIMITED, "CHECKOP_ACCESS_LOG": "0"}
    programs = platform(ground.env, SERVICES)
    supervisor = Supervisor(programs, log=ground.home / "platform.log")
    began = time.perf_counter()
    with supervisor, _plain(ground) as plain_port:
        yield from started(ground, time.perf_counter() - began)
        yield from _requests(ground, plain_port)
        yield from resident(ground, supervisor)


def _requests(ground: Ground, plain_port: int) -> Iterator[Figure]:
    base = ground.env["CHECKOP_GATEWAY_URL"]
    company = Company.register(base, ground.env["MAILBOX_URL"], "Bench SAS", "Olga Ruiz", _PASSWORD)
    company.define_work(company.owner)
    port = int(base.rsplit(":", 1)[1])
    opened = [company.open_task(company.owner, f"Visita {n}") for n in range(50)]
    task = {"title": "Visita {n}", "process_id": company.process_id, "subprocess_id": company.subprocess_id}
    seconds = ground.pick(5.0, 1.5)
    services = [open_platform(definition_of(name), Settings.model_validate(ground.env)) for name in SERVICES]

    def turn(to: int, spec: dict[str, Any]) -> float:
        _until_followed(services)
        # A fresh token each time: it lives for five minutes, a run may take longer.
        headers = {"Authorization": f"Bearer {_token(company)}"} if to == port else {}
        said = _load(ground, {"port": to, "headers": headers, **spec, "seconds": seconds})
        if said["bad"]:
            raise RuntimeError(f"{spec['method']} {spec['paths'][0]}: {said['bad']}")
        return float(said["per_second"])

    inserting = {"method": "POST", "paths": ["/v1/tasks"], "body": json.dumps(task)}
    naming = {"method": "POST", "paths": ["/v1/processes"], "body": json.dumps({"name": "Proceso {n}"})}
    reading = {"method": "GET", "paths": [f"/v1/tasks/{id}" for id in opened]}
    written = [_insert(plain_port, task) for _ in range(50)]
    looking_up = {"method": "GET", "paths": [f"/v1/tasks/{id}" for id in written]}
    for spec in (inserting, naming, reading):
        turn(port, spec)  # caches, pools and compiled patterns are warm on both sides
    for name, spec, baseline, aim in (
        ("command, open a task", inserting, inserting, 0.5),
        ("command, create a process", naming, inserting, 0.5),
        ("query, a task in full", reading, looking_up, 0.7),
    ):
        yield compare(
            f"gateway {name}",
            "requests/s",
            ours=lambda spec=spec: turn(port, spec),  # type: ignore[misc]
            baseline=lambda spec=baseline: turn(plain_port, spec),  # type: ignore[misc]
            rounds=ground.rounds,
            at_least=aim,
            note=f"{CONNECTIONS} keep-alive connections, one copy of each process, everything on one machine; "
            "baseline: bench/plain_app.py in one uvicorn process, without tokens",
        )
    for service in services:
        service.close()


_PASSWORD = "Correct-Horse-7-Battery"  # noqa: S105  # of an account that lives as long as the run


def _token(company: Company) -> str:
    login = company.logins[0]
    answer = company.owner.post("/v1/sessions", {"email": login.email, "password": login.password})
    return str(answer["access_token"])


def _insert(port: int, task: dict[str, str]) -> str:
    return str(httpx.post(f"http://127.0.0.1:{port}/v1/tasks", json=task).raise_for_status().json()["id"])


def _load(ground: Ground, spec: dict[str, Any]) -> dict[str, Any]:
    whole = {"host": "127.0.0.1", "connections": CONNECTIONS, "run": next(_runs), **spec}
    command = [sys.executable, "-m", "bench.load"]
    done = subprocess.run(  # noqa: S603
        command, input=json.dumps(whole), env=ground.env, check=True, capture_output=True, text=True
    )
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _until_followed(services: list[Platform]) -> None:
    """What one turn has started must not go on during the next one."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if all(_followed(service) for service in services):
            return
        time.sleep(0.1)
    raise RuntimeError("the read models do not catch up")


def _followed(service: Platform) -> bool:
    report = health.report(service)
    lags = [report["relay"]["lag"], *(one["lag"] for one in (*report["read_models"], *report["reactions"]))]
    queues = [depth(service.settings, subscription.handler) for subscription in service.definition.subscriptions]
    return not any(lags) and not any(queue and queue[0] for queue in queues)


@contextmanager
def _plain(ground: Ground) -> Iterator[int]:
    port = ports.free(ground.home / "plain-port.json")["gateway"]
    argv = ["-m", "uvicorn", "bench.plain_app:app", "--host", "127.0.0.1", "--port", str(port), "--no-access-log"]
    program = Program("plain", (sys.executable, *argv), ground.env, ready=lambda: ports.listening(port))
    with Supervisor([program], log=ground.home / "plain.log"):
        yield port
