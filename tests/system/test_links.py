"""Evidence in strangers' hands: what a link shows, that it ends, and that nobody gets further with it."""

from __future__ import annotations

import io
import uuid
from datetime import datetime
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.examples import media as examples
from tests.system.callers import Client, Platform, join, problem, register, within
from tests.system.evidence import File, stored, uploaded


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    return register(platform, "Enlaces S.A.S.")


def kept(who: Client, content: bytes, type: str, name: str) -> File:
    """A file that is stored."""
    file = File(content, type, name)
    stored(who, uploaded(who, file))
    return file


@pytest.fixture(scope="module")
def photo(owner: Client) -> File:
    return kept(owner, examples.jpeg(2400, 1800, seed=5), "image/jpeg", "casa de Marta.jpg")


@pytest.fixture(scope="module")
def film(owner: Client) -> File:
    where = {"location": "+04.5981-074.0758/", "title": "Sede Norte"}
    return kept(owner, examples.video(seconds=2.0, metadata=where), "video/mp4", "recorrido.mp4")


def link_to(who: Client, file: File, **more: Any) -> dict[str, Any]:
    """A new public link to it."""
    target = {"kind": "media", "id": file.id}
    return who.ok("POST", "/v1/public-links", json={"target": target, **more})


def look(link: dict[str, Any], **headers: str) -> httpx.Response:
    """What a stranger sees."""
    return httpx.get(link["url"], headers={name.replace("_", "-"): v for name, v in headers.items()}, timeout=20)


def test_a_stranger_sees_a_photo_and_not_where_it_was_taken(owner: Client, photo: File) -> None:
    seen = look(link_to(owner, photo))
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    shown, original = Image.open(io.BytesIO(seen.content)), Image.open(io.BytesIO(photo.content))
    assert original.getexif().get_ifd(0x8825)
    assert not shown.getexif()
    assert "comment" not in shown.info
    assert max(shown.size) == 1600
    assert seen.headers["cache-control"] == "no-store"
    assert seen.headers["x-robots-tag"] == "noindex, nofollow, noarchive"
    assert "Marta" not in seen.headers["content-disposition"]


def test_a_film_can_be_wound_and_does_not_say_where_it_was_taken(owner: Client, film: File) -> None:
    link = link_to(owner, film)
    whole = look(link)
    assert whole.headers["content-type"] == "video/mp4"
    for told in (b"loci", b"Sede Norte"):  # the place, and what somebody called it
        assert told in film.content
        assert told not in whole.content
    part = look(link, Range="bytes=100-199")
    assert (part.status_code, part.content) == (206, whole.content[100:200])
    assert part.headers["content-range"] == f"bytes 100-199/{len(whole.content)}"


def test_every_look_is_written_down_once(owner: Client, film: File) -> None:
    link = link_to(owner, film)
    for start in (0, 500, 900):
        look(link, User_Agent="Reproductor/1.0", Range=f"bytes={start}-")
    look(link, User_Agent="Otro/2.0")
    httpx.head(link["url"])
    path = f"/v1/public-links/{link['id']}"
    owner.ok("GET", path, headers={"X-At-Least": str(link["position"])})
    within(10.0, lambda: owner.ok("GET", path)["views"] >= 2)
    shown = owner.ok("GET", path)
    assert (shown["views"], shown["status"]) == (2, "open")
    assert sorted(one["agent"] for one in shown["seen"]) == ["Otro/2.0", "Reproductor/1.0"]
    assert {one["address"] for one in shown["seen"]} == {"127.0.0.1"}


