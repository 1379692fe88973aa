"""A stack beside others chooses ports that stay its own while an engine of it is down."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from deploy.local import ports

LOWEST_OF_CONNECTIONS = 32_768  # as Linux comes


def test_no_connection_of_anybody_is_given_one_of_them(tmp_path: Path) -> None:
    chosen = ports.free(tmp_path / "ports.json")
    assert chosen.keys() == ports.FIXED.keys()
    assert len(set(chosen.values())) == len(chosen)
    assert max(chosen.values()) < LOWEST_OF_CONNECTIONS
    assert not set(chosen.values()) & set(ports.FIXED.values())


def test_they_stay_the_same_for_a_directory(tmp_path: Path) -> None:
    assert ports.free(tmp_path / "ports.json") == ports.free(tmp_path / "ports.json")


def test_one_that_somebody_uses_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    free, taken = ports.pick(["mongo", "amqp"]).values()
    with socket.socket() as other:
        other.bind(("127.0.0.1", taken))
        monkeypatch.setattr(ports, "CHOSEN_FROM", [taken, free])
        assert ports.pick(["mongo"]) == {"mongo": free}
