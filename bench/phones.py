"""A crowd of phones in a process of its own: each has one connection, and sends what it was given, word for word."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles
from typing import Any
from urllib.parse import urlsplit

import orjson
import uvloop


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(head[9:12]), await reader.readexactly(length)


async def _phone(host: str, port: int, requests: list[bytes], waits: list[float], bad: Counter[str]) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
        began = time.perf_counter()
        while True:
            writer.write(request)
            await writer.drain()
            status, body = await _answer(reader)
            if status != 503:
                break
            bad["told to come again"] += 1
            await asyncio.sleep(1)
        waits.append(time.perf_counter() - began)
        outcome = orjson.loads(body)["results"][0]["status"] if status == 200 else str(status)
        if outcome != "applied":
            bad[outcome] += 1
    writer.close()


async def _all(spec: dict[str, Any]) -> dict[str, Any]:
    door = urlsplit(spec["door"])
    days = [[text.encode() for text in day] for day in spec["phones"]]
    waits: list[float] = []
    bad: Counter[str] = Counter()
    began = time.perf_counter()
    await asyncio.gather(*(_phone(str(door.hostname), int(door.port or 80), day, waits, bad) for day in days))
    took = time.perf_counter() - began
    hundredths = quantiles(waits, n=100)
    return {
        "per_second": len(waits) / took,
        "p50_ms": hundredths[49] * 1_000,
        "p99_ms": hundredths[98] * 1_000,
        "bytes": len(days[0][0]),
        "again": bad.pop("told to come again", 0),
        "bad": dict(bad),
    }


if __name__ == "__main__":
    sys.stdout.write(orjson.dumps(uvloop.run(_all(orjson.loads(Path(sys.argv[1]).read_bytes())))).decode())
