"""The ground a run stands on: engines (our own or given ones), a corner of them for this run, processes."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pymongo

from deploy.local import LocalStack
from deploy.local.programs import REPOSITORY
from deploy.local.rabbitmq import manage
from deploy.local.supervisor import Program


@dataclass
class Ground:
    """Where the engines are, how long they took to come up, and which measures to take how long."""

    env: dict[str, str]
    home: Path
    quick: bool
    engines_started_in: float | None
    pids: dict[str, int] = field(default_factory=dict)
    closing: ExitStack = field(default_factory=ExitStack)

    def pick(self, full: float, quick: float) -> float:
        """The length or size of a measure: the full one, or that of a smoke run."""
        return quick if self.quick else full

    @property
    def rounds(self) -> int:
        """How many turns baseline and ours take."""
        return 2 if self.quick else 5

    def apart(self, name: str) -> dict[str, str]:
        """The environment of a measure whose facts no other measure's platform is to follow."""
        env = {**self.env, "CHECKOP_DB_PREFIX": f"{self.env['CHECKOP_DB_PREFIX']}{name}_"}
        vhost = self.env["AMQP_URL"].rsplit("/", 1)[1]
        self.closing.enter_context(_own_vhost(env, f"{vhost}-{name}"))
        return env

    def program(self, name: str, *argv: str) -> Program:
        """A process of this run."""
        return Program(name, (sys.executable, *argv), self.env)


@contextmanager
def ground(quick: bool) -> Iterator[Ground]:
    """Start what is not given by MONGO_URL and AMQP_URL; own database names and virtual host, removed at the end."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="checkop-bench-")))
        engines = LocalStack(home, engines=("mongod", "rabbitmq", "objects", "mail"))
        began = time.perf_counter()
        stack.enter_context(engines)
        took = time.perf_counter() - began
        prefix = f"bench{secrets.token_hex(3)}_"
        env = {
            **engines.env,
            "CHECKOP_DB_PREFIX": prefix,
            "CHECKOP_LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(REPOSITORY),
            "PYTHONUNBUFFERED": "1",
            "EVENTLET_NO_GREENDNS": "yes",
        }
        stack.enter_context(_own_vhost(env, prefix.rstrip("_")))
        stack.callback(_drop_databases, env["MONGO_URL"], prefix)
        made = Ground(env, home, quick, took if engines.engines else None)
        stack.enter_context(made.closing)
        for engine in ("mongod", "rabbitmq", "objects"):
            running = getattr(engines, engine)
            if running in engines.engines and running.pid is not None:
                made.pids[engine] = running.pid
        os.environ.update(env)
        yield made


@contextmanager
def _own_vhost(env: dict[str, str], name: str) -> Iterator[None]:
    api = env.get("RABBITMQ_MANAGEMENT_URL")
    if api is None:
        yield
        return
    path = f"/api/vhosts/{quote(name, safe='')}"
    manage(api, "PUT", path)
    env["AMQP_URL"] = f"{env['AMQP_URL'].rsplit('/', 1)[0]}/{name}"
    try:
        yield
    finally:
        manage(api, "DELETE", path)


def _drop_databases(mongo_url: str, prefix: str) -> None:
    with pymongo.MongoClient[dict[str, object]](mongo_url) as client:
        for name in client.list_database_names():
            if name.startswith(prefix):
                client.drop_database(name)
