"""A ZIP package put together from content that was compressed piece by piece, perhaps by several processes.

Deflate streams may be joined where one ends on a whole byte without a final block, so each piece is such a
stream, and only what closes a file ends it. Everything else of a ZIP is sums over the pieces: the package is a
function of them, and putting it together twice gives the same bytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

LEVEL = 5
STORED = 0
_VERSION, _VERSION_64 = 20, 45
_UTF8 = 0x0800
_FULL_16, _FULL_32 = 0xFFFF, 0xFFFFFFFF


class Press:
    """Compresses one piece as it comes; with `pressed` false the bytes stay as they are."""

    def __init__(self, crc: int = 0, *, pressed: bool = True) -> None:
        self.crc = crc
        self.size = 0
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS) if pressed else None
        self._out: list[bytes] = []

    def write(self, data: bytes) -> None:
        """More of the content."""
        self.crc = zlib.crc32(data, self.crc)
        self.size += len(data)
        self._out.append(self._deflate.compress(data) if self._deflate else data)

    def end(self, *, final: bool = False) -> bytes:
        """The piece; `final` where nothing follows in this file."""
        if self._deflate:
            self._out.append(self._deflate.flush(zlib.Z_FINISH if final else zlib.Z_FULL_FLUSH))
        return b"".join(self._out)


@dataclass(frozen=True, slots=True)
class Packed:
    """One file of the package: its name, checksum and sizes, and its compressed bytes, read when they are needed.

    What does not become smaller, as photos, goes in as it is: `method` is STORED then.
    """

    name: str
    crc: int
    size: int
    packed: int
    content: Callable[[], Iterable[bytes]]
    method: int = zlib.DEFLATED


def whole(name: str, content: bytes) -> Packed:
    """A small file that is at hand."""
    press = Press()
    press.write(content)
    packed = press.end(final=True)
    return Packed(name, press.crc, press.size, len(packed), lambda: [packed])


def length(files: Iterable[Packed]) -> int:
    """How long the package of these files will be."""
    at = directory = 0
    for file in files:
        directory += len(_entry(file, at, 0))
        at += len(_local(file, 0)) + file.packed
    return at + directory + len(_end(0, at, directory))


def package(files: Iterable[Packed], at: datetime) -> Iterator[bytes]:
    """The bytes of the package; all files bear the moment `at`."""
    stamp = _dos(at)
    directory: list[bytes] = []
    written = 0
    for file in files:
        directory.append(_entry(file, written, stamp))
        head = _local(file, stamp)
        yield head
        yield from file.content()
        written += len(head) + file.packed
    entries = b"".join(directory)
    yield entries
    yield _end(len(directory), written, len(entries))


def _local(file: Packed, stamp: int) -> bytes:
    name = file.name.encode()
    large = file.size >= _FULL_32 or file.packed >= _FULL_32
    extra = struct.pack("<HHQQ", 1, 16, file.size, file.packed) if large else b""
    sizes = (_FULL_32, _FULL_32) if large else (file.packed, file.size)
    fields = (0x04034B50, _VERSION_64 if large else _VERSION, _UTF8, file.method, stamp, file.crc, *sizes)
    return struct.pack("<IHHHIIIIHH", *fields, len(name), len(extra)) + name + extra


def _entry(file: Packed, offset: int, stamp: int) -> bytes:
    name = file.name.encode()
    large = file.size >= _FULL_32 or file.packed >= _FULL_32
    long: list[int] = [file.size, file.packed] if large else []
    if offset >= _FULL_32:
        long.append(offset)
    extra = struct.pack(f"<HH{len(long)}Q", 1, 8 * len(long), *long) if long else b""
    version = _VERSION_64 if long else _VERSION
    sizes = (_FULL_32, _FULL_32) if large else (file.packed, file.size)
    fields = (0x02014B50, version, version, _UTF8, file.method, stamp, file.crc, *sizes, len(name), len(extra))
    return struct.pack("<IHHHHIIIIHHHHHII", *fields, 0, 0, 0, 0, min(offset, _FULL_32)) + name + extra


def _end(count: int, start: int, size: int) -> bytes:
    end = b""
    if start >= _FULL_32 or size >= _FULL_32 or count >= _FULL_16:
        fields = (0x06064B50, 44, _VERSION_64, _VERSION_64, 0, 0, count, count, size, start)
        end = struct.pack("<IQHHIIQQQQ", *fields) + struct.pack("<IIQI", 0x07064B50, 0, start + size, 1)
    shown = min(count, _FULL_16)
    return end + struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, shown, shown, min(size, _FULL_32), min(start, _FULL_32), 0)


def _dos(at: datetime) -> int:
    date = (at.year - 1980) << 9 | at.month << 5 | at.day
    return date << 16 | at.hour << 11 | at.minute << 5 | at.second // 2
