"""A child process that never outlives the process that started it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import IO

_PR_SET_PDEATHSIG = 1
# Bound before any fork: looking a library up between fork and exec could deadlock on a lock
# that another thread held at the moment of the fork.
_prctl = ctypes.CDLL(None, use_errno=True).prctl

_Job = tuple[Callable[[], subprocess.Popen[bytes]], "Future[subprocess.Popen[bytes]]"]
_jobs: SimpleQueue[_Job] = SimpleQueue()
_starter_lock = threading.Lock()
_starter: threading.Thread | None = None


def _die_with_parent() -> None:
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _start_children() -> None:
    while True:
        job, result = _jobs.get()
        try:
            result.set_result(job())
        except OSError as error:
            result.set_exception(error)


def _in_lasting_thread(job: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    """The kernel sends the death signal when the *thread* that forked ends, so one thread that
    lives as long as this process does all the forking."""
    global _starter
    with _starter_lock:
        if _starter is None:
            _starter = threading.Thread(target=_start_children, name="child-starter", daemon=True)
            _starter.start()
    result: Future[subprocess.Popen[bytes]] = Future()
    _jobs.put((job, result))
    return result.result()


class Child:
    """One running process in a session of its own, so that Ctrl-C reaches only its supervisor."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        output: IO[bytes] | int,
        cwd: Path | None = None,
    ) -> None:
        def spawn() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                list(argv),
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

        self._process = _in_lasting_thread(spawn)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        return self._process.poll()

    @property
    def alive(self) -> bool:
        return self.exit_code is None

    @property
    def output(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    def wait(self, timeout: float | None = None) -> int:
        return self._process.wait(timeout)

    def signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def stop(self, grace: float) -> bool:
        """Ask it to end, then insist; True when asking was enough."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self._end_session()
        return True

    def kill(self) -> None:
        self._end_session()
        self.signal(signal.SIGKILL)
        self.wait()

    def _end_session(self) -> None:
        """Helpers that the process left in its group go with it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def clean_environment(**additions: str) -> dict[str, str]:
    """What an engine needs of our environment and nothing more: no secret leaks into its logs."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "TZ", "TMPDIR") if name in os.environ}
    kept.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    return kept | additions


def tail(path: Path, lines: int = 15) -> str:
    """The last words of a log, for the error message that quotes them."""
    if not path.exists():
        return "(no log)"
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 16_384))
        text = file.read().decode(sys.getdefaultencoding(), "replace")
    return "\n".join(text.splitlines()[-lines:])
