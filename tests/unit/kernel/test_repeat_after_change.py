"""A command that was carried out is answered the same for ever, even when its checks would fail today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from services.kernel.application import Ask, On
from services.kernel.domain import Rejected
from services.kernel.testing.app import MemoryApp, memory_app
from tests.examples.kernel import MoveParcel, RegisterParcel, an_id, caller, parcel, parcels

ID = {"parcel_id": an_id(1)}


@pytest.fixture
def gate() -> dict[str, bool]:
    return {"open": True}


@pytest.fixture
def app(gate: dict[str, bool]) -> MemoryApp:
    def only_while_open(ask: Ask) -> Mapping[str, Any]:
        if not gate["open"]:
            raise Rejected("gate-closed")
        return ask.data

    commands = {
        "register": On(parcel, RegisterParcel, id="parcel_id"),
        "move": On(parcel, MoveParcel, id="parcel_id", prepare=only_while_open),
    }
    made = memory_app(replace(parcels(), commands=commands))
    made.execute("register", ID, caller())
    return made


def test_the_repeat_of_a_carried_out_command_is_answered_although_its_check_fails_now(
    app: MemoryApp, gate: dict[str, bool]
) -> None:
    first = app.execute("move", ID, caller(), "once")
    gate["open"] = False
    assert app.execute("move", ID, caller(), "once") == first


def test_a_new_command_is_refused_by_the_same_check(app: MemoryApp, gate: dict[str, bool]) -> None:
    gate["open"] = False
    with pytest.raises(Rejected, match="gate-closed"):
        app.execute("move", ID, caller(), "new")


def test_the_id_of_a_carried_out_command_serves_no_other_request(app: MemoryApp, gate: dict[str, bool]) -> None:
    app.execute("move", ID, caller(), "once")
    gate["open"] = False
    with pytest.raises(Rejected, match="idempotency-key-reused"):
        app.execute("move", {**ID, "steps": 2}, caller(), "once")
