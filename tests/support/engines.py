"""Engines that a test may break: a mongod (and a broker) of its own, with the server's own points of failure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo

from deploy.local import LocalStack
from deploy.local.stack import EngineName


def breakable(root: Path, *engines: EngineName) -> LocalStack:
    """A private stack of these engines, not yet started."""
    return LocalStack(root, ports="free", engines=engines, fail_points=True)


@contextmanager
def failing(mongo_url: str, *commands: str, times: int, app: str = "checkop", **how: Any) -> Iterator[None]:
    """The next `times` of these server commands of the platform's clients go wrong in this way."""
    with pymongo.MongoClient[dict[str, Any]](mongo_url) as client:
        point = {"failCommands": list(commands), "appName": app, **how}
        client.admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": point})
        try:
            yield
        finally:
            client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
