"""What is looked at: every accepted kind passes for what it really is, and nothing else passes."""

from __future__ import annotations

import io
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from services.media.domain.values import KINDS
from services.media.inspecting import child
from services.media.inspecting.findings import Found, Refused
from services.media.inspecting.helper import Helpers
from tests.examples import media

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture(scope="module")
def helpers() -> Iterator[Helpers]:
    started = Helpers(1, patience=60)
    yield started
    started.end()


@pytest.fixture
def look(helpers: Helpers) -> Any:
    def looked(data: bytes, said: str) -> tuple[Found, dict[str, bytes]]:
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            with helpers.look(file, said) as found:
                forms = {}
                for made in found.found.made:
                    found.forms[made.place].seek(0)
                    forms[made.name] = found.forms[made.place].read()
                return found.found, forms

    return looked


@pytest.fixture
def refusal(look: Any) -> Any:
    def refused(data: bytes, said: str) -> str:
        with pytest.raises(Refused) as why:
            look(data, said)
        return why.value.code

    return refused


ACCEPTED = {
    "image/jpeg": media.jpeg,
    "image/png": media.signature,
    "image/webp": media.webp,
    "image/heic": media.heic,
    "image/heif": lambda: media.heic(brand=b"mif1"),
    "video/mp4": media.video,
    "video/quicktime": lambda: media.video("mov"),
    "video/webm": lambda: media.video("webm"),
    "video/3gpp": lambda: media.video("3gp"),
    "audio/ogg": media.voice,
    "audio/mp4": lambda: media.voice("ipod", "aac", rate=44_100),
    "audio/webm": lambda: media.voice("webm"),
    "audio/mpeg": lambda: media.voice("mp3", "libmp3lame", rate=44_100),
    "audio/wav": lambda: media.voice("wav", "pcm_s16le"),
    "audio/aac": lambda: media.voice("adts", "aac", rate=44_100),
    "audio/amr": lambda: media.voice("amr", "libopencore_amrnb", rate=8_000),
    "audio/3gpp": lambda: media.voice("3gp", "aac", rate=8_000),
    "application/pdf": media.pdf,
    XLSX: media.office,
    DOCX: lambda: media.office("wordprocessingml.document"),
    "application/msword": lambda: media.old_office("WordDocument"),
    "application/vnd.ms-excel": lambda: media.old_office("Workbook"),
    "text/csv": lambda: "código;año\n1;ñ\n".encode(),
    "text/plain": lambda: "Ñandú: 100 %\r\n\tsin novedad".encode(),
}


@pytest.mark.parametrize("type", sorted(ACCEPTED))
def test_every_accepted_type_is_found_to_be_what_it_is(look: Any, type: str) -> None:
    found, forms = look(ACCEPTED[type](), type)
    assert found.type == type
    kind = KINDS[type]
    assert (found.seconds is not None) == (kind in ("video", "sound"))
    assert (found.width is not None) == (kind in ("image", "video"))
    assert ("screen" in forms, "poster" in forms) == (kind == "image", kind == "video")
    assert ("thumbnail" in forms) == (kind in ("image", "video"))


def test_all_types_are_tried() -> None:
    assert KINDS.keys() == ACCEPTED.keys()


