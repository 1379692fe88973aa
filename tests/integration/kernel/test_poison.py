"""A fact that cannot be read or handled stops its own stream in its own handler, nothing else, and only for a while."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from services.kernel.application import Reaction
from services.kernel.clock import new_id
from services.kernel.handlers import of_reaction, of_subscription
from services.kernel.inbox import Inbox, Outcome
from services.kernel.keyring import InvalidTag
from services.kernel.message import Incoming, outgoing
from services.kernel.platform import Platform
from services.kernel.projection import Projector
from services.kernel.registry import UnknownEvent
from services.kernel.worker import Follower
from tests.examples.kernel import ACME, PARCEL_FACTS, ParcelSeen, an_id, caller, depots, parcels
from tests.integration.kernel.conftest import Open

GOOD, BAD = an_id(1), an_id(2)


def tell(platform: Platform) -> None:
    """Two parcels, registered and moved twice."""
    for parcel in (BAD, GOOD):
        platform.application.execute("register_parcel", {"parcel_id": parcel}, caller(), new_id())
        for _ in range(2):
            platform.application.execute("move_parcel", {"parcel_id": parcel}, caller(), new_id())


def spoil(platform: Platform, parcel: str, *, sealed: bool = True, **events: Any) -> None:
    """Damage the first commit of a parcel in the log itself, where no program of ours could."""
    change: dict[str, Any] = (
        {"events.0.sealed.0.ct": b"x" * 40} if sealed else {f"events.0.{k}": v for k, v in events.items()}
    )
    changed = platform.db["events"].update_one({"stream": f"parcel-{ACME}-{parcel}", "version": 1}, {"$set": change})
    assert changed.modified_count == 1


def log_of(platform: Platform, model: str, parcel: str) -> list[Any]:
    found = platform.reads.of(ACME)[model].one(parcel)
    return [version for version, _ in found["log"]] if found else []


def counted(platform: Platform, parcel: str) -> int:
    return len(platform.store.load(f"tally-{ACME}-{parcel}"))


def test_an_own_fact_that_does_not_decode_stops_its_stream_in_read_models_until_the_rebuild(
    open_service: Open,
) -> None:
    service = open_service(parcels())
    tell(service)
    kept = service.db["events"].find_one({"stream": f"parcel-{ACME}-{BAD}", "version": 1})
    spoil(service, BAD)
    (model,) = service.definition.read_models
    projector = Projector(service.db, model, service.store, service.registry, service.keyring)
    while projector.step():
        pass
    assert log_of(service, "tracks", GOOD) == [1, 2, 3]
    assert log_of(service, "tracks", BAD) == []
    stopped = projector.shelf.blocked(projector.shelf.live())
    assert [(stop["stream"], stop["version"]) for stop in stopped.values()] == [(f"parcel-{ACME}-{BAD}", 1)]
    service.db["events"].replace_one({"_id": kept["_id"]}, kept)
    projector.rebuild()
    assert service.db["tracks@2"].find_one({"_id": f"{ACME}:{BAD}"})["step"] == 2
    assert projector.shelf.blocked("tracks@2") == {}


def test_an_own_fact_that_does_not_decode_stops_its_stream_in_a_reaction_until_it_is_unparked(
    open_service: Open,
) -> None:
    service = open_service(parcels())
    tell(service)
    kept = service.db["events"].find_one({"stream": f"parcel-{ACME}-{BAD}", "version": 1})
    spoil(service, BAD)
    (reaction, _) = service.definition.reactions
    follower = Follower(service, reaction)
    while follower.step():
        pass
    assert (counted(service, GOOD), counted(service, BAD)) == (2, 0)
    assert service.db["inbox_parked"].count_documents({"handler": "count_moves"}) == 3
    service.db["events"].replace_one({"_id": kept["_id"]}, kept)
    inbox = Inbox(service.db, of_reaction(reaction, service), service.clock)
    assert inbox.unpark(f"parcel-{ACME}-{BAD}") == 3
    assert (counted(service, GOOD), counted(service, BAD)) == (2, 2)


def test_a_fact_of_newer_code_is_waited_for(open_service: Open) -> None:
    """While copies of two versions run side by side, the older one must not give up the stream for both."""
    service = open_service(parcels())
    tell(service)
    spoil(service, BAD, sealed=False, type="ParcelFlown")
    (model,) = service.definition.read_models
    projector = Projector(service.db, model, service.store, service.registry, service.keyring)
    follower = Follower(service, service.definition.reactions[0])
    for step in (projector.step, follower.step):
        with pytest.raises(UnknownEvent, match="ParcelFlown"):
            step()
    assert projector.shelf.blocked(projector.shelf.live()) == {}
    assert service.db["inbox_cursors"].count_documents({"blocked": {"$exists": True}}) == 0
    spoil(service, BAD, sealed=False, type="ParcelRegistered")
    while projector.step() or follower.step():
        pass
    assert log_of(service, "tracks", BAD) == [1, 2, 3]
    assert counted(service, BAD) == 2


class Demanding(Incoming):
    parcel_id: str
    weight: float


@pytest.mark.parametrize("which", [0, 1], ids=["into a read model", "into a reaction"])
def test_anothers_fact_that_the_model_refuses_stops_its_stream_until_it_is_unparked(
    open_service: Open, which: int
) -> None:
    source, service = open_service(parcels()), open_service(depots())
    tell(source)
    demanding = replace(service.definition.subscriptions[which], models={**PARCEL_FACTS, "ParcelMoved": Demanding})
    inbox = Inbox(service.db, of_subscription(demanding, service), service.clock)
    bodies = [body for commit in source.store.after(0, 100) for _, _, body in outgoing("parcels", commit)]
    outcomes = [inbox.receive(inbox.read(body), body) for body in bodies if f"parcel-{ACME}-{BAD}".encode() in body]
    assert outcomes == [Outcome.APPLIED, Outcome.BLOCKED, Outcome.BLOCKED]
    mended = replace(demanding, models={**PARCEL_FACTS, "ParcelMoved": ParcelSeen})
    again = Inbox(service.db, of_subscription(mended, service), service.clock)
    assert again.unpark(f"parcel-{ACME}-{BAD}") == 2
    for body in bodies:
        again.receive(again.read(body), body)
    if which == 0:
        assert log_of(service, "arrivals", BAD) == log_of(service, "arrivals", GOOD) == [1, 2, 3]
    else:
        assert counted(service, BAD) == counted(service, GOOD) == 2


def test_a_reaction_that_raises_stops_its_stream_and_no_other_reaction(open_service: Open) -> None:
    service = open_service(parcels())
    tell(service)
    (counting, expiring) = service.definition.reactions

    def broken(fact: Any, app: Any) -> Iterable[Any]:
        if fact.stream.endswith(BAD):
            raise ZeroDivisionError("a bug")
        return counting.react(fact, app) or ()

    followers = [Follower(service, Reaction("count_moves", ("parcel",), broken)), Follower(service, expiring)]
    for follower in followers:
        while follower.step():
            pass
    assert (counted(service, GOOD), counted(service, BAD)) == (2, 0)
    assert service.timers.waiting() == 2
    mended = Inbox(service.db, of_reaction(counting, service), service.clock)
    assert mended.unpark(f"parcel-{ACME}-{BAD}") == 3
    assert counted(service, BAD) == 2


def test_damaged_facts_never_reach_a_decision(open_service: Open) -> None:
    service = open_service(parcels())
    tell(service)
    spoil(service, BAD)
    with pytest.raises(InvalidTag):
        service.application.execute("move_parcel", {"parcel_id": BAD}, caller(), new_id())
