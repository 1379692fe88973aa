"""Public links at the door: no sign-in, no trace but the view, and the same end for whatever is over."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI

from gateway.limits import Buckets
from gateway.public_views import PublicViews
from services.kernel.rpc import RemoteError
from tests.unit.gateway.conftest import Ask, FakeServices, problem, token
from tests.unit.gateway.test_sealed_files import CONTENT, TICKET, Objects

LINK = "01936f5e-7c1a-7d2e-9f43-2b7a6c1d0e55"
ACCOUNT = "01936f5e-0000-7000-8000-00000000aaaa"
PHOTO = {"kind": "media", "id": "sha256:" + "a" * 64}
EDITOR = {"permissions": ("links:edit", "links:read")}


@pytest.fixture
def opened(app: FastAPI, services: FakeServices) -> FakeServices:
    app.state.objects = Objects()
    services.answers["opened_link"] = {**TICKET, "link_id": LINK, "account_id": ACCOUNT}
    services.answers["note_link_view"] = {"id": LINK, "stream": "s", "version": 1, "position": 1}
    return services


def look(ask: Ask, path: str = "/p/secret", **headers: str) -> Any:
    return ask("GET", path, authorization="", headers={name.replace("_", "-"): v for name, v in headers.items()})


def test_whoever_holds_a_link_sees_what_is_behind_it(ask: Ask, opened: FakeServices) -> None:
    answer = look(ask, "/p/secret?fbclid=added-on-the-way")
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-disposition"].startswith("inline")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    assert answer.headers["referrer-policy"] == "no-referrer"
    (asked,) = opened.asked("opened_link")
    assert asked["params"] == {"token": "secret"}


@pytest.mark.parametrize(
    ("type", "shown", "locked"),
    [
        ("text/csv", "attachment", True),
        ("image/jpeg", "inline", True),
        # A browser plays and reads these only outside of a sandbox; nothing of them can run all the same.
        ("application/pdf", "inline", False),
        ("video/mp4", "inline", False),
        ("audio/wav", "inline", False),
    ],
)
def test_what_is_shown_and_what_is_saved(ask: Ask, opened: FakeServices, type: str, shown: str, locked: bool) -> None:
    opened.answers["opened_link"]["type"] = type
    headers = look(ask).headers
    assert headers["content-disposition"].startswith(shown)
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert ("sandbox" in headers["content-security-policy"]) is locked
    assert headers["x-content-type-options"] == "nosniff"


def test_a_part_of_a_film_can_be_asked_for(ask: Ask, opened: FakeServices) -> None:
    answer = look(ask, range="bytes=-7")
    assert (answer.status_code, answer.content) == (206, b"the end")


def test_a_view_is_noted_once_however_many_parts_are_fetched(ask: Ask, opened: FakeServices) -> None:
    for _ in range(3):
        look(ask, user_agent="Reader/1.0")
    (noted,) = opened.asked("note_link_view")
    assert noted["data"] == {"link_id": LINK, "address": "203.0.113.9", "agent": "Reader/1.0"}
    assert (noted["caller"]["tenant"], noted["caller"]["role"]) == (ACCOUNT, "system")
    look(ask, user_agent="Another/2.0")
    first, second = opened.asked("note_link_view")
    assert first["command_id"] != second["command_id"]


def test_a_view_that_could_not_be_noted_is_noted_with_the_next_part(ask: Ask, opened: FakeServices) -> None:
    told = opened.answers.pop("note_link_view")
    assert look(ask).status_code == 200
    opened.answers["note_link_view"] = told
    look(ask)
    assert len({noted["command_id"] for noted in opened.asked("note_link_view")}) == 1


@pytest.mark.parametrize(("code", "status"), [("link-unknown", 404), ("link-ended", 410)])
def test_what_is_over_says_so_to_programs_and_to_people(ask: Ask, opened: FakeServices, code: str, status: int) -> None:
    opened.answers["opened_link"] = RemoteError("Rejected", [code, {"why": "revoked"}])
    answer = look(ask)
    problem(answer, status, code)
    assert answer.headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    page = look(ask, accept="text/html,*/*", accept_language="es-CO")
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert "enlace" in page.text
    assert "<script" not in page.text


def test_who_guesses_must_wait(app: FastAPI, ask: Ask, opened: FakeServices) -> None:
    views = app.state.public_views
    app.state.public_views = PublicViews(views._services, Buckets("guess", per_second=0.001, burst=2))
    opened.answers["opened_link"] = RemoteError("Rejected", ["link-unknown", {}])
    assert [look(ask).status_code for _ in range(3)] == [404, 404, 429]


def test_the_address_is_told_when_the_link_is_made(ask: Ask, services: FakeServices) -> None:
    made = {"id": LINK, "stream": "s", "version": 1, "position": 7, "token": "x" * 43, "expires_at": "2026-12-23"}
    services.answers["create_public_link"] = made
    answer = ask("POST", "/v1/public-links", authorization=token(**EDITOR), json={"id": LINK, "target": PHOTO})
    assert answer.status_code == 201
    assert answer.json()["url"] == f"http://127.0.0.1:8080/p/{'x' * 43}"
    assert "token" not in answer.json()
    (asked,) = services.asked("create_public_link")
    assert asked["data"] == {"link_id": LINK, "target": PHOTO}


def test_making_and_ending_links_is_a_permission(ask: Ask, services: FakeServices) -> None:
    reader = token(permissions=("links:read", "submissions:read"))
    problem(ask("POST", "/v1/public-links", authorization=reader, json={"target": PHOTO}), 403, "forbidden")
    problem(ask("POST", f"/v1/public-links/{LINK}/revoke", authorization=reader), 403, "forbidden")


@pytest.mark.parametrize(
    "target", [{"kind": "media", "id": LINK}, {"kind": "report", "id": PHOTO["id"]}, {"kind": "task", "id": LINK}]
)
def test_a_link_shows_media_or_a_report(ask: Ask, target: dict[str, str]) -> None:
    problem(ask("POST", "/v1/public-links", authorization=token(**EDITOR), json={"target": target}), 422, "invalid")


def test_search_engines_are_asked_to_stay_away(ask: Ask) -> None:
    assert ask("GET", "/robots.txt", authorization="").text == "User-agent: *\nDisallow: /\n"
