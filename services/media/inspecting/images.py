"""Photos and drawings: decoded whole within bounds, shown upright and small, without what the camera wrote in."""

from __future__ import annotations

import io
import warnings
from contextlib import suppress
from typing import Any, BinaryIO

import pi_heif
from PIL import ExifTags, Image, ImageCms, ImageOps

from services.media.domain.values import MOST_PIXELS, Rendering
from services.media.inspecting.exif import taken_of
from services.media.inspecting.findings import Found, Made, Refused, Workplace
from services.media.inspecting.sniffing import Sniffed

SCREEN = 1600
THUMBNAIL = 320
_QUALITY = 82
_LYING = frozenset({5, 6, 7, 8})
"""The orientations by which width and height change places."""

pi_heif.register_heif_opener()
warnings.simplefilter("error", Image.DecompressionBombWarning)
Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def inspect(file: BinaryIO, sniffed: Sniffed, work: Workplace) -> Found:
    """What the picture is. Raises Refused for one that is too large or cannot be read to its end."""
    try:
        image = _opened(file, sniffed)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise Refused("too-many-pixels") from None
    if image.width * image.height > MOST_PIXELS:
        raise Refused("too-many-pixels")
    exif, size = image.getexif(), image.size
    if exif.get(ExifTags.Base.Orientation) in _LYING and sniffed.format != "HEIF":
        size = (size[1], size[0])
    taken = taken_of(exif)
    small = shrunk(image)
    made = forms_of(small, "screen", work, drawn=sniffed.format == "PNG")
    return Found(type=sniffed.type, width=size[0], height=size[1], taken=taken, made=made)


def _opened(file: BinaryIO, sniffed: Sniffed) -> Image.Image:
    file.seek(0)
    image: Image.Image = Image.open(file, formats=[sniffed.format])
    return image


def shrunk(image: Image.Image) -> Image.Image:
    """The whole picture, upright, its longer side no longer than a screen's, as pixels and nothing else.

    A JPEG is decoded at a half, a quarter or an eighth where that is enough; all of it is read in any case.
    """
    profile = image.info.get("icc_profile")
    scale = SCREEN / max(image.size)
    if scale < 1:
        # Of the picture's own shape: for a square the decoder would have to keep the shorter side as long as that.
        image.draft("RGB", (int(image.width * scale), int(image.height * scale)))
    image.load()
    image = _plain(image)
    image.thumbnail((SCREEN, SCREEN), Image.Resampling.LANCZOS, reducing_gap=2.0)
    upright = _in_usual_colours(ImageOps.exif_transpose(image), profile)
    upright.info = {}
    return upright


def _plain(image: Image.Image) -> Image.Image:
    if image.mode in ("RGB", "RGBA", "L"):
        return image
    see_through = image.mode in ("LA", "PA", "La", "RGBa") or "transparency" in image.info
    if image.mode.startswith("I") or image.mode == "F":
        # Sixteen bits of grey: what is cut off is finer than a screen shows.
        image = image.point(lambda value: value / 256) if image.mode.startswith("I") else image
        return image.convert("L")
    return image.convert("RGBA" if see_through else "RGB")


def _in_usual_colours(image: Image.Image, profile: Any) -> Image.Image:
    if not isinstance(profile, bytes) or image.mode not in ("RGB", "RGBA"):
        return image
    # A profile that cannot be read changes colours a little, and is no reason to refuse a photo.
    with suppress(ImageCms.PyCMSError, OSError, ValueError):
        converted = ImageCms.profileToProfile(
            image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        )
        return converted if converted is not None else image
    return image


def forms_of(image: Image.Image, name: Rendering, work: Workplace, *, drawn: bool = False) -> tuple[Made, ...]:
    """The picture for a screen, and small beside it; what was `drawn` keeps its sharp edges."""
    little = image.copy()
    little.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    return _written(image, name, work, drawn), _written(little, "thumbnail", work, drawn)


def _written(image: Image.Image, name: Rendering, work: Workplace, drawn: bool) -> Made:
    if drawn or image.mode == "RGBA":
        return work.write(name, "image/png", lambda file: image.save(file, "PNG", optimize=True), image.size)
    options: dict[str, Any] = {"quality": _QUALITY, "optimize": True}
    return work.write(name, "image/jpeg", lambda file: image.save(file, "JPEG", **options), image.size)
