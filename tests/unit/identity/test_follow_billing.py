"""What billing says is done here once, in order, and over the same wire form as in production."""

from __future__ import annotations

from typing import Any

import pytest

from services.identity.domain.account import Account, account
from services.identity.domain.seat_pool import SeatPool, seat_pool
from services.identity.incoming import OF_BILLING
from services.identity.processes import follow_billing
from services.kernel.commit import Recorded
from services.kernel.process import carry_out
from tests.examples.identity_service import Identity, Person


class Billing:
    """Speaks as billing's subscription would; each fact is the next of its stream."""

    def __init__(self, identity: Identity, ana: Person) -> None:
        self.identity = identity
        self.account_id = ana.account_id
        self.told: list[Recorded] = []

    def say(self, type: str, **data: Any) -> None:
        data = {"account_id": self.account_id, "something_new": 1, **data}
        place = len(self.told) + 1
        self.told.append(
            Recorded(
                service="billing",
                position=place,
                index=0,
                stream=f"subscription-{self.account_id}-{self.account_id}",
                category="subscription",
                version=place,
                tenant=self.account_id,
                actor=self.account_id,
                at=self.identity.app.clock.now(),
                type=type,
                v=1,
                data=data,
                event=OF_BILLING[type].model_validate(data),
            )
        )
        self.deliver(self.told[-1])

    def deliver(self, fact: Recorded) -> None:
        app = self.identity.app
        carry_out("identity.billing", follow_billing.react, fact, app.application, set_timer=pytest.fail)
        app.follow()

    @property
    def pool(self) -> SeatPool:
        return self.identity.app.application.journal.load(seat_pool, self.account_id, self.account_id).state

    @property
    def account(self) -> Account:
        return self.identity.app.application.journal.load(account, self.account_id, self.account_id).state


@pytest.fixture
def billing(identity: Identity, ana: Person) -> Billing:
    return Billing(identity, ana)


def test_the_beginning_of_a_subscription_changes_nothing(billing: Billing) -> None:
    billing.say("SubscriptionStarted", seats=10, entitlement_version=1)
    assert billing.pool.limit == 10


def test_an_upgrade_raises_the_limit_once(billing: Billing, identity: Identity, ana: Person) -> None:
    billing.say("SeatsGranted", seats=12, entitlement_version=2)
    billing.deliver(billing.told[0])
    assert (billing.pool.limit, billing.pool.entitlement_version) == (12, 2)
    assert identity.types().count("SeatLimitRaised") == 1
    assert identity.ask(ana, "seats")["free"] == 12


def test_a_reduction_is_held_applied_and_over(billing: Billing, identity: Identity, ana: Person) -> None:
    billing.say("SeatsGranted", seats=12, entitlement_version=2)
    billing.say("SeatReductionApproved", order=1, to=11)
    assert billing.pool.limit == 11
    billing.say("SeatReductionCancelled", order=1, to=11, seats=12)
    assert billing.pool.limit == 12
    billing.say("SeatReductionApproved", order=2, to=10)
    billing.say("SeatReductionApplied", order=2, seats=10, entitlement_version=3)
    assert (billing.pool.limit, billing.pool.granted, billing.pool.reduction) == (10, 10, None)
    billing.say("SeatReductionRejected", order=3)
    assert billing.pool.limit == 10


def test_a_reduction_waits_for_the_administrators_choice(billing: Billing, identity: Identity, ana: Person) -> None:
    billing.say("SeatsGranted", seats=11, entitlement_version=2)
    people = [identity.hire(ana, f"t{n}@andes.co", name="Teo") for n in range(11)]
    billing.say("SeatReductionApproved", order=1, to=10)
    assert identity.ask(ana, "seats")["reduction"]["too_many"] == 1
    identity.by(ana, "deactivate_user", user_id=people[5].user_id)
    assert "SeatReductionReserved" in identity.types()
    assert (billing.pool.limit, billing.pool.used) == (10, 10)


@pytest.mark.parametrize(
    ("name", "standing", "state"),
    [
        ("AccountRestricted", "restricted", "restricted"),
        ("AccountSuspended", "suspended", "suspended"),
        ("AccountPaused", "paused", "paused"),
        ("SubscriptionCancelled", "cancelled", "cancelled"),
        ("AccountPastDue", "past_due", "active"),
        ("AccountRestricted", "paused", "paused"),
    ],
)
def test_the_standing_counts_and_not_the_name(billing: Billing, name: str, standing: str, state: str) -> None:
    billing.say(name, standing=standing)
    assert billing.account.state == state
    billing.say("AccountReactivated", standing="active")
    assert billing.account.state == "active"
