"""The demo company of `make run`: loaded past a door that lets in few at a time, and whole after being cut off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.demo.client import mail_to
from deploy.local.ports import pick
from deploy.local.programs import REPOSITORY
from deploy.local.programs import platform as programs
from deploy.local.supervisor import Supervisor
from tests.system.callers import Client, Platform, log_in

WAITED_SECONDS = 60


@pytest.fixture(scope="module")
def narrow_door(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of the same platform behind a gateway where an address enters three times, then once a second."""
    env = dict(platform.env) | {
        "CHECKOP_GATEWAY_URL": f"http://127.0.0.1:{pick(['gateway'])['gateway']}",
        "CHECKOP_RATE_ENTRANCE_BURST": "3",
        "CHECKOP_RATE_ENTRANCE_PER_MINUTE": "60",
    }
    gateway = [program for program in programs(env) if program.name == "gateway"]
    with Supervisor(gateway, log=tmp_path_factory.mktemp("narrow") / "gateway.log"):
        yield env


def loading(env: dict[str, str], people: Path) -> subprocess.Popen[bytes]:
    """The loading of the demo company, as `make run` begins it."""
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.demo.seed"],
        env={**os.environ, **env, "PYTHONPATH": str(REPOSITORY), "CHECKOP_DEMO_FILE": str(people)},
    )


def what_is_there(owner: Client) -> dict[str, list[str]]:
    """The names of all that the demo company has."""

    def names(path: str, name: str, **page: int) -> list[str]:
        return sorted(item[name] for item in owner.ok("GET", path, params=page)["items"])

    return {
        "users": names("/v1/users", "email"),
        "teams": names("/v1/teams", "name"),
        "processes": names("/v1/processes", "name"),
        "customers": names("/v1/customers", "name", limit=200),
        "tasks": names("/v1/board", "title", limit=200),
    }


def test_the_demo_company_is_loaded_once(platform: Platform, narrow_door: dict[str, str], tmp_path: Path) -> None:
    people = tmp_path / "demo.json"

    for name in ("andres", "tomas", "nubia"):
        cut_off = loading(dict(platform.env), people)
        try:
            mail_to(platform.mailbox_url, f"{name}@frio.example.com", within=WAITED_SECONDS)
        finally:
            cut_off.kill()
            cut_off.wait()
        assert not people.exists()

    assert loading(narrow_door, people).wait(WAITED_SECONDS) == 0
    logins = json.loads(people.read_text())
    assert [login["who"] for login in logins] == [
        "Laura Gómez (owner)",
        "Andrés Peña (admin)",
        "Tomás Ruiz (technician)",
        "Nubia Cárdenas (technician)",
    ]
    owner = log_in(platform, logins[0]["e-mail"])
    loaded = what_is_there(owner)
    assert {name: len(found) for name, found in loaded.items()} == {
        "users": 4,
        "teams": 1,
        "processes": 1,
        "customers": 25,
        "tasks": 41,
    }
    assert "Revisión de la cava 3" in loaded["tasks"]

    people.unlink()
    assert loading(dict(platform.env), people).wait(WAITED_SECONDS) == 0
    assert json.loads(people.read_text()) == logins
    assert what_is_there(owner) == loaded
