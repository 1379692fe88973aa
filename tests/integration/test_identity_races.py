"""What only one of many may get in identity, asked for by sixty-four at the same moment on the real store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from argon2 import PasswordHasher

from services.identity import passwords, tokens
from services.identity.domain.account import account
from services.identity.domain.seat_pool import seat_pool
from services.identity.domain.session import session
from services.identity.domain.user import user
from services.identity.processes.revoke_sessions_of_revoked_device import revoke_sessions_of_revoked_device
from services.identity.wiring import define
from services.kernel import faults
from services.kernel.clock import new_id
from services.kernel.commit import PLATFORM, Caller, VersionConflict
from services.kernel.config import Settings
from services.kernel.domain import Rejected
from services.kernel.platform import Platform, open_platform
from services.kernel.projection import Projector
from services.kernel.worker import Follower
from tests.support.threads import at_once

ANONYMOUS = Caller(tenant=PLATFORM, actor="anonymous")
GOOD = "corral de piedra 42"
MANY = 64


@pytest.fixture(scope="module")
def identity(platform_env: dict[str, str]) -> Iterator[Platform]:
    """The service's own platform, without its programs: only commands are asked here."""
    with pytest.MonkeyPatch.context() as cheap:
        cheap.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        platform = open_platform(define(), Settings.model_validate(platform_env))
        platform.ensure_indexes()
        yield platform
        platform.close()


def ask(identity: Platform, command: str, caller: Caller = ANONYMOUS, **data: Any) -> dict[str, Any]:
    """A request with an id of its own; a lost race is tried again, as the gateway's client would."""
    request = new_id()
    while True:
        try:
            return identity.application.execute(command, data, caller, request)
        except VersionConflict:
            continue


def register(identity: Platform, email: str) -> dict[str, Any]:
    """A company."""
    return ask(identity, "register_account", name="Andes", owner_name="Ana Ruiz", email=email, password=GOOD)


def owner_of(company: dict[str, Any], user_id: str | None = None) -> Caller:
    """Somebody who may do everything in this account."""
    return Caller(tenant=company["account_id"], actor=user_id or company["user_id"], role="owner")


def outcomes(work: Sequence[Callable[[], dict[str, Any]]]) -> Counter[str]:
    """How often it was done, and how often refused with which code."""
    counted: Counter[str] = Counter()
    for outcome in at_once(work):
        if isinstance(outcome, Rejected):
            counted[outcome.code] += 1
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            counted["done"] += 1
    return counted


def state_of(identity: Platform, decider: Any, tenant: str, id: str) -> Any:
    """An aggregate as of now."""
    return identity.application.journal.load(decider, tenant, id).state


def test_one_of_many_gets_an_address(identity: Platform) -> None:
    assert outcomes([lambda: register(identity, "one@andes.co")] * MANY) == {"done": 1, "email-taken": MANY - 1}


def test_one_of_many_uses_an_invitation(identity: Platform) -> None:
    company = register(identity, "two@andes.co")
    invited = ask(identity, "invite_user", owner_of(company), email="teo@andes.co", name="Teo", role="technician")
    secrets = identity.application.secrets
    token = tokens.derive(secrets, "inv", company["account_id"], invited["user_id"], 1)
    accept = [
        lambda n=n: ask(identity, "accept_invitation", token=token, name=f"Teo {n}", password=f"{GOOD} {n}")
        for n in range(MANY)
    ]
    assert outcomes(accept) == {"done": 1, "invitation-invalid": MANY - 1}
    assert state_of(identity, user, company["account_id"], invited["user_id"]).active


def test_of_sixty_four_who_come_in_at_once_ten_sit_down(identity: Platform) -> None:
    company = register(identity, "six@andes.co")
    tenant = company["account_id"]
    invited = [
        ask(identity, "invite_user", owner_of(company), email=f"s{n}@andes.co", name="Teo", role="technician")[
            "user_id"
        ]
        for n in range(MANY)
    ]
    secrets = identity.application.secrets
    links = [tokens.derive(secrets, "inv", tenant, user_id, 1) for user_id in invited]
    accept = [
        lambda token=token: ask(identity, "accept_invitation", token=token, name="Teo", password=GOOD)
        for token in links
    ]
    assert outcomes(accept) == {"done": 10, "no-free-seat": MANY - 10}
    active = {id for id in invited if state_of(identity, user, tenant, id).active}
    assert set(state_of(identity, seat_pool, tenant, tenant).seated) == active
    assert len(active) == 10


