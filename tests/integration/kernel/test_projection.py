"""Read models on a real database: what is kept up to date and what is built anew are the same."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from services.kernel import folding, projection
from services.kernel.application import ServiceDefinition
from services.kernel.commit import Recorded
from services.kernel.domain import Rejected
from services.kernel.platform import Platform
from services.kernel.projection import Projector
from services.kernel.readmodel import ReadModel
from services.kernel.shelf import Shelf
from tests.examples.kernel import ACME, RIVAL, ParcelClaimed, Tracks, an_id, caller, parcels
from tests.integration.kernel.conftest import Open
from tests.support.system import documents
from tests.support.threads import each_at_once


class Unclaimed(ReadModel):
    """Parcels that nobody has claimed yet, under two keys each; a claimed one is taken away."""

    name = "unclaimed"
    categories = ("parcel",)

    def keys(self, fact: Recorded) -> list[str]:
        return [fact.event.parcel_id, f"last-{fact.event.parcel_id[-1]}"]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        if isinstance(fact.event, ParcelClaimed):
            return None
        return {"seen": (doc or {"seen": 0})["seen"] + 1, "last": fact.id}


MODELS: tuple[type[ReadModel], ...] = (Tracks, Unclaimed)


@pytest.fixture
def service(open_service: Open) -> Platform:
    return open_service(parcels())


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """So little at once and so little remembered that every edge is met."""
    monkeypatch.setattr(projection, "BATCH", 7)
    monkeypatch.setattr(projection, "REBUILD_BATCH", 5)
    monkeypatch.setattr(folding, "REMEMBERED", 3)


def projector(service: Platform, model: ReadModel) -> Projector:
    made = Projector(service.db, model, service.store, service.registry, service.keyring)
    made.prepare()
    return made


def live(service: Platform, model: ReadModel) -> dict[str, Any]:
    rows = service.db[Shelf(service.db, model).live()].find({})
    return {row.pop("_id"): {k: v for k, v in row.items() if k != "tenant"} for row in rows}


def folded(service: Platform, model: ReadModel) -> dict[str, Any]:
    """The truth: one fact after the other."""
    docs: dict[str, Any] = {}
    for commit in service.store.after(0, 100_000):
        if commit.category in model.categories:
            for fact in service.registry.recorded(commit, service.keyring):
                for id in model.owned_keys(fact):
                    docs[id] = model.evolve(docs.get(id), fact)
    return {id: doc for id, doc in docs.items() if doc is not None}


def stir(service: Platform, seed: int, commands: int = 60) -> None:
    """Random work of two accounts."""
    chance = random.Random(seed)
    for n in range(commands):
        who = caller(tenant=chance.choice((ACME, RIVAL)))
        id = an_id(chance.randrange(12))
        command, data = chance.choice(
            [
                ("register_parcel", {"parcel_id": id}),
                ("move_parcel", {"parcel_id": id, "steps": chance.randrange(1, 4)}),
                ("claim_parcel", {"parcel_id": id, "courier_id": an_id(chance.randrange(3))}),
            ]
        )
        with contextlib.suppress(Rejected):
            service.application.execute(command, data, who, f"{seed}/{n}")


def follow(step: Callable[[], int]) -> None:
    while step():
        pass


@pytest.mark.parametrize("model", [kind() for kind in MODELS], ids=lambda model: model.name)
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.usefixtures("small")
def test_live_rebuilt_and_folded_are_the_same(service: Platform, model: ReadModel, seed: int) -> None:
    stir(service, seed)
    following = projector(service, model)
    follow(following.step)
    assert live(service, model) == folded(service, model)
    stir(service, seed + 100)
    generation, count = following.rebuild()
    assert generation == f"{model.name}@2"
    assert count == sum(len(c.events) for c in service.store.after(0, 10_000) if c.category == "parcel")
    following.shelf._known = None
    assert live(service, model) == folded(service, model)
    stir(service, seed + 200)
    follow(following.step)
    assert live(service, model) == folded(service, model)


@pytest.mark.usefixtures("small")
def test_several_projectors_of_one_model_share_the_work(service: Platform) -> None:
    model, done = Tracks(), threading.Event()

    def one() -> None:
        own = projector(service, Tracks())
        while own.step() or not done.is_set() or own.shelf.position("tracks@1") < service.store.head():
            pass

    def work() -> None:
        for seed in range(3):
            stir(service, seed, 30)
        done.set()

    each_at_once([one, one, one, work])
    assert live(service, model) == folded(service, model)
    assert Shelf(service.db, model).position("tracks@1") == service.store.head()


@pytest.mark.usefixtures("small")
def test_rebuilds_disturb_neither_the_live_model_nor_each_other(service: Platform) -> None:
    model, done = Tracks(), threading.Event()
    stir(service, 1)

    def one() -> None:
        own = projector(service, Tracks())
        while not done.is_set():
            own.step()

    def rebuilds() -> None:
        for _ in range(3):
            projector(service, Tracks()).rebuild()

    def work() -> None:
        for seed in range(2, 6):
            stir(service, seed, 30)

    def busy() -> None:
        each_at_once([rebuilds, rebuilds, work])
        done.set()

    each_at_once([one, busy])
    last = projector(service, model)
    follow(last.step)
    assert live(service, model) == folded(service, model)
    generations = [name for name in service.db.list_collection_names() if name.startswith("tracks@")]
    assert len(generations) <= 4, f"old generations are left lying: {generations}"


def test_a_rebuild_that_is_stopped_leaves_the_live_model_and_no_trace(service: Platform) -> None:
    stir(service, 1)
    following = projector(service, Tracks())
    follow(following.step)
    before, stop = documents(service, "tracks"), threading.Event()
    stop.set()
    with pytest.raises(InterruptedError):
        following.rebuild(stop)
    assert documents(service, "tracks") == before
    assert [name for name in service.db.list_collection_names() if name.startswith("tracks@")] == ["tracks@1"]
    assert following.rebuild()[0] == "tracks@3"


def test_an_account_sees_its_own_documents_only_whatever_it_asks(service: Platform) -> None:
    for tenant in (ACME, RIVAL):
        service.application.execute("register_parcel", {"parcel_id": an_id(1)}, caller(tenant=tenant), "r")
    service.application.execute("register_parcel", {"parcel_id": an_id(2)}, caller(tenant=RIVAL), "r2")
    follow(projector(service, Tracks()).step)
    tracks = service.reads.of(ACME)["tracks"]
    for filter in ({}, {"tenant": RIVAL}, {"$or": [{"tenant": RIVAL}, {"step": 0}]}, {"_id": f"{RIVAL}:{an_id(2)}"}):
        found = tracks.find(filter)
        assert {row["id"] for row in found} <= {an_id(1)}
        assert tracks.count(filter) == len(found)
        assert all("tenant" not in row and "_id" not in row for row in found)
    assert tracks.one(an_id(1)) is not None
    assert tracks.one(an_id(2)) is None
    assert tracks.one(f"x:{an_id(2)}") is None


def test_rows_come_sorted_limited_and_from_where_they_are_wanted(service: Platform) -> None:
    for n in range(1, 6):
        service.application.execute("register_parcel", {"parcel_id": an_id(n)}, caller(), f"r{n}")
        service.application.execute("move_parcel", {"parcel_id": an_id(n), "steps": n}, caller(), f"m{n}")
    follow(projector(service, Tracks()).step)
    tracks = service.reads.of(ACME)["tracks"]
    found = tracks.find({"step": {"$gte": 2}}, sort=[("step", -1)], limit=2, skip=1)
    assert [row["step"] for row in found] == [4, 3]
    assert tracks.count({"step": {"$gte": 2}}) == 4


def test_ones_own_write_is_seen_at_its_position(service: Platform) -> None:
    following, done = projector(service, Tracks()), threading.Event()

    def one() -> None:
        while not done.is_set():
            following.step()

    def ask() -> None:
        for n in range(20):
            answer = service.application.execute("register_parcel", {"parcel_id": an_id(n)}, caller(), f"r{n}")
            found = service.application.query("track", {"parcel_id": an_id(n)}, caller(), at_least=answer["position"])
            assert found["track"] is not None
        done.set()

    each_at_once([one, ask])


class Unbound(Tracks):
    """An index that would mix accounts."""

    name = "unbound"
    indexes = ([("step", 1)],)


def test_an_index_that_does_not_start_with_the_account_is_refused(open_service: Open) -> None:
    with pytest.raises(ValueError, match="unbound"):
        open_service(ServiceDefinition(name="x", deciders=(), commands={}, queries={}, read_models=(Unbound(),)))


class Everywhere(Tracks):
    """What belongs to the platform rather than to one account."""

    name = "everywhere"
    shared = True


def test_a_shared_model_is_kept_under_the_platform(open_service: Open) -> None:
    service = open_service(
        ServiceDefinition(
            name="parcels",
            deciders=parcels().deciders,
            commands=parcels().commands,
            queries={},
            read_models=(Everywhere(),),
        )
    )
    for tenant in (ACME, RIVAL):
        service.application.execute("register_parcel", {"parcel_id": an_id(1)}, caller(tenant=tenant), "r")
    follow(projector(service, Everywhere()).step)
    assert len(service.reads.of("platform")["everywhere"].one(an_id(1))["log"]) == 2
    assert service.reads.of(ACME)["everywhere"].find({}) == []
