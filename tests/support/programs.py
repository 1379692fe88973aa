"""The sample services as real processes: started, told where to fail, killed, and never left behind."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal

from deploy.local.child import Child, clean_environment, tail

REPOSITORY = Path(__file__).resolve().parents[2]
Role = Literal["service", "relay", "worker", "rebuild"]


class Program:
    """One process of a sample service; what it says stands in `log`."""

    def __init__(self, role: Role, service: str, env: Mapping[str, str], log: Path, module: str) -> None:
        self.name = f"{service}.{role}"
        self.role = role
        self.log = log
        with log.open("ab") as output:
            self._child = Child(
                [sys.executable, "-m", module, role, service],
                env=clean_environment(**env, PYTHONPATH=str(REPOSITORY), EVENTLET_NO_GREENDNS="yes"),
                output=output,
                cwd=REPOSITORY,
            )

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self._child.alive

    @property
    def exit_code(self) -> int | None:
        """How it ended; -9 for a SIGKILL."""
        return self._child.exit_code

    def ready(self, timeout: float = 30.0) -> Program:
        """Wait until it does its work. Raises AssertionError with its last words when it does not."""
        until(lambda: self.said(f'"{self.role}.ready"') or not self.alive, timeout, lambda: tail(self.log))
        assert self.alive, f"{self.name} ended with {self.exit_code}:\n{tail(self.log)}"
        return self

    def said(self, text: str) -> bool:
        """Whether its log has this text."""
        return text.encode() in self.log.read_bytes()

    def signal(self, number: int) -> None:
        """Faults that are no end, such as SIGSTOP and SIGCONT."""
        self._child.signal(number)

    def kill(self) -> None:
        """SIGKILL."""
        self._child.kill()

    def stop(self, grace: float = 15.0) -> bool:
        """SIGTERM; True when that was enough."""
        return self._child.stop(grace)

    def wait(self, timeout: float) -> int:
        """Until it ends by itself; answers its exit code."""
        return self._child.wait(timeout)


class Programs:
    """Starts programs with one environment and ends all of them."""

    def __init__(self, env: Mapping[str, str], logs: Path) -> None:
        self._env = dict(env)
        self._logs = logs
        self._started: list[Program] = []

    def start(
        self, role: Role, service: str, *, fault: str = "", module: str = "tests.support.program", **env: str
    ) -> Program:
        """One more process; `fault` as `point:nth:kill` or `point:nth:raise`."""
        log = self._logs / f"{len(self._started):03d}-{service}.{role}.log"
        program = Program(role, service, {**self._env, "CHECKOP_FAULT_POINT": fault, **env}, log, module)
        self._started.append(program)
        return program

    def __enter__(self) -> Programs:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, why: BaseException | None, where: TracebackType | None
    ) -> None:
        for program in self._started:
            program.kill()
        if kind is not None:
            for program in self._started:
                print(f"--- {program.log.name}\n{tail(program.log, 12)}")


def until(
    true: Callable[[], object], timeout: float, said: Callable[[], object] | str = "", pause: float = 0.02
) -> None:
    """Wait until something holds. Raises AssertionError with what `said` says when it does not come to hold."""
    deadline = time.monotonic() + timeout
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {said() if callable(said) else said}")
        time.sleep(pause)
