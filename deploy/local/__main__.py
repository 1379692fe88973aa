"""The command line of the local stack: bring it up, look at it, take it down."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.table import Column, Table

from deploy.local import ports
from deploy.local.engine import EngineFailed, EngineMissing
from deploy.local.ports import PortTaken
from deploy.local.programs import REPOSITORY, platform
from deploy.local.stack import LocalStack, StackBusy, owner
from deploy.local.supervisor import ProgramFailed, Supervisor

_SEED = "deploy.demo.seed"
_ADDRESSES = {
    "gateway": "CHECKOP_GATEWAY_URL",
    "MongoDB": "MONGO_URL",
    "RabbitMQ": "AMQP_URL",
    "RabbitMQ management": "RABBITMQ_MANAGEMENT_URL",
    "object store (S3)": "S3_ENDPOINT",
    "mailbox": "MAILBOX_URL",
    "SMTP": "SMTP_URL",
}
_HELP = """\
The whole platform on this machine, without containers.

  up        everything: engines, services, relays, workers, gateway; Ctrl-C ends all of it
  engines   only MongoDB, RabbitMQ, the S3 store and the mailbox; prints what programs need as exports
  status    what runs, where it listens, who may log in
  exec      runs a command with what programs need in its environment:  exec -- env
  down      ends what `up` or `engines` started, from another terminal

