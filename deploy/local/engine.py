"""An engine of the local stack: found or installed, started until it is ready, stopped without a trace."""

from __future__ import annotations

import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from deploy.local.child import Child, tail

Progress = Callable[[str], None]


def silent(_message: str) -> None:
    """Progress that nobody wants to see."""


class EngineMissing(RuntimeError):
    """A component is not on this machine; says which, and the command that installs it."""

    def __init__(self, component: str, command: str) -> None:
        super().__init__(f"{component} is not installed. Install it with:  {command}")
        self.component = component
        self.command = command


class EngineFailed(RuntimeError):
    """An engine did not come up; quotes the end of its log."""


class Engine(ABC):
    """One engine on one data directory and fixed ports: it can stop, be killed and come back."""

    name: str
    start_timeout = 90.0
    stop_grace = 20.0

    def __init__(self, data: Path, *, progress: Progress = silent) -> None:
        self.data = data
        self.progress = progress
        self._child: Child | None = None

    @property
    @abstractmethod
    def url(self) -> str: ...

    @abstractmethod
    def install(self) -> None:
        """Make sure that the component is on this machine, or raise EngineMissing."""

    @abstractmethod
    def _spawn(self) -> Child: ...

    @abstractmethod
    def _ready(self) -> bool:
        """Whether it does its work; called until it answers True."""

    @property
    def log(self) -> Path:
        return self.data / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.alive else None

    @property
    def crashed(self) -> bool:
        """It ended although nobody asked it to."""
        return self._child is not None and not self._child.alive

    def start(self) -> None:
        if self.pid is not None:
            return
        self.install()
        self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.progress(f"starting {self.name}")
        began = time.monotonic()
        self._child = self._spawn()
        try:
            self._wait_until_ready(self._child, began + self.start_timeout)
        except BaseException:
            self.kill()
            raise
        self.progress(f"{self.name} is ready after {time.monotonic() - began:.1f} s")

    def _wait_until_ready(self, child: Child, deadline: float) -> None:
        while not self._ready():
            if not child.alive:
                raise EngineFailed(
                    f"{self.name} ended with code {child.exit_code} while starting. "
                    f"The end of its log:\n{tail(self.log)}"
                )
            if time.monotonic() > deadline:
                raise EngineFailed(
                    f"{self.name} was not ready after {self.start_timeout:.0f} s. The end of its log:\n{tail(self.log)}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.stop(self.stop_grace)

    def kill(self) -> None:
        """SIGKILL: what a power cut looks like to the engine. Comes back with start()."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    def signal(self, number: int) -> None:
        """Faults that are no end, such as SIGSTOP and SIGCONT."""
        if self._child is not None:
            self._child.signal(number)

    def __enter__(self) -> Engine:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def write_private(path: Path, text: str) -> Path:
    """A file that only its owner reads, complete from the first moment that anyone sees it."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)
    return path
