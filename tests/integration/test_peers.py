"""A worker asks identity for names over the real broker: answered, refused, and told when nobody is there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.kernel.clock import new_id
from services.kernel.domain import Rejected
from services.kernel.peers import PeerAway, Peers
from tests.support.programs import Programs


@pytest.fixture(scope="module")
def programs(platform_env: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Programs]:
    with Programs(platform_env, tmp_path_factory.mktemp("logs")) as started:
        yield started


def ask(peers: Peers, query: str = "names", **params: object) -> object:
    return peers.query("identity", query, params, tenant=new_id(), by="test")


def test_a_question_over_the_broker(platform_env: dict[str, str], programs: Programs, tmp_path: Path) -> None:
    peers = Peers(platform_env["AMQP_URL"], patience=5.0)
    with pytest.raises(PeerAway):
        ask(peers)
    identity = programs.start("service", "identity", module="services.kernel.run").ready()
    assert ask(peers, users=[new_id()]) == {"users": {}, "teams": {}}
    with pytest.raises(Rejected, match="invalid"):
        ask(peers, users=["?"])
    identity.kill()
    with pytest.raises(PeerAway):
        ask(Peers(platform_env["AMQP_URL"], patience=0.5))


def test_no_broker() -> None:
    with pytest.raises(PeerAway):
        ask(Peers("amqp://guest:guest@127.0.0.1:9/none", patience=0.5))