@pytest.mark.parametrize("point", ["store.before_insert", "store.after_insert_before_ack"])
@pytest.mark.parametrize("nth", [1, 2])
def test_whoever_comes_in_has_one_seat_whatever_write_failed(identity: Platform, point: str, nth: int) -> None:
    company = register(identity, f"seven{nth}@{point.replace('_', '-')}.co")
    tenant = company["account_id"]
    wanted = {"email": f"t{nth}@{point.replace('_', '-')}.co", "name": "Teo", "role": "technician"}
    user_id = ask(identity, "invite_user", owner_of(company), **wanted)["user_id"]
    link = tokens.derive(identity.application.secrets, "inv", tenant, user_id, 1)
    come_in = {"token": link, "name": "Teo", "password": GOOD}
    request, reached = new_id(), count(1)

    def fail() -> None:
        if next(reached) == nth:
            raise faults.InjectedFault(point)

    faults.arm(point, fail)
    try:
        with suppress(Exception):
            identity.application.execute("accept_invitation", come_in, ANONYMOUS, request)
    finally:
        faults.disarm()
    assert next(reached) > nth, "the write that should have failed never came"
    identity.application.execute("accept_invitation", come_in, ANONYMOUS, request)
    identity.application.execute("settle_seat", {"user_id": user_id}, owner_of(company), new_id())
    assert state_of(identity, user, tenant, user_id).active
    assert set(state_of(identity, seat_pool, tenant, tenant).seated) == {user_id}


def test_owners_who_all_send_one_another_away_leave_one(identity: Platform) -> None:
    company = register(identity, "three@andes.co")
    owners = [company["user_id"]]
    for n in range(3):
        invited = ask(identity, "invite_user", owner_of(company), email=f"o{n}@andes.co", name="Luz", role="owner")
        token = tokens.derive(identity.application.secrets, "inv", company["account_id"], invited["user_id"], 1)
        ask(identity, "accept_invitation", token=token, name="Luz", password=GOOD)
        owners.append(invited["user_id"])
    each_other = [
        lambda by=by, of=of: ask(identity, "deactivate_user", owner_of(company, by), user_id=of)
        for by in owners
        for of in owners
        if by != of
    ]
    counted = outcomes(each_other)
    assert counted.keys() <= {"done", "last-owner"}
    tenant = company["account_id"]
    active = {id for id in owners if state_of(identity, user, tenant, id).active}
    assert len(active) == 1
    assert state_of(identity, account, tenant, tenant).owners == active


def test_a_refresh_token_used_by_many_at_once_has_one_successor(identity: Platform) -> None:
    register(identity, "four@andes.co")
    session = ask(identity, "login", email="four@andes.co", password=GOOD)
    answers = at_once([lambda: ask(identity, "refresh", refresh_token=session["refresh_token"])] * MANY)
    successors = {answer["refresh_token"] if isinstance(answer, dict) else repr(answer) for answer in answers}
    assert len(successors) == 1
    assert successors.pop().startswith(f"cor.{session['account_id']}.{session['session_id']}.1.")


def test_many_guesses_at_once_get_no_more_answers_than_are_free(identity: Platform) -> None:
    register(identity, "five@andes.co")
    guesses = [lambda: ask(identity, "login", email="five@andes.co", password="wrong")] * MANY
    counted = outcomes(guesses)
    assert counted.keys() == {"credentials-invalid", "login-delayed"}
    assert counted["credentials-invalid"] <= 8


def test_a_list_of_sessions_that_lags_keeps_no_session_on_a_lost_phone_open(identity: Platform) -> None:
    company, phone = register(identity, "eight@andes.co"), new_id()
    typed = {"email": "eight@andes.co", "password": GOOD, "kind": "device", "device_id": phone}
    opened = ask(identity, "login", **typed)["session_id"]
    ask(identity, "revoke_device", owner_of(company), device_id=phone)
    follower = Follower(identity, revoke_sessions_of_revoked_device)
    with ThreadPoolExecutor(1) as worker:
        reacted = worker.submit(lambda: _follow(follower))
        with pytest.raises(TimeoutError):
            reacted.result(0.3)
        for model in identity.definition.read_models:
            _follow(Projector(identity.db, model, identity.store, identity.registry, identity.keyring))
        reacted.result(10)
    assert state_of(identity, session, company["account_id"], opened).status == "revoked"


def _follow(who: Follower | Projector) -> None:
    while who.step():
        pass
