"""The whole platform, started once for all system tests: every service, relay and worker, and the gateway."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pymongo
import pytest

from deploy.demo.staff import let_in, set_prices
from deploy.demo.story import GENEROUS
from deploy.local.ports import pick
from deploy.local.programs import platform as programs
from deploy.local.rabbitmq import manage
from deploy.local.supervisor import Supervisor
from tests.conftest import RunningStack
from tests.system.evidence import store_of


@dataclass(frozen=True)
class Platform:
    """What runs, and where its front door is."""

    base_url: str
    mailbox_url: str
    env: dict[str, str]
    supervisor: Supervisor


@pytest.fixture(scope="session")
def platform(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """The platform in a corner of its own: databases, virtual host, bucket, keyring, port."""
    mark = f"s{secrets.token_hex(4)}"
    management = stack.env["RABBITMQ_MANAGEMENT_URL"]
    manage(management, "PUT", f"/api/vhosts/{quote(mark, safe='')}")
    env = stack.env | {
        "AMQP_URL": f"{stack.env['AMQP_URL'].rsplit('/', 1)[0]}/{mark}",
        "CHECKOP_DB_PREFIX": f"{mark}_",
        "CHECKOP_S3_BUCKET": f"test-{mark}",
        "CHECKOP_S3_INCOMING_BUCKET": f"checkop-incoming-{mark}",
        "CHECKOP_S3_MEDIA_BUCKET": f"checkop-media-{mark}",
        "CHECKOP_KEYRING_DIR": str(tmp_path_factory.mktemp("keyring")),
        "CHECKOP_GATEWAY_URL": f"http://127.0.0.1:{pick(['gateway'])['gateway']}",
        **GENEROUS,
    }
    for bucket in ("CHECKOP_S3_BUCKET", "CHECKOP_S3_INCOMING_BUCKET", "CHECKOP_S3_MEDIA_BUCKET"):
        store_of(env).make_bucket(env[bucket])
    log = tmp_path_factory.mktemp("log") / "platform.log"
    with Supervisor(programs(env), log=log) as supervisor:
        set_prices(let_in(env, "finance"))
        yield Platform(env["CHECKOP_GATEWAY_URL"], env["MAILBOX_URL"], env, supervisor)
    manage(management, "DELETE", f"/api/vhosts/{quote(mark, safe='')}")
    with pymongo.MongoClient[dict[str, object]](stack.env["MONGO_URL"]) as client:
        for name in client.list_database_names():
            if name.startswith(f"{mark}_"):
                client.drop_database(name)