What it writes is under .local/ (or --data); delete that directory to begin anew.
"""
_PORT_HELP = "Ports and their variables:\n" + "\n".join(
    f"  {ports.variable(name):<32} {port}" for name, port in ports.FIXED.items()
)
_GIVEN_HELP = """
Set MONGO_URL, AMQP_URL (with RABBITMQ_MANAGEMENT_URL), S3_ENDPOINT (with S3_ACCESS_KEY and
S3_SECRET_KEY) or SMTP_URL (with MAILBOX_URL) to use an engine that already runs instead of a private one.
"""

console = Console(stderr=True, highlight=False)


class Ended(BaseException):
    """Somebody asked this process to end; not an Exception, so that nothing swallows it."""


def _end_on_signals() -> None:
    def end(_number: int, _frame: FrameType | None) -> NoReturn:
        # Once is enough: what is being cleaned up must not be interrupted.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        raise Ended

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


def _say(message: str) -> None:
    console.print(f"[dim]·[/dim] {message}")


def _stack(options: argparse.Namespace) -> LocalStack:
    return LocalStack(
        options.data,
        ports="free" if options.free_ports else "fixed",
        fail_points=getattr(options, "fail_points", False),
        progress=_say,
    )


def up(options: argparse.Namespace) -> None:
    stack = _stack(options)
    with stack:
        ports.check_available(stack.ports, ["gateway"])
        _say("starting the services, their relays and workers, and the gateway")
        supervisor = Supervisor(
            platform(stack.env),
            log=options.data / "log" / "checkop.log",
            echo=True,
            engines=stack.engines,
            state=options.data / "programs.json",
        )
        with supervisor:
            _load_demo_data(options.data, stack.env)
            _show(options.data, stack.env)
            _say("running; Ctrl-C ends it")
            _wait_until_ended()


def engines(options: argparse.Namespace) -> None:
    stack = _stack(options)
    with stack:
        for name, value in stack.env.items():
            print(f"export {name}={shlex.quote(value)}", flush=True)
        _say("running; Ctrl-C ends it")
        _wait_until_ended()


def _wait_until_ended() -> None:
    """Everything else happens in threads; a signal raises Ended here."""
    while True:
        signal.pause()


def _load_demo_data(data: Path, env: dict[str, str]) -> None:
    """Once per data directory: the seed writes who may log in to the file that it is given."""
    people = data / "demo.json"
    if people.exists() or not _seed_exists():
        return
    _say("loading the demo data")
    done = subprocess.run(
        [sys.executable, "-m", _SEED],
        env={**os.environ, **env, "PYTHONPATH": str(REPOSITORY), "CHECKOP_DEMO_FILE": str(people)},
        check=False,
    )
    if done.returncode != 0:
        console.print("[yellow]The demo data could not be loaded; the next start goes on with it.[/yellow]")


def _seed_exists() -> bool:
    try:
        return importlib.util.find_spec(_SEED) is not None
    except ModuleNotFoundError:
        return False


def status(options: argparse.Namespace) -> None:
    pid = owner(options.data)
    if pid is None:
        console.print("Nothing runs. Start it with:  make run")
        sys.exit(3)
    console.print(f"Running since process {pid} started it; data in {options.data}")
    described = options.data / "env.json"
    if not described.exists():
        console.print("It is still starting.")
        return
    _show(options.data, json.loads(described.read_text()))
    programs = options.data / "programs.json"
    if programs.exists():
        table = Table("program", "pid", "crashes")
        for name, run in json.loads(programs.read_text()).items():
            table.add_row(name, str(run["pid"] or "down"), str(run["crashes"]))
        Console().print(table)


def _show(data: Path, env: dict[str, str]) -> None:
    table = Table("what", Column("where", overflow="fold"), title="CheckOP on this machine")
    for what, variable in _ADDRESSES.items():
        if variable in env:
            table.add_row(what, env[variable])
    Console().print(table)
    people = data / "demo.json"
    if people.exists():
        rows = json.loads(people.read_text())
        columns = list(rows[0]) if rows else []
        who = Table(*(Column(name, overflow="fold") for name in columns), title="Who may log in")
        for row in rows:
            who.add_row(*(str(row.get(column, "")) for column in columns))
        Console().print(who)


def run_with_environment(options: argparse.Namespace) -> None:
    """Where nothing runs here, the command gets our own environment: engines may be elsewhere."""
    described = options.data / "env.json"
    env = json.loads(described.read_text()) if owner(options.data) and described.exists() else {}
    sys.stdout.flush()
    # What the caller set by hand is meant.
    os.execvpe(options.command[0], options.command, {**env, **os.environ})  # noqa: S606


def down(options: argparse.Namespace) -> None:
    pid = owner(options.data)
    if pid is None:
        console.print("Nothing runs.")
        return
    os.kill(pid, signal.SIGTERM)
    _say(f"asked process {pid} to end")
    deadline = time.monotonic() + 120
    while owner(options.data) == pid:
        if time.monotonic() > deadline:
            console.print(f"[red]Process {pid} did not end within two minutes.[/red]")
            sys.exit(1)
        time.sleep(0.1)
    _say("ended")


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, default=REPOSITORY / ".local", help="default: .local/")
    starting = argparse.ArgumentParser(add_help=False, parents=[common])
    starting.add_argument("--free-ports", action="store_true", help="any free ports instead of the fixed ones")

    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description=_HELP,
        epilog=_PORT_HELP + "\n" + _GIVEN_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="up | engines | status | exec | down")
    _verb(verbs.add_parser("up", parents=[starting], help="everything, in the foreground"), up)
    only = verbs.add_parser("engines", parents=[starting], help="only the engines; prints exports")
    only.add_argument("--fail-points", action="store_true", help="let tests make MongoDB fail on purpose")
    _verb(only, engines)
    _verb(verbs.add_parser("status", parents=[common], help="what runs, and where"), status)
    given = verbs.add_parser("exec", parents=[common], help="run a command in the environment of what runs")
    given.add_argument("command", nargs="+", metavar="-- command")
    _verb(given, run_with_environment)
    _verb(verbs.add_parser("down", parents=[common], help="end what runs"), down)
    return parser


def _verb(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], None]) -> None:
    parser.set_defaults(action=action)


def main() -> int:
    options = _parser().parse_args()
    options.data = options.data.resolve()
    if options.action in (up, engines):
        _end_on_signals()
    try:
        options.action(options)
    except Ended:
        _say("ended")
    except (EngineMissing, EngineFailed, PortTaken, StackBusy, ProgramFailed) as problem:
        console.print(str(problem), style="red", markup=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
