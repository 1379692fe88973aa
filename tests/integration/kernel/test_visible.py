"""Reading one's own writes: a read model that has nothing to do with a commit need not have passed it."""

from __future__ import annotations

import pytest

from services.kernel import projection
from services.kernel.clock import new_id
from services.kernel.platform import Platform
from services.kernel.projection import Projector
from tests.examples.kernel import an_id, caller, parcels
from tests.integration.kernel.conftest import Open


@pytest.fixture
def service(open_service: Open) -> Platform:
    return open_service(parcels())


@pytest.fixture
def follower(service: Platform) -> Projector:
    (model,) = service.definition.read_models
    made = Projector(service.db, model, service.store, service.registry, service.keyring)
    made.prepare()
    return made


def register(service: Platform, number: int) -> int:
    data = {"parcel_id": an_id(number)}
    return int(service.application.execute("register_parcel", data, caller(), new_id())["position"])


def count(service: Platform, number: int) -> int:
    data = {"tally_id": an_id(number), "fact": new_id()}
    return int(service.application.execute("count", data, caller(), new_id())["position"])


def test_a_commit_is_visible_once_every_model_that_it_concerns_has_folded_it(
    service: Platform, follower: Projector
) -> None:
    written = register(service, 1)
    assert not service.reads.visible(written)
    follower.step()
    assert service.reads.visible(written)
    assert service.reads.position() == written


def test_a_commit_that_concerns_no_model_is_visible_at_once_and_hides_no_other(
    service: Platform, follower: Projector
) -> None:
    seen = register(service, 1)
    follower.step()
    beside = count(service, 1)
    assert service.reads.visible(beside)
    unseen = register(service, 2)
    assert not service.reads.visible(unseen)
    assert service.reads.visible(beside)
    later = count(service, 2)
    assert not service.reads.visible(later)
    follower.step()
    assert service.reads.visible(later)
    assert seen < beside < unseen < later


def test_what_does_not_concern_a_model_moves_its_cursor_when_there_is_time(
    service: Platform, follower: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(service, 1)
    follower.step()
    monkeypatch.setattr(projection, "NOTED_SECONDS", 3600)
    noted = service.reads.position()
    for number in range(3):
        last = count(service, number)
        assert follower.step() == 1
    assert service.reads.position() == noted
    follower.rest(follower.position())
    assert service.reads.position() == last
    (model,) = service.definition.read_models
    other = Projector(service.db, model, service.store, service.registry, service.keyring)
    assert other.step() == 0


def test_two_followers_fold_every_commit_once_though_one_lags_in_what_it_remembers(
    service: Platform, follower: Projector
) -> None:
    (model,) = service.definition.read_models
    other = Projector(service.db, model, service.store, service.registry, service.keyring)
    for number in range(1, 5):
        register(service, number)
        first, second = (follower, other) if number % 2 else (other, follower)
        assert first.step() == 1
        assert second.step() == 0
    rows = list(service.db[follower.shelf.live()].find())
    assert [len(row["log"]) for row in rows] == [1, 1, 1, 1]
