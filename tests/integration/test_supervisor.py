"""The supervisor brings programs back after a crash, keeps their words, and ends them in order."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import Program, ProgramFailed, Supervisor
from deploy.local.logstream import LogStream

HONEST = """
import os, signal, sys, time
def end(*_):
    open(os.environ["ENDED"], "a").write(os.environ["NAME"] + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
print("hello from", os.environ["NAME"], os.environ.get("FAULT", "healthy"), flush=True)
while True: time.sleep(0.1)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    return tmp_path / "ended"


@pytest.fixture
def supervisor(tmp_path: Path, ended: Path) -> Iterator[Supervisor]:
    def program(name: str) -> Program:
        env = {"NAME": name, "ENDED": str(ended), "PYTHONUNBUFFERED": "1"}
        return Program(name, (sys.executable, "-c", HONEST), env)

    with Supervisor([program("first"), program("second")], log=tmp_path / "log" / "checkop.log") as running:
        eventually(lambda: all("hello" in running.tail(name) for name in running.names))
        yield running


def eventually(holds: Callable[[], bool], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold"
        time.sleep(0.02)


def other_pid(supervisor: Supervisor, name: str, pid: int | None) -> bool:
    return supervisor.pid(name) not in (None, pid)


def test_a_killed_program_comes_back_and_the_others_do_not_notice(supervisor: Supervisor) -> None:
    first, second = supervisor.pid("first"), supervisor.pid("second")
    supervisor.kill("first")
    eventually(lambda: other_pid(supervisor, "first", first))
    assert supervisor.pid("second") == second
    assert supervisor.crashes("first") == 1


def test_a_crash_from_outside_is_a_crash_too(supervisor: Supervisor) -> None:
    pid = supervisor.pid("first")
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: other_pid(supervisor, "first", pid))


def test_a_program_that_is_stopped_stays_down_until_it_is_started(supervisor: Supervisor, ended: Path) -> None:
    supervisor.stop("first")
    assert ended.read_text() == "first\n"
    time.sleep(0.8)
    assert supervisor.pid("first") is None
    supervisor.start("first")
    assert supervisor.pid("first") is not None


def test_a_kill_without_return_leaves_it_down(supervisor: Supervisor) -> None:
    supervisor.kill("first", restart=False)
    eventually(lambda: supervisor.pid("first") is None)
    time.sleep(0.8)
    assert supervisor.pid("first") is None


def test_an_armed_fault_is_gone_after_the_crash_that_it_caused(supervisor: Supervisor) -> None:
    supervisor.stop("first")
    supervisor.start("first", {"FAULT": "armed"})
    eventually(lambda: "first armed" in supervisor.tail("first"))
    supervisor.kill("first")
    eventually(lambda: supervisor.tail("first").rstrip().endswith("hello from first healthy"))


def test_the_end_comes_in_reverse_order(tmp_path: Path, supervisor: Supervisor, ended: Path) -> None:
    supervisor.stop_all()
    assert ended.read_text() == "second\nfirst\n"
    log = (tmp_path / "log" / "checkop.log").read_text()
    assert "first            | hello from first healthy\n" in log


def test_a_program_that_does_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = Program("deaf", (sys.executable, "-c", DEAF), stop_grace=0.5)
    with Supervisor([deaf], log=tmp_path / "checkop.log") as supervisor:
        eventually(lambda: "deaf" in supervisor.tail("deaf"))
        pid = supervisor.pid("deaf")
    assert pid is not None
    assert not Path(f"/proc/{pid}").exists()


def test_a_program_that_never_becomes_ready_is_told_with_its_last_words(tmp_path: Path) -> None:
    broken = Program("broken", (sys.executable, "-c", "raise SystemExit('no database')"), ready=lambda: False)
    supervisor = Supervisor([broken], log=tmp_path / "checkop.log", start_timeout=1)
    with pytest.raises(ProgramFailed, match=r"broken did not become ready(.|\n)*no database"):
        supervisor.start_all()
    assert supervisor.pid("broken") is None


def test_restarts_come_more_slowly_each_time(tmp_path: Path) -> None:
    broken = Program("broken", (sys.executable, "-c", "import time; time.sleep(0.3); raise SystemExit(1)"))
    with Supervisor([broken], log=tmp_path / "checkop.log") as supervisor:
        eventually(lambda: supervisor.crashes("broken") >= 3)
        lines = supervisor.tail("broken").splitlines()
    pauses = [line.split("back in ")[1] for line in lines]
    assert pauses[:3] == ["0.5 s", "1.0 s", "2.0 s"]


def test_the_log_is_bounded(tmp_path: Path) -> None:
    log = LogStream(tmp_path / "checkop.log", limit=1_000)
    for number in range(100):
        log.write("first", f"line {number}")
    log.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"checkop.log", "checkop.log.1"}
    assert max(sizes.values()) < 1_100
    assert log.tail("first", 1) == "line 99"
