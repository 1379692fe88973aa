"""A day's evidence made on the spot: photos as a phone takes them, a film, a voice, a document, a signature."""

from __future__ import annotations

import io
import math
import random
import wave
from datetime import datetime

import av
from fpdf import FPDF
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from PIL.Image import Exif
from PIL.TiffImagePlugin import IFDRational

MAKER, MODEL = "Andina", "Campo 5"
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
Size = tuple[int, int]


def photo(what: str, at: datetime, place: tuple[float, float], *, size: Size = (3000, 2250), seed: int = 0) -> bytes:
    """A JPEG of a machine with its gauge; its camera wrote down when (its own wall clock), where, and what it is."""
    image = _scene(what, size, random.Random(seed))  # noqa: S311  # a picture, no secret
    out = io.BytesIO()
    image.save(out, "JPEG", quality=88, exif=_exif(at, place))
    return out.getvalue()


def _scene(what: str, size: Size, dice: random.Random) -> Image.Image:
    width, height = size
    unit = width / 100
    image = Image.new("RGB", size, (188, 196, 202))
    draw = ImageDraw.Draw(image)
    for y in range(height):
        shade = int(26 * y / height)
        draw.line([(0, y), (width, y)], fill=(196 - shade, 202 - shade, 206 - shade))
    floor = height * 0.82
    draw.rectangle([0, floor, width, height], fill=(122, 118, 112))
    body = (60 + dice.randint(-12, 12), 96 + dice.randint(-12, 12), 120 + dice.randint(-12, 12))
    left, right, top = 22 * unit, 78 * unit, height * 0.16
    draw.rounded_rectangle([left, top, right, floor + 3 * unit], 2 * unit, fill=body, outline=(38, 46, 54), width=6)
    for row in range(7):
        slot = height * (0.55 + row * 0.032)
        draw.rounded_rectangle([left + 6 * unit, slot, right - 6 * unit, slot + unit], unit / 2, fill=(34, 42, 50))
    _gauge(draw, (50 * unit, height * 0.36), 9 * unit, dice.uniform(-0.9, 0.9))
    draw.rectangle([left + 4 * unit, top + 3 * unit, left + 17 * unit, top + 7 * unit], fill=(240, 238, 230))
    font = ImageFont.load_default(2.1 * unit)
    draw.text((left + 5 * unit, top + 3.7 * unit), what[:12], fill=(30, 34, 40), font=font)
    noise = Image.effect_noise(size, 22).convert("RGB")
    return Image.blend(image.filter(ImageFilter.GaussianBlur(1.2)), noise, 0.07)


def _gauge(draw: ImageDraw.ImageDraw, centre: tuple[float, float], radius: float, at: float) -> None:
    x, y = centre
    box = [x - radius, y - radius, x + radius, y + radius]
    draw.ellipse(box, fill=(246, 245, 240), outline=(28, 30, 34), width=10)
    draw.arc(box, 300, 345, fill=(190, 40, 36), width=int(radius * 0.14))
    for mark in range(11):
        angle = math.radians(150 + mark * 24)
        inner = [(x + math.cos(angle) * radius * r, y + math.sin(angle) * radius * r) for r in (0.78, 0.92)]
        draw.line(inner, fill=(40, 40, 44), width=6)
    needle = math.radians(270 + at * 110)
    draw.line([(x, y), (x + math.cos(needle) * radius * 0.7, y + math.sin(needle) * radius * 0.7)], (170, 20, 20), 10)


def _exif(at: datetime, place: tuple[float, float]) -> Exif:
    exif = Exif()
    exif[0x010F], exif[0x0110], exif[0x0112] = MAKER, MODEL, 1
    moment = at.strftime("%Y:%m:%d %H:%M:%S")
    exif.get_ifd(_EXIF_IFD).update({0x9003: moment, 0x9004: moment, 0x9011: at.strftime("%z")[:3] + ":00"})
    lat, lon = place
    exif.get_ifd(_GPS_IFD).update(
        {1: "N" if lat >= 0 else "S", 2: _degrees(lat), 3: "E" if lon >= 0 else "W", 4: _degrees(lon)}
    )
    return exif


def _degrees(angle: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    whole, rest = divmod(abs(angle), 1)
    minutes, seconds = divmod(rest * 60, 1)
    return IFDRational(int(whole), 1), IFDRational(int(minutes), 1), IFDRational(round(seconds * 60_000), 1_000)


def signature(seed: int = 0) -> bytes:
    """A name written with a finger: a PNG on a transparent ground."""
    dice = random.Random(seed)  # noqa: S311  # a picture, no secret
    image = Image.new("RGBA", (900, 320), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    height, phase = dice.uniform(60, 95), dice.uniform(0, 3)
    points = [
        (60 + t * 7.6, 175 + height * math.sin(t / 6 + phase) * math.cos(t / 21) - 30 * math.sin(t / 50))
        for t in range(100)
    ]
    draw.line(points, fill=(20, 34, 90, 255), width=7, joint="curve")
    draw.line([(80, 262), (800, 246)], fill=(20, 34, 90, 255), width=5)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def logo() -> bytes:
    """A company's sign: a snow crystal in a ring, PNG on a transparent ground."""
    side = 400
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    blue, middle = (18, 94, 138, 255), side / 2
    draw.ellipse([12, 12, side - 12, side - 12], outline=blue, width=20)
    for arm in range(6):
        turn = math.radians(60 * arm)
        tip = (middle + math.cos(turn) * 145, middle + math.sin(turn) * 145)
        draw.line([(middle, middle), tip], fill=blue, width=18)
        for side_turn in (-0.6, 0.6):
            root = (middle + math.cos(turn) * 90, middle + math.sin(turn) * 90)
            end = (root[0] + math.cos(turn + side_turn) * 48, root[1] + math.sin(turn + side_turn) * 48)
            draw.line([root, end], fill=blue, width=14)
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def voice(seconds: float = 4.0) -> bytes:
    """A spoken note, as far as a machine can hum: WAV, one channel."""
    rate = 16_000
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        hum = (
            int(
                9_000
                * math.sin(2 * math.pi * (180 + 60 * math.sin(t / 3_000)) * t / rate)
                * (0.6 + 0.4 * math.sin(t / 900))
            )
            for t in range(int(rate * seconds))
        )
        sound.writeframes(b"".join(value.to_bytes(2, "little", signed=True) for value in hum))
    return out.getvalue()


def film(seconds: float = 3.0, *, size: Size = (640, 480), place: tuple[float, float] = (4.6966, -74.0315)) -> bytes:
    """A film of a turning needle: MP4, and its container says where it was taken."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata["location"] = f"{place[0]:+08.4f}{place[1]:+09.4f}/"
        stream = container.add_stream("h264", rate=15)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for n in range(int(15 * seconds)):
            image = Image.new("RGB", size, (70, 84, 96))
            _gauge(ImageDraw.Draw(image), (size[0] / 2, size[1] / 2), size[1] / 3, math.sin(n / 9))
            container.mux(stream.encode(av.VideoFrame.from_image(image)))  # type: ignore[no-untyped-call]
        container.mux(stream.encode())
    return out.getvalue()


def document(title: str, lines: list[str]) -> bytes:
    """A PDF of one page."""
    page = FPDF()
    page.add_page()
    page.set_font("helvetica", "B", 18)
    page.cell(0, 14, title, new_x="LMARGIN", new_y="NEXT")
    page.set_font("helvetica", size=11)
    for line in lines:
        page.cell(0, 8, line, new_x="LMARGIN", new_y="NEXT")
    return bytes(page.output())
