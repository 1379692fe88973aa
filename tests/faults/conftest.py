"""Engines that these tests kill and break, and the sample services as processes on them."""

from __future__ import annotations

import itertools
import logging as stdlib_logging
from collections.abc import Iterator
from pathlib import Path

import pymongo
import pytest

from deploy.local import LocalStack
from services.kernel import logging
from tests.support.engines import breakable

logging.configure("tests", "CRITICAL")
stdlib_logging.getLogger("pika").setLevel("CRITICAL")
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A database and a broker of these tests' own."""
    with breakable(tmp_path_factory.mktemp("breakable"), "mongod", "rabbitmq") as started:
        with pymongo.MongoClient[dict[str, object]](started.mongod.url) as client:
            # Documents that a killed process had in a transaction are free again after so long.
            client.admin.command("setParameter", 1, transactionLifetimeLimitSeconds=2)
        yield started


def make_corner(engines: LocalStack, home: Path) -> dict[str, str]:
    """The environment of programs in an empty corner of the engines: databases, keyring, virtual host."""
    number = next(_numbers)
    vhost = f"faults-{number}"
    engines.rabbitmq.manage("PUT", f"/api/vhosts/{vhost}")
    keyring = home / "keyring"
    keyring.mkdir()
    return engines.env | {
        "AMQP_URL": engines.rabbitmq.url_of(vhost),
        "CHECKOP_DB_PREFIX": f"faults{number}_",
        "CHECKOP_KEYRING_DIR": str(keyring),
        "CHECKOP_PARKED_AFTER_SECONDS": "1",
        "CHECKOP_TIMER_LEASE_SECONDS": "1",
    }


@pytest.fixture
def corner(engines: LocalStack, tmp_path: Path) -> dict[str, str]:
    """A corner for one test."""
    return make_corner(engines, tmp_path)
