"""A command is carried out once however often it is asked, and a refusal says why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.kernel import application
from services.kernel.clock import new_id
from services.kernel.commands import ATTEMPTS
from services.kernel.commit import Caller, Commit, StoreUnavailable, VersionConflict
from services.kernel.domain import ERASED, Rejected
from services.kernel.keyring import subject_scope
from services.kernel.reads import TenantReads
from services.kernel.testing.app import MemoryApp, memory_app
from services.kernel.timers import Dispatch
from tests.examples.kernel import ACME, ANA, EXPIRES_AFTER, LABEL, RIVAL, an_id, caller, depots, parcels
from tests.support.threads import at_once

PARCEL = an_id(1)


@pytest.fixture
def app() -> MemoryApp:
    return memory_app(parcels())


@pytest.fixture
def known(app: MemoryApp) -> MemoryApp:
    """With one parcel registered."""
    app.execute("register_parcel", {"parcel_id": PARCEL}, caller())
    return app


def types(app: MemoryApp) -> list[str]:
    return [fact.type for fact in app.facts()]


def refused(app: MemoryApp, *request: Any, **more: Any) -> Rejected:
    with pytest.raises(Rejected) as refusal:
        app.execute(*request, **more)
    return refusal.value


# --- On ---


def test_a_command_is_answered_with_where_it_left_the_aggregate(app: MemoryApp) -> None:
    answer = app.execute("register_parcel", {"parcel_id": PARCEL}, caller())
    assert answer == {"id": PARCEL, "stream": f"parcel-{ACME}-{PARCEL}", "version": 1, "position": 1}
    moved = app.execute("move_parcel", {"parcel_id": PARCEL, "steps": 3}, caller())
    assert (moved["version"], moved["position"], moved["step"]) == (4, 2, 3)


def test_the_commit_says_who_asked_when_and_why(app: MemoryApp) -> None:
    app.execute("register_parcel", {"parcel_id": PARCEL}, replace(caller(), causation_id="cause-1"))
    (fact,) = app.facts()
    assert (fact.actor, fact.tenant, fact.origin) == (ANA, ACME, "203.0.113.7")
    assert (fact.correlation_id, fact.causation_id) == ("corr-1", "cause-1")
    assert fact.at == app.clock.now()


def test_the_same_command_again_gets_the_first_answer_and_adds_nothing(known: MemoryApp) -> None:
    first = known.execute("move_parcel", {"parcel_id": PARCEL, "steps": 2}, caller(), "once")
    known.execute("move_parcel", {"parcel_id": PARCEL}, caller(), "later")
    count = len(types(known))
    again = known.execute("move_parcel", {"steps": 2, "parcel_id": PARCEL}, caller(), "once")
    assert {k: v for k, v in again.items() if k != "step"} == {k: v for k, v in first.items() if k != "step"}
    assert len(types(known)) == count


def test_the_same_id_for_another_request_is_refused(known: MemoryApp) -> None:
    known.execute("register_parcel", {"parcel_id": an_id(2)}, caller())
    known.execute("move_parcel", {"parcel_id": PARCEL}, caller(), "once")
    count = len(types(known))
    for data in ({"parcel_id": PARCEL, "steps": 2}, {"parcel_id": an_id(2)}):
        assert refused(known, "move_parcel", data, caller(), "once").code == "idempotency-key-reused"
    claim = ("claim_parcel", {"parcel_id": PARCEL, "courier_id": ANA}, caller(), "once")
    assert refused(known, *claim).code == "idempotency-key-reused"
    assert len(types(known)) == count


def test_an_id_counts_inside_its_account_only(app: MemoryApp) -> None:
    for tenant in (ACME, RIVAL):
        app.execute("register_parcel", {"parcel_id": PARCEL}, caller(tenant=tenant), "same")
    assert [fact.tenant for fact in app.facts()] == [ACME, RIVAL]


def test_accounts_do_not_see_each_others_things(known: MemoryApp) -> None:
    refusal = refused(known, "move_parcel", {"parcel_id": PARCEL}, caller(tenant=RIVAL))
    assert (refusal.code, refusal.details) == ("parcel-unknown", {"parcel_id": PARCEL})
    assert known.query("track", {"parcel_id": PARCEL}, caller(tenant=RIVAL)) == {"track": None}
    assert known.query("tracks", {}, caller(tenant=RIVAL)) == {"tracks": []}
    assert known.query("track", {"parcel_id": PARCEL}, caller())["track"]["label"] == LABEL


def test_a_fulfilled_request_adds_nothing_and_answers_with_the_present(known: MemoryApp) -> None:
    for _ in range(3):
        answer = known.execute("register_parcel", {"parcel_id": PARCEL}, caller())
        assert (answer["version"], answer["position"]) == (1, 1)
    assert types(known) == ["ParcelRegistered"]


def test_a_precondition_is_checked_against_the_version(known: MemoryApp) -> None:
    move = ("move_parcel", {"parcel_id": PARCEL})
    refusal = refused(known, *move, caller(), expected_version=3)
    assert (refusal.code, refusal.details) == ("version-mismatch", {"expected": 3, "actual": 1})
    known.execute(*move, caller(), "once", expected_version=1)
    assert known.execute(*move, caller(), "once", expected_version=1)["version"] == 2
    assert refused(known, *move, caller(), "twice", expected_version=1).code == "version-mismatch"


@pytest.mark.parametrize(
    ("data", "loc"),
    [
        ({"parcel_id": PARCEL, "steps": "many"}, ["steps"]),
        ({"parcel_id": PARCEL, "wings": 2}, ["wings"]),
        ({"parcel_id": PARCEL, "at": "2020-01-01T00:00:00Z"}, ["at"]),
        ({"parcel_id": PARCEL, "by": "somebody else"}, ["by"]),
        ({"parcel_id": 7}, ["parcel_id"]),
        ({"parcel_id": ""}, ["parcel_id"]),
        ({"parcel_id": None}, ["parcel_id"]),
        ({}, ["parcel_id"]),
    ],
)
def test_data_that_does_not_fit_is_refused_field_by_field(known: MemoryApp, data: Any, loc: list[str]) -> None:
    refusal = refused(known, "move_parcel", data, caller())
    assert refusal.code == "invalid"
    assert [error["loc"] for error in refusal.details["errors"]] == [loc]
    assert all(error.keys() == {"loc", "msg", "type"} for error in refusal.details["errors"])
    assert types(known) == ["ParcelRegistered"]


def test_a_refusal_repeats_no_secret(known: MemoryApp) -> None:
    data = {"parcel_id": an_id(2), "label": {"password": "hunter2"}}
    assert "hunter2" not in repr(refused(known, "register_parcel", data, caller()).details)


def test_what_no_store_can_hold_is_refused_as_invalid(app: MemoryApp) -> None:
    refusal = refused(app, "count", {"tally_id": "t", "fact": "x" * 9_000_000}, caller())
    assert refusal.code == "invalid"
    assert types(app) == []


def test_an_unknown_command_or_query_is_refused(app: MemoryApp) -> None:
    assert refused(app, "fly_parcel", {}, caller()).code == "command-unknown"
    with pytest.raises(Rejected, match="query-unknown"):
        app.query("moon", {}, caller())
    with pytest.raises(Rejected, match="invalid"):
        app.query("track", {"parcel": PARCEL}, caller())


def test_a_prepared_command_rests_on_other_aggregates(known: MemoryApp) -> None:
    known.execute("move_parcel", {"parcel_id": PARCEL, "steps": 4}, caller())
    known.execute("register_parcel", {"parcel_id": an_id(2)}, caller())
    answer = known.execute("move_like", {"parcel_id": an_id(2), "like": PARCEL}, caller())
    assert answer["version"] == 5
    assert refused(known, "move_like", {"parcel_id": an_id(2), "like": an_id(9)}, caller()).code == "parcel-unknown"


def test_whose_data_is_being_erased_is_told_so(app: MemoryApp) -> None:
    app.keyring.destroy(ACME, subject_scope(ANA))
    assert refused(app, "register_parcel", {"parcel_id": PARCEL}, caller()).code == "erased"
    app.execute("register_parcel", {"parcel_id": PARCEL, "recipient_id": an_id(5)}, caller())


def test_an_erased_aggregate_can_go_on(known: MemoryApp) -> None:
    known.keyring.destroy_tenant(ACME)
    assert known.execute("move_parcel", {"parcel_id": PARCEL}, caller())["version"] == 2
    assert known.facts()[0].event.label is ERASED


# --- lost races ---


def test_a_lost_race_is_decided_again_on_what_is_new(known: MemoryApp) -> None:
    outcomes = at_once(
        [
            lambda n=n: known.application.execute(
                "claim_parcel", {"parcel_id": PARCEL, "courier_id": an_id(n)}, caller(), f"claim-{n}"
            )
            for n in range(64)
        ]
    )
    won = [outcome for outcome in outcomes if isinstance(outcome, dict)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert (len(won), len(lost)) == (1, 63)
    assert {refusal.code for refusal in lost} == {"parcel-taken"}
    assert types(known).count("ParcelClaimed") == 1


class Unlucky:
    """A store on which somebody else always comes first, for the first `losses` appends."""

    def __init__(self, store: Any, losses: int) -> None:
        self._store = store
        self.losses = losses

    def append(self, given: Commit) -> Commit:
        if self.losses:
            self.losses -= 1
            self._store.append(replace(given, commit_id=new_id(), events=given.events[:1]))
        return self._store.append(given)  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def test_after_a_few_lost_races_the_conflict_is_told(known: MemoryApp) -> None:
    store = known.application.journal.store
    known.application.journal.store = Unlucky(store, ATTEMPTS - 1)
    assert known.execute("move_parcel", {"parcel_id": PARCEL}, caller())["version"] == 1 + ATTEMPTS
    known.application.journal.store = Unlucky(store, ATTEMPTS)
    with pytest.raises(VersionConflict):
        known.execute("move_parcel", {"parcel_id": PARCEL}, caller())


def test_a_prepared_command_is_prepared_anew_after_a_lost_race(known: MemoryApp) -> None:
    known.execute("move_parcel", {"parcel_id": PARCEL}, caller())
    known.execute("register_parcel", {"parcel_id": an_id(2)}, caller())
    store = known.application.journal.store

    class MovesThePattern(Unlucky):
        def append(self, given: Commit) -> Commit:
            if self.losses and given.stream.endswith(an_id(2)):
                self.losses = 0
                known.application.execute("move_parcel", {"parcel_id": PARCEL, "steps": 2}, caller(), "meanwhile")
                self._store.append(replace(given, commit_id="rival"))
            return self._store.append(given)  # type: ignore[no-any-return]

    known.application.journal.store = MovesThePattern(store, 1)
    answer = known.application.execute("move_like", {"parcel_id": an_id(2), "like": PARCEL}, caller(), "like")
    assert answer["version"] == 1 + 1 + 3, "one step by the rival, then as many as the pattern has now"


def test_a_store_that_is_away_is_told_and_the_repeat_succeeds(known: MemoryApp) -> None:
    store = known.application.journal.store

    class Away(Unlucky):
        def append(self, given: Commit) -> Commit:
            self._store.append(given)
            raise StoreUnavailable("the answer is lost")

    known.application.journal.store = Away(store, 0)
    with pytest.raises(StoreUnavailable):
        known.execute("move_parcel", {"parcel_id": PARCEL}, caller(), "once")
    known.application.journal.store = store
    assert known.execute("move_parcel", {"parcel_id": PARCEL}, caller(), "once")["version"] == 2
    assert types(known).count("ParcelMoved") == 1


# --- Do ---


def test_a_command_of_several_parts_repeats_none_of_them(app: MemoryApp) -> None:
    data = {"parcel_ids": [an_id(1), an_id(2)], "label": "x"}
    first = app.execute("register_pair", data, caller(), "pair")
    assert [parcel["position"] for parcel in first["parcels"]] == [1, 2]
    assert app.execute("register_pair", data, caller(), "pair") == first
    assert types(app) == ["ParcelRegistered"] * 2


def test_a_command_of_several_parts_goes_on_where_it_broke_off(app: MemoryApp) -> None:
    store = app.application.journal.store

    class BreaksOff(Unlucky):
        def append(self, given: Commit) -> Commit:
            if self._store.head():
                raise StoreUnavailable("away")
            return self._store.append(given)  # type: ignore[no-any-return]

    data = {"parcel_ids": [an_id(1), an_id(2)], "label": "x"}
    app.application.journal.store = BreaksOff(store, 0)
    with pytest.raises(StoreUnavailable):
        app.execute("register_pair", data, caller(), "pair")
    app.application.journal.store = store
    assert [parcel["position"] for parcel in app.execute("register_pair", data, caller(), "pair")["parcels"]] == [1, 2]


# --- queries ---


def test_one_reads_ones_own_writes(app: MemoryApp) -> None:
    answer = app.execute("register_parcel", {"parcel_id": PARCEL}, caller())
    found = app.application.query("track", {"parcel_id": PARCEL}, caller(), at_least=answer["position"])
    assert found["track"]["log"] == [[1, "ParcelRegistered"]]


def test_what_does_not_become_visible_in_time_is_told(app: MemoryApp, monkeypatch: pytest.MonkeyPatch) -> None:
    written = app.execute("register_parcel", {"parcel_id": PARCEL}, caller())["position"]
    monkeypatch.setattr(application, "VISIBLE_WITHIN_SECONDS", 0.02)
    monkeypatch.setattr(app.reads, "visible", lambda position: position < written)
    assert app.application.query("tracks", {}, caller(), at_least=written - 1)["tracks"]
    with pytest.raises(Rejected, match="not-yet-visible") as refusal:
        app.application.query("tracks", {}, caller(), at_least=written)
    assert refusal.value.details == {"at_least": written}


def test_a_position_that_nothing_has_been_written_at_is_not_waited_for(
    app: MemoryApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app.reads, "visible", lambda position: position <= app.store.head())
    with pytest.raises(Rejected, match="position-ahead"):
        app.application.query("tracks", {}, caller(), at_least=app.store.head() + 1)


def test_the_read_side_is_closed_without_an_account(app: MemoryApp) -> None:
    with pytest.raises(ValueError, match="tenant"):
        TenantReads({}, "")


# --- reactions, timers, subscriptions ---


def test_a_reaction_answers_every_fact_once_in_the_name_of_the_system(known: MemoryApp) -> None:
    known.execute("move_parcel", {"parcel_id": PARCEL, "steps": 2}, caller(), "once")
    known.execute("move_parcel", {"parcel_id": PARCEL, "steps": 2}, caller(), "once")
    counted = [fact for fact in known.facts() if fact.type == "Counted"]
    assert [fact.event.fact for fact in counted] == ["2", "3"]
    assert {fact.actor for fact in counted} == {"system:count_moves"}
    assert {fact.tenant for fact in counted} == {ACME}
    assert {fact.correlation_id for fact in counted} == {"corr-1"}
    assert [fact.causation_id for fact in counted] == ["parcels:2:0", "parcels:2:1"]


def test_a_timer_fires_once_when_it_is_due(known: MemoryApp) -> None:
    known.advance(EXPIRES_AFTER - timedelta(seconds=1))
    assert "ParcelExpired" not in types(known)
    known.advance(timedelta(seconds=1))
    known.advance(timedelta(days=30))
    assert types(known).count("ParcelExpired") == 1
    assert known.facts()[-1].actor == "system:timer"


def test_a_refused_dispatch_is_an_answer_and_stops_nothing(app: MemoryApp) -> None:
    for dispatch in (Dispatch("move_parcel", {"parcel_id": an_id(9)}), Dispatch("no_such_command")):
        app.application.dispatch(dispatch, tenant=ACME, by="somebody", commit_id="x", cause=None)
    assert types(app) == []


def test_another_service_follows_over_the_message_form(known: MemoryApp) -> None:
    depot = memory_app(depots())
    known.execute("move_parcel", {"parcel_id": PARCEL, "steps": 2}, caller())
    known.advance(EXPIRES_AFTER)
    for _ in range(2):
        depot.listen_to(known)
    arrivals = depot.reads.of(ACME)["arrivals"].one(PARCEL)
    assert arrivals == {"id": PARCEL, "log": [[1, "ParcelRegistered"], [2, "ParcelMoved"], [3, "ParcelMoved"]]}
    assert types(depot) == ["Counted", "Counted"]


# --- callers ---


def test_a_caller_crosses_the_wire_unchanged() -> None:
    who = Caller(
        tenant="t",
        actor="a",
        role="admin",
        permissions=frozenset({"tasks:edit", "tasks:read"}),
        session="s",
        origin="203.0.113.7",
        correlation_id="c",
        causation_id="d",
    )
    assert Caller.from_wire(who.to_wire()) == who
    assert Caller.from_wire({"tenant": "t", "actor": "a", "unknown": 1}) == Caller(tenant="t", actor="a")
    with pytest.raises(KeyError):
        Caller.from_wire({"actor": "a"})
