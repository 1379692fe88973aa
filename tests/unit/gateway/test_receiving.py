"""Uploads by themselves: what headers say, how far segments reach, and what is kept of a body that breaks off."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from gateway.errors import Problem
from gateway.receiving import tus
from gateway.receiving.inflow import PIECE, Inflow
from gateway.receiving.lanes import Lanes
from gateway.receiving.spooling import LARGEST
from gateway.receiving.taking import room, take
from services.kernel.segments import Segment, covered
from tests.unit.gateway.conftest import run

CONTENT = bytes(range(256)) * 9_000
DIGEST = hashlib.sha256(CONTENT)
MEDIA_ID = f"sha256:{DIGEST.hexdigest()}"
WHOSE = ("account", "upload")


def text(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def headers(**given: str) -> Headers:
    return Headers({name.replace("_", "-"): value for name, value in given.items()})


class TestAnnouncements:
    @pytest.mark.parametrize("named", [DIGEST.hexdigest(), DIGEST.hexdigest().upper(), MEDIA_ID, text(DIGEST.digest())])
    def test_a_file_is_named_by_its_hash(self, named: str) -> None:
        told = f"sha256 {text(named)},filetype {text('image/JPEG; q=1')}, filename {text('dir/ñandú.jpg')},other"
        found = tus.announced(headers(Upload_Length="12", Upload_Metadata=told), 100)
        assert found == tus.Announced(MEDIA_ID, 12, "image/jpeg", "ñandú.jpg")
        again = tus.metadata(tus.metadata_text(found.media_id, found.type, found.name))
        assert again == {"sha256": DIGEST.hexdigest(), "filetype": "image/jpeg", "filename": "ñandú.jpg"}

    @pytest.mark.parametrize(
        ("told", "code"),
        [
            ({"Upload_Length": "101"}, "too-heavy"),
            ({"Upload_Length": "0"}, "empty"),
            ({"Upload_Length": "-1"}, "header-invalid"),
            ({"Upload_Length": "9" * 30}, "header-invalid"),
            ({"Upload_Metadata": ""}, "header-invalid"),
            ({"Upload_Metadata": "sha256 !!!"}, "header-invalid"),
            ({"Upload_Metadata": f"sha256 {text('abc')},filetype {text('a/b')}"}, "header-invalid"),
            ({"Upload_Metadata": f"sha256 {text(MEDIA_ID)}"}, "header-invalid"),
            ({"Upload_Metadata": f"sha256 {text(MEDIA_ID)},filetype {text('<b>')}"}, "header-invalid"),
            ({"Upload_Metadata": f"a {text('x')},a {text('x')}"}, "header-invalid"),
            ({"Upload_Metadata": f"a {text(bytes([255]))}"}, "header-invalid"),
        ],
    )
    def test_what_is_no_announcement(self, told: dict[str, str], code: str) -> None:
        right = {"Upload_Length": "12", "Upload_Metadata": tus.metadata_text(MEDIA_ID, "image/png", None)}
        with pytest.raises(Problem) as refused:
            tus.announced(headers(**(right | told)), 100)
        assert refused.value.code == code

    def test_without_a_length_it_is_none(self) -> None:
        with pytest.raises(Problem, match="header-invalid"):
            tus.announced(headers(Upload_Defer_Length="1"), 100)

    @given(st.text(alphabet=st.characters(blacklist_categories=("Cs",))))
    def test_names_are_only_names(self, told: str) -> None:
        name = tus.file_name(told)
        assert not {"/", "\\", "\0", "\n", "\r"} & set(name)
        assert name not in (".", "..")
        assert len(name.encode()) <= 255
        assert name.isprintable()

    @pytest.mark.parametrize(
        ("told", "name"),
        [
            ("../../etc/passwd", "passwd"),
            ("C:\\fotos\\a.jpg", "a.jpg"),
            ("..", ""),
            ("a/..", ""),
            ("evil\u202egpj.exe", "evilgpj.exe"),
            ("a\r\nb: c.jpg", "ab: c.jpg"),
            ("ñ" * 200 + ".jpg", "ñ" * 125 + ".jpg"),
        ],
    )
    def test_names_that_want_to_be_more(self, told: str, name: str) -> None:
        assert tus.file_name(told) == name

    def test_versions(self) -> None:
        tus.check_version(headers(Tus_Resumable="1.0.0"))
        for spoken in ({}, {"Tus_Resumable": "0.2.2"}):
            with pytest.raises(Problem, match="tus-version-unsupported"):
                tus.check_version(headers(**spoken))

    def test_times_are_those_of_http(self) -> None:
        moment = datetime(2026, 11, 23, 9, 5, 3, tzinfo=UTC)
        assert tus.progress(5, moment) == {"Upload-Offset": "5", "Upload-Expires": "Mon, 23 Nov 2026 09:05:03 GMT"}


class TestChecksums:
    def test_both_headers_count(self) -> None:
        sha1 = hashlib.sha1(CONTENT).digest()
        found = tus.checksums(
            headers(Upload_Checksum=f"sha1 {text(sha1)}", Content_Digest=f"sha-256=:{text(DIGEST.digest())}:")
        )
        assert found == [tus.Checksum("sha1", sha1), tus.Checksum("sha256", DIGEST.digest())]
        assert tus.checksums(headers()) == []

    @pytest.mark.parametrize(
        ("told", "code"),
        [
            ({"Upload_Checksum": "crc32 AAAA"}, "checksum-algorithm-unsupported"),
            ({"Upload_Checksum": "sha1"}, "header-invalid"),
            ({"Upload_Checksum": f"sha1 {text(b'short')}"}, "header-invalid"),
            ({"Upload_Checksum": "sha1 ???"}, "header-invalid"),
            ({"Content_Digest": "md5=:AAAA:"}, "header-invalid"),
            ({"Content_Digest": f"sha-256=:{text(b'short')}:"}, "header-invalid"),
        ],
    )
    def test_what_is_none(self, told: dict[str, str], code: str) -> None:
        with pytest.raises(Problem) as refused:
            tus.checksums(headers(**told))
        assert refused.value.code == code


class Store:
    """Keeps segments; refuses from the n-th on."""

    def __init__(self, refuses_from: int = 1_000) -> None:
        self.kept: list[tuple[int, bytes]] = []
        self._refuses_from = refuses_from

    async def add(self, tenant: str, upload_id: str, offset: int, data: bytes) -> None:
        assert (tenant, upload_id) == WHOSE
        if len(self.kept) >= self._refuses_from:
            raise Problem("service-unavailable")
        self.kept.append((offset, data))

    @property
    def reached(self) -> int:
        return covered(Segment(offset, len(data)) for offset, data in self.kept)


async def body(chunks: Iterable[bytes], then: BaseException | None = None) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    if then is not None:
        raise then


def chunked(size: int, content: bytes = CONTENT) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]


def received(store: Store, inflow: Inflow, checks: Sequence[tus.Checksum] = (), offset: int = 0) -> int:
    return run(take(inflow, store, WHOSE, offset, checks))  # type: ignore[arg-type]


class TestBodies:
    @given(st.integers(1_000, 3 * PIECE), st.integers(0, 2**40))
    def test_all_is_kept_in_pieces_of_bounded_size(self, size: int, offset: int) -> None:
        store = Store()
        assert received(store, Inflow(body(chunked(size)), len(CONTENT)), offset=offset) == offset + len(CONTENT)
        assert b"".join(data for _, data in store.kept) == CONTENT
        assert store.kept[0][0] == offset
        assert max(len(data) for _, data in store.kept) <= PIECE

    @given(st.integers(0, 40))
    def test_what_came_before_a_cut_is_kept(self, came: int) -> None:
        store, chunks = Store(), chunked(65_536)[:came]
        inflow = Inflow(body(chunks, ClientDisconnect()), len(CONTENT))
        assert received(store, inflow) == store.reached == sum(map(len, chunks))
        assert inflow.ended == "cut"

    def test_a_line_that_says_nothing_is_given_up(self) -> None:
        async def silent() -> AsyncIterator[bytes]:
            yield b"some"
            await asyncio.sleep(60)

        store = Store()
        with pytest.raises(Problem) as refused:
            received(store, Inflow(silent(), 100, patience=0.01))
        assert (refused.value.code, refused.value.facts["offset"]) == ("upload-stalled", 4)
        assert store.kept == [(0, b"some")]

    def test_more_than_there_is_room_for(self) -> None:
        store = Store()
        with pytest.raises(Problem) as refused:
            received(store, Inflow(body([b"abc", b"defgh", b"ijk"]), 5))
        assert (refused.value.code, store.kept) == ("upload-too-long", [(0, b"abcde")])

    def test_a_store_that_refuses_stops_it(self) -> None:
        store = Store(refuses_from=1)
        with pytest.raises(Problem, match="service-unavailable"):
            received(store, Inflow(body(chunked(PIECE)), len(CONTENT)))
        assert store.reached == PIECE

    def test_a_proven_body_is_kept(self) -> None:
        store = Store()
        checks = [tus.Checksum("sha256", DIGEST.digest()), tus.Checksum("sha1", hashlib.sha1(CONTENT).digest())]
        assert received(store, Inflow(body(chunked(65_536)), len(CONTENT)), checks) == len(CONTENT)
        assert b"".join(data for _, data in store.kept) == CONTENT

    def test_nothing_is_kept_of_a_wrong_body(self) -> None:
        store = Store()
        with pytest.raises(Problem, match="checksum-mismatch"):
            received(store, Inflow(body([b"x"]), 10), [tus.Checksum("sha256", DIGEST.digest())])
        assert store.kept == []

    def test_nothing_is_kept_of_a_body_that_broke_off_before_it_was_proven(self) -> None:
        store = Store()
        inflow = Inflow(body([CONTENT], ClientDisconnect()), len(CONTENT) + 1)
        assert received(store, inflow, [tus.Checksum("sha256", DIGEST.digest())], offset=7) == 7
        assert store.kept == []

    def test_how_much_one_request_may_bring(self) -> None:
        assert room(10, None, checked=False) == 10
        assert room(10, 10, checked=True) == 10
        assert room(LARGEST + 1, None, checked=True) == LARGEST
        for remaining, announced, checked in ((10, 11, False), (2 * LARGEST, LARGEST + 1, True)):
            with pytest.raises(Problem, match="upload-too-long"):
                room(remaining, announced, checked)


def test_lanes_are_few_and_nobody_takes_all() -> None:
    async def crowd() -> list[str]:
        lanes, told = Lanes(3, each=2, patience=0.01), []
        async with lanes.one("ana"), lanes.one("ana"):
            for who in ("ana", "beto"):
                try:
                    async with lanes.one(who):
                        told.append(f"{who} in")
                        with pytest.raises(Problem, match="overloaded"):
                            async with lanes.one("caro"):
                                pass
                except Problem as refused:
                    told.append(f"{who} {refused.code}")
        async with lanes.one("ana"), lanes.one("ana"), lanes.one("beto"):
            told.append("all free again")
        return told

    assert run(crowd()) == ["ana overloaded", "beto in", "all free again"]
