"""Bytes under a checksum: they wait on the disk until all have come and are what they should be."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import IO

from gateway.errors import Problem
from gateway.receiving.inflow import PIECE, Inflow
from gateway.receiving.tus import Checksum

LARGEST = 64 * 1024 * 1024
"""Bytes that one request may bring under a checksum: so much disk it may take."""


@asynccontextmanager
async def proven(inflow: Inflow, checksums: Iterable[Checksum]) -> AsyncIterator[AsyncIterator[bytes]]:
    """The body in pieces, once all of it has come. Nothing of a body that broke off, which could not be proven.

    Raises Problem("checksum-mismatch").
    """
    with tempfile.TemporaryFile() as file:
        hashers = [(checksum, checksum.hasher()) for checksum in checksums]
        async for piece in inflow.pieces():
            await asyncio.to_thread(file.write, piece)
            for _, hasher in hashers:
                hasher.update(piece)
        if inflow.ended in ("cut", "stalled"):
            file.truncate(0)
        elif wrong := [checksum.algorithm for checksum, hasher in hashers if hasher.digest() != checksum.digest]:
            raise Problem("checksum-mismatch", algorithm=wrong[0])
        file.seek(0)
        yield _read(file)


async def _read(file: IO[bytes]) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece
