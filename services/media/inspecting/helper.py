"""Asking the process that looks at files, and starting another one when it has died of what it saw."""

from __future__ import annotations

import json
import os
import queue
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import services
from services.kernel import logging
from services.media.inspecting.findings import FORMS, LARGEST_MESSAGE, Found, Refused

log = logging.get(__name__)
PATIENCE = 300.0
ATTEMPTS = 2
JOBS = 200
"""After so many files a process has earned its rest: whatever it leaked goes with it."""


class _Died(Exception):
    """The process ended, or was ended because it took too long."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What a file is, and the forms made of it: files in the order of their places, closed with the looking."""

    found: Found
    forms: list[BinaryIO]


class Helper:
    """One such process; used by one thread at a time."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self.jobs = 0
        ours, theirs = socket.socketpair()
        ours.settimeout(patience)
        self._line = ours
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "services.media.inspecting.child"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Nothing of what this process knows: the keys are in its environment.
                env={"PATH": os.defpath, "PYTHONPATH": str(Path(services.__path__[0]).parent), "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        pid: int = self._process.pid
        return pid

    def look(self, file: BinaryIO, said: str, forms: list[BinaryIO]) -> dict[str, Any]:
        """Its answer. Raises _Died when there is none."""
        self.jobs += 1
        message = json.dumps({"type": said}).encode()
        try:
            socket.send_fds(self._line, [message], [file.fileno(), *(form.fileno() for form in forms)])
            answer = self._line.recv(LARGEST_MESSAGE)
        except OSError as why:
            raise _Died(repr(why)) from why
        if not answer:
            raise _Died(f"exit code {self._process.wait()}")
        told: dict[str, Any] = json.loads(answer)
        return told

    def end(self) -> None:
        """Let it go, or make it."""
        self._line.close()
        self._process.kill()
        self._process.wait()


class Helpers:
    """As many processes as may look at files at the same time; they are started when they are needed."""

    def __init__(self, most: int | None = None, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._idle: queue.SimpleQueue[Helper | None] = queue.SimpleQueue()
        for _ in range(most or os.cpu_count() or 1):
            self._idle.put(None)

    @contextmanager
    def look(self, file: BinaryIO, said: str) -> Iterator[Looked]:
        """What a file of this process is.

        Raises Refused; also for a file of which the process died twice, the second time a fresh one.
        """
        with ExitStack() as open_files:
            for _ in range(ATTEMPTS):
                forms: list[BinaryIO] = [open_files.enter_context(tempfile.TemporaryFile()) for _ in range(FORMS)]
                with suppress(_Died):
                    told = self._ask(file, said, forms)
                    break
            else:
                raise Refused("unreadable")
            if code := told.get("refused"):
                log.info("media.refused", code=code, why=told.get("why"))
                raise Refused(code)
            yield Looked(Found.model_validate(told["found"]), forms)

    def end(self) -> None:
        """Let all of them go that are idle; others are started when they are needed."""
        for _ in range(self._idle.qsize()):
            helper = self._idle.get()
            if helper is not None:
                helper.end()
            self._idle.put(None)

    def _ask(self, file: BinaryIO, said: str, forms: list[BinaryIO]) -> dict[str, Any]:
        helper = self._idle.get()
        try:
            helper = helper or Helper(self._patience)
            told = helper.look(file, said, forms)
        except _Died as why:
            assert helper is not None
            log.warning("media.helper_died", pid=helper.pid, why=str(why))
            helper.end()
            helper = None
            raise
        finally:
            if helper is not None and helper.jobs >= JOBS:
                helper.end()
                helper = None
            self._idle.put(helper)
        return told


HELPERS = Helpers()
"""Those of this process."""
