"""Files that are two things at once: harmless to who looks at them, something else to who opens them otherwise."""

from __future__ import annotations

import os
import struct
from typing import BinaryIO

from services.media.inspecting.findings import Refused
from services.media.inspecting.sniffing import Reader

_END_OF_ARCHIVE = b"PK\x05\x06"
_DIRECTORY = b"PK\x01\x02"
_END_LENGTH = 22
_LONGEST_COMMENT = 65_535
_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
_MARKUP = (b"<script", b"<?php", b"<html", b"<!doctype", b"<svg", b"<iframe")
_SEARCHED_FOR_PDF = 1024
_STEP = 1024 * 1024


def check(file: BinaryIO, head: bytes, reader: Reader) -> None:
    """Raises Refused("polyglot") for such a file. What phones put behind a photo (moving pictures, notes) passes."""
    if reader in ("zip", "ole", "text"):
        return
    if reader != "pdf" and b"%PDF-" in head[:_SEARCHED_FOR_PDF]:
        raise Refused("polyglot")
    lower = head.lower()
    if any(mark in lower for mark in _MARKUP) and reader != "pdf":
        raise Refused("polyglot")
    if _ends_as_archive(file) or (reader == "image" and _holds(file, _ARCHIVES)):
        raise Refused("polyglot")


def _ends_as_archive(file: BinaryIO) -> bool:
    """Whether a reader of ZIP files, which begins at the end, would find one."""
    length = file.seek(0, os.SEEK_END)
    begin = max(0, length - _END_LENGTH - _LONGEST_COMMENT)
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(_END_OF_ARCHIVE)
    while at != -1:
        if len(tail) - at >= _END_LENGTH and _has_directory(file, tail[at : at + _END_LENGTH], begin + at):
            return True
        at = tail.rfind(_END_OF_ARCHIVE, 0, at)
    return False


def _has_directory(file: BinaryIO, end: bytes, at: int) -> bool:
    disk, first, here, entries, size, _, _ = struct.unpack("<4H2IH", end[4:])
    if disk != first or here != entries:
        return False
    if entries == 0:
        return bool(size == 0)
    if size > at or size < 46 * entries:
        # The long form says so and has its sizes elsewhere; nothing that is no archive would.
        return bool(entries == 0xFFFF or size == 0xFFFFFFFF)
    file.seek(at - size)
    return file.read(4) == _DIRECTORY


def _holds(file: BinaryIO, marks: tuple[bytes, ...]) -> bool:
    overlap = max(map(len, marks)) - 1
    file.seek(0)
    before = b""
    while step := file.read(_STEP):
        window = before + step
        if any(mark in window for mark in marks):
            return True
        before = window[-overlap:]
    return False
