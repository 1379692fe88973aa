"""A command that creates does not look first, and yet decides upon whatever is there already."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.kernel.application import On
from services.kernel.commit import Commit
from services.kernel.domain import Rejected
from services.kernel.testing.app import MemoryApp, memory_app
from tests.examples.kernel import MoveParcel, RegisterParcel, an_id, caller, parcel, parcels

ID = {"parcel_id": an_id(1)}


@pytest.fixture
def app() -> MemoryApp:
    commands = {
        "register": On(parcel, RegisterParcel, id="parcel_id", creates=True),
        "hopeful": On(parcel, MoveParcel, id="parcel_id", creates=True),
    }
    return memory_app(replace(parcels(), commands=commands))


def looks(app: MemoryApp, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    load = app.store.load

    def noted(stream: str) -> list[Commit]:
        seen.append(stream)
        return load(stream)

    monkeypatch.setattr(app.store, "load", noted)
    return seen


def test_what_is_new_is_stored_without_a_look(app: MemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = looks(app, monkeypatch)
    assert app.execute("register", ID, caller(), "once")["version"] == 1
    assert seen == []


def test_the_repeat_is_answered_the_same_and_adds_nothing(app: MemoryApp) -> None:
    first = app.execute("register", ID, caller(), "once")
    assert app.execute("register", ID, caller(), "once") == first
    assert app.store.head() == 1


def test_the_same_id_for_something_else_is_refused(app: MemoryApp) -> None:
    app.execute("register", ID, caller(), "once")
    with pytest.raises(Rejected, match="idempotency-key-reused"):
        app.execute("register", {**ID, "label": "another"}, caller(), "once")


def test_upon_what_is_there_already_the_decision_is_made_anew(app: MemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    first = app.execute("register", ID, caller(), "once")
    seen = looks(app, monkeypatch)
    again = app.execute("register", ID, caller(), "twice")
    assert len(seen) == 1
    assert again == first, "the domain has nothing to add to a parcel that is registered"
    assert app.store.head() == 1


def test_a_precondition_is_held_against_what_is_there(app: MemoryApp) -> None:
    app.execute("register", ID, caller(), "once")
    with pytest.raises(Rejected, match="version-mismatch"):
        app.execute("register", ID, caller(), "other", 7)
    with pytest.raises(Rejected, match="version-mismatch"):
        app.execute("register", {"parcel_id": an_id(2)}, caller(), "new", 1)


def test_a_refusal_counts_only_upon_what_is_there(app: MemoryApp) -> None:
    with pytest.raises(Rejected, match="parcel-unknown"):
        app.execute("hopeful", ID, caller(), "once")
    app.execute("register", ID, caller(), "new")
    assert app.execute("hopeful", ID, caller(), "again")["version"] == 2
