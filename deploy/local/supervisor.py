"""Keeps the programs of the platform running: one log, restart on crash, an orderly end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.child import Child
from deploy.local.engine import Engine, EngineFailed, write_private
from deploy.local.logstream import LogStream

_WATCH_EVERY = 0.05
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
# A program that ran this long was healthy: its next crash is a new story.
_HEALTHY_AFTER = 30.0
# An engine that is not quite there yet explains a crash or two at the start, and no more.
_CRASHES_UNTIL_HOPELESS = 4


@dataclass(frozen=True)
class Program:
    """What to run; `env` is added to our own environment, `ready` answers whether it does its work."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[[], bool] | None = None
    stop_grace: float = 15.0


class ProgramFailed(RuntimeError):
    """A program did not come up; quotes its last lines."""


class _Run:
    """One program and its present life. Every change of it happens under its lock."""

    def __init__(self, program: Program, log: LogStream) -> None:
        self.program = program
        self.lock = threading.RLock()
        self.wanted = False
        self.crashes = 0
        self._log = log
        self._child: Child | None = None
        self._born = 0.0
        self._pause = 0.0
        self._next_start = 0.0

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child is not None and self._child.alive else None

    def spawn(self, extra: Mapping[str, str]) -> None:
        env = {**os.environ, **self.program.env, **extra}
        child = Child(self.program.argv, env=env, output=subprocess.PIPE)
        self._child = child
        self._born = time.monotonic()
        threading.Thread(target=self._log.drain, args=(self.program.name, child.output), daemon=True).start()

    def look_after(self, now: float) -> None:
        """Brings a crashed program back, more slowly each time that it does not last."""
        if not self.wanted or self.alive:
            return
        if self._child is not None:
            code, lasted = self._child.exit_code, now - self._born
            self._child = None
            self.crashes += 1
            longer = 0.0 if lasted > _HEALTHY_AFTER else self._pause * 2
            self._pause = min(max(longer, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._next_start = now + self._pause
            self._log.write(self.program.name, f"ended with code {code}; back in {self._pause:.1f} s")
        elif now >= self._next_start:
            self.spawn({})

    def end(self) -> None:
        self.wanted = False
        child, self._child = self._child, None
        if child is not None and not child.stop(self.program.stop_grace):
            self._log.write(self.program.name, "did not end when asked to and was killed")

    def signal(self, number: int) -> None:
        if self._child is not None:
            self._child.signal(number)


class Supervisor:
    """Starts programs in order, restarts what crashes, stops the last one first and then the rest.

    It watches from a thread and installs no signal handler, so it serves the command line and
    tests alike. Engines that are handed over are watched too, for machines where nobody looks.
    """

    def __init__(
        self,
        programs: Iterable[Program],
        *,
        log: Path,
        echo: bool = False,
        engines: Sequence[Engine] = (),
        start_timeout: float = 90.0,
        state: Path | None = None,
    ) -> None:
        self._log = LogStream(log, echo=echo)
        self._runs = {program.name: _Run(program, self._log) for program in programs}
        self._engines = engines
        self._start_timeout = start_timeout
        # Where other processes (`status`) read which programs run.
        self._state = state
        self._told: dict[str, dict[str, int | None]] = {}
        self._closing = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    @property
    def names(self) -> list[str]:
        return list(self._runs)

    def start_all(self) -> None:
        """All at once, for a fast start; then waits until each is ready."""
        self._watcher.start()
        try:
            for name in self._runs:
                self._begin(name, {})
            deadline = time.monotonic() + self._start_timeout
            for name in self._runs:
                self._await_ready(name, deadline)
        except BaseException:
            self.stop_all()
            raise

    def stop_all(self) -> None:
        # The watcher first, or it would bring an engine back while we end.
        self._closing.set()
        if self._watcher.is_alive():
            self._watcher.join()
        # The last one is the door: whoever still waits there needs the others for his answer.
        names = list(self._runs)
        with ThreadPoolExecutor(max(len(names), 1)) as each:
            for together in (names[-1:], names[:-1]):
                list(each.map(self.stop, together))
        if self._state is not None:
            self._state.unlink(missing_ok=True)
        self._log.close()

    def __enter__(self) -> Supervisor:
        self.start_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def start(self, name: str, env: Mapping[str, str] | None = None, *, wait: bool = True) -> None:
        """`env` is for this life only: after a crash the program comes back without it."""
        self._begin(name, env or {})
        if wait:
            self._await_ready(name, time.monotonic() + self._start_timeout)

    def stop(self, name: str) -> None:
        """Ends it in good order; it stays down until start()."""
        run = self._runs[name]
        with run.lock:
            run.end()

    def kill(self, name: str, *, restart: bool = True) -> None:
        """SIGKILL. By default it comes back on its own, as after any crash."""
        run = self._runs[name]
        with run.lock:
            run.wanted = restart
            run.signal(signal.SIGKILL)

    def signal(self, name: str, number: int) -> None:
        """Any other signal, such as SIGSTOP and SIGCONT."""
        self._runs[name].signal(number)

    def restart(self, name: str) -> None:
        self.stop(name)
        self.start(name)

    def pid(self, name: str) -> int | None:
        return self._runs[name].pid

    def crashes(self, name: str) -> int:
        """How often it ended without being asked to."""
        return self._runs[name].crashes

    def tail(self, name: str, lines: int = 30) -> str:
        """Its last lines, for an error message or an assertion."""
        return self._log.tail(name, lines)

    def _begin(self, name: str, extra: Mapping[str, str]) -> None:
        run = self._runs[name]
        with run.lock:
            run.wanted = True
            if not run.alive:
                run.spawn(extra)

    def _await_ready(self, name: str, deadline: float) -> None:
        run = self._runs[name]
        hopeless = run.crashes + _CRASHES_UNTIL_HOPELESS
        while not (run.alive and (run.program.ready is None or run.program.ready())):
            if time.monotonic() > deadline or run.crashes >= hopeless:
                raise ProgramFailed(f"{name} did not become ready. Its last lines:\n{self.tail(name)}")
            time.sleep(_WATCH_EVERY)

    def _watch(self) -> None:
        while not self._closing.wait(_WATCH_EVERY):
            for run in self._runs.values():
                # A program that is being ended holds its lock; it needs no looking after.
                if run.lock.acquire(blocking=False):
                    try:
                        run.look_after(time.monotonic())
                    finally:
                        run.lock.release()
            for engine in self._engines:
                if engine.crashed:
                    self._revive(engine)
            self._tell_state()

    def _tell_state(self) -> None:
        if self._state is None:
            return
        now = {name: {"pid": run.pid, "crashes": run.crashes} for name, run in self._runs.items()}
        if now != self._told:
            self._told = now
            write_private(self._state, json.dumps(now))

    def _revive(self, engine: Engine) -> None:
        self._log.write(engine.name, "ended unexpectedly; starting it again")
        try:
            engine.start()
        except (EngineFailed, OSError) as error:
            self._log.write(engine.name, str(error))