def test_a_revoked_link_is_dead_at_once_and_stays_dead(owner: Client, photo: File) -> None:
    link = link_to(owner, photo)
    first = look(link)
    path = f"/v1/public-links/{link['id']}"
    revoked = owner.ok("POST", f"{path}/revoke", json={"reason": "Para otra persona"})
    for headers in ({}, {"Range": "bytes=0-9"}, {"If-None-Match": first.headers["etag"]}, {"Accept": "text/html"}):
        again = look(link, **headers)
        assert again.status_code == 410
        assert first.content[:64] not in again.content
    problem(look(link), 410, "link-ended")
    # The same request again is the same link: it does not come back to life.
    made = owner.ok("POST", "/v1/public-links", json={"id": link["id"], "target": {"kind": "media", "id": photo.id}})
    assert (made["url"], look(made).status_code) == (link["url"], 410)
    told = owner.ok("GET", path, headers={"X-At-Least": str(revoked["position"])})
    assert told["revoked"]["reason"] == "Para otra persona"


def test_secrets_cannot_be_guessed_or_altered(owner: Client, photo: File) -> None:
    links = [link_to(owner, photo) for _ in range(8)]
    secrets = [link["path"].removeprefix("/p/") for link in links]
    assert len(set(secrets)) == 8
    assert all(len(secret) == 43 for secret in secrets)  # 256 bits
    base = links[0]["url"].removesuffix(secrets[0])
    altered = [secrets[0][:-1], secrets[0] + "A", secrets[0].swapcase(), links[0]["id"], photo.id, str(uuid.uuid4())]
    tried = {guess: httpx.get(base + guess).status_code for guess in [*altered, "..%2f..", "%00", "a" * 200]}
    assert set(tried.values()) == {404}, tried


def test_another_company_gets_nothing_out_of_it(owner: Client, photo: File, platform: Platform) -> None:
    link, stranger = link_to(owner, photo), register(platform, "Vecina Ltda.")
    for method, path in (("GET", ""), ("POST", "/revoke")):
        problem(stranger(method, f"/v1/public-links/{link['id']}{path}"), 404, "link-unknown")
    assert stranger.ok("GET", "/v1/public-links")["items"] == []
    target = {"kind": "media", "id": photo.id}
    problem(stranger("POST", "/v1/public-links", json={"target": target}), 404, "medium-unknown")
    # An id that another account uses is another link.
    own = kept(stranger, examples.jpeg(seed=9), "image/jpeg", "otra.jpg")
    twin = stranger.ok("POST", "/v1/public-links", json={"id": link["id"], "target": {"kind": "media", "id": own.id}})
    assert twin["url"] != link["url"]
    assert look(twin).content != look(link).content
    stranger.ok("POST", f"/v1/public-links/{twin['id']}/revoke")
    assert (look(twin).status_code, look(link).status_code) == (410, 200)


def test_who_may_make_links(owner: Client, photo: File, platform: Platform) -> None:
    for role, allowed in (("viewer", False), ("technician", False), ("supervisor", False), ("admin", True)):
        person = join(platform, owner, role)
        answer = person("POST", "/v1/public-links", json={"target": {"kind": "media", "id": photo.id}})
        if allowed:
            assert answer.status_code == 201
        elif role == "supervisor":
            # He may make links, and sees the evidence of his own people only.
            problem(answer, 404, "medium-unknown")
        else:
            problem(answer, 403, "forbidden")


def test_a_link_lives_as_long_as_the_account_has_settled(owner: Client, photo: File, platform: Platform) -> None:
    other = register(platform, "Breve S.A.S.")
    own = kept(other, photo.content, "image/jpeg", "foto.jpg")
    other.ok("PUT", "/v1/evidence-settings", json={"link_days": 2, "logo": own.id, "footer": "Breve"})
    made = link_to(other, own)
    shown = other.ok("GET", f"/v1/public-links/{made['id']}", params={"at_least": made["position"]})
    lives = _seconds(shown["expires_at"]) - _seconds(shown["created_at"])
    assert lives == pytest.approx(2 * 86_400, abs=2)
    settled = other.ok("GET", "/v1/evidence-settings")
    assert (settled["link_days"], settled["logo"], settled["footer"]) == (2, own.id, "Breve")
    problem(other("PUT", "/v1/evidence-settings", json={"logo": "sha256:" + "0" * 64}), 404, "medium-unknown")
    problem(
        other("POST", "/v1/public-links", json={"target": {"kind": "media", "id": own.id}, "days": 400}), 422, "invalid"
    )


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()
