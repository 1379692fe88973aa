"""Many programs, one log: every line is marked with its program and lands in one bounded file."""

from __future__ import annotations

import sys
import threading
from collections import defaultdict, deque
from pathlib import Path
from typing import IO

_REMEMBERED_LINES = 200


class LogStream:
    """Writes to `path`, which is turned over at `limit` bytes, and to the terminal when asked to."""

    def __init__(self, path: Path, *, limit: int = 20_000_000, echo: bool = False, width: int = 16) -> None:
        self._path = path
        self._limit = limit
        self._echo = echo
        self._width = width
        self._lock = threading.Lock()
        self._recent: defaultdict[str, deque[str]] = defaultdict(lambda: deque(maxlen=_REMEMBERED_LINES))
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = path.open("a", encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        line = f"{name:<{self._width}} | {text}\n"
        with self._lock:
            self._recent[name].append(text)
            if self._file.closed:
                return
            self._file.write(line)
            self._file.flush()
            if self._file.tell() > self._limit:
                self._turn_over()
            if self._echo:
                sys.stdout.write(line)
                sys.stdout.flush()

    def _turn_over(self) -> None:
        self._file.close()
        self._path.replace(self._path.with_suffix(".log.1"))
        self._file = self._path.open("a", encoding="utf-8")

    def drain(self, name: str, output: IO[bytes]) -> None:
        """Copies until the program closes its end."""
        for raw in output:
            self.write(name, raw.decode("utf-8", "replace").rstrip("\r\n"))

    def tail(self, name: str, lines: int = 30) -> str:
        with self._lock:
            return "\n".join(list(self._recent[name])[-lines:])

    def close(self) -> None:
        with self._lock:
            self._file.close()
