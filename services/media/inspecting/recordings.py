"""Sound and video: how long, how large, one picture of it, and a copy without the place where it was recorded."""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

import av
import av.container
from PIL import Image

from services.media.domain.values import MOST_PIXELS, Taken
from services.media.inspecting.findings import Found, Made, Refused, Workplace
from services.media.inspecting.images import forms_of, shrunk
from services.media.inspecting.sniffing import Sniffed

MOST_STREAMS = 16
MOST_BOXES = 100_000
_PLACE = re.compile(r"([+-]\d{1,2}(?:\.\d+)?)([+-]\d{1,3}(?:\.\d+)?)")
"""As ISO 6709 writes it, in degrees."""
_POSTER_AT = 1.0
_SOUNDS = {
    "video/mp4": "audio/mp4",
    "video/quicktime": "audio/mp4",
    "video/webm": "audio/webm",
    "video/3gpp": "audio/3gpp",
}
_MUXERS = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/webm": "webm",
    "video/3gpp": "3gp",
    "audio/mp4": "ipod",
    "audio/webm": "webm",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "audio/aac": "adts",
    "audio/3gpp": "3gp",
}
_HARMLESS = frozenset(
    {
        "major_brand",
        "minor_version",
        "compatible_brands",
        "encoder",
        "handler_name",
        "vendor_id",
        "language",
        "duration",
    }
)
"""What a container says of itself rather than of who recorded it."""
_TELLING = frozenset({b"udta", b"meta", b"uuid"})
_HOLDERS = frozenset({b"moov", b"trak", b"mdia", b"minf"})


def inspect(file: BinaryIO, sniffed: Sniffed, work: Workplace) -> Found:
    """What the recording is. Raises Refused for what cannot be played."""
    with _opened(file, sniffed) as container:
        if not 0 < len(container.streams) <= MOST_STREAMS:
            raise Refused("unreadable")
        video = _picture(container)
        if video is None and not container.streams.audio:
            raise Refused("unreadable")
        size = None if video is None else _size(video)
        type = sniffed.type if video is not None else _SOUNDS.get(sniffed.type, sniffed.type)
        taken = _taken(container.metadata)
        tells = _tells(container) or (sniffed.format == "mov" and _has_notes(file))
    made: tuple[Made, ...] = ()
    if video is not None:
        picture, turned = _frame(file, sniffed)
        made = forms_of(shrunk(picture), "poster", work)
        if size is not None and turned:
            size = (size[1], size[0])
    else:
        _listen(file, sniffed)
    seconds = _length(file, sniffed)
    if tells and type in _MUXERS:
        made = (*made, work.write("outside", type, lambda into: _copy(file, sniffed, into, _MUXERS[type])))
    width, height = size or (None, None)
    return Found(type=type, width=width, height=height, seconds=seconds, taken=taken, made=made)


def _opened(file: BinaryIO, sniffed: Sniffed) -> av.container.InputContainer:
    file.seek(0)
    # Held to this one format, it neither guesses nor follows lists to other files.
    return av.open(file, "r", format=sniffed.format, metadata_errors="replace")


