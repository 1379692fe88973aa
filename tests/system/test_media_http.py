"""Evidence that is there: found, shown in the form that is wanted, in whole or in parts, and to nobody else."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from PIL import Image

from deploy.demo import samples
from services.kernel.clock import new_id
from tests.system.callers import FORM, Client, Platform, join, problem, register, within
from tests.system.evidence import File, note, stored, uploaded

PLACE = (4.6966, -74.0315)
TAKEN = datetime(2026, 11, 23, 9, 12, 3, tzinfo=UTC)
GPS = 0x8825


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    return register(platform, "Fotos S.A.S.")


@pytest.fixture(scope="module")
def photo(owner: Client) -> File:
    """As a phone takes it, with all that the camera writes down."""
    file = File(samples.photo("Bomba 3", TAKEN, PLACE, size=(2_400, 1_800)), "image/jpeg", "Ñandú.jpg")
    stored(owner, uploaded(owner, file))
    return file


@pytest.fixture(scope="module")
def question(owner: Client) -> dict[str, Any]:
    """One that asks for a photo, not too heavy."""
    item = {"type": "picture", "name": "photo", "labels": {"es": "Foto"}, "max_bytes": 100_000}
    form_id = owner.ok("POST", "/v1/forms", json={"name": "Visita"})["id"]
    owner.ok("PUT", f"/v1/forms/{form_id}/draft", json={"content": {"items": [item, *FORM["items"]]}})
    owner.ok("POST", f"/v1/forms/{form_id}/publish")
    return {"form_id": form_id, "version": 1, "name": "photo"}


def file_of(who: Client, file: File, rendition: str = "original", **headers: str) -> Any:
    lines = {name.replace("_", "-"): value for name, value in headers.items()}
    return who("GET", f"/v1/media/{file.id}/file", params={"rendition": rendition}, headers=lines)


def listed(who: Client, **params: str) -> list[str]:
    return [item["id"] for item in who.ok("GET", "/v1/media", params=params)["items"]]


class TestFiles:
    def test_the_original_is_what_was_sent(self, owner: Client, photo: File) -> None:
        answer = file_of(owner, photo)
        assert answer.content == photo.content
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["etag"] == f'"{photo.sha256}"'
        assert answer.headers["content-disposition"].startswith("attachment; filename=\"_and_.jpg\"; filename*=UTF-8''")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'; sandbox"
        assert Image.open(io.BytesIO(answer.content)).getexif().get_ifd(GPS)

    @pytest.mark.parametrize(("rendition", "longest"), [("screen", 1_600), ("thumbnail", 320)])
    def test_other_forms_tell_nothing_but_the_picture(
        self, owner: Client, photo: File, rendition: str, longest: int
    ) -> None:
        answer = file_of(owner, photo, rendition)
        assert answer.headers["content-disposition"].startswith("inline")
        assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
        image = Image.open(io.BytesIO(answer.content))
        assert max(image.size) == longest
        assert not image.getexif()
        assert b"Exif" not in answer.content

    def test_a_part(self, owner: Client, photo: File) -> None:
        size = len(photo.content)
        assert size > 300_000  # more than one frame
        first = file_of(owner, photo, Range="bytes=0-262200")
        assert (first.status_code, first.content) == (206, photo.content[:262_201])
        rest = file_of(owner, photo, Range="bytes=262201-", If_Range=first.headers["etag"])
        assert rest.headers["content-range"] == f"bytes 262201-{size - 1}/{size}"
        assert first.content + rest.content == photo.content
        assert file_of(owner, photo, Range="bytes=-100").content == photo.content[-100:]
        problem(file_of(owner, photo, Range=f"bytes={size}-"), 416)

    def test_who_has_it_already(self, owner: Client, photo: File) -> None:
        assert file_of(owner, photo, If_None_Match=f'"{photo.sha256}"').status_code == 304

    def test_a_form_that_there_is_not(self, owner: Client, photo: File) -> None:
        assert problem(file_of(owner, photo, "poster"), 404)["code"] == "rendition-unknown"
        problem(file_of(owner, photo, "larger"), 422)


class TestWhoSees:
    def test_an_item_says_what_the_camera_wrote(self, owner: Client, photo: File) -> None:
        found = owner.ok("GET", f"/v1/media/{photo.id}")
        assert (found["status"], found["width"], found["height"]) == ("stored", 2_400, 1_800)
        assert found["taken"]["lat"] == pytest.approx(PLACE[0], abs=1e-4)
        assert found["taken"]["lon"] == pytest.approx(PLACE[1], abs=1e-4)
        assert {"original", "screen", "thumbnail"} == set(found["renditions"])

    def test_lists(self, platform: Platform, owner: Client, photo: File) -> None:
        technician = join(platform, owner, "technician")
        own = note(50)
        stored(technician, uploaded(technician, own))
        within(10.0, lambda: own.id in listed(owner))
        assert photo.id in listed(owner, kind="image")
        assert own.id not in listed(owner, kind="image")
        assert listed(owner, user_id=technician.ids["user_id"]) == listed(technician) == [own.id]
        assert len(owner.ok("GET", "/v1/media", params={"limit": 1})["items"]) == 1

    def test_nobody_else(self, platform: Platform, owner: Client, photo: File) -> None:
        stranger, technician = register(platform, "Ajena S.A.S."), join(platform, owner, "technician")
        for other in (stranger, technician):
            problem(other("GET", f"/v1/media/{photo.id}"), 404)
            problem(file_of(other, photo), 404)
        problem(file_of(Client(platform.base_url), photo), 401)
        assert join(platform, owner, "viewer")("GET", f"/v1/media/{photo.id}/file").status_code == 200

    def test_ids_are_hashes(self, owner: Client) -> None:
        problem(owner("GET", "/v1/media/sha256:xyz"), 422)
        problem(owner("GET", f"/v1/media/sha256:{'0' * 64}"), 404)


class TestPlans:
    """What a question does not allow is refused before a byte is sent."""

    def plan(self, owner: Client, field: dict[str, Any] | None = None, **more: Any) -> Any:
        body = {"id": note(10).id, "bytes": 1_000, "type": "image/jpeg", "field": field, **more}
        return owner("POST", "/v1/media", json={name: value for name, value in body.items() if value is not None})

    def test_within_its_bounds(self, owner: Client, question: dict[str, Any]) -> None:
        made = self.plan(owner, question)
        assert (made.status_code, made.json()["status"]) == (201, "wanted")
        assert made.headers["location"] == made.json()["tus"] == f"/v1/uploads/{made.json()['upload_id']}"

    def test_beyond_them(self, owner: Client, question: dict[str, Any]) -> None:
        heavy = problem(self.plan(owner, question, bytes=100_001), 413)
        assert (heavy["code"], heavy["limit"]) == ("too-heavy", 100_000)
        assert problem(self.plan(owner, question, type="application/pdf"), 415)["code"] == "media-type-not-allowed"
        assert problem(self.plan(owner, {**question, "name": "contact"}), 404)["code"] == "field-unknown"
        problem(self.plan(owner, {**question, "form_id": new_id()}), 404)

    def test_what_nobody_may_bring(self, owner: Client) -> None:
        assert problem(self.plan(owner, type="image/svg+xml"), 415)["code"] == "type-not-accepted"
        assert problem(self.plan(owner, bytes=2**31 + 1), 413)["code"] == "too-heavy"
        problem(self.plan(owner, bytes=0), 422)
        problem(self.plan(owner, via="mail"), 422)

    def test_what_is_there_already(self, owner: Client, photo: File) -> None:
        body = {"id": photo.id, "bytes": len(photo.content), "type": photo.type}
        answer = owner("POST", "/v1/media", json=body)
        assert (answer.status_code, answer.json()) == (200, {"status": "exists", "id": photo.id})

    def test_asked_twice_it_is_one_upload(self, owner: Client) -> None:
        key = {"Idempotency-Key": "photo-0001"}
        body = {"id": note(10).id, "bytes": 10, "type": "text/plain"}
        first, again = (owner("POST", "/v1/media", json=body, headers=key).json() for _ in range(2))
        assert first == again
