"""Puts a missing engine on a Debian machine without starting its system-wide daemon."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from deploy.local.child import tail
from deploy.local.engine import EngineFailed, EngineMissing, Progress

_POLICY = Path("/usr/sbin/policy-rc.d")


def _privileged() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    return ["sudo", "-n"] if shutil.which("sudo") else None


def debian_package(package: str, *, component: str, progress: Progress) -> None:
    prefix = _privileged()
    command = f"apt-get install {package}"
    if shutil.which("apt-get") is None or prefix is None:
        raise EngineMissing(component, f"sudo {command}")
    progress(f"installing {component} ({command}), once per machine")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y"]
    apt += ["-o", "DPkg::Lock::Timeout=300"]
    with tempfile.NamedTemporaryFile(suffix=".log") as log, _no_daemon_starts(prefix):
        # A bare machine has no package lists yet; a machine in use may have stale ones.
        _run([*apt, "update"], log.name)
        if not _run([*apt, "install", "--no-install-recommends", package], log.name):
            raise EngineFailed(
                f"{component} could not be installed with: {' '.join([*prefix, command])}\n{tail(Path(log.name))}"
            )


def _run(argv: list[str], log: str) -> bool:
    with Path(log).open("ab") as file:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=file, stderr=file, check=False)
    return done.returncode == 0


@contextlib.contextmanager
def _no_daemon_starts(prefix: list[str]) -> Iterator[None]:
    """Debian asks this file before a package starts its daemon; one that is there stays as it is."""
    if _POLICY.exists():
        yield
        return
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as script:
        script.write("#!/bin/sh\nexit 101\n")
        script.flush()
        place = [*prefix, "install", "-m", "755", script.name, str(_POLICY)]
        subprocess.run(place, check=True)
    try:
        yield
    finally:
        subprocess.run([*prefix, "rm", "-f", str(_POLICY)], check=True)


def keep_daemon_off(service: str) -> None:
    """We installed the package for its program only: its daemon must not come with the next boot."""
    prefix = _privileged()
    if prefix is not None and Path("/run/systemd/system").exists():
        disable = [*prefix, "systemctl", "disable", "--now", service]
        subprocess.run(disable, check=False, capture_output=True)
