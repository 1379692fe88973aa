"""The OpenAPI document is complete enough to generate clients and tests from."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi import FastAPI

PERMITTED = ("permission", "device", "evidence")
KNOWN = (*PERMITTED, "signed-in")


@pytest.fixture(scope="module")
def document(shell: FastAPI) -> dict[str, Any]:
    return shell.openapi()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, op) for path, item in document["paths"].items() for method, op in item.items()]


def test_it_is_openapi_3_1_and_loads_nothing_from_elsewhere(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert "/docs" not in document["paths"]


def test_every_operation_is_named_tagged_and_explained(document: dict[str, Any]) -> None:
    known = {tag["name"] for tag in document["tags"]}
    ids = [op["operationId"] for _, _, op in operations(document)]
    assert len(ids) == len(set(ids))
    for path, method, op in operations(document):
        where = f"{method} {path}"
        assert re.fullmatch(r"[a-z][a-z_]*[a-z]", op["operationId"]), where
        assert set(op["tags"]) <= known, where
        assert op["summary"], where
        assert op["description"], where


def test_every_operation_says_who_may(document: dict[str, Any]) -> None:
    for path, method, op in operations(document):
        if not path.startswith("/v1"):
            continue
        where = f"{method} {path}"
        assert op["x-access"] in (*KNOWN, "anybody", "all", "entrance"), where
        assert (op["x-access"] in PERMITTED) == ("x-permission" in op), where
        assert bool(op["security"]) == (op["x-access"] in KNOWN), where


def test_every_operation_answers_with_problems(document: dict[str, Any]) -> None:
    for path, method, op in operations(document):
        assert op["responses"]["default"] == {"$ref": "#/components/responses/Problem"}, f"{method} {path}"
        assert any(status.startswith("2") for status in op["responses"]), f"{method} {path}"
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_body_has_an_example_and_refuses_strangers(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for path, method, op in operations(document):
        content = op.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        schema = content["schema"]
        for part in schema.get("anyOf", [schema]):
            if "$ref" in part:
                model = schemas[part["$ref"].rsplit("/", 1)[1]]
                assert model["additionalProperties"] is False, f"{method} {path}"


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    for reference in re.findall(r"'\$ref': '#/([^']+)'", str(document)):
        here: Any = document
        for part in reference.split("/"):
            here = here[part]
