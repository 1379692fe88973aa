"""Uploads at the door: who may bring what, how far it is, and when somebody is told that all has come."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from fastapi import FastAPI

from gateway.receiving.tus import metadata_text
from services.kernel.rpc import RemoteError
from services.kernel.segments import Segment, covered
from tests.unit.gateway.conftest import TENANT, USER, Ask, FakeServices, problem, token

UPLOAD = "01936f5e-0000-7000-8000-00000000eeee"
PATH = f"/v1/uploads/{UPLOAD}"
MEDIA = "sha256:" + "ab" * 32
TUS = {"Tus-Resumable": "1.0.0"}
RECEIPT = {"id": UPLOAD, "stream": "s", "version": 1, "position": 9}
SOON = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
SHOWN = {
    "id": UPLOAD,
    "status": "open",
    "code": None,
    "media_id": MEDIA,
    "bytes": 10,
    "type": "text/plain",
    "name": "a.txt",
    "via": "tus",
    "begun_by": USER,
    "expires_at": SOON,
}
OCTETS = {**TUS, "Content-Type": "application/offset+octet-stream"}


class Incoming:
    """Keeps segments in memory."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []

    async def add(self, tenant: str, upload_id: str, offset: int, data: bytes) -> None:
        assert (tenant, upload_id) == (TENANT, UPLOAD)
        self.segments.append(Segment(offset, len(data)))

    async def reached(self, tenant: str, upload_id: str) -> int:
        assert (tenant, upload_id) == (TENANT, UPLOAD)
        return covered(self.segments)

    async def form(self, tenant: str, upload_id: str, length: int, type: str, until: datetime) -> tuple[str, Any]:
        return "http://store/incoming", {"key": f"{tenant}/{upload_id}", "length": str(length), "type": type}


@pytest.fixture(autouse=True)
def incoming(app: FastAPI, services: FakeServices) -> Incoming:
    app.state.incoming = Incoming()
    begun = {**RECEIPT, "media_id": MEDIA, "expires_at": SOON, "stored": False}
    services.answers |= {"begin_upload": begun, "upload": SHOWN, "finish_upload": RECEIPT, "abort_upload": RECEIPT}
    return app.state.incoming  # type: ignore[no-any-return]


def creation(length: int = 10) -> dict[str, str]:
    return {**TUS, "Upload-Length": str(length), "Upload-Metadata": metadata_text(MEDIA, "text/plain", "dir/a.txt")}


def patch(ask: Ask, offset: int, content: bytes, **more: str) -> Any:
    return ask("PATCH", PATH, content=content, headers={**OCTETS, "Upload-Offset": str(offset), **more})


class TestBeginning:
    def test_it_is_announced_and_has_a_place(self, ask: Ask, services: FakeServices) -> None:
        made = ask("POST", "/v1/uploads", headers=creation())
        assert (made.status_code, made.headers["location"]) == (201, PATH)
        assert made.headers["upload-expires"].endswith("GMT")
        (asked,) = services.asked("begin_upload")
        assert {name: value for name, value in asked["data"].items() if name != "upload_id"} == {
            "media_id": MEDIA,
            "bytes": 10,
            "type": "text/plain",
            "via": "tus",
            "name": "a.txt",
        }

    def test_repeated_under_its_key_it_is_the_same(self, ask: Ask, services: FakeServices) -> None:
        key = {"Idempotency-Key": "photo-0001"}
        for _ in range(2):
            ask("POST", "/v1/uploads", headers=creation() | key)
        first, second = services.asked("begin_upload")
        assert first["data"] == second["data"]
        assert first["command_id"] == second["command_id"]

    @pytest.mark.parametrize(
        ("permissions", "status"),
        [(("tasks:execute",), 201), (("submissions:edit",), 201), (("submissions:read", "tasks:edit"), 403)],
    )
    def test_who_may(self, ask: Ask, permissions: tuple[str, ...], status: int) -> None:
        made = ask("POST", "/v1/uploads", headers=creation(), authorization=token(permissions=permissions))
        assert made.status_code == status
        assert made.headers["tus-resumable"] == "1.0.0"

    def test_nobody_may_not(self, ask: Ask) -> None:
        problem(ask("POST", "/v1/uploads", headers=creation(), authorization=""), 401, "authentication-required")

    def test_an_account_that_rests_takes_nothing_in(self, ask: Ask) -> None:
        paused = token(acc="paused", acr=1)
        problem(ask("POST", "/v1/uploads", headers=creation(), authorization=paused), 403, "account-paused")
        suspended = token(acc="suspended", acr=1, role="technician")
        assert ask("POST", "/v1/uploads", headers=creation(), authorization=suspended).status_code == 201


