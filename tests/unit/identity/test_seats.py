"""Who works in the field sits on a paid seat: through the whole service, with crashes, races and billing's words."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from services.identity import seats
from services.identity.domain.seat_pool import SeatPool, seat_pool
from services.identity.domain.user import User, user
from services.kernel.clock import new_id
from services.kernel.commit import Caller, VersionConflict
from services.kernel.domain import Rejected
from tests.examples.identity_service import ANONYMOUS, GOOD, Identity, Person, refused
from tests.support.threads import at_once


def pool(identity: Identity, ana: Person) -> SeatPool:
    """The pool as of now."""
    return identity.app.application.journal.load(seat_pool, ana.account_id, ana.account_id).state


def person(identity: Identity, account_id: str, user_id: str) -> User:
    """A person as of now."""
    return identity.app.application.journal.load(user, account_id, user_id).state


def hire_many(identity: Identity, ana: Person, many: int) -> list[Person]:
    """So many technicians."""
    return [identity.hire(ana, f"t{n}@andes.co", name=f"Teo {n}") for n in range(many)]


def invite(identity: Identity, ana: Person, email: str, role: str = "technician") -> str:
    """Somebody is asked in; the token of the mail."""
    identity.by(ana, "invite_user", email=email, name="Nina", role=role)
    return identity.mailed_token(email)


def accept(identity: Identity, token: str, command_id: str | None = None) -> dict[str, Any]:
    """Come in."""
    return identity.anonymous("accept_invitation", command_id, token=token, name="Nina", password=GOOD)


def agree(identity: Identity, ana: Person) -> None:
    """Who works in the field is who sits."""
    everybody = identity.ask(ana, "users", limit=200)["items"]
    working = {u["user_id"] for u in everybody if u["status"] == "active" and u["licence"] == "operational"}
    assert working == set(pool(identity, ana).seated)


def test_the_eleventh_technician_waits_and_loses_nothing(identity: Identity, ana: Person) -> None:
    hired = hire_many(identity, ana, 10)
    token = invite(identity, ana, "nina@andes.co")
    refusal = refused(accept, identity, token, "a-1")
    assert (refusal.code, refusal.details) == ("no-free-seat", {"limit": 10, "used": 10})
    assert identity.app.query("invitation", {"token": token}, ANONYMOUS)["role"] == "technician"
    assert refused(accept, identity, token, "a-1").code == "no-free-seat"
    identity.by(ana, "deactivate_user", user_id=hired[3].user_id)
    identity.login(Person(accept(identity, token, "a-1")["user_id"], ana.account_id, "nina@andes.co"))
    assert refused(identity.by, ana, "reactivate_user", user_id=hired[3].user_id).code == "no-free-seat"
    agree(identity, ana)


def test_letting_somebody_back_in_is_answered_alike_when_all_seats_are_taken_meanwhile(
    identity: Identity, ana: Person
) -> None:
    hired = hire_many(identity, ana, 10)
    identity.by(ana, "deactivate_user", user_id=hired[0].user_id)
    first = identity.by(ana, "reactivate_user", "again", user_id=hired[0].user_id)
    identity.by(ana, "deactivate_user", user_id=hired[0].user_id)
    identity.hire(ana, "nina@andes.co")
    assert identity.by(ana, "reactivate_user", "again", user_id=hired[0].user_id) == first
    assert refused(identity.by, ana, "reactivate_user", "anew", user_id=hired[0].user_id).code == "no-free-seat"
    agree(identity, ana)


def test_office_people_take_no_seat(identity: Identity, ana: Person) -> None:
    hire_many(identity, ana, 10)
    for role in ("owner", "admin", "supervisor", "viewer"):
        identity.hire(ana, f"{role}@andes.co", role)
    assert identity.ask(ana, "seats")["used"] == 10


def test_conversion_takes_and_frees_a_seat(identity: Identity, ana: Person) -> None:
    hired = hire_many(identity, ana, 10)
    luz = identity.hire(ana, "luz@andes.co", "viewer")
    to_field = {"user_id": luz.user_id, "role": "technician"}
    assert refused(identity.by, ana, "change_role", **to_field).code == "no-free-seat"
    assert person(identity, ana.account_id, luz.user_id).member.role == "viewer"
    identity.by(ana, "change_role", user_id=hired[0].user_id, role="supervisor")
    identity.by(ana, "change_role", "c-1", **to_field)
    identity.by(ana, "change_role", "c-1", **to_field)
    assert {luz.user_id} | {t.user_id for t in hired[1:]} == set(pool(identity, ana).seated)
    agree(identity, ana)


def test_the_role_of_somebody_who_does_not_work_takes_no_seat(identity: Identity, ana: Person) -> None:
    hire_many(identity, ana, 10)
    luz = identity.hire(ana, "luz@andes.co", "viewer")
    identity.by(ana, "deactivate_user", user_id=luz.user_id)
    identity.by(ana, "change_role", user_id=luz.user_id, role="technician")
    assert refused(identity.by, ana, "reactivate_user", user_id=luz.user_id).code == "no-free-seat"
    identity.by(ana, "change_role", user_id=luz.user_id, role="viewer")
    identity.by(ana, "reactivate_user", user_id=luz.user_id)


def test_a_repeat_takes_no_second_seat(identity: Identity, ana: Person) -> None:
    teo = identity.hire(ana, "teo@andes.co")
    identity.by(ana, "deactivate_user", "d-1", user_id=teo.user_id)
    identity.by(ana, "reactivate_user", "r-1", user_id=teo.user_id)
    identity.by(ana, "reactivate_user", "r-1", user_id=teo.user_id)
    identity.by(ana, "deactivate_user", "d-2", user_id=teo.user_id)
    identity.by(ana, "reactivate_user", "r-1", user_id=teo.user_id)
    assert not person(identity, ana.account_id, teo.user_id).active
    agree(identity, ana)
    identity.by(ana, "reactivate_user", "r-2", user_id=teo.user_id)
    agree(identity, ana)
    seats_of_teo = [f.type for f in identity.app.facts() if f.type.startswith("Seat") and f.type != "SeatPoolOpened"]
    assert Counter(seats_of_teo)["SeatAssigned"] == Counter(seats_of_teo)["SeatReleased"] + 1


def die_after(monkeypatch: pytest.MonkeyPatch, identity: Identity, fact: str) -> Any:
    """The process dies right after this fact was stored: the next write never happens."""
    store = identity.app.store
    append = store.append

    def dying(commit: Any) -> Any:
        stored = append(commit)
        if fact in {event.type for event in commit.events}:
            raise ConnectionError("died")
        return stored

    broken = monkeypatch.context()
    patch = broken.__enter__()
    patch.setattr(store, "append", dying)
    # Whoever is dead settles nothing.
    patch.setattr(seats, "settle", lambda *_: None)
    return broken


def test_a_death_between_seat_and_work_heals_by_the_repeat(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = invite(identity, ana, "nina@andes.co")
    death = die_after(monkeypatch, identity, "SeatAssigned")
    with pytest.raises(ConnectionError):
        accept(identity, token, "a-1")
    death.__exit__(None, None, None)
    assert pool(identity, ana).used == 1
    accept(identity, token, "a-1")
    identity.wait(minutes=5)
    agree(identity, ana)
    assert identity.types().count("SeatAssigned") == 1


def test_a_seat_that_nobody_took_up_is_free_again(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = invite(identity, ana, "nina@andes.co")
    death = die_after(monkeypatch, identity, "SeatAssigned")
    with pytest.raises(ConnectionError):
        accept(identity, token, "a-1")
    death.__exit__(None, None, None)
    identity.wait(minutes=1)
    assert pool(identity, ana).used == 1
    identity.wait(minutes=2)
    assert pool(identity, ana).used == 0
    accept(identity, token, "a-1")  # the very same request, long after: it takes another seat
    agree(identity, ana)
    assert pool(identity, ana).used == 1


def test_a_seat_taken_back_under_ones_feet_is_taken_again(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = invite(identity, ana, "nina@andes.co")
    take = seats.take
    taken: list[int] = []

    def slow(ask: Any, account_id: str, user_id: str) -> int:
        number = take(ask, account_id, user_id)
        taken.append(number)
        if len(taken) == 1:
            # So slow that the seat looks unused before the person's stream has heard of it.
            system = Caller(tenant=account_id, actor="system:settle_seats")
            identity.app.application.execute("settle_seat", {"user_id": user_id}, system, new_id())
            assert pool(identity, ana).used == 0
        return number

    monkeypatch.setattr(seats, "take", slow)
    accept(identity, token)
    assert taken == [1, 2]
    agree(identity, ana)


@pytest.mark.parametrize("end", ["deactivate_user", "change_role"])
def test_a_death_before_the_seat_is_freed_heals_by_the_reaction(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    teo = identity.hire(ana, "teo@andes.co")
    more = {"role": "viewer"} if end == "change_role" else {}
    with monkeypatch.context() as broken:
        broken.setattr(seats, "settle", lambda *_: None)
        identity.app.application.execute(end, {"user_id": teo.user_id, **more}, identity.caller(ana), new_id())
    assert pool(identity, ana).used == 1
    identity.app.follow()
    assert pool(identity, ana).used == 0


@pytest.mark.parametrize("end", ["withdraw", "expiry"])
def test_an_invitation_that_ends_holds_no_seat(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    token = invite(identity, ana, "nina@andes.co")
    death = die_after(monkeypatch, identity, "SeatAssigned")
    if end == "expiry":
        identity.wait(hours=71, minutes=59, seconds=30)
    with pytest.raises(ConnectionError):
        accept(identity, token)
    death.__exit__(None, None, None)
    (held,) = pool(identity, ana).seated
    if end == "withdraw":
        identity.by(ana, "withdraw_invitation", user_id=held)
    else:
        identity.wait(seconds=40)
    assert pool(identity, ana).used == 0


def test_people_who_worked_before_there_were_pools_get_their_seats(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr(seats, "take", lambda *_: 1)
        earlier.setattr(seats, "settle", lambda *_: None)
        teo = identity.hire(ana, "teo@andes.co")
    assert pool(identity, ana).used == 0
    identity.app._followed = 0  # the new reaction reads the log from its beginning
    identity.app.follow()
    assert set(pool(identity, ana).seated) == {teo.user_id}
    identity.by(ana, "deactivate_user", user_id=teo.user_id)
    assert pool(identity, ana).used == 0


def test_the_seats_are_shown(identity: Identity, ana: Person) -> None:
    teo = identity.hire(ana, "teo@andes.co", name="Teo Paz")
    shown = identity.ask(ana, "seats")
    assert {k: shown[k] for k in ("included", "granted", "limit", "used", "free", "reduction")} == {
        "included": 10,
        "granted": 10,
        "limit": 10,
        "used": 1,
        "free": 9,
        "reduction": None,
    }
    assert shown["seated"] == [{"user_id": teo.user_id, "name": "Teo Paz"}]
    account = Caller(tenant=ana.account_id, actor="system:billing")
    reduction = {"account_id": ana.account_id, "order": 3, "to": 0}
    identity.app.execute("reserve_seat_reduction", reduction, account)
    assert identity.ask(ana, "seats")["reduction"] == {
        "order": 3,
        "to": 0,
        "status": "awaiting-deactivations",
        "too_many": 1,
    }
    identity.by(ana, "deactivate_user", user_id=teo.user_id)
    shown = identity.ask(ana, "seats")
    assert (shown["limit"], shown["granted"], shown["reduction"]["status"]) == (0, 10, "reserved")


def test_of_sixty_four_at_once_exactly_ten_sit_down(identity: Identity, ana: Person) -> None:
    tokens = [invite(identity, ana, f"t{n}@andes.co") for n in range(64)]
    execute = identity.app.application.execute

    def come_in(token: str) -> str:
        data, request = {"token": token, "name": "Nina", "password": GOOD}, new_id()
        while True:
            try:
                execute("accept_invitation", data, ANONYMOUS, request)
            except VersionConflict:
                continue
            except Rejected as refusal:
                return refusal.code
            return "done"

    came = at_once([lambda token=token: come_in(token) for token in tokens])
    assert Counter(came) == {"done": 10, "no-free-seat": 54}
    identity.app.follow()
    identity.wait(minutes=5)
    agree(identity, ana)
    assert pool(identity, ana).used == 10


def test_a_lost_race_for_the_pool_is_begun_anew(
    identity: Identity, ana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = identity.app.store
    append = store.append
    lost = [6]

    def racing(commit: Any) -> Any:
        if commit.category == "seat_pool" and lost[0]:
            lost[0] -= 1
            raise VersionConflict(commit.stream)
        return append(commit)

    token = invite(identity, ana, "nina@andes.co")
    monkeypatch.setattr(store, "append", racing)
    accept(identity, token)
    agree(identity, ana)