def _picture(container: av.container.InputContainer) -> Any:
    """The moving picture; the cover of a piece of music is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def _size(video: Any) -> tuple[int, int]:
    width, height = video.codec_context.width, video.codec_context.height
    if width * height > MOST_PIXELS:
        raise Refused("too-many-pixels")
    if not width or not height:
        raise Refused("unreadable")
    return width, height


def _frame(file: BinaryIO, sniffed: Sniffed) -> tuple[Image.Image, bool]:
    """The picture after a second, or the first one of something shorter; and whether it lies on its side."""
    first = None
    with _opened(file, sniffed) as container:
        video = _picture(container)
        # One thread holds one picture at a time.
        video.thread_count = 1
        for frame in container.decode(video):
            first = first or frame
            if frame.time is None or frame.time >= _POSTER_AT:
                first = frame
                break
    if first is None:
        raise Refused("unreadable")
    picture = first.to_image()
    turn = round(first.rotation / 90) % 4
    turned = picture.transpose(_TURNS[turn]) if turn else picture
    return turned, turn in (1, 3)


_TURNS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}


def _listen(file: BinaryIO, sniffed: Sniffed) -> None:
    with _opened(file, sniffed) as container:
        if next(iter(container.decode(container.streams.audio[0])), None) is None:
            raise Refused("unreadable")


def _length(file: BinaryIO, sniffed: Sniffed) -> float:
    """From the packets themselves: what a container says of its own length may be wrong or missing."""
    end = 0.0
    with _opened(file, sniffed) as container:
        begin: float | None = None
        for packet in container.demux(*container.streams.video, *container.streams.audio):
            if packet.pts is None or packet.time_base is None:
                continue
            at = float(packet.pts * packet.time_base)
            begin = at if begin is None else min(begin, at)
            end = max(end, at + float((packet.duration or 0) * packet.time_base))
    if begin is None:
        raise Refused("unreadable")
    return round(max(0.0, end - begin), 3)


def _tells(container: av.container.InputContainer) -> bool:
    """Whether anything is in it beside picture and sound."""
    if any(stream.type not in ("video", "audio") for stream in container.streams):
        return True
    if any(stream.disposition & av.stream.Disposition.attached_pic for stream in container.streams.video):
        return True
    said = [container.metadata, *(stream.metadata for stream in container.streams)]
    return bool(container.chapters()) or any(name.lower() not in _HARMLESS for one in said for name in one)


def _taken(said: Mapping[str, str]) -> Taken | None:
    """What a phone notes of where and when it recorded, and of itself."""
    lower = {name.lower().removeprefix("com.apple.quicktime."): text for name, text in said.items()}
    found: dict[str, Any] = {"camera": " ".join(filter(None, (_word(lower, "make"), _word(lower, "model")))) or None}
    with suppress(ValueError):
        found["at"] = datetime.fromisoformat(lower.get("creationdate") or lower.get("creation_time", "")).isoformat()
    if place := _PLACE.match(lower.get("location") or lower.get("location.iso6709", "")):
        lat, lon = float(place[1]), float(place[2])
        found |= {"lat": lat, "lon": lon} if abs(lat) <= 90 and abs(lon) <= 180 else {}
    told = {name: value for name, value in found.items() if value is not None}
    return Taken(**told) if told else None


def _word(said: Mapping[str, str], name: str) -> str:
    return "".join(c for c in said.get(name, "") if c.isprintable())[:50].strip()


def _has_notes(file: BinaryIO) -> bool:
    """Whether an MP4 has boxes for notes, which a reader may pass over in silence."""
    length = file.seek(0, os.SEEK_END)
    names = list(islice(_boxes(file, 0, length), MOST_BOXES))
    return len(names) == MOST_BOXES or not _TELLING.isdisjoint(names)


def _boxes(file: BinaryIO, begin: int, end: int, depth: int = 0) -> Iterator[bytes]:
    at = begin
    while at + 8 <= end and depth < 8:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        size, name = struct.unpack(">I4s", head[:8])
        inside = at + 8
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack(">Q", head[8:])
            inside = at + 16
        elif size == 0:
            size = end - at
        if size < 8:
            return
        yield name
        if name in _HOLDERS:
            yield from _boxes(file, inside, min(at + size, end), depth + 1)
        at += size


def _copy(file: BinaryIO, sniffed: Sniffed, into: BinaryIO, muxer: str) -> None:
    """Picture and sound as they are, and nothing else."""
    with (
        _opened(file, sniffed) as source,
        av.open(into, "w", format=muxer, options={"fflags": "+bitexact"}) as copy,
    ):
        streams = [stream for stream in (_picture(source), *source.streams.audio) if stream is not None]
        copies = {stream.index: copy.add_stream_from_template(stream) for stream in streams}
        for made in copies.values():
            made.metadata.clear()
        for packet in source.demux(*streams):
            if packet.dts is None:
                continue
            packet.stream = copies[packet.stream.index]
            copy.mux(packet)