class TestPhotos:
    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_they_are_measured_and_shown_upright(self, look: Any, orientation: int) -> None:
        found, forms = look(media.jpeg(800, 400, orientation=orientation), "image/jpeg")
        upright = (400, 800) if orientation >= 5 else (800, 400)
        assert (found.width, found.height) == upright
        assert Image.open(io.BytesIO(forms["screen"])).size == upright

    def test_they_are_small_enough_for_a_screen_and_a_list(self, look: Any) -> None:
        found, forms = look(media.jpeg(4_000, 3_000), "image/jpeg")
        assert (found.width, found.height) == (4_000, 3_000)
        assert Image.open(io.BytesIO(forms["screen"])).size == (1_600, 1_200)
        assert Image.open(io.BytesIO(forms["thumbnail"])).size == (320, 240)

    def test_ink_keeps_its_edges_and_what_is_behind_it(self, look: Any) -> None:
        _, forms = look(media.signature(), "image/png")
        screen = Image.open(io.BytesIO(forms["screen"]))
        assert (screen.format, screen.mode, screen.getpixel((0, 0))[3]) == ("PNG", "RGBA", 0)  # type: ignore[index]

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
    def test_every_way_of_writing_pixels_is_read(self, look: Any, mode: str) -> None:
        image = media.picture(64, 48).convert("L")
        made = Image.new(mode, image.size, 30_000) if mode.startswith("I") else image.convert(mode)
        found, forms = look(media.png(made), "image/png")
        assert (found.width, found.height) == (64, 48)
        assert Image.open(io.BytesIO(forms["screen"])).mode in ("L", "RGB", "RGBA")

    def test_grey_and_printers_colours_are_read(self, look: Any) -> None:
        for mode in ("L", "CMYK"):
            file = io.BytesIO()
            media.picture().convert(mode).save(file, "JPEG")
            assert look(file.getvalue(), "image/jpeg")[0].type == "image/jpeg"

    def test_nothing_that_was_written_in_comes_out_again(self, look: Any) -> None:
        secret = "Carrera 7 # 12-34"
        for data, type in (
            (media.jpeg(), "image/jpeg"),
            (media.png(media.picture(), notes={"Comment": secret}), "image/png"),
            (media.webp(), "image/webp"),
            (media.heic(), "image/heic"),
        ):
            _, forms = look(data, type)
            for form in forms.values():
                shown = Image.open(io.BytesIO(form))
                shown.load()
                assert not dict(shown.getexif())
                assert not {"exif", "comment", "icc_profile", "xmp"} & shown.info.keys()
                assert not any(word in form for word in (b"Samsung", secret.encode(), b"bodega"))

    @pytest.mark.parametrize(
        "trailer",
        [
            b"\x00\x00\xa1\x0a\x08\x00\x00\x00Image_UTC_Data1763626500000SEFH" + bytes(40) + b"SEFT",
            media.video(),
            bytes(100_000),
        ],
        ids=["notes of a phone", "a moving photo", "filling"],
    )
    def test_what_phones_put_behind_a_photo_is_no_crime(self, look: Any, trailer: bytes) -> None:
        assert look(media.jpeg() + trailer, "image/jpeg")[0].type == "image/jpeg"

    def test_what_a_camera_wrote_wrongly_is_left_out(self, look: Any) -> None:
        written = Image.Exif()
        written[0x0110] = "X\x00\x07 9" + "y" * 500
        written.get_ifd(0x8769)[0x9003] = "0000:00:00 00:00:00"
        gps = written.get_ifd(0x8825)
        gps[1], gps[2], gps[3], gps[4] = "N", (400.0, 0.0, 0.0), "W", (74.0, 4.0, 33.0)
        file = io.BytesIO()
        media.picture().save(file, "JPEG", exif=written)
        taken = look(file.getvalue(), "image/jpeg")[0].taken
        assert (taken.at, taken.lat, taken.lon, len(taken.camera)) == (None, None, None, 100)

    def test_what_an_iphone_takes_is_read_and_shown_as_what_everybody_can_see(self, look: Any) -> None:
        found, forms = look(media.heic(), "image/heic")
        assert (found.width, found.height, found.taken.camera) == (640, 480, "Samsung SM-A546E")
        assert Image.open(io.BytesIO(forms["screen"])).format == "JPEG"

    def test_a_photo_without_anything_written_in_says_nothing(self, look: Any) -> None:
        assert look(media.png(media.picture()), "image/png")[0].taken is None


