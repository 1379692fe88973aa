"""The first bytes of a file say what it is; what it was called does not count.

A table of our own: only what is accepted has to be known exactly, and whatever is recognised here is opened by its
reader afterwards, which has the last word.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import Literal

from services.media.domain.values import KINDS
from services.media.inspecting.findings import Refused

HEAD = 4096
Reader = Literal["image", "recording", "pdf", "zip", "ole", "text"]


@dataclass(frozen=True, slots=True)
class Sniffed:
    """Who reads it, under which name that reader knows the format, and the type that goes with it."""

    reader: Reader
    format: str
    type: str


_JPEG = Sniffed("image", "JPEG", "image/jpeg")
_PNG = Sniffed("image", "PNG", "image/png")
_WEBP = Sniffed("image", "WEBP", "image/webp")
_HEIC = Sniffed("image", "HEIF", "image/heic")
_HEIF = Sniffed("image", "HEIF", "image/heif")
_WEBM = Sniffed("recording", "matroska", "video/webm")
_OGG = Sniffed("recording", "ogg", "audio/ogg")
_WAV = Sniffed("recording", "wav", "audio/wav")
_MP3 = Sniffed("recording", "mp3", "audio/mpeg")
_AAC = Sniffed("recording", "aac", "audio/aac")
_AMR = Sniffed("recording", "amr", "audio/amr")
_MP4 = Sniffed("recording", "mov", "video/mp4")
_QUICKTIME = Sniffed("recording", "mov", "video/quicktime")
_3GPP = Sniffed("recording", "mov", "video/3gpp")
_PDF = Sniffed("pdf", "pdf", "application/pdf")
_ZIP = Sniffed("zip", "zip", "application/zip")
_OLE = Sniffed("ole", "ole", "application/x-ole-storage")

_BEGINNINGS = (
    (b"\xff\xd8\xff", _JPEG),
    (b"\x89PNG\r\n\x1a\n", _PNG),
    (b"%PDF-", _PDF),
    (b"PK\x03\x04", _ZIP),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", _OLE),
    (b"OggS", _OGG),
    (b"#!AMR", _AMR),
    (b"ID3", _MP3),
    (b"\x1a\x45\xdf\xa3", _WEBM),
)
_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis"), _HEIC),
    **dict.fromkeys((b"mif1", b"msf1"), _HEIF),
    b"qt  ": _QUICKTIME,
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash"), _MP4),
    **dict.fromkeys((b"M4A ", b"M4B ", b"M4V ", b"MSNV", b"f4v "), _MP4),
}
_UNWANTED = (
    *(b"GIF8", b"BM", b"II*\0", b"MM\0*"),
    *(b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"PK\x05\x06"),
    *(b"MZ", b"\x7fELF", b"#!"),
)
_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<script", b"<svg", b"<?xml", b"<?php", b"<iframe", b"<!--")


def sniff(head: bytes, said: str) -> Sniffed:
    """What the file is, by its beginning; plain text has none, so there only what was said of it is left.

    Raises Refused for what is not accepted, or is something else than was said.
    """
    text = said.startswith("text/")
    if text and head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Sniffed("text", "text", said)
    found = _by_beginning(head) or _by_container(head) or _by_frames(head)
    if found is None:
        bare = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
        # A text that begins with a letter or two that some format begins with is still a text.
        if bare.startswith(_MARKUP) or (not text and head.startswith(_UNWANTED)):
            raise Refused("type-not-accepted")
        if not text:
            raise Refused("type-mismatch")
        return Sniffed("text", "text", said)
    if found.reader in ("zip", "ole"):
        # Which kind of document it is, if any, stands inside.
        if said in KINDS and KINDS[said] != "document":
            raise Refused("type-not-accepted")
        return found
    if family_of(said) != family_of(found.type):
        raise Refused("type-mismatch")
    return found


def family_of(type: str) -> str:
    """Types that are mistaken for each other without any harm: photos, and recordings with or without a picture."""
    match KINDS.get(type):
        case "image":
            return "image"
        case "video" | "sound":
            return "recording"
        case _:
            return "text" if type.startswith("text/") else type


def _by_beginning(head: bytes) -> Sniffed | None:
    return next((found for beginning, found in _BEGINNINGS if head.startswith(beginning)), None)


def _by_container(head: bytes) -> Sniffed | None:
    if head[:4] == b"RIFF":
        return {b"WEBP": _WEBP, b"WAVE": _WAV}.get(head[8:12])
    if head[4:8] == b"ftyp":
        size = int.from_bytes(head[:4], "big")
        compatible = [head[at : at + 4] for at in range(16, min(size, 256), 4)]
        for brand in (head[8:12], *compatible):
            if brand[:2] == b"3g":
                return _3GPP
            if brand in _BRANDS:
                return _BRANDS[brand]
        raise Refused("type-not-accepted")
    # QuickTime of old begins without saying what it is.
    return _QUICKTIME if head[4:8] in (b"moov", b"mdat", b"wide") else None


def _by_frames(head: bytes) -> Sniffed | None:
    if len(head) < 2 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0:
        return _AAC
    return _MP3 if head[1] & 0xE6 == 0xE2 else None
