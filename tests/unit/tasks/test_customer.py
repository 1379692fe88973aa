"""Customers, their locations, and the claim on a code that no two of them share."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from services.tasks.domain.customer import (
    AddLocation,
    ClaimForfeited,
    CreateCustomer,
    CustomerCreated,
    CustomerEdited,
    EditCustomer,
    EditLocation,
    ForfeitClaim,
    LocationAdded,
    LocationEdited,
    LocationRemoved,
    PlaceChanges,
    ProfileChanges,
    RemoveLocation,
    customer,
)
from services.tasks.domain.customer_code import ClaimCode, CodeClaimed, customer_code
from tests.examples.tasks import (
    ADMIN,
    CLAIM,
    CUSTOMER,
    LOCATION,
    MEDELLIN,
    NOW,
    PLACE,
    PROFILE,
    an_id,
    customer_created,
    location_added,
)

ASKED = {"customer_id": CUSTOMER, "at": NOW, "by": ADMIN}
CREATE = CreateCustomer(**ASKED, claim=CLAIM, profile=PROFILE)
removed = LocationRemoved(customer_id=CUSTOMER, location_id=LOCATION)


def edit(claim: str = CLAIM, **changes: Any) -> EditCustomer:
    return EditCustomer(**ASKED, claim=claim, changes=ProfileChanges(**changes))


def test_a_customer_is_created_once() -> None:
    given(customer).when(CREATE).then(customer_created)
    given(customer).when(CREATE).then_repeating_adds_nothing()


def test_an_id_in_use_is_refused_for_another_customer() -> None:
    other = CREATE.model_copy(update={"profile": PROFILE.model_copy(update={"name": "Otra"})})
    given(customer, customer_created).when(other).then_rejected("customer-exists")


def test_only_given_fields_change_and_are_named() -> None:
    command = edit(city="Medellín", address=None)
    after = PROFILE.model_copy(update={"city": "Medellín", "address": None})
    given(customer, customer_created).when(command).then(
        CustomerEdited(customer_id=CUSTOMER, claim=CLAIM, changed=("city", "address"), profile=after)
    )
    given(customer, customer_created).when(command).then_repeating_adds_nothing()


def test_a_name_cannot_be_taken_away() -> None:
    with pytest.raises(ValidationError):
        edit(name=None)
    with pytest.raises(ValidationError):
        edit(code="  ")


def test_an_unknown_customer_is_refused() -> None:
    for command in (
        edit(city="Cali"),
        AddLocation(**ASKED, location_id=LOCATION, place=PLACE),
        EditLocation(**ASKED, location_id=LOCATION, changes=PlaceChanges(name="Sur")),
        RemoveLocation(**ASKED, location_id=LOCATION),
    ):
        given(customer).when(command).then_rejected("customer-unknown")


def test_a_location_is_added_edited_and_removed_once_each() -> None:
    moved = PLACE.model_copy(update={"position": MEDELLIN})
    here = given(customer, customer_created)
    here = here.when(AddLocation(**ASKED, location_id=LOCATION, place=PLACE)).then_repeating_adds_nothing()
    assert here.state.locations == {LOCATION: PLACE}
    change = EditLocation(**ASKED, location_id=LOCATION, changes=PlaceChanges(position=MEDELLIN))
    here.when(change).then(
        LocationEdited(customer_id=CUSTOMER, location_id=LOCATION, changed=("position",), place=moved)
    )
    here = here.when(change).then_repeating_adds_nothing()
    here = here.when(RemoveLocation(**ASKED, location_id=LOCATION)).then_repeating_adds_nothing()
    assert here.state.locations == {}


def test_a_removed_location_does_not_come_back_by_a_late_repeat() -> None:
    given(customer, customer_created, location_added, removed).when(
        AddLocation(**ASKED, location_id=LOCATION, place=PLACE)
    ).then_rejected("location-removed")


def test_a_location_id_in_use_or_unknown_is_refused() -> None:
    other = PLACE.model_copy(update={"name": "Otra"})
    given(customer, customer_created, location_added).when(
        AddLocation(**ASKED, location_id=LOCATION, place=other)
    ).then_rejected("location-exists")
    for command in (
        EditLocation(**ASKED, location_id=an_id(49), changes=PlaceChanges(name="Sur")),
        RemoveLocation(**ASKED, location_id=an_id(49)),
    ):
        given(customer, customer_created, location_added).when(command).then_rejected("location-unknown")


def test_an_erased_customer_is_still_there_but_not_edited() -> None:
    erased = CustomerCreated(customer_id=CUSTOMER, claim=CLAIM, profile=ERASED)
    gone = LocationAdded(customer_id=CUSTOMER, location_id=LOCATION, place=ERASED)
    given(customer, erased, gone).when(edit(city="Cali")).then_rejected("customer-erased")
    given(customer, erased, gone).when(
        EditLocation(**ASKED, location_id=LOCATION, changes=PlaceChanges(name="Sur"))
    ).then_rejected("customer-erased")


def test_a_claim_in_use_is_not_forfeited() -> None:
    given(customer, customer_created).when(ForfeitClaim(**ASKED, claim=CLAIM)).then_rejected("customer-code-taken")


def test_an_unused_claim_is_forfeited_and_of_no_use_afterwards() -> None:
    forfeited = ClaimForfeited(customer_id=CUSTOMER, claim="other/1")
    given(customer).when(ForfeitClaim(**ASKED, claim="other/1")).then(forfeited)
    given(customer).when(ForfeitClaim(**ASKED, claim="other/1")).then_repeating_adds_nothing()
    given(customer, forfeited).when(CREATE.model_copy(update={"claim": "other/1"})).then_rejected("customer-code-taken")
    given(customer, customer_created, forfeited).when(edit("other/1", code="X-1")).then_rejected("customer-code-taken")


def test_a_later_claim_is_good_again() -> None:
    forfeited = ClaimForfeited(customer_id=CUSTOMER, claim="other/1")
    given(customer, forfeited).when(CREATE.model_copy(update={"claim": "other/3"})).then_repeating_adds_nothing()


def claim(customer_id: str, after: int = 0) -> ClaimCode:
    return ClaimCode(key="abc", customer_id=customer_id, after=after, at=NOW, by=ADMIN)


def test_a_free_code_is_claimed_once() -> None:
    given(customer_code).when(claim(CUSTOMER)).then(CodeClaimed(key="abc", serial=1, customer_id=CUSTOMER))
    given(customer_code).when(claim(CUSTOMER)).then_repeating_adds_nothing()


def test_a_claim_that_the_asker_did_not_know_of_is_in_the_way() -> None:
    held = CodeClaimed(key="abc", serial=1, customer_id=CUSTOMER)
    given(customer_code, held).when(claim(an_id(45))).then_rejected("customer-code-taken")


def test_a_forfeited_claim_is_taken_over_by_exactly_one() -> None:
    held = CodeClaimed(key="abc", serial=1, customer_id=CUSTOMER)
    taken = CodeClaimed(key="abc", serial=2, customer_id=an_id(45))
    given(customer_code, held).when(claim(an_id(45), after=1)).then(taken)
    given(customer_code, held, taken).when(claim(an_id(46), after=1)).then_rejected("customer-code-taken")
    assert given(customer_code, held, taken).state.claim == "abc/2"


def test_any_fact_in_any_order_makes_a_state() -> None:
    assert given(customer, removed, location_added, removed).state.locations == {}
