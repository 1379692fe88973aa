"""Evidence made on the spot: photos with what a camera writes in, voices, films, documents, and files that pretend."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import av
from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo

BOGOTA = (4.5981667, -74.0758611)
CONTENTS = "[Content_Types].xml"


def sha_of(data: bytes) -> str:
    """The name of this content."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def picture(width: int = 640, height: int = 480, seed: int = 0) -> Image.Image:
    """Something to look at; another one for every seed."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    draw = ImageDraw.Draw(image)
    for n in range(12):
        x, y = (n * 97 + seed * 53) % width, (n * 61 + seed * 31) % height
        colour = ((n * 40 + seed) % 256, (seed * 7 + n * 20) % 256, 255 - n * 20)
        draw.ellipse((x - width // 10, y - height // 10, x + width // 10, y + height // 10), fill=colour)
    return image


def exif(*, orientation: int = 1, place: tuple[float, float] | None = BOGOTA) -> Image.Exif:
    """As a phone writes it."""
    written = Image.Exif()
    written[0x010F], written[0x0110], written[0x0112] = "Samsung", "SM-A546E", orientation
    detail = written.get_ifd(0x8769)
    detail[0x9003], detail[0x9011] = "2026:11:20 08:15:00", "-05:00"
    if place is not None:
        gps = written.get_ifd(0x8825)
        for (ref, at), value, names in zip(((1, 2), (3, 4)), place, ("NS", "EW"), strict=True):
            minutes = abs(value) % 1 * 60
            gps[ref] = names[0] if value >= 0 else names[1]
            gps[at] = (float(int(abs(value))), float(int(minutes)), round(minutes % 1 * 60, 4))
        gps[5], gps[6] = b"\x00", 2612.5
    return written


def jpeg(width: int = 640, height: int = 480, *, seed: int = 0, quality: int = 85, **written: Any) -> bytes:
    """A photo."""
    file = io.BytesIO()
    picture(width, height, seed).save(file, "JPEG", quality=quality, exif=exif(**written), comment=b"de la bodega")
    return file.getvalue()


def noise(width: int = 3000, height: int = 2250, *, quality: int = 90) -> bytes:
    """A photo that does not compress: about five megabytes of it."""
    file = io.BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(file, "JPEG", quality=quality, exif=exif())
    return file.getvalue()


def signature(seed: int = 0) -> bytes:
    """Ink on nothing."""
    image = Image.new("RGBA", (600, 200), (255, 255, 255, 0))
    points = [(30 + n * 45, 100 + ((n * 37 + seed * 11) % 90) * (-1) ** n) for n in range(12)]
    ImageDraw.Draw(image).line(points, fill=(10, 20, 60, 255), width=4, joint="curve")
    return png(image)


def png(image: Image.Image, *, notes: Mapping[str, str] | None = None) -> bytes:
    """A picture as PNG."""
    file, info = io.BytesIO(), PngInfo()
    for name, text in (notes or {}).items():
        info.add_text(name, text)
    image.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def webp(*, clear: bool = False) -> bytes:
    """A picture as WebP."""
    file = io.BytesIO()
    picture().convert("RGBA" if clear else "RGB").save(file, "WEBP", exif=exif())
    return file.getvalue()


def heic(width: int = 640, height: int = 480, *, brand: bytes = b"heic") -> bytes:
    """A photo as an iPhone takes it: one picture of a film, in a container of its own, with what the camera wrote."""
    film = io.BytesIO()
    with av.open(film, "w", format="mp4") as container:
        quietly = {"x265-params": "log-level=none:pools=none:frame-threads=1", "preset": "ultrafast"}
        stream = container.add_stream("libx265", rate=1, options=quietly)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        frame = av.VideoFrame.from_image(picture(width, height))
        frame.pts, frame.time_base = 0, Fraction(1, 1)
        for packet in (*stream.encode(frame), *stream.encode(None)):
            packet.pts = packet.dts = 0  # the encoder leaves the latter to chance
            container.mux(packet)
    made = film.getvalue()

    def cut(name: bytes) -> bytes:
        at = made.index(name) - 4
        return made[at : at + int.from_bytes(made[at : at + 4], "big")]

    def box(name: bytes, *content: bytes) -> bytes:
        inside = b"".join(content)
        return struct.pack(">I", 8 + len(inside)) + name + inside

    def full(name: bytes, *content: bytes, version: int = 0) -> bytes:
        return box(name, bytes([version, 0, 0, 0]), *content)

    note = b"\0\0\0\x06Exif\0\0" + exif().tobytes().removeprefix(b"Exif\0\0")
    sample = cut(b"mdat")[8:]
    head = box(b"ftyp", brand, bytes(4), b"mif1heic")

    def meta(begin: int) -> bytes:
        places = b"".join(
            struct.pack(">HHHII", item, 0, 1, at, length)
            for item, at, length in ((1, begin, len(sample)), (2, begin + len(sample), len(note)))
        )
        return full(
            b"meta",
            full(b"hdlr", bytes(4), b"pict", bytes(13)),
            full(b"pitm", struct.pack(">H", 1)),
            full(b"iloc", b"\x44\x00", struct.pack(">H", 2), places),
            full(
                b"iinf",
                struct.pack(">H", 2),
                full(b"infe", struct.pack(">HH", 1, 0), b"hvc1\0", version=2),
                full(b"infe", struct.pack(">HH", 2, 0), b"Exif\0", version=2),
            ),
            full(b"iref", box(b"cdsc", struct.pack(">HHH", 2, 1, 1))),
            box(
                b"iprp",
                box(b"ipco", cut(b"hvcC"), full(b"ispe", struct.pack(">II", width, height))),
                full(b"ipma", struct.pack(">IHBBB", 1, 1, 2, 0x81, 0x02)),
            ),
        )

    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", sample, note)


def video(
    format: str = "mp4", *, seconds: float = 1.0, size: tuple[int, int] = (320, 240), metadata: Mapping[str, str] = {}
) -> bytes:
    """A film with a tone."""
    codecs = {"webm": ("vp8", "libopus", 48_000), "3gp": ("mpeg4", "aac", 8_000)}
    picture_codec, sound_codec, rate = codecs.get(format, ("h264", "aac", 44_100))
    file = io.BytesIO()
    with av.open(file, "w", format=format) as container:
        container.metadata.update(metadata)
        film = container.add_stream(picture_codec, rate=10)
        film.width, film.height, film.pix_fmt = *size, "yuv420p"
        tone = container.add_stream(sound_codec, rate=rate, layout="mono")
        for n in range(int(seconds * 10)):
            frame = av.VideoFrame.from_image(picture(*size, seed=n))
            frame.pts, frame.time_base = n, Fraction(1, 10)
            container.mux(film.encode(frame))
        container.mux(film.encode(None))
        _sing(container, tone, rate, seconds)
    return file.getvalue()


def voice(format: str = "ogg", codec: str = "libopus", *, seconds: float = 1.0, rate: int = 48_000) -> bytes:
    """A spoken note, if one speaks in a single tone."""
    file = io.BytesIO()
    with av.open(file, "w", format=format) as container:
        _sing(container, container.add_stream(codec, rate=rate, layout="mono"), rate, seconds)
    return file.getvalue()


def _sing(container: Any, tone: Any, rate: int, seconds: float) -> None:
    total, step, at = int(rate * seconds), 1024, 0
    samples = b"".join(struct.pack("<h", int(8_000 * ((n * 440 // rate) % 2 * 2 - 1))) for n in range(total))
    resampler = av.AudioResampler(format=tone.format, layout="mono", rate=rate)
    while at < total:
        count = min(step, total - at)
        frame = av.AudioFrame(format="s16", layout="mono", samples=count)
        frame.planes[0].update(samples[2 * at : 2 * (at + count)].ljust(frame.planes[0].buffer_size, b"\0"))
        frame.sample_rate, frame.pts, frame.time_base = rate, at, Fraction(1, rate)
        for ready in resampler.resample(frame):
            container.mux(tone.encode(ready))
        at += count
    for ready in resampler.resample(None):
        container.mux(tone.encode(ready))
    container.mux(tone.encode(None))


def pdf(words: str = "Acta de visita") -> bytes:
    """A page with some words."""
    stream = b"BT /F1 18 Tf 72 720 Td (%s) Tj ET" % words.encode("latin-1")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out, places = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)


def archive(members: Mapping[str, bytes], *, packed: bool = True) -> bytes:
    """A ZIP file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return file.getvalue()


def office(kind: str = "spreadsheetml.sheet", **more: bytes) -> bytes:
    """As much of an office document as makes it one; `more` are further members."""
    main = "xl/workbook.xml" if kind.startswith("spread") else "word/document.xml"
    type = f"application/vnd.openxmlformats-officedocument.{kind}.main+xml"
    said = f'<Types><Override PartName="/{main}" ContentType="{type}"/></Types>'
    return archive({CONTENTS: said.encode(), main: b"<document/>", **more})


def old_office(stream: str) -> bytes:
    """The beginning of an office document of old, which names its streams in UTF-16."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
    return head + stream.encode("utf-16-le").ljust(64, b"\0") + bytes(2_000)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_bomb(width: int = 50_000, height: int = 50_000, *chunks: bytes) -> bytes:
    """A few bytes that say they are a picture of this size."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    drawn = _chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(chunks) + drawn + _chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A small picture with a note of a hundred megabytes, tightly packed."""
    note = b"Comment\0\0" + zlib.compress(bytes(100 * 1024 * 1024), 9)
    return png_bomb(10, 10, _chunk(b"zTXt", note))


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(document.domain)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00;"
