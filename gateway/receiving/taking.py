"""Takes one request's bytes into an upload: as they come, or only once they have proven to be the right ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

from gateway.errors import Problem
from gateway.receiving.incoming import Incoming
from gateway.receiving.inflow import Inflow
from gateway.receiving.spooling import LARGEST, proven
from gateway.receiving.tus import Checksum


async def take(
    inflow: Inflow, incoming: Incoming, whose: tuple[str, str], offset: int, checks: Sequence[Checksum]
) -> int:
    """Keep the body from `offset` on, of the upload `whose` (account, id); answers the offset behind it.

    Raises Problem for a wrong checksum, which nothing is kept of; for a body that was too long or stalled, what came
    of it is kept.
    """
    if checks:
        async with proven(inflow, checks) as pieces:
            reached = await _keep(pieces, incoming, whose, offset)
    else:
        reached = await _keep(inflow.pieces(), incoming, whose, offset)
    if inflow.ended == "too-long":
        raise Problem("upload-too-long", offset=reached)
    if inflow.ended == "stalled":
        raise Problem("upload-stalled", headers={"Connection": "close"}, offset=reached)
    return reached


def room(remaining: int, announced: int | None, checked: bool) -> int:
    """How many bytes one request may bring. Raises Problem for one that says beforehand that it brings more."""
    most = min(remaining, LARGEST) if checked else remaining
    if announced is not None and announced > most:
        raise Problem("upload-too-long", limit=most)
    return most


async def _keep(pieces: AsyncIterator[bytes], incoming: Incoming, whose: tuple[str, str], offset: int) -> int:
    """Stores one piece while the next one comes in."""
    under_way: asyncio.Task[None] | None = None
    try:
        async for piece in pieces:
            if under_way is not None:
                await under_way
            under_way = asyncio.create_task(incoming.add(*whose, offset, piece))
            offset += len(piece)
    finally:
        if under_way is not None:
            await under_way
    return offset
