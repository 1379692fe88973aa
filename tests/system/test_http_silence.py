"""When facts no longer arrive, or nobody answers, the front door stays careful and says what is the matter."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.system.callers import Client, log_in, problem, register, within
from tests.system.conftest import Platform


@contextmanager
def held(platform: Platform, *names: str) -> Iterator[None]:
    """These programs stand still, neither dead nor answering."""
    for name in names:
        platform.supervisor.signal(name, signal.SIGSTOP)
    try:
        yield
    finally:
        for name in names:
            platform.supervisor.signal(name, signal.SIGCONT)


@pytest.fixture(scope="module")
def owner(platform: Platform) -> Client:
    return register(platform, "Silencio S.A.S.")


def stale(client: Client) -> bool:
    return bool(client("GET", "/readyz").json()["revocations"] == "stale")


def test_a_log_out_counts_although_identitys_facts_do_not_arrive(platform: Platform, owner: Client) -> None:
    mine, other = log_in(platform, owner.email), log_in(platform, owner.email)
    with held(platform, "identity.relay"):
        within(20, lambda: stale(owner))
        assert mine("GET", "/v1/me").status_code == 200
        mine.ok("DELETE", "/v1/sessions/current")
        within(2, lambda: mine("GET", "/v1/me").status_code == 401)
        assert other("GET", "/v1/me").status_code == 200
    within(10, lambda: not stale(owner))
    assert mine("GET", "/v1/me").status_code == 401


def test_without_identity_reading_goes_on_and_changes_wait(platform: Platform, owner: Client) -> None:
    made = owner.ok("POST", "/v1/processes", json={"name": "Antes"})
    with held(platform, "identity.relay", "identity.service"):
        time.sleep(4)
        assert owner("GET", f"/v1/processes/{made['id']}").status_code == 200
        found = problem(owner("POST", "/v1/processes", json={"name": "Durante"}), 503)
        assert found["code"] == "revocation-unverifiable"
        ready = owner("GET", "/readyz")
        assert (ready.status_code, ready.json()["identity"], ready.json()["tasks"]) == (503, "down", "ok")
    within(15, lambda: owner("POST", "/v1/processes", json={"name": "Después"}).status_code == 201)


def test_a_service_that_hangs_is_a_timeout_and_one_that_is_gone_says_so(platform: Platform, owner: Client) -> None:
    with held(platform, "tasks.service"):
        start = time.monotonic()
        found = problem(owner("GET", "/v1/processes"), 504)
        assert found["code"] == "timeout"
        assert 9 < time.monotonic() - start < 13
        assert owner("GET", "/v1/me").status_code == 200, "the other service goes on"
    within(15, lambda: owner("GET", "/v1/processes").status_code == 200)
