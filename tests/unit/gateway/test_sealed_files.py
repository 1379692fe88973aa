"""Evidence at the door: opened while it is sent, any part of it, and nothing that was tampered with."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Problem
from gateway.files import disposition
from gateway.sealed_files import Ticket, sealed_file
from services.kernel.sealing import FRAME, key_text, new_key, seal
from tests.support.bucket import Answer
from tests.unit.gateway.conftest import run

KEY = new_key()
NAME = "t/account/object"
CONTENT = bytes(range(251)) * (3 * FRAME // 251) + b"the end"
SEALED = b"".join(seal([CONTENT], KEY, NAME, len(CONTENT)))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
TICKET = {
    "bucket": "media",
    "object": NAME,
    "key": key_text(KEY),
    "bytes": len(CONTENT),
    "type": "video/mp4",
    "sha256": SHA256,
    "file_name": "prueba.mp4",
    "version": 7,
}


class Reading(Answer):
    """Notes that it was given back."""

    released = False

    def release_conn(self) -> None:
        self.released = True


class Objects:
    """The store, of one object."""

    def __init__(self, sealed: bytes = SEALED) -> None:
        self.sealed = sealed
        self.readings: list[Reading] = []

    async def opened(self, bucket: str, key: str, start: int, length: int) -> Reading:
        assert (bucket, key) == ("media", NAME)
        self.readings.append(Reading(self.sealed[start : start + length]))
        return self.readings[-1]


def get(objects: Objects, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """One request for the file."""
    lines = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    request = Request({"type": "http", "method": "GET", "headers": lines})

    async def ask() -> tuple[int, dict[str, str], bytes]:
        response: Any = await sealed_file(request, objects, Ticket.of(TICKET), "inline")  # type: ignore[arg-type]
        body = (
            response.body
            if response.status_code == 304
            else b"".join([piece async for piece in response.body_iterator])
        )
        return response.status_code, dict(response.headers), body

    return run(ask())


def test_the_whole_file() -> None:
    objects = Objects()
    status, headers, body = get(objects)
    assert (status, hashlib.sha256(body).hexdigest()) == (200, SHA256)
    assert headers["content-type"] == "video/mp4"
    assert headers["content-length"] == str(len(CONTENT))
    assert headers["content-security-policy"].endswith("; sandbox")
    assert headers["cache-control"] == "private, no-cache"
    assert headers["content-disposition"].startswith('inline; filename="prueba.mp4"')
    assert objects.readings[0].released


@given(st.integers(0, len(CONTENT) - 1), st.integers(0, len(CONTENT) - 1))
def test_any_part(first: int, last: int) -> None:
    start, end = sorted((first, last))
    status, headers, body = get(Objects(), range=f"bytes={start}-{end}")
    assert (status, body) == (206, CONTENT[start : end + 1])
    assert headers["content-range"] == f"bytes {start}-{end}/{len(CONTENT)}"


def test_who_has_it_already_is_told_so() -> None:
    objects = Objects()
    status, headers, body = get(objects, if_none_match=f'"{SHA256}"')
    assert (status, headers["etag"], body) == (304, f'"{SHA256}"', b"")
    assert not objects.readings


def test_beyond_the_end() -> None:
    with pytest.raises(Problem, match="range-not-satisfiable"):
        get(Objects(), range=f"bytes={len(CONTENT)}-")


@pytest.mark.parametrize("at", [0, FRAME + 100, len(SEALED) - 1])
def test_what_was_tampered_with_breaks_off(at: int) -> None:
    damaged = Objects(SEALED[:at] + bytes([SEALED[at] ^ 1]) + SEALED[at + 1 :])
    with pytest.raises(InvalidTag):
        get(damaged)
    assert damaged.readings[0].released


def test_what_was_cut_short_breaks_off() -> None:
    with pytest.raises(InvalidTag):
        get(Objects(SEALED[: 2 * (FRAME + 16)]))


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("a.jpg", "a.jpg"),
        ('ñandú "1".jpg', "_and_ _1_.jpg"),
        ("a\\b%41.pdf", "a_b_41.pdf"),
        ("x\r\nSet-Cookie: a", "x__Set-Cookie: a"),
    ],
)
def test_names_of_any_kind(name: str, plain: str) -> None:
    shown = disposition("attachment", name)
    assert shown.startswith(f"attachment; filename=\"{plain}\"; filename*=UTF-8''")
    assert shown.isascii()
    assert shown.isprintable()
