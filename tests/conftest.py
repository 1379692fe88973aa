"""What tests share: one set of engines for the whole run, a fresh corner of them for each module."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import pymongo
import pytest
from hypothesis import HealthCheck, settings
from minio import Minio

from deploy.local import LocalStack
from deploy.local.rabbitmq import manage
from services.kernel import faults

# How long an example takes says something about the machine, and nothing about the property.
settings.register_profile("checkop", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("checkop")

_DIRECTORIES = ("unit", "contract", "integration", "system", "faults", "architecture")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test is of the kind of its directory, so `-m integration` needs no decorator."""
    root = Path(__file__).parent
    for item in items:
        kind = item.path.relative_to(root).parts[0]
        if kind in _DIRECTORIES:
            item.add_marker(kind)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A test that did not run proves nothing, so a skipped one fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    left_out = [kind for kind in ("skipped", "xfailed") if reporter and reporter.stats.get(kind)]
    if left_out and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def disarmed() -> Iterator[None]:
    """No test leaves a point armed."""
    yield
    faults.disarm()


@dataclass(frozen=True)
class RunningStack:
    """The engines as a test sees them: `env` is what a program of the platform is given."""

    env: dict[str, str]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    """Engines of our own on free ports; CHECKOP_TEST_STACK names the env.json of one that runs."""
    running = os.environ.get("CHECKOP_TEST_STACK")
    if running:
        yield RunningStack(json.loads(Path(running).read_text()))
        return
    with LocalStack(tmp_path_factory.mktemp("stack"), ports="free") as started:
        yield RunningStack(dict(started.env))


@pytest.fixture(scope="module")
def db_prefix(stack: RunningStack) -> Iterator[str]:
    """The beginning of every database name of this module, also in CHECKOP_DB_PREFIX; dropped after."""
    prefix = f"t{secrets.token_hex(4)}_"
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHECKOP_DB_PREFIX", prefix)
        yield prefix
    with pymongo.MongoClient[dict[str, object]](stack.env["MONGO_URL"]) as client:
        for name in client.list_database_names():
            if name.startswith(prefix):
                client.drop_database(name)


@pytest.fixture(scope="module")
def mongo_url(stack: RunningStack, db_prefix: str) -> str:
    """The event store's address; keep to databases whose name begins with `db_prefix`."""
    return stack.env["MONGO_URL"]


@pytest.fixture(scope="module")
def amqp_url(stack: RunningStack) -> Iterator[str]:
    """The broker's address with a virtual host that only this module uses."""
    management = stack.env["RABBITMQ_MANAGEMENT_URL"]
    vhost = f"test-{secrets.token_hex(4)}"
    manage(management, "PUT", f"/api/vhosts/{quote(vhost, safe='')}")
    base = stack.env["AMQP_URL"].rsplit("/", 1)[0]
    yield f"{base}/{vhost}"
    manage(management, "DELETE", f"/api/vhosts/{quote(vhost, safe='')}")


@pytest.fixture(scope="module")
def bucket(stack: RunningStack, db_prefix: str) -> Iterator[str]:
    """The name of a bucket that only this module uses; whoever needs it makes it, and it is emptied after.

    So are the buckets of evidence, `<name>-incoming` and `<name>-media`.
    """
    name = f"test-{db_prefix.rstrip('_')}"
    yield name
    store = Minio(
        urlsplit(stack.env["S3_ENDPOINT"]).netloc,
        access_key=stack.env["S3_ACCESS_KEY"],
        secret_key=stack.env["S3_SECRET_KEY"],
        secure=False,
    )
    for made in (name, f"{name}-incoming", f"{name}-media"):
        if store.bucket_exists(made):
            for item in store.list_objects(made, recursive=True, include_version=True):
                store.remove_object(made, str(item.object_name), version_id=item.version_id)
            store.remove_bucket(made)


@pytest.fixture(scope="module")
def platform_env(
    stack: RunningStack,
    mongo_url: str,
    amqp_url: str,
    db_prefix: str,
    bucket: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, str]:
    """The environment of programs that live in this module's corner, with a keyring of their own."""
    keyring = tmp_path_factory.mktemp("keyring")
    return stack.env | {
        "MONGO_URL": mongo_url,
        "AMQP_URL": amqp_url,
        "CHECKOP_DB_PREFIX": db_prefix,
        "CHECKOP_S3_BUCKET": bucket,
        "CHECKOP_S3_INCOMING_BUCKET": f"{bucket}-incoming",
        "CHECKOP_S3_MEDIA_BUCKET": f"{bucket}-media",
        "CHECKOP_TIMER_LEASE_SECONDS": "2",
        "CHECKOP_KEYRING_DIR": str(keyring),
    }
