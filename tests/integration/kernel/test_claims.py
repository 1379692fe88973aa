"""Sixty-four at once want one thing: one gets it, the others are told so, and nobody is told something else."""

from __future__ import annotations

import pytest

from services.kernel.domain import Rejected
from services.kernel.platform import Platform
from tests.examples.kernel import ACME, an_id, caller, parcels
from tests.integration.kernel.conftest import Open
from tests.support.log_checks import assert_well_formed, whole_log
from tests.support.threads import at_once, each_at_once

PARCEL = an_id(1)


@pytest.fixture
def services(open_service: Open) -> list[Platform]:
    """Four processes of one service, and one parcel."""
    opened = [open_service(parcels()) for _ in range(4)]
    opened[0].application.execute("register_parcel", {"parcel_id": PARCEL}, caller(), "register")
    return opened


@pytest.mark.parametrize("attempt", range(3))
def test_one_of_sixty_four_claims_succeeds(services: list[Platform], attempt: int) -> None:
    outcomes = at_once(
        [
            lambda n=n: services[n % 4].application.execute(
                "claim_parcel", {"parcel_id": PARCEL, "courier_id": an_id(100 + n)}, caller(), f"claim-{n}"
            )
            for n in range(64)
        ]
    )
    won = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, dict)]
    lost = [outcome for outcome in outcomes if isinstance(outcome, Rejected)]
    assert (len(won), len(lost)) == (1, 63), outcomes
    winner = an_id(100 + won[0])
    assert {(refusal.code, refusal.details["courier_id"]) for refusal in lost} == {("parcel-taken", winner)}
    log = whole_log(services[0].store)
    assert_well_formed(log)
    claims = [event for commit in log for event in commit.events if event.type == "ParcelClaimed"]
    assert [event.data["courier_id"] for event in claims] == [winner]


def test_one_request_sent_sixty_four_times_at_once_is_one_request(services: list[Platform]) -> None:
    answers = each_at_once(
        [
            lambda n=n: services[n % 4].application.execute(
                "move_parcel", {"parcel_id": PARCEL, "steps": 2}, caller(), "once"
            )
            for n in range(64)
        ]
    )
    assert {(answer["version"], answer["position"]) for answer in answers} == {(3, 2)}
    assert services[0].store.head() == 2


def test_sixty_four_registrations_of_one_thing_are_one(services: list[Platform]) -> None:
    answers = each_at_once(
        [
            lambda n=n: services[n % 4].application.execute(
                "register_parcel", {"parcel_id": an_id(2)}, caller(), f"register-{n}"
            )
            for n in range(64)
        ]
    )
    assert {answer["version"] for answer in answers} == {1}
    assert len(services[0].store.load(f"parcel-{ACME}-{an_id(2)}")) == 1
