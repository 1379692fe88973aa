"""Exports at the door: which service is asked, how pages of several are joined, and downloads that go on."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.datastructures import Headers

from gateway.errors import Problem
from gateway.ranges import Part, wanted_part
from gateway.routes import exports
from services.kernel.rpc import RemoteError
from tests.unit.gateway.conftest import Ask, FakeServices, problem, token

EXPORT = "01936f5e-0000-7000-8000-00000000eeee"
DONE = {"id": EXPORT, "stream": "s", "version": 1, "position": 9}
CONTENT = bytes(range(256)) * 4
SHA256 = hashlib.sha256(CONTENT).hexdigest()
FILE = {
    "object_key": "t/exports/e/file",
    "file_name": "tareas-2026-11-23.xlsx",
    "content_type": "application/zip",
    "size": len(CONTENT),
    "sha256": SHA256,
}
UNKNOWN = RemoteError("Rejected", ("export-unknown", {}))


def clerk() -> str:
    return token(permissions=("exports:read", "exports:edit"))


class Objects:
    """Gives the content in small pieces."""

    async def stream(self, key: str, start: int, length: int) -> AsyncIterator[bytes]:
        assert key == FILE["object_key"]

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(start, start + length, 100):
                yield CONTENT[at : min(at + 100, start + length)]

        return pieces()


@pytest.fixture(autouse=True)
def _objects(app: FastAPI) -> None:
    app.state.objects = Objects()


def test_an_export_is_asked_for_under_an_id_that_a_repeat_keeps(ask: Ask, services: FakeServices) -> None:
    services.answers["request_export"] = DONE
    body = {"kind": "tasks", "filters": {"status": ["completed"], "team_id": None}}
    key = {"Idempotency-Key": "export-0001"}
    made, again = (ask("POST", "/v1/exports", authorization=clerk(), json=body, headers=key) for _ in range(2))
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/exports/{EXPORT}")
    first, second = (call["data"] for call in services.asked("request_export"))
    assert first == second
    assert {name: first[name] for name in ("kind", "filters")} == {
        "kind": "tasks",
        "filters": {"status": ["completed"]},
    }
    assert again.status_code == 201


def test_submissions_are_asked_of_forms(ask: Ask, services: FakeServices) -> None:
    services.answers["request_export"] = DONE
    filters = {"form_id": EXPORT, "since": "2026-11-23T00:00:00-05:00", "split": True}
    ask("POST", "/v1/exports", authorization=clerk(), json={"kind": "submissions", "filters": filters})
    assert services.calls[-1][:2] == ("forms", "request_export")
    assert services.asked("request_export")[0]["data"]["filters"] == filters | {"since": "2026-11-23T05:00:00Z"}


@pytest.mark.parametrize(
    "body",
    [{}, {"kind": "birds"}, {"kind": "tasks", "format": "pdf"}, {"kind": "tasks", "filters": {"$where": "1"}}],
)
def test_what_is_no_request(ask: Ask, body: dict[str, Any]) -> None:
    problem(ask("POST", "/v1/exports", authorization=clerk(), json=body), 422, "invalid")


def test_who_may(ask: Ask) -> None:
    reader = token(permissions=("exports:read",))
    problem(ask("POST", "/v1/exports", authorization=reader, json={"kind": "tasks"}), 403, "forbidden")
    problem(ask("GET", "/v1/exports", authorization=token(permissions=("tasks:read",))), 403, "forbidden")


class TestSeveralServices:
    @pytest.fixture(autouse=True)
    def _two(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(exports, "SERVICES", ("tasks", "forms"))

    def answer(self, services: FakeServices, name: str, **by_service: Any) -> None:
        """Each service has an answer of its own."""

        async def call(service: str, method: str, kwargs: Any, **_: Any) -> Any:
            asked = kwargs.get("command") or kwargs["query"]
            if asked != name:
                return await known(service, method, kwargs)
            services.calls.append((service, asked, dict(kwargs)))
            found = by_service[service]
            if isinstance(found, Exception):
                raise found
            return found

        known = services.call
        services.call = call  # type: ignore[method-assign]

    def test_their_pages_are_one(self, ask: Ask, services: FakeServices) -> None:
        def row(id: str, at: str) -> dict[str, str]:
            return {"id": id, "requested_at": at, "cursor": f"behind-{id}"}

        self.answer(
            services,
            "exports",
            tasks={"items": [row("a", "5"), row("d", "2")], "next": None},
            forms={"items": [row("c", "3"), row("b", "3")], "next": "more"},
        )
        page = ask("GET", "/v1/exports?limit=3", authorization=clerk()).json()
        assert page == {
            "items": [
                {"id": "a", "requested_at": "5"},
                {"id": "b", "requested_at": "3"},
                {"id": "c", "requested_at": "3"},
            ],
            "next": "behind-c",
        }

    def test_the_end_has_no_next(self, ask: Ask, services: FakeServices) -> None:
        nothing = {"items": [], "next": None}
        self.answer(services, "exports", tasks=nothing, forms=nothing)
        assert ask("GET", "/v1/exports", authorization=clerk()).json() == nothing

    def test_a_position_of_one_says_nothing_to_the_other(self, ask: Ask, services: FakeServices) -> None:
        ahead = RemoteError("Rejected", ("position-ahead", {}))
        self.answer(services, "export", tasks=ahead, forms={"id": EXPORT, "version": 1})
        found = ask("GET", f"/v1/exports/{EXPORT}", authorization=clerk(), headers={"X-At-Least": "900"})
        assert found.json()["id"] == EXPORT

    def test_nobody_has_it(self, ask: Ask, services: FakeServices) -> None:
        self.answer(services, "export", tasks=UNKNOWN, forms=UNKNOWN)
        problem(ask("GET", f"/v1/exports/{EXPORT}", authorization=clerk()), 404, "export-unknown")

    def test_it_is_deleted_where_it_is(self, ask: Ask, services: FakeServices) -> None:
        self.answer(services, "export", tasks=UNKNOWN, forms={"id": EXPORT, "version": 1})
        services.answers["delete_export"] = DONE
        assert ask("DELETE", f"/v1/exports/{EXPORT}", authorization=clerk()).status_code == 200
        assert services.calls[-1][:2] == ("forms", "delete_export")


@pytest.mark.parametrize(("language", "word"), [("es", "CSV"), ("en", "sheet")])
def test_what_failed_says_why(ask: Ask, services: FakeServices, language: str, word: str) -> None:
    services.answers["export"] = {"id": EXPORT, "version": 3, "failed": "export-too-wide"}
    headers = {"Accept-Language": language}
    failed = ask("GET", f"/v1/exports/{EXPORT}", authorization=clerk(), headers=headers).json()["failed"]
    assert failed["code"] == "export-too-wide"
    assert word in failed["detail"]


class TestDownloads:
    PATH = f"/v1/exports/{EXPORT}/file"

    @pytest.fixture(autouse=True)
    def _file(self, services: FakeServices) -> None:
        services.answers["export_file"] = FILE

    def get(self, ask: Ask, **headers: str) -> Any:
        return ask(
            "GET", self.PATH, authorization=clerk(), headers={k.replace("_", "-"): v for k, v in headers.items()}
        )

    def test_the_whole_file_with_its_digest(self, ask: Ask) -> None:
        whole = self.get(ask)
        assert (whole.status_code, whole.content) == (200, CONTENT)
        assert whole.headers["etag"] == f'"{SHA256}"'
        assert whole.headers["repr-digest"].startswith("sha-256=:")
        assert whole.headers["accept-ranges"] == "bytes"
        assert 'filename="tareas-2026-11-23.xlsx"' in whole.headers["content-disposition"]

    def test_a_download_goes_on_where_it_broke_off(self, ask: Ask) -> None:
        rest = self.get(ask, Range="bytes=1000-", If_Range=f'"{SHA256}"')
        assert (rest.status_code, rest.content) == (206, CONTENT[1000:])
        assert rest.headers["content-range"] == "bytes 1000-1023/1024"
        assert rest.headers["content-length"] == "24"

    def test_another_edition_comes_whole(self, ask: Ask) -> None:
        assert self.get(ask, Range="bytes=1000-", If_Range='"other"').status_code == 200

    def test_beyond_the_end(self, ask: Ask) -> None:
        refused = self.get(ask, Range="bytes=1024-")
        problem(refused, 416, "range-not-satisfiable")
        assert refused.headers["content-range"] == "bytes */1024"

    def test_not_there_any_more(self, ask: Ask, services: FakeServices) -> None:
        services.answers["export_file"] = RemoteError("Rejected", ("export-gone", {"status": "expired"}))
        problem(self.get(ask), 410, "export-gone")


@pytest.mark.parametrize(
    ("range", "part"),
    [
        ("bytes=0-0", Part(0, 1)),
        ("bytes=5-9", Part(5, 5)),
        ("bytes=5-", Part(5, 95)),
        ("bytes=90-500", Part(90, 10)),
        ("bytes=-10", Part(90, 10)),
        ("bytes=-500", Part(0, 100)),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("bytes=-", None),
        ("lines=1-2", None),
        ("bytes=a-b", None),
        ("", None),
    ],
)
def test_ranges(range: str, part: Part | None) -> None:
    assert wanted_part(Headers({"range": range}), 100, '"e"') == part


@pytest.mark.parametrize(("range", "size"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0), ("bytes=-5", 0)])
def test_ranges_that_cannot_be(range: str, size: int) -> None:
    with pytest.raises(Problem, match="range-not-satisfiable"):
        wanted_part(Headers({"range": range}), size, '"e"')
