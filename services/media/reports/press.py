"""Sets reports in a process of their own: with little memory and time, without secrets, and free to die.

The images go in and the pages come out one chunk at a time, so that whoever asks holds neither all of the photos nor
the file.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any

from services.media.reports.paper import Paper

MEMORY = 1_200_000_000
CPU_SECONDS = 90
PATIENCE = 180.0
AT_ONCE = 2
CHUNK = 256 * 1024
_LARGEST_FILE = 32_000_000
"""What the child may write: the fonts' cache, and nothing like a report, which goes through a pipe."""
_room = threading.BoundedSemaphore(AT_ONCE)

Image = tuple[str, bytes]


class PressFailed(Exception):
    """The process gave no report: it ran out of memory or time, or could not make pages of it."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A report that can be taken once: so many bytes of this sha256, on so many pages."""

    pages: int
    length: int
    sha256: str
    output: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """The file. Raises PressFailed when the process ends before it does."""
        left = self.length
        while left:
            chunk = self.output.read(min(CHUNK, left))
            if not chunk:
                raise PressFailed("the report broke off")
            left -= len(chunk)
            yield chunk


@contextlib.contextmanager
def pressed(
    paper: Paper,
    images: Iterable[Image],
    *,
    edition: int,
    at: datetime,
    time_zone: str,
    patience: float = PATIENCE,
    memory: int = MEMORY,
) -> Iterator[Pressed]:
    """The paper as a file, while the process that made it waits for it to be taken. Raises PressFailed."""
    with _room, _process(memory) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        watch = threading.Timer(patience, child.kill)
        watch.daemon = True
        watch.start()
        try:
            order = {
                "paper": paper.model_dump(mode="json"),
                "edition": edition,
                "at": at.isoformat(),
                "zone": time_zone,
            }
            with contextlib.suppress(BrokenPipeError):  # it has died: there will be no answer
                _tell(child.stdin, order)
                for name, data in images:
                    _tell(child.stdin, {"image": name, "bytes": len(data)}, data)
                child.stdin.close()
            told = _told(child.stdout)
            if told is None:
                raise PressFailed(f"the process ended: {child.wait()}")
            if "failed" in told:
                raise PressFailed(told["failed"])
            yield Pressed(told["pages"], told["bytes"], told["sha256"], child.stdout)
        finally:
            watch.cancel()


@contextlib.contextmanager
def _process(memory: int) -> Iterator[subprocess.Popen[bytes]]:
    # Nothing of this process's environment: addresses and keys are no business of whoever reads strangers' words.
    env = {"PYTHONPATH": os.pathsep.join(part for part in sys.path if part), "LANG": "C.UTF-8", "PATH": os.defpath}
    argv = [sys.executable, "-m", "services.media.reports.press", str(memory)]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    child = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=nowhere, env=env)  # noqa: S603 - our own words
    try:
        yield child
    finally:
        child.kill()
        for end in (child.stdin, child.stdout):
            if end is not None:
                with contextlib.suppress(OSError):
                    end.close()
        child.wait()


def _tell(into: IO[bytes], header: dict[str, Any], data: bytes = b"") -> None:
    into.write(json.dumps(header).encode() + b"\n")
    into.write(data)


def _told(out: IO[bytes]) -> dict[str, Any] | None:
    line = out.readline()
    return json.loads(line) if line.endswith(b"\n") else None


def _bounded(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """The process: one order in, one report out."""
    _bounded(int(sys.argv[1]))
    try:
        about, pdf = _made()
    except Exception as why:
        # The name only: what went wrong may be told in strangers' words.
        about, pdf = {"failed": type(why).__name__}, b""
    _tell(sys.stdout.buffer, about, pdf)
    sys.stdout.buffer.flush()


def _made() -> tuple[dict[str, Any], bytes]:
    # Only now, within the bounds; and never in the process that asks.
    from services.media.reports.typesetting import typeset

    order = json.loads(sys.stdin.buffer.readline())
    images: dict[str, bytes] = {}
    for line in sys.stdin.buffer:
        header = json.loads(line)
        images[header["image"]] = sys.stdin.buffer.read(header["bytes"])
    printed = typeset(
        Paper.model_validate(order["paper"]),
        images,
        edition=order["edition"],
        at=datetime.fromisoformat(order["at"]),
        time_zone=order["zone"],
    )
    digest = hashlib.sha256(printed.pdf).hexdigest()
    return {"pages": printed.pages, "bytes": len(printed.pdf), "sha256": digest}, printed.pdf


if __name__ == "__main__":
    main()
