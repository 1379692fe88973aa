"""The programs of the platform, and how one sees that each does its work."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pika.exceptions

from deploy.local.ports import listening
from deploy.local.supervisor import Program

REPOSITORY = Path(__file__).resolve().parents[2]
SERVICES = ("identity", "tasks", "forms", "billing", "media")
# The gateway stands towards the world: it can neither read the data nor make a token.
_NOT_FOR_THE_GATEWAY = {"MONGO_URL", "CHECKOP_KEYRING_DIR", "CHECKOP_KEYRING_KEK", "CHECKOP_TOKEN_SEED"}


def platform(env: Mapping[str, str], services: Iterable[str] = SERVICES) -> list[Program]:
    """In the order of their start: those who answer before those who ask."""
    shared = {
        **env,
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        # The hub's own resolver opens files that the platform does not need, and misreads some.
        "EVENTLET_NO_GREENDNS": "yes",
    }
    started = tuple(services)
    programs = [program for service in started for program in _of(service, shared)]
    return [*programs, _gateway(shared, complete=set(started) >= set(SERVICES))]


def _of(service: str, env: Mapping[str, str]) -> list[Program]:
    def run(role: str, ready: Callable[[], bool] | None = None) -> Program:
        argv = (sys.executable, "-m", "services.kernel.run", role, service)
        return Program(f"{service}.{role}", argv, env, ready)

    return [
        run("service", ready=_answers_calls(env["AMQP_URL"], service)),
        run("relay"),
        run("worker"),
    ]


def _gateway(env: Mapping[str, str], *, complete: bool) -> Program:
    port = urlsplit(env["CHECKOP_GATEWAY_URL"]).port or 8080
    argv = [sys.executable, "-m", "uvicorn", "--factory", "gateway.app:create_app"]
    argv += ["--host", "127.0.0.1", "--port", str(port), "--no-server-header", "--no-access-log"]
    # The gateway itself decides which proxy to believe; the server would believe everybody on this machine.
    argv += ["--no-proxy-headers"]
    # Live streams stay open for hours: an orderly end must not wait for them.
    argv += ["--timeout-graceful-shutdown", "5"]
    told = {name: value for name, value in env.items() if name not in _NOT_FOR_THE_GATEWAY}
    # Where the object store knows it by keys of its own, it does not get those that open everything.
    for name in ("S3_ACCESS_KEY", "S3_SECRET_KEY"):
        own = told.pop(name.replace("S3_", "S3_GATEWAY_"), None)
        told |= {name: own} if own else {}
    told.setdefault("CHECKOP_PUBLIC_URL", env["CHECKOP_GATEWAY_URL"])
    # It calls itself ready when all services answer, which it can never do when some are left out.
    ready = _says_that_it_is_ready(port) if complete else lambda: listening(port)
    return Program("gateway", argv, told, ready)


def _says_that_it_is_ready(port: int) -> Callable[[], bool]:
    def ready() -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
                return bool(answer.status == HTTPStatus.OK)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    return ready


def _answers_calls(amqp_url: str, service: str) -> Callable[[], bool]:
    """A service answers once somebody consumes from its call queue."""

    def ready() -> bool:
        try:
            connection = pika.BlockingConnection(pika.URLParameters(amqp_url))
        except pika.exceptions.AMQPConnectionError:
            return False
        try:
            queue = connection.channel().queue_declare(f"calls.{service}", passive=True)
            return bool(queue.method.consumer_count)
        except pika.exceptions.ChannelClosedByBroker:
            return False
        finally:
            connection.close()

    return ready