class TestRecordings:
    def test_how_long_is_measured_and_not_believed(self, look: Any) -> None:
        found, _ = look(media.video(seconds=2.0), "video/mp4")
        assert (found.width, found.height, round(found.seconds, 1)) == (320, 240, 2.0)

    @pytest.mark.parametrize(
        ("format", "type", "mark"), [("mp4", "video/mp4", b"loci"), ("mov", "video/quicktime", b"+04.5981")]
    )
    def test_where_it_was_recorded_is_kept_inside_and_does_not_come_out(
        self, look: Any, format: str, type: str, mark: bytes
    ) -> None:
        data = media.video(format, metadata={"location": "+04.5981-074.0758/", "title": "Casa de Marta"})
        found, forms = look(data, type)
        assert (found.taken.lat, found.taken.lon) == (4.5981, -74.0758)
        assert mark in data
        assert b"Marta" in data
        assert not any(mark in form or b"Marta" in form for form in forms.values())
        again, _ = look(forms["outside"], found.type)
        assert (again.type, again.width, round(again.seconds, 1)) == (found.type, 320, round(found.seconds, 1))
        assert again.taken is None

    def test_what_says_nothing_is_given_out_as_it_is(self, look: Any) -> None:
        assert "outside" not in look(media.video("webm"), "video/webm")[1]

    def test_sound_in_a_container_of_films_is_sound(self, look: Any) -> None:
        assert look(media.voice("mp4", "aac", rate=44_100), "video/mp4")[0].type == "audio/mp4"
        assert look(media.voice("webm"), "video/webm")[0].type == "audio/webm"

    def test_half_a_film_is_none(self, refusal: Any) -> None:
        data = media.video()
        assert refusal(data[: len(data) // 2], "video/mp4") == "unreadable"
        assert refusal(data[:40] + bytes(5_000), "video/mp4") == "unreadable"

    def test_boxes_without_end_take_no_time(self, refusal: Any) -> None:
        data = media.video()
        assert refusal(data[:32] + b"\x00\x00\x00\x08free" * 300_000, "video/mp4") == "unreadable"


class TestMistakes:
    def test_what_is_mistaken_for_its_likes_passes_for_what_it_is(self, look: Any) -> None:
        assert look(media.jpeg(), "image/png")[0].type == "image/jpeg"
        assert look(media.voice(), "audio/mp4")[0].type == "audio/ogg"
        assert look(media.video("webm"), "video/mp4")[0].type == "video/webm"

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (media.jpeg(), "video/mp4"),
            (media.jpeg(), "application/pdf"),
            (media.pdf(), "image/jpeg"),
            (media.video(), "image/jpeg"),
            (media.pdf(), "text/plain"),
            (media.office(), DOCX),
            (b"nothing in particular", "image/jpeg"),
            (bytes(1_000), "video/mp4"),
        ],
    )
    def test_what_is_something_else_does_not(self, refusal: Any, data: bytes, said: str) -> None:
        assert refusal(data, said) == "type-mismatch"

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (media.SVG, "image/png"),
            (b"\xef\xbb\xbf \n" + media.SVG, "text/plain"),
            (b'<?xml version="1.0"?>' + media.SVG, "image/jpeg"),
            (media.HTML, "text/plain"),
            (b"<?php system($_GET[0]);", "text/csv"),
            (media.GIF, "image/jpeg"),
            (media.archive({"a": b"x"}), "image/jpeg"),
            (media.archive({"a": b"x"}), XLSX),
            (media.office("presentationml.presentation"), DOCX),
            (
                media.archive(
                    {media.CONTENTS: b'ContentType="application/vnd.ms-word.document.macroEnabled.main+xml"'}
                ),
                DOCX,
            ),
            (media.old_office("PowerPoint Document"), "application/msword"),
            (b"MZ\x90\x00" + bytes(500), "image/jpeg"),
            (b"\x7fELF" + bytes(500), "audio/mpeg"),
            (b"#!/bin/sh\nrm -rf /\n", "image/jpeg"),
            (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00avif" + bytes(100), "image/heic"),
        ],
    )
    def test_what_nobody_wants_is_told_so(self, refusal: Any, data: bytes, said: str) -> None:
        assert refusal(data, said) == "type-not-accepted"

    @pytest.mark.parametrize(
        ("data", "said"),
        [
            (media.jpeg()[:-2_000], "image/jpeg"),
            (media.signature()[:-100], "image/png"),
            (media.pdf()[:-200], "application/pdf"),
            (b"%PDF-1.4\n" + bytes(3_000) + b"%%EOF", "application/pdf"),
            (b"\xff\xd8\xff\xe0" + bytes(3_000), "image/jpeg"),
            (media.office()[:-30], XLSX),
            (b"abc\x00def", "text/plain"),
            (bytes(range(0x80, 0xA0)) * 3, "text/plain"),
            (b"\xff\xfea\x00b", "text/plain"),
            (b"OggS" + bytes(500), "audio/ogg"),
        ],
    )
    def test_what_is_broken_is_told_so(self, refusal: Any, data: bytes, said: str) -> None:
        assert refusal(data, said) == "unreadable"


