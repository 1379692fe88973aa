"""Names for an export: asked for once each, so many at a time, never of who is nobody."""

from __future__ import annotations

from typing import Any

import pytest

from services.kernel.exporting import people
from services.kernel.exporting.people import People
from tests.support.peers import Peers


class Asking:
    """As much of a request as is needed."""

    def __init__(self, peers: Peers) -> None:
        self.caller: Any = type("Caller", (), {"tenant": "t"})
        self.ports = {"peers": lambda: peers}


def test_each_is_asked_for_once_and_who_is_unknown_goes_by_the_id() -> None:
    peers = Peers({"a": "Ana", "norte": "Cuadrilla Norte"})
    known = People(Asking(peers))  # type: ignore[arg-type]
    known.learn(["a", "b", None, "system:timer"], ["norte", None])
    known.learn(["b", "a"])
    assert [params for _, _, params in peers.asked] == [{"users": ["a", "b"], "teams": ["norte"]}]
    assert [known.called(id) for id in ("a", "b", "norte", "system:timer", None)] == [
        "Ana",
        "b",
        "Cuadrilla Norte",
        "system:timer",
        None,
    ]


def test_so_many_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "AT_ONCE", 2)
    peers = Peers({id: id.upper() for id in "abcde"})
    known = People(Asking(peers))  # type: ignore[arg-type]
    known.learn("abcde")
    assert [params["users"] for _, _, params in peers.asked] == [["a", "b"], ["c", "d"], ["e"]]
    assert known.called("e") == "E"
