"""A load generator in a process of its own: connections that each ask, wait for the answer and ask again."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from itertools import count
from statistics import quantiles
from typing import Any

import orjson
import uvloop


class Connection(asyncio.Protocol):
    """One keep-alive connection. Reads just enough of HTTP/1.1 to know where an answer ends."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._asked = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask the first time."""
        self._transport: Any = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Once the answer is whole, count it and ask again."""
        self._buffer += data
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        at = lower.find(b"content-length:")
        length = int(lower[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(rest) < length:
            return
        self._buffer = rest[length:]
        self._load.answered(int(head[9:12]), time.perf_counter() - self._asked)
        if self._load.over:
            self._transport.close()
        else:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """Done, or broken."""
        self._load.ended(exc)

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(self._load.request())


class Load:
    """What is asked for, and what was answered until the time was over."""

    def __init__(self, spec: dict[str, Any]) -> None:
        self._spec = spec
        self._numbers = count()
        self._until = 0.0
        self._open = spec["connections"]
        self._closed = asyncio.Event()
        self.waits: list[float] = []
        self.bad: dict[str, int] = {}

    @property
    def over(self) -> bool:
        """Whether no more is asked."""
        return time.perf_counter() > self._until

    def request(self) -> bytes:
        """The next request: paths take turns, `{n}` in the body and the key is a new number."""
        n, spec = next(self._numbers), self._spec
        path = spec["paths"][n % len(spec["paths"])]
        body = spec.get("body", "").replace("{n}", f"{spec['run']}-{n}").encode()
        lines = [f"{spec['method']} {path} HTTP/1.1", f"Host: {spec['host']}:{spec['port']}"]
        lines += [f"{name}: {value}" for name, value in spec["headers"].items()]
        if body:
            key = f"00000000-0000-4000-8000-{spec['run']:04d}{n:08d}"
            lines += [f"Idempotency-Key: {key}", "Content-Type: application/json", f"Content-Length: {len(body)}"]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def answered(self, status: int, wait: float) -> None:
        """One answer has come."""
        if not self.over:
            self.waits.append(wait)
        if status >= 300:
            self.bad[str(status)] = self.bad.get(str(status), 0) + 1

    def ended(self, why: Exception | None) -> None:
        """One connection is no more."""
        if why is not None:
            self.bad[type(why).__name__] = self.bad.get(type(why).__name__, 0) + 1
        self._open -= 1
        if not self._open:
            self._closed.set()

    async def run(self) -> dict[str, Any]:
        """Ask for the given time; answers what came of it."""
        spec = self._spec
        began = time.perf_counter()
        self._until = began + spec["seconds"]
        loop = asyncio.get_running_loop()
        for _ in range(spec["connections"]):
            await loop.create_connection(lambda: Connection(self), spec["host"], spec["port"])
        # Whoever has no answer by then is not waited for; what was answered counts.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._closed.wait(), spec["seconds"] + 30)
        hundredths = quantiles(self.waits, n=100) if len(self.waits) > 1 else [0.0] * 99
        return {
            "per_second": len(self.waits) / spec["seconds"],
            "p50_ms": hundredths[49] * 1_000,
            "p99_ms": hundredths[98] * 1_000,
            "bad": self.bad,
        }


if __name__ == "__main__":
    wanted = orjson.loads(sys.stdin.read())

    async def generate() -> dict[str, Any]:
        return await Load(wanted).run()

    sys.stdout.write(orjson.dumps(uvloop.run(generate())).decode())
