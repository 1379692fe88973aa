"""What a camera wrote into a photo: when and where it was taken and with what, as far as that can be believed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Any

from PIL import ExifTags, Image

from services.media.domain.values import Taken

_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
_LONGEST = 100


def taken_of(exif: Image.Exif) -> Taken | None:
    """None where nothing usable is written. Whatever does not look right is left out; it refuses no photo."""
    found: dict[str, Any] = {"camera": _camera(exif)}
    with suppress(Exception):
        found["at"] = _moment(exif.get_ifd(ExifTags.IFD.Exif), exif)
    with suppress(Exception):
        found |= _place(exif.get_ifd(ExifTags.IFD.GPSInfo))
    told = {name: value for name, value in found.items() if value is not None}
    return Taken(**told) if told else None


def _camera(exif: Image.Exif) -> str | None:
    maker, model = (_text(exif.get(tag)) for tag in (ExifTags.Base.Make, ExifTags.Base.Model))
    if maker and model and model.casefold().startswith(maker.casefold()):
        return model
    return " ".join(part for part in (maker, model) if part) or None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())[:_LONGEST]


def _moment(detail: Mapping[int, Any], exif: Image.Exif) -> str | None:
    said = detail.get(ExifTags.Base.DateTimeOriginal) or exif.get(ExifTags.Base.DateTime)
    if not isinstance(said, str):
        return None
    # No zone is the rule: then it is the clock on the wall, wherever that was.
    moment = datetime.strptime(said.strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
    zone = _OFFSET.fullmatch(str(detail.get(ExifTags.Base.OffsetTimeOriginal, "")).strip("\0 "))
    if zone:
        away = timedelta(hours=int(zone[2]), minutes=int(zone[3]))
        moment = moment.replace(tzinfo=timezone(-away if zone[1] == "-" else away))
    return moment.isoformat()


def _place(gps: Mapping[int, Any]) -> dict[str, float]:
    lat = _degrees(gps.get(ExifTags.GPS.GPSLatitude), gps.get(ExifTags.GPS.GPSLatitudeRef), "S", 90)
    lon = _degrees(gps.get(ExifTags.GPS.GPSLongitude), gps.get(ExifTags.GPS.GPSLongitudeRef), "W", 180)
    if lat is None or lon is None or (lat == 0 and lon == 0):
        return {}
    place = {"lat": lat, "lon": lon}
    height = gps.get(ExifTags.GPS.GPSAltitude)
    if height is not None and -1_000 < (metres := float(height)) < 20_000:
        below = gps.get(ExifTags.GPS.GPSAltitudeRef) in (b"\x01", 1)
        place["altitude_m"] = round(-metres if below else metres, 1)
    return place


def _degrees(parts: Any, hemisphere: Any, negative: str, most: int) -> float | None:
    if not isinstance(parts, tuple) or len(parts) != 3:
        return None
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    if not 0 <= value <= most:  # also when it is no number at all
        return None
    return round(-value if str(hemisphere).strip("\0 ") == negative else value, 7)
