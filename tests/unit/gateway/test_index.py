"""The index finds the same route that the router would, and leaves everything else to it."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Match

from gateway.index import RouteIndex
from gateway.routes import ROUTES

INDEX = RouteIndex(ROUTES)


def found(method: str, path: str) -> APIRoute | None:
    _, child = asked(method, path)
    return child.get("checkop.route")


def asked(method: str, path: str) -> tuple[Match, Any]:
    return INDEX.matches({"type": "http", "method": method, "path": path, "headers": [], "root_path": ""})


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_every_route_is_found_by_its_own_path(route: APIRoute) -> None:
    path = "/".join(str(uuid.uuid4()) if part.startswith("{") else part for part in route.path.split("/"))
    for method in route.methods or ():
        assert found(method, path) is route


def test_a_literal_wins_over_a_parameter() -> None:
    current, other = found("DELETE", "/v1/sessions/current"), found("DELETE", f"/v1/sessions/{uuid.uuid4()}")
    assert current is not None
    assert other is not None
    assert (current.name, other.name) == ("log_out", "revoke_session")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/me/"),
        ("GET", "/v1/nothing"),
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/v1/tasks/"),
        ("POST", "/v1/tasks//advance"),
        ("GET", "/v1/tasks/a/b/c/d/e/f"),
        ("GET", "//v1/me"),
    ],
)
def test_what_it_does_not_know_is_the_routers(method: str, path: str) -> None:
    assert asked(method, path) == (Match.NONE, {})


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/v1/me", ["GET", "PATCH"]),
        ("HEAD", "/v1/me", ["GET", "PATCH"]),
        ("DELETE", "/v1/sessions/refresh", ["POST"]),
        ("GET", f"/v1/teams/{uuid.UUID(int=1)}/members/{uuid.UUID(int=2)}", ["DELETE"]),
    ],
)
def test_another_method_is_told_which_there_are(method: str, path: str, allowed: list[str]) -> None:
    match, child = asked(method, path)
    assert match == Match.FULL
    assert child == {"checkop.route": None, "checkop.allowed": allowed}
