"""The message broker's engine: a private RabbitMQ node that leaves the machine's own node alone."""

from __future__ import annotations

import base64
import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deploy.local import install
from deploy.local.child import Child, clean_environment
from deploy.local.engine import Engine, EngineFailed, EngineMissing, Progress, silent, write_private
from deploy.local.ports import Ports, listening

# Its own epmd knows only this node, so the name can be the same on every machine and in every test.
_NODE = "checkop@localhost"


def _server_script() -> Path | None:
    """The package's inner script: the outer one insists on the system user and directories."""
    return next(iter(sorted(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"), reverse=True)), None)


def _epmd() -> Path | None:
    found = [Path("/usr/bin/epmd"), *sorted(Path("/usr/lib/erlang").glob("erts-*/bin/epmd"))]
    return next((path for path in found if path.exists()), None)


class RabbitMQ(Engine):
    name = "rabbitmq"

    def __init__(self, data: Path, *, ports: Ports, user: str, password: str, progress: Progress = silent) -> None:
        super().__init__(data, progress=progress)
        self.port = ports["amqp"]
        self.management_port = ports["amqp_management"]
        self.prometheus_port = ports["amqp_prometheus"]
        self._distribution_port = ports["amqp_distribution"]
        self._epmd_port = ports["amqp_epmd"]
        self._user = user
        self._password = password
        self._epmd_child: Child | None = None

    @property
    def url(self) -> str:
        return self.url_of("/")

    def url_of(self, vhost: str) -> str:
        return f"amqp://{self._user}:{self._password}@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    @property
    def management_url(self) -> str:
        return f"http://{self._user}:{self._password}@127.0.0.1:{self.management_port}"

    def install(self) -> None:
        if _server_script() is None:
            install.debian_package("rabbitmq-server", component="RabbitMQ", progress=self.progress)
            install.keep_daemon_off("rabbitmq-server")

    def _spawn(self) -> Child:
        script = _server_script()
        if script is None:
            raise EngineMissing("RabbitMQ", "apt-get install rabbitmq-server")
        self._start_epmd()
        environment = clean_environment(
            HOME=str(self._home()),
            ERL_EPMD_ADDRESS="127.0.0.1",
            ERL_EPMD_PORT=str(self._epmd_port),
            RABBITMQ_NODENAME=_NODE,
            RABBITMQ_NODE_IP_ADDRESS="127.0.0.1",
            RABBITMQ_NODE_PORT=str(self.port),
            RABBITMQ_DIST_PORT=str(self._distribution_port),
            RABBITMQ_MNESIA_BASE=str(self.data / "mnesia"),
            RABBITMQ_LOG_BASE=str(self.data / "log"),
            RABBITMQ_PID_FILE=str(self.data / "node.pid"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(self._plugins()),
            RABBITMQ_CONFIG_FILE=str(self._configuration()),
            RABBITMQ_CONF_ENV_FILE="/dev/null",
            RABBITMQ_LOG="-color",
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}",
            # Makes the script become the node instead of waiting for it, so our signals reach the node.
            RUNNING_UNDER_SYSTEMD="true",
        )
        with self.log.open("wb") as log:
            return Child([str(script)], env=environment, output=log, cwd=self.data)

    def _start_epmd(self) -> None:
        """Started by us, or the node would leave a daemon of its own behind."""
        if self._epmd_child is not None and self._epmd_child.alive:
            return
        program = _epmd()
        if program is None:
            raise EngineMissing("Erlang (epmd)", "apt-get install erlang-base")
        self._epmd_child = Child(
            [str(program), "-address", "127.0.0.1", "-port", str(self._epmd_port)],
            env=clean_environment(HOME=str(self._home())),
            output=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while not listening(self._epmd_port):
            if not self._epmd_child.alive or time.monotonic() > deadline:
                raise EngineFailed(f"epmd does not listen on 127.0.0.1:{self._epmd_port}")
            time.sleep(0.02)

    def _home(self) -> Path:
        home = self.data / "home"
        home.mkdir(exist_ok=True, mode=0o700)
        return home

    def _plugins(self) -> Path:
        return write_private(self.data / "enabled_plugins", "[rabbitmq_management,rabbitmq_prometheus].\n")

    def _configuration(self) -> Path:
        settings = {
            "listeners.tcp.local": f"127.0.0.1:{self.port}",
            "management.tcp.ip": "127.0.0.1",
            "management.tcp.port": self.management_port,
            "prometheus.tcp.ip": "127.0.0.1",
            "prometheus.tcp.port": self.prometheus_port,
            "default_user": self._user,
            "default_pass": self._password,
            "loopback_users": "none",
            "log.file": "false",
            "log.console": "true",
            "log.console.level": "warning",
            "vm_memory_high_watermark.absolute": "1GB",
            "disk_free_limit.absolute": "200MB",
        }
        text = "".join(f"{name} = {value}\n" for name, value in settings.items())
        return write_private(self.data / "rabbitmq.conf", text)

    def _ready(self) -> bool:
        try:
            return listening(self.port) and bool(self.manage("GET", "/api/overview"))
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def manage(self, method: str, path: str, body: object = None) -> Any:
        """One call of the management API."""
        return manage(self.management_url, method, path, body)

    def stop(self) -> None:
        super().stop()
        self._stop_epmd()

    def kill(self) -> None:
        super().kill()
        self._stop_epmd()

    def _stop_epmd(self) -> None:
        child, self._epmd_child = self._epmd_child, None
        if child is not None:
            child.stop(grace=5)


def manage(management_url: str, method: str, path: str, body: object = None) -> Any:
    """One call of the management API of any RabbitMQ; the address carries user and password."""
    scheme, rest = management_url.split("://", 1)
    credentials, _, address = rest.rpartition("@")
    request = urllib.request.Request(
        f"{scheme}://{address.rstrip('/')}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": "Basic " + base64.b64encode(credentials.encode()).decode(),
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        answer = response.read()
    return json.loads(answer) if answer else None
