"""Requests a second through the front door, beside a plain web application that writes or reads once."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from statistics import median
from typing import Any

import httpx

from bench.figures import Figure, compare
from bench.footprint import resident, resting, started, used
from bench.ground import Ground
from deploy.demo.company import Company
from deploy.local import ports
from deploy.local.programs import SERVICES, platform
from deploy.local.supervisor import Program, Supervisor
from services.kernel import health
from services.kernel.config import Settings
from services.kernel.operator_broker import depth
from services.kernel.platform import Platform, definition_of, open_platform

CONNECTIONS = 32
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
    began = time.perf_counter()
    with Supervisor(platform(ground.env), log=ground.home / "platform.log") as supervisor:
        yield from started(ground, time.perf_counter() - began)
        with _plain(ground) as plain:
            yield from _requests(ground, supervisor, plain)
        yield from resident(ground, supervisor)


def _requests(ground: Ground, supervisor: Supervisor, plain: int) -> Iterator[Figure]:
    base = ground.env["CHECKOP_GATEWAY_URL"]
    company = Company.register(base, ground.env["MAILBOX_URL"], "Bench SAS", "Olga Ruiz", PASSWORD)
    company.define_work(company.owner)
    front = int(base.rsplit(":", 1)[1])
    seconds = ground.pick(5.0, 1.5)
    services = [open_platform(definition_of(name), Settings.model_validate(ground.env)) for name in SERVICES]

    def turn(port: int, asked: Asked) -> float:
        _until_followed(services)
        # A fresh token each time: it lives for five minutes, a run may take longer.
        headers = {"Authorization": f"Bearer {_token(company)}"} if port == front else {}
        before, began = used(ground, supervisor), time.perf_counter()
        said = _load(ground, {"port": port, "headers": headers, "seconds": seconds, **asked.spec})
        if said["bad"]:
            raise RuntimeError(f"{asked.spec['method']} {asked.spec['paths'][0]}: {said['bad']}")
        if port == front:
            # With what it leads to: relays, followers and the broker finish what the requests began.
            _until_followed(services)
            requests, took = said["per_second"] * seconds, time.perf_counter() - began
            spent = {name: s - before[name] - idle[name] * took for name, s in used(ground, supervisor).items()}
            asked.cpu.append({name: max(s, 0.0) * 1_000 / requests for name, s in spent.items()})
        return float(said["per_second"])

    _until_followed(services)
    idle = resting(ground, supervisor, ground.pick(10.0, 2.0))
    yield Figure(
        "all processes while nobody asks",
        "% of a core",
        sum(idle.values()) * 100,
        note="what looking for new facts, timers and heartbeats costs; not counted in the cost of a request",
    )
    task = {"title": "Visita {n}", "process_id": company.process_id, "subprocess_id": company.subprocess_id}
    tasks = [company.open_task(company.owner, f"Visita {n}") for n in range(50)]
    rows = [_insert(plain, task) for _ in range(50)]
    insert = Asked("POST", ["/v1/tasks"], json.dumps(task))
    look_up = Asked("GET", [f"/v1/tasks/{id}" for id in rows])
    for name, asked, baseline, aim, does in (
        ("command: create a process", _named("/v1/processes"), insert, 0.5, "reads one stream, appends one commit"),
        ("command: open a task", insert, insert, None, "reads four streams, appends one commit"),
        ("query: a process", Asked("GET", [f"/v1/processes/{company.process_id}"]), look_up, 0.7, "one look-up"),
        ("query: a task", Asked("GET", [f"/v1/tasks/{id}" for id in tasks]), look_up, None, "several look-ups"),
    ):
        ours = Asked(**asked.fields)
        turn(front, ours)  # caches, pools and compiled patterns are warm on both sides
        ours.cpu.clear()
        figure = compare(
            name,
            "requests/s",
            ours=lambda ours=ours: turn(front, ours),  # type: ignore[misc]
            baseline=lambda baseline=baseline: turn(plain, baseline),  # type: ignore[misc]
            rounds=ground.rounds,
            at_least=aim,
            note=f"{does}; {CONNECTIONS} keep-alive connections, one copy of each process, all on one machine with the "
            "load generator; baseline: bench/plain_app.py in one uvicorn process, one write or one read, no tokens",
        )
        figure.cpu_ms = {process: median(one[process] for one in ours.cpu) for process in ours.cpu[0]}
        yield figure
    for service in services:
        service.close()


@dataclass
class Asked:
    """What the load generator asks for, and what answering it cost every process."""

    method: str
    paths: list[str]
    body: str = ""
    cpu: list[dict[str, float]] = field(default_factory=list)

    @property
    def fields(self) -> dict[str, Any]:
        """The same question anew."""
        return {"method": self.method, "paths": self.paths, "body": self.body}

    @property
    def spec(self) -> dict[str, Any]:
        """For the load generator."""
        return self.fields if self.body else {"method": self.method, "paths": self.paths}


def _named(path: str) -> Asked:
    return Asked("POST", [path], json.dumps({"name": "Nombre {n}"}))


PASSWORD = "Correct-Horse-7-Battery"  # noqa: S105  # of an account that lives as long as the run


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