class TestTwoThingsAtOnce:
    @pytest.mark.parametrize("comment", [b"", b"x" * 300])
    @pytest.mark.parametrize(
        ("data", "said"),
        [(media.jpeg(), "image/jpeg"), (media.pdf(), "application/pdf"), (media.video(), "video/mp4"),
         (media.voice(), "audio/ogg"), (media.signature(), "image/png")],
    )  # fmt: skip
    def test_an_archive_at_the_end(self, refusal: Any, data: bytes, said: str, comment: bytes) -> None:
        packed = bytearray(media.archive({"evil.class": b"\xca\xfe\xba\xbe"}))
        packed[-2:] = len(comment).to_bytes(2, "little")
        assert refusal(data + bytes(packed) + comment, said) == "polyglot"

    @pytest.mark.parametrize("mark", [b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c\x00\x04"])
    def test_other_archives(self, refusal: Any, mark: bytes) -> None:
        assert refusal(media.jpeg() + mark + bytes(100), "image/jpeg") == "polyglot"

    @pytest.mark.parametrize(
        "hidden",
        [b"%PDF-1.4", b"<script>alert(1)</script>", b"<?php phpinfo();", b"<!DOCTYPE html>", b"<SVG onload=x>"],
    )
    def test_something_in_the_head_of_a_photo(self, refusal: Any, hidden: bytes) -> None:
        data = media.jpeg()
        comment = b"\xff\xfe" + (len(hidden) + 2).to_bytes(2, "big") + hidden
        assert refusal(data[:2] + comment + data[2:], "image/jpeg") == "polyglot"

    def test_a_photo_that_tells_of_archives_is_a_photo(self, look: Any) -> None:
        for by_chance in (b"PK\x05\x06", b"PK\x05\x06" + random.Random(1).randbytes(200), b"PK\x03\x04"):
            assert look(media.jpeg() + by_chance, "image/jpeg")


class TestTooMuch:
    def test_more_pixels_than_anybody_needs(self, refusal: Any) -> None:
        assert refusal(media.png_bomb(), "image/png") == "too-many-pixels"
        assert refusal(media.png_bomb(10_001, 10_000), "image/png") == "too-many-pixels"

    def test_a_hundred_million_pixels_fit(self, look: Any) -> None:
        image = Image.new("L", (10_000, 10_000), 200)
        assert look(media.png(image), "image/png")[0].width == 10_000

    def test_words_without_end_in_a_picture(self, refusal: Any) -> None:
        assert refusal(media.text_bomb(), "image/png") == "unreadable"

    def test_documents_that_would_fill_a_disk(self, refusal: Any) -> None:
        assert refusal(media.office(more=bytes(64 * 1024 * 1024)), XLSX) == "archive-bomb"

    def test_documents_of_too_many_parts(self, refusal: Any) -> None:
        assert refusal(media.office(**{f"p{n}": b"" for n in range(10_001)}), XLSX) == "archive-bomb"

    @pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "..\\x"])
    def test_parts_that_lead_out(self, refusal: Any, name: str) -> None:
        assert refusal(media.office(**{name: b"x"}), XLSX) == "unreadable"


class TestTheProcess:
    def test_it_dies_of_a_file_and_the_next_one_is_looked_at_by_another(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helpers: Helpers
    ) -> None:
        class Mortal(Helpers):
            killed = 0

            def _ask(self, file: Any, said: str, forms: Any) -> dict[str, Any]:
                if said == "deadly":
                    helper = self._idle.get()
                    if helper is not None:
                        helper._process.kill()
                        Mortal.killed += 1
                    self._idle.put(helper)
                    said = "image/jpeg"
                return super()._ask(file, said, forms)

        helpers = Mortal(1, patience=60)
        with tempfile.TemporaryFile() as file:
            file.write(media.jpeg())
            file.flush()
            for said in ("image/jpeg", "deadly", "image/jpeg"):
                with helpers.look(file, said) as looked:
                    assert looked.found.type == "image/jpeg"
            assert Mortal.killed == 1
        helpers.end()

    def test_a_file_of_which_it_dies_twice_cannot_be_read(self, monkeypatch: pytest.MonkeyPatch) -> None:
        helpers = Helpers(1, patience=0.0001)
        with tempfile.TemporaryFile() as file, pytest.raises(Refused) as why, helpers.look(file, "image/jpeg"):
            pass
        assert why.value.code == "unreadable"
        helpers.end()

    def test_it_knows_no_secrets_and_has_its_limits(self, helpers: Helpers) -> None:
        with tempfile.TemporaryFile() as file:
            file.write(media.jpeg())
            file.flush()
            with helpers.look(file, "image/jpeg"):
                helper = helpers._idle.get()
                assert helper is not None
                helpers._idle.put(helper)
        knows = Path(f"/proc/{helper.pid}/environ").read_text().split("\0")
        assert {line.partition("=")[0] for line in knows if line} <= {"PATH", "PYTHONPATH", "LC_ALL", "LC_CTYPE"}
        limits = Path(f"/proc/{helper.pid}/limits").read_text()
        assert str(child.MEMORY) in limits
        used = int(Path(f"/proc/{helper.pid}/stat").read_text().rpartition(")")[2].split()[11]) / 100
        (cpu,) = [line for line in limits.splitlines() if line.startswith("Max cpu time")]
        assert int(cpu.split()[3]) <= used + child.CPU_SECONDS + 1
