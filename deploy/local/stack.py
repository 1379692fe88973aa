"""The engines of one local stack, started together, and the environment in which programs find them."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Literal

from deploy.local import credentials, ports
from deploy.local.engine import Engine, Progress, silent, write_private
from deploy.local.mail import Mail
from deploy.local.mongod import Mongod
from deploy.local.objects import ObjectStore
from deploy.local.rabbitmq import RabbitMQ

EngineName = Literal["mongod", "rabbitmq", "objects", "mail"]
ALL: tuple[EngineName, ...] = ("mongod", "rabbitmq", "objects", "mail")

# Where the operator names an engine that already runs, that one is used instead of ours.
_GIVEN: dict[EngineName, str] = {
    "mongod": "MONGO_URL",
    "rabbitmq": "AMQP_URL",
    "objects": "S3_ENDPOINT",
    "mail": "SMTP_URL",
}
_COMPANIONS: dict[EngineName, tuple[str, ...]] = {
    "mongod": (),
    "rabbitmq": ("RABBITMQ_MANAGEMENT_URL",),
    "objects": ("S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_GATEWAY_ACCESS_KEY", "S3_GATEWAY_SECRET_KEY"),
    "mail": ("MAILBOX_URL",),
}
_PORTS: dict[EngineName, tuple[str, ...]] = {
    "mongod": ("mongo",),
    "rabbitmq": tuple(name for name in ports.FIXED if name.startswith("amqp")),
    "objects": tuple(name for name in ports.FIXED if name.startswith("s3")),
    "mail": ("smtp", "mailbox"),
}


class StackBusy(RuntimeError):
    """Another process runs a stack on this data directory."""


class LocalStack:
    """Engines on `root`: `start()` blocks until all are ready, `env` tells programs where they are."""

    mongod: Mongod
    rabbitmq: RabbitMQ
    objects: ObjectStore
    mail: Mail

    def __init__(
        self,
        root: Path,
        *,
        ports: Literal["free", "fixed"] | Mapping[str, int] = "free",
        engines: Collection[EngineName] = ALL,
        fail_points: bool = False,
        progress: Progress = silent,
    ) -> None:
        self.root = root.resolve()
        self._wanted_ports = ports
        self._given = {name for name in engines if _GIVEN[name] in os.environ}
        self._owned = [name for name in ALL if name in engines and name not in self._given]
        self._fail_points = fail_points
        self._progress = progress
        self._lock: IO[str] | None = None
        self.engines: list[Engine] = []
        self.ports: dict[str, int] = {}
        self.env: dict[str, str] = {}

    def start(self) -> LocalStack:
        self._hold_directory()
        try:
            self._build()
            ports.check_available(self.ports, [port for name in self._owned for port in _PORTS[name]])
            # Packages first and one after the other: their installers share one lock.
            for engine in self.engines:
                engine.install()
            self._on_all(lambda engine: engine.start())
            write_private(self.root / "env.json", json.dumps(self.env, indent=1) + "\n")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        self._on_all(lambda engine: engine.stop())
        (self.root / "env.json").unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> LocalStack:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _hold_directory(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = (self.root / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as busy:
            lock.close()
            raise StackBusy(f"A stack already runs on {self.root} (pid {owner(self.root)})") from busy
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _build(self) -> None:
        self.ports = ports.resolve(self._wanted_ports, self.root / "ports.json")
        secret = credentials.load_or_make(self.root / "secrets.json")
        self.mongod = Mongod(
            self.root / "mongod",
            port=self.ports["mongo"],
            fail_points=self._fail_points,
            progress=self._progress,
        )
        self.rabbitmq = RabbitMQ(
            self.root / "rabbitmq",
            ports=self.ports,
            user=secret.amqp_user,
            password=secret.amqp_password,
            progress=self._progress,
        )
        self.objects = ObjectStore(
            self.root / "objects",
            ports=self.ports,
            owner=(secret.s3_access_key, secret.s3_secret_key),
            gateway=(secret.s3_gateway_access_key, secret.s3_gateway_secret_key),
            progress=self._progress,
        )
        self.mail = Mail(
            self.root / "mail",
            smtp_port=self.ports["smtp"],
            http_port=self.ports["mailbox"],
            progress=self._progress,
        )
        self.engines = [getattr(self, name) for name in self._owned]
        self.env = self._environment(secret)

    def _environment(self, secret: credentials.Credentials) -> dict[str, str]:
        keyring = self.root / "keyring"
        keyring.mkdir(exist_ok=True, mode=0o700)
        env = {
            "CHECKOP_KEYRING_DIR": str(keyring),
            "CHECKOP_KEYRING_KEK": secret.keyring_kek,
            "CHECKOP_TOKEN_SEED": secret.token_seed,
            "CHECKOP_GATEWAY_URL": f"http://127.0.0.1:{self.ports['gateway']}",
        }
        if "mongod" in self._owned:
            env["MONGO_URL"] = self.mongod.url
        if "rabbitmq" in self._owned:
            env["AMQP_URL"] = self.rabbitmq.url
            env["RABBITMQ_MANAGEMENT_URL"] = self.rabbitmq.management_url
        if "objects" in self._owned:
            env["S3_ENDPOINT"] = self.objects.url
            env["S3_ACCESS_KEY"] = secret.s3_access_key
            env["S3_SECRET_KEY"] = secret.s3_secret_key
            env["S3_GATEWAY_ACCESS_KEY"] = secret.s3_gateway_access_key
            env["S3_GATEWAY_SECRET_KEY"] = secret.s3_gateway_secret_key
        if "mail" in self._owned:
            env["SMTP_URL"] = self.mail.url
            env["MAILBOX_URL"] = self.mail.mailbox_url
        for name in self._given:
            for variable in (_GIVEN[name], *_COMPANIONS[name]):
                if variable in os.environ:
                    env[variable] = os.environ[variable]
        return env

    def _on_all(self, action: Callable[[Engine], None]) -> None:
        """On every engine at once; all are let finish before the first failure is told."""
        if not self.engines:
            return
        with ThreadPoolExecutor(len(self.engines)) as pool:
            outcomes = [pool.submit(action, engine) for engine in self.engines]
        for outcome in outcomes:
            outcome.result()


def owner(root: Path) -> int | None:
    """The process that runs a stack on this directory, if one does."""
    path = root / "lock"
    if not path.exists():
        return None
    with path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(path.read_text() or 0) or None
    return None