class TestGoingOn:
    def test_byte_by_byte_until_all_is_there(self, ask: Ask, services: FakeServices) -> None:
        assert patch(ask, 0, b"abcd").headers["upload-offset"] == "4"
        assert ask("HEAD", PATH, headers=TUS).headers["upload-offset"] == "4"
        assert not services.asked("finish_upload")
        assert patch(ask, 4, b"efghij").headers["upload-offset"] == "10"
        (finished,) = services.asked("finish_upload")
        assert finished["command_id"] == f"upload/{UPLOAD}/finish"

    def test_what_a_dead_gateway_could_not_say_the_next_one_says(
        self, ask: Ask, services: FakeServices, incoming: Incoming
    ) -> None:
        incoming.segments = [Segment(6, 4), Segment(0, 7)]
        told = ask("HEAD", PATH, headers=TUS)
        assert (told.headers["upload-offset"], told.headers["upload-length"]) == ("10", "10")
        assert base64.b64encode(b"a.txt").decode() in told.headers["upload-metadata"]
        assert services.asked("finish_upload")

    def test_nobody_is_told_that_it_is_complete_before_it_is_written_down(
        self, ask: Ask, services: FakeServices
    ) -> None:
        services.answers["finish_upload"] = RemoteError("StoreUnavailable", ())
        problem(patch(ask, 0, b"abcdefghij"), 503, "service-unavailable")
        assert ask("HEAD", PATH, headers=TUS).status_code == 503

    def test_what_is_settled_has_all_its_bytes(self, ask: Ask, services: FakeServices) -> None:
        services.answers["upload"] = {**SHOWN, "status": "stored"}
        assert ask("HEAD", PATH, headers=TUS).headers["upload-offset"] == "10"
        assert patch(ask, 10, b"").status_code == 204
        assert not services.asked("finish_upload")

    def test_a_post_may_mean_something_else(self, ask: Ask, incoming: Incoming) -> None:
        meant = {**OCTETS, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
        assert ask("POST", PATH, content=b"abc", headers=meant).headers["upload-offset"] == "3"
        assert ask("POST", PATH, headers={**TUS, "X-HTTP-Method-Override": "HEAD"}).headers["upload-offset"] == "3"
        assert ask("POST", PATH, headers={**TUS, "X-HTTP-Method-Override": "DELETE"}).status_code == 204
        problem(ask("POST", PATH, headers={**TUS, "X-HTTP-Method-Override": "PUT"}), 405, "method-not-allowed")
        problem(ask("POST", "/v1/tasks", headers={"X-HTTP-Method-Override": "DELETE"}), 422, "invalid")

    @pytest.mark.parametrize(
        ("more", "status", "code"),
        [
            ({"Upload-Offset": "3"}, 409, "offset-mismatch"),
            ({"Upload-Offset": "x"}, 400, "header-invalid"),
            ({"Content-Type": "text/plain"}, 415, "media-type-unsupported"),
            ({"Tus-Resumable": "2.0.0"}, 412, "tus-version-unsupported"),
            ({"Upload-Checksum": "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0="}, 460, "checksum-mismatch"),
            ({"Upload-Checksum": "md5 AAAA"}, 400, "checksum-algorithm-unsupported"),
        ],
    )
    def test_what_is_refused_keeps_nothing(
        self, ask: Ask, incoming: Incoming, more: dict[str, str], status: int, code: str
    ) -> None:
        problem(patch(ask, 0, b"xyz", **more), status, code)
        assert incoming.segments == []

    def test_too_much(self, ask: Ask, incoming: Incoming) -> None:
        problem(patch(ask, 0, b"abcdefghijk"), 413, "upload-too-long")
        assert incoming.segments == []


class TestAtTheEnd:
    @pytest.mark.parametrize(
        ("told", "code"),
        [
            ({"status": "aborted"}, "upload-aborted"),
            ({"status": "expired"}, "upload-expired"),
            ({"expires_at": "2026-11-01T00:00:00Z"}, "upload-expired"),
        ],
    )
    def test_gone(self, ask: Ask, services: FakeServices, told: dict[str, str], code: str) -> None:
        services.answers["upload"] = SHOWN | told
        problem(patch(ask, 0, b"x"), 410, code)
        problem(ask("DELETE", PATH, headers=TUS), 410, code)
        problem(ask("POST", f"{PATH}/complete"), 410, code)
        assert ask("HEAD", PATH, headers=TUS).status_code == 410

    def test_unknown(self, ask: Ask, services: FakeServices) -> None:
        services.answers["upload"] = RemoteError("Rejected", ("upload-unknown", {}))
        problem(patch(ask, 0, b"x"), 404, "upload-unknown")

    def test_given_up(self, ask: Ask, services: FakeServices) -> None:
        assert ask("DELETE", PATH, headers=TUS).status_code == 204
        assert services.asked("abort_upload")[0]["data"] == {"upload_id": UPLOAD}

    @pytest.mark.parametrize(("language", "word"), [("es", "vacío"), ("en", "empty")])
    def test_what_was_refused_says_why(self, ask: Ask, services: FakeServices, language: str, word: str) -> None:
        services.answers["upload"] = {**SHOWN, "status": "rejected", "code": "empty"}
        told = ask("GET", PATH, headers={"Accept-Language": language}).json()
        assert (told["status"], told["code"]) == ("rejected", "empty")
        assert word in told["detail"]

    def test_completed_by_a_form(self, ask: Ask, services: FakeServices, incoming: Incoming) -> None:
        assert problem(ask("POST", f"{PATH}/complete"), 409, "upload-incomplete")["offset"] == 0
        incoming.segments = [Segment(0, 10)]
        assert ask("POST", f"{PATH}/complete").json()["status"] == "finished"
        assert services.asked("finish_upload")


class TestPlans:
    BODY: ClassVar[dict[str, Any]] = {"id": MEDIA, "bytes": 10, "type": "image/jpeg", "name": "C:\\a.jpg"}

    def test_by_tus(self, ask: Ask, services: FakeServices) -> None:
        made = ask("POST", "/v1/media", json=self.BODY)
        assert (made.status_code, made.json()["tus"], made.json()["status"]) == (201, PATH, "wanted")
        assert services.asked("begin_upload")[0]["data"]["name"] == "a.jpg"

    def test_by_form(self, ask: Ask) -> None:
        form = ask("POST", "/v1/media", json={**self.BODY, "via": "form"}).json()["form"]
        assert form["fields"] == {"key": f"{TENANT}/{UPLOAD}", "length": "10", "type": "image/jpeg"}
        assert form["complete"] == f"{PATH}/complete"

    def test_what_is_there_is_not_sent_again(self, ask: Ask, services: FakeServices) -> None:
        services.answers["begin_upload"] = {**RECEIPT, "expires_at": SOON, "stored": True}
        there = ask("POST", "/v1/media", json=self.BODY)
        assert (there.status_code, there.json()) == (200, {"status": "exists", "id": MEDIA})
        assert services.asked("abort_upload")

    @pytest.mark.parametrize(
        ("limits", "status", "code"),
        [
            ({"types": ["image/"], "max_bytes": 10}, 201, None),
            ({"types": [], "max_bytes": None}, 201, None),
            ({"types": ["application/pdf"], "max_bytes": None}, 415, "media-type-not-allowed"),
            ({"types": [], "max_bytes": 9}, 413, "too-heavy"),
        ],
    )
    def test_the_question_says_what_it_takes(
        self, ask: Ask, services: FakeServices, limits: dict[str, Any], status: int, code: str | None
    ) -> None:
        services.answers["media_limits"] = limits
        field = {"form_id": UPLOAD, "version": 1, "name": "photo"}
        answer = ask("POST", "/v1/media", json={**self.BODY, "field": field})
        assert services.asked("media_limits")[0]["params"] == {"form_id": UPLOAD, "version": 1, "field": "photo"}
        assert (answer.status_code, answer.json().get("code")) == (status, code)
        assert bool(services.asked("begin_upload")) == (status == 201)

    @pytest.mark.parametrize(
        "wrong",
        [{"id": "sha256:ab"}, {"bytes": 0}, {"type": "JPEG"}, {"via": "mail"}, {"name": "x" * 1_001}, {"more": 1}],
    )
    def test_what_is_no_plan(self, ask: Ask, wrong: dict[str, Any]) -> None:
        problem(ask("POST", "/v1/media", json=self.BODY | wrong), 422, "invalid")

    def test_heavier_than_anything_may_be(self, ask: Ask) -> None:
        problem(ask("POST", "/v1/media", json=self.BODY | {"bytes": 2**31 + 1}), 413, "too-heavy")


def test_a_file_is_fetched_by_its_hash_only(ask: Ask, services: FakeServices) -> None:
    reader = token(permissions=("submissions:read",))
    problem(ask("GET", "/v1/media/..%2F..%2Fetc", authorization=reader), 404, "not-found")
    problem(ask("GET", "/v1/media/sha256:AB/file", authorization=reader), 422, "invalid")
    services.answers["media_file"] = RemoteError("Rejected", ("rendition-unknown", {}))
    problem(ask("GET", f"/v1/media/{MEDIA}/file?rendition=poster", authorization=reader), 404, "rendition-unknown")
    services.answers["medium"] = {"id": MEDIA, "status": "rejected", "code": "polyglot"}
    shown = ask("GET", f"/v1/media/{MEDIA}", authorization=reader).json()
    assert (shown["code"], bool(shown["detail"])) == ("polyglot", True)
