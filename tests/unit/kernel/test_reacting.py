"""A reaction decides upon lists that show what it answers, and a repeat of it leaves nothing out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from services.kernel import application
from services.kernel.application import Reacting
from services.kernel.commit import Recorded
from services.kernel.inbox import transient
from services.kernel.process import carry_out
from services.kernel.testing.app import MemoryApp, memory_app
from services.kernel.timers import Dispatch
from tests.examples.kernel import ACME, an_id, caller, parcels


@pytest.fixture
def app() -> MemoryApp:
    return memory_app(parcels())


@pytest.fixture
def fact(app: MemoryApp) -> Recorded:
    app.execute("register_parcel", {"parcel_id": an_id(1)}, caller())
    return app.facts()[0]


def test_a_list_that_has_grown_shorter_when_the_reaction_is_repeated_leaves_nobody_out(
    app: MemoryApp, fact: Recorded
) -> None:
    waiting = [an_id(n) for n in (2, 3, 4)]

    def react(_fact: Recorded, _app: Reacting) -> Iterable[Dispatch]:
        for id in waiting:
            yield Dispatch("register_parcel", {"parcel_id": id})

    def dies_after_the_first(fact: Recorded, app: Reacting) -> Iterable[Dispatch]:
        yield next(iter(react(fact, app)))
        raise SystemExit

    with pytest.raises(SystemExit):
        carry_out("register", dies_after_the_first, fact, app.application, pytest.fail)
    del waiting[0]
    for _ in range(2):
        carry_out("register", react, fact, app.application, pytest.fail)
    registered = [f.event.parcel_id for f in app.facts() if f.type == "ParcelRegistered"]
    assert registered == [an_id(n) for n in (1, 2, 3, 4)]


def test_lists_are_waited_for_until_they_show_the_fact(
    app: MemoryApp, fact: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([False, False, True])
    asked: list[int] = []

    def visible(position: int) -> bool:
        asked.append(position)
        return next(answers)

    monkeypatch.setattr(app.reads, "visible", visible)
    found: Any = Reacting(app.application).reads(fact)["tracks"].one(an_id(1))
    assert found is not None
    assert asked == [fact.position] * 3
    assert fact.tenant == ACME


def test_lists_that_do_not_come_as_far_let_the_reaction_be_tried_again(
    app: MemoryApp, fact: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.reads, "visible", lambda _position: False)
    monkeypatch.setattr(application, "VISIBLE_WITHIN_SECONDS", 0.02)
    with pytest.raises(TimeoutError, match=fact.id) as late:
        Reacting(app.application).reads(fact)
    assert transient(late.value)


def test_how_far_anothers_facts_were_followed_is_not_waited_for(
    app: MemoryApp, fact: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.reads, "visible", lambda _position: False)
    foreign = replace(fact, service="depots", position=10_000)
    assert Reacting(app.application).reads(foreign)["tracks"].one(an_id(1)) is not None
