"""Files sealed under a key of their own, frame by frame, so that any part can be opened without the rest.

A frame is sealed by AES-256-GCM and bound to the file's name, its place and the file's whole length: frames that were
moved, dropped, repeated or altered do not open. The place is the nonce too, which is safe because a key seals one file,
once.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

FRAME = 256 * 1024
TAG = 16
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Span:
    """Which bytes of a sealed file hold a part of the plain one.

    `offset` and `length` say where to read in the sealed file, `first` is the frame that begins there; of what it opens
    to, `skip` bytes go and `take` stay.
    """

    offset: int
    length: int
    first: int
    skip: int
    take: int


def new_key() -> bytes:
    """A key for one file."""
    return os.urandom(KEY_BYTES)


def key_text(key: bytes) -> str:
    """The key as it is written into an event."""
    return base64.urlsafe_b64encode(key).rstrip(b"=").decode()


def key_bytes(text: str) -> bytes:
    """The key that `key_text` wrote. Raises ValueError for anything else."""
    key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes")
    return key


def sealed_length(length: int) -> int:
    """How many bytes a file of this length takes when it is sealed."""
    return length + TAG * -(-length // FRAME)


def span(start: int, length: int, total: int) -> Span:
    """Where `length` bytes from `start` on stand, of a file of `total` bytes.

    Raises ValueError for a part that the file does not have.
    """
    if start < 0 or length < 0 or start + length > total:
        raise ValueError("the file has no such part")
    if length == 0:
        return Span(0, 0, 0, 0, 0)
    first, last = start // FRAME, (start + length - 1) // FRAME
    offset = first * (FRAME + TAG)
    end = min((last + 1) * (FRAME + TAG), sealed_length(total))
    return Span(offset, end - offset, first, start - first * FRAME, length)


def seal(chunks: Iterable[bytes], key: bytes, name: str, length: int) -> Iterator[bytes]:
    """The sealed file, a frame at a time; use the key for nothing else, not even for another attempt.

    Raises ValueError when the chunks are not `length` bytes together.
    """
    cipher = AESGCM(key)
    seen = 0
    for index, frame in enumerate(_cut(chunks, FRAME)):
        seen += len(frame)
        yield cipher.encrypt(_nonce(index), frame, _place(name, index, length))
    if seen != length:
        raise ValueError(f"{seen} bytes where {length} were announced")


class Opener:
    """Opens the frames of one file in their order, from the frame `first` on."""

    def __init__(self, key: bytes, name: str, total: int, first: int = 0) -> None:
        self._cipher = AESGCM(key)
        self._name = name
        self._total = total
        self._next = first

    def open(self, frame: bytes) -> bytes:
        """The plain bytes of the next frame. Raises InvalidTag when it is not that frame of this file."""
        index = self._next
        plain = self._cipher.decrypt(_nonce(index), frame, _place(self._name, index, self._total))
        if len(plain) != min(FRAME, self._total - index * FRAME):
            raise InvalidTag
        self._next += 1
        return plain


def opened(chunks: Iterable[bytes], key: bytes, name: str, total: int, part: Span) -> Iterator[bytes]:
    """The plain bytes of a part, from the sealed bytes that its span names, in chunks of any size.

    Raises InvalidTag when they are not what was sealed, or not all of it.
    """
    opener = Opener(key, name, total, part.first)
    skip, left = part.skip, part.take
    for frame in _cut(chunks, FRAME + TAG):
        plain = opener.open(frame)[skip : skip + left]
        skip = 0
        left -= len(plain)
        yield plain
        if not left:
            return
    if left:
        raise InvalidTag


def _cut(chunks: Iterable[bytes], size: int) -> Iterator[bytes]:
    """The same bytes in pieces of this size; the last is what is left."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        start = 0
        while len(held) - start >= size:
            yield bytes(held[start : start + size])
            start += size
        del held[:start]
    if held:
        yield bytes(held)


def _nonce(index: int) -> bytes:
    return index.to_bytes(12, "big")


def _place(name: str, index: int, total: int) -> bytes:
    return f"{index}|{total}|{name}".encode()
