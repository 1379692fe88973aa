"""Documents: read far enough to know that they are what they are called, and never carried out."""

from __future__ import annotations

import codecs
import os
import re
import zipfile
from typing import BinaryIO

import pypdf

from services.media.inspecting.findings import Found, Refused

_END_OF_PDF = 2048
_STEP = 1024 * 1024
MOST_MEMBERS = 10_000
MOST_UNPACKED = 512 * 1024 * 1024
MOST_GAIN = 200
"""How much larger than packed a document may be; only looked at where it is large at all."""
_GAIN_FROM = 16 * 1024 * 1024
_CONTENTS = "[Content_Types].xml"
_MOST_CONTENTS = 1024 * 1024
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MAIN_PARTS = {
    kind: re.compile(rf'ContentType\s*=\s*["\']{re.escape(_OFFICE)}{kind}\.main\+xml["\']'.encode())
    for kind in ("wordprocessingml.document", "spreadsheetml.sheet")
}
_OLE_SECTOR = 512
_STREAMS = {
    "application/msword": "WordDocument".encode("utf-16-le"),
    "application/vnd.ms-excel": "Workbook".encode("utf-16-le"),
}


def inspect_pdf(file: BinaryIO) -> Found:
    """A PDF that has an end and pages."""
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - _END_OF_PDF))
    if b"%%EOF" not in file.read():
        raise Refused("unreadable")
    file.seek(0)
    reader = pypdf.PdfReader(file)
    if reader.is_encrypted and not reader.decrypt(""):
        raise Refused("unreadable")
    if len(reader.pages) < 1:
        raise Refused("unreadable")
    return Found(type="application/pdf")


def inspect_zip(file: BinaryIO) -> Found:
    """A document of an office suite; no other archive. Raises Refused, also for one that would fill a disk."""
    length = file.seek(0, os.SEEK_END)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        if _CONTENTS not in names:
            raise Refused("type-not-accepted")
        unpacked = sum(member.file_size for member in members)
        if len(members) > MOST_MEMBERS or unpacked > MOST_UNPACKED:
            raise Refused("archive-bomb")
        if unpacked > _GAIN_FROM and unpacked > MOST_GAIN * length:
            raise Refused("archive-bomb")
        if sum(member.compress_size for member in members) > length:
            raise Refused("archive-bomb")  # members that lie over each other
        if len(set(names)) != len(names) or any(_leads_out(name) for name in names):
            raise Refused("unreadable")
        if any(member.flag_bits & 1 for member in members):
            raise Refused("unreadable")  # under a password nobody could look inside
        found = _office_type(archive)
        for member in members:
            _unpack(archive, member)
    return Found(type=found)


def _leads_out(name: str) -> bool:
    return name.startswith(("/", "\\")) or ".." in re.split(r"[/\\]", name) or ":" in name


def _office_type(archive: zipfile.ZipFile) -> str:
    with archive.open(_CONTENTS) as contents:
        said = contents.read(_MOST_CONTENTS)
    for kind, pattern in _MAIN_PARTS.items():
        if pattern.search(said):
            return _OFFICE + kind
    # Presentations, and whatever brings programs with it.
    raise Refused("type-not-accepted")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    with archive.open(member) as inside:
        while inside.read(_STEP):
            pass  # its checksum is compared at its end


def inspect_ole(file: BinaryIO) -> Found:
    """A document of an office suite of old: a file of files, one of which says whose it is."""
    length = file.seek(0, os.SEEK_END)
    if length < 3 * _OLE_SECTOR:
        raise Refused("unreadable")
    file.seek(0)
    overlap, before = 64, b""
    while step := file.read(_STEP):
        window = before + step
        for type, stream in _STREAMS.items():
            if stream in window:
                return Found(type=type)
        before = window[-overlap:]
    raise Refused("type-not-accepted")


def inspect_text(file: BinaryIO, said: str) -> Found:
    """Letters and nothing else, in one of the ways in which they are commonly written."""
    file.seek(0)
    begin = file.read(4)
    for encoding in _encodings(begin):
        if _reads(file, encoding):
            return Found(type=said)
    raise Refused("unreadable")


def _encodings(begin: bytes) -> tuple[str, ...]:
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    return ("utf-8", "cp1252")


def _reads(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    file.seek(0)
    try:
        while step := file.read(_STEP):
            if _STRANGE.search(decoder.decode(step)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


_STRANGE = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
