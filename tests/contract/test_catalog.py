"""The written catalogue says what the code says, in a form that tools understand."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from services.kernel.catalog import HOME, ServiceEntry, entries, stale, write
from services.kernel.platform import all_services
from tests.contract.golden_events import Golden, kept

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def services() -> list[ServiceEntry]:
    return entries(all_services())


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((HOME / "asyncapi.json").read_bytes())
    return found


def test_the_committed_catalogue_is_up_to_date(services: list[ServiceEntry]) -> None:
    assert stale(HOME, services) == [], "run `make catalog`, read the difference, commit it"


def test_a_stale_catalogue_is_noticed(services: list[ServiceEntry], tmp_path: Path) -> None:
    write(tmp_path, services)
    assert stale(tmp_path, services) == []
    first, *rest = services
    assert stale(tmp_path, [replace(first, events=first.events[:-1]), *rest]) == ["asyncapi.json", "README.md"]
    (tmp_path / "README.md").unlink()
    assert stale(tmp_path, services) == ["README.md"]


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_catalogue_does_not_depend_on_the_run(seed: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "services.kernel.catalog", "--home", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, check=True)
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (HOME / path.name).read_bytes()


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    def follow(node: Any) -> None:
        if isinstance(node, dict):
            if ref := node.get("$ref"):
                place = document
                for step in ref.removeprefix("#/").split("/"):
                    place = place[step]
            for inner in node.values():
                follow(inner)
        elif isinstance(node, list):
            for inner in node:
                follow(inner)

    follow(document)


@pytest.mark.parametrize("golden", kept(), ids=lambda golden: golden.file)
def test_what_is_published_fits_the_catalogue(golden: Golden, document: dict[str, Any]) -> None:
    key = golden.file.removesuffix(".json")
    if key not in document["components"]["messages"]:
        return  # an older form: it is in logs, but written no more
    schema = {**document["components"]["messages"][key]["payload"], "components": document["components"]}
    body = json.loads(golden.published)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)
    declared = document["components"]["schemas"][key]["properties"]
    assert set(body["data"]) <= set(declared), "what is published is more than what is declared"
    came_later = {name for name, about in declared.items() if "default" in about}
    assert set(declared) - set(body["data"]) <= came_later, "what is declared is not published"
    assert not set(declared) & {name for fields in golden.sealed.values() for name in fields}


def test_every_event_and_command_is_on_the_page(services: list[ServiceEntry]) -> None:
    page = (HOME / "README.md").read_text()
    for service in services:
        for event in service.events:
            assert f"#### {event.name} · v{event.version}\n" in page
        for command in service.commands:
            assert f"`{command.name}`" in page
        for subscription in service.subscriptions:
            assert f"`{subscription.handler}`" in page
