"""A customer is who work is done for, at one or many locations; its code is its own within the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, assert_never

from pydantic import Field, StringConstraints

from services.kernel.domain import ERASED, Command, Decider, Erased, Event, Rejected, Subject
from services.tasks.domain.values import Fields, Id, Line, Name, Position, Value

Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9 ()./x-]{5,30}$")]
Email = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254)]


class Profile(Value):
    """What the account knows about a customer."""

    code: Code
    name: Line
    country: Name | None = None
    department: Name | None = None
    city: Name | None = None
    address: Line | None = None
    phone: Phone | None = None
    email: Email | None = None
    fields: Fields = Field(default_factory=dict)


class ProfileChanges(Profile):
    """The fields that are given are to change; a code or name that is given cannot be empty."""

    code: Code = ""
    name: Line = ""


class Place(Value):
    """One location of a customer."""

    name: Name
    address: Line | None = None
    position: Position | None = None


class PlaceChanges(Place):
    """The fields that are given are to change."""

    name: Name = ""


# A customer may well be a person (and its code an identity card number), so that everything told about
# it is sealed under a key of its own: one customer can be erased without touching the others.
CustomerData = Annotated[Profile | Erased, Subject("customer_id")]
PlaceData = Annotated[Place | Erased, Subject("customer_id")]


class CustomerCreated(Event):
    """The account works for one more customer."""

    customer_id: str
    claim: str
    profile: CustomerData


class CustomerEdited(Event):
    """What is known of the customer changed; `changed` names the fields."""

    customer_id: str
    claim: str
    changed: tuple[str, ...]
    profile: CustomerData


class LocationAdded(Event):
    """The customer has one more place."""

    customer_id: str
    location_id: str
    place: PlaceData


class LocationEdited(Event):
    """What is known of the place changed; `changed` names the fields."""

    customer_id: str
    location_id: str
    changed: tuple[str, ...]
    place: PlaceData


class LocationRemoved(Event):
    """The place is no longer the customer's."""

    customer_id: str
    location_id: str


class ClaimForfeited(Event):
    """This customer will never take the code under this claim: somebody else is about to."""

    customer_id: str
    claim: str


CustomerEvent = CustomerCreated | CustomerEdited | LocationAdded | LocationEdited | LocationRemoved | ClaimForfeited


class CreateCustomer(Command):
    """`claim` proves that the code was claimed for this customer (see `customer_code`)."""

    customer_id: Id
    claim: str
    profile: Profile


class EditCustomer(Command):
    """`claim` is the proof for the code that the customer will then have."""

    customer_id: Id
    claim: str
    changes: ProfileChanges


class AddLocation(Command):
    """Add a place."""

    customer_id: Id
    location_id: Id
    place: Place


class EditLocation(Command):
    """Change what is known of a place."""

    customer_id: Id
    location_id: Id
    changes: PlaceChanges


class RemoveLocation(Command):
    """Take a place away."""

    customer_id: Id
    location_id: Id


class ForfeitClaim(Command):
    """Give up a claim that is not in use, for good."""

    customer_id: Id
    claim: str


CustomerCommand = CreateCustomer | EditCustomer | AddLocation | EditLocation | RemoveLocation | ForfeitClaim


@dataclass(frozen=True, slots=True)
class Customer:
    """The customer as it is now; `forfeited` are the claims it may never use."""

    exists: bool = False
    claim: str = ""
    profile: Profile | Erased = ERASED
    locations: Mapping[str, Place | Erased] = field(default_factory=dict)
    removed: frozenset[str] = frozenset()
    forfeited: frozenset[str] = frozenset()

    def location(self, location_id: str) -> Place | Erased:
        """One of its locations; refuses an id it does not have."""
        if location_id not in self.locations:
            raise Rejected("location-unknown", location_id=location_id)
        return self.locations[location_id]


initial_state = Customer()


def decide(command: CustomerCommand, state: Customer) -> list[CustomerEvent]:
    customer_id = command.customer_id
    match command:
        case ForfeitClaim(claim=claim):
            if state.claim == claim:
                raise Rejected("customer-code-taken", customer_id=customer_id)
            if claim in state.forfeited:
                return []
            return [ClaimForfeited(customer_id=customer_id, claim=claim)]
        case CreateCustomer(claim=claim, profile=profile):
            if state.exists and state.profile == profile:
                return []
            if state.exists:
                raise Rejected("customer-exists", customer_id=customer_id)
            _check_claim(claim, state)
            return [CustomerCreated(customer_id=customer_id, claim=claim, profile=profile)]
        case EditCustomer(claim=claim, changes=changes):
            known = _known(state, customer_id).profile
            if isinstance(known, Erased):
                raise Rejected("customer-erased", customer_id=customer_id)
            edited = known.model_copy(update=_given(changes))
            if edited == known:
                return []
            _check_claim(claim, state)
            return [
                CustomerEdited(customer_id=customer_id, claim=claim, changed=_changed(known, edited), profile=edited)
            ]
        case AddLocation(location_id=location_id, place=place):
            if location_id in _known(state, customer_id).removed:
                raise Rejected("location-removed", location_id=location_id)
            if location_id not in state.locations:
                return [LocationAdded(customer_id=customer_id, location_id=location_id, place=place)]
            if state.locations[location_id] == place:
                return []
            raise Rejected("location-exists", location_id=location_id)
        case EditLocation(location_id=location_id, changes=changes):
            there = _known(state, customer_id).location(location_id)
            if isinstance(there, Erased):
                raise Rejected("customer-erased", customer_id=customer_id)
            moved = there.model_copy(update=_given(changes))
            if moved == there:
                return []
            return [
                LocationEdited(
                    customer_id=customer_id,
                    location_id=location_id,
                    changed=_changed(there, moved),
                    place=moved,
                )
            ]
        case RemoveLocation(location_id=location_id):
            if location_id in _known(state, customer_id).removed:
                return []
            state.location(location_id)
            return [LocationRemoved(customer_id=customer_id, location_id=location_id)]
        case _:
            assert_never(command)


def _known(state: Customer, customer_id: str) -> Customer:
    if not state.exists:
        raise Rejected("customer-unknown", customer_id=customer_id)
    return state


def _check_claim(claim: str, state: Customer) -> None:
    if claim in state.forfeited:
        raise Rejected("customer-code-taken")


def _given(changes: Value) -> dict[str, object]:
    return {name: getattr(changes, name) for name in changes.model_fields_set}


def _changed(before: Value, after: Value) -> tuple[str, ...]:
    return tuple(name for name in type(after).model_fields if getattr(before, name) != getattr(after, name))


def evolve(state: Customer, event: CustomerEvent) -> Customer:
    match event:
        case CustomerCreated(claim=claim, profile=profile) | CustomerEdited(claim=claim, profile=profile):
            return replace(state, exists=True, claim=claim, profile=profile)
        case LocationAdded(location_id=id, place=place) | LocationEdited(location_id=id, place=place):
            return replace(state, locations={**state.locations, id: place})
        case LocationRemoved(location_id=id):
            left = {other: place for other, place in state.locations.items() if other != id}
            return replace(state, locations=left, removed=state.removed | {id})
        case ClaimForfeited(claim=claim):
            return replace(state, forfeited=state.forfeited | {claim})
        case _:
            assert_never(event)


customer: Decider[CustomerCommand, Customer, CustomerEvent] = Decider(
    "customer",
    initial_state,
    decide,
    evolve,
    events={
        "CustomerCreated": CustomerCreated,
        "CustomerEdited": CustomerEdited,
        "LocationAdded": LocationAdded,
        "LocationEdited": LocationEdited,
        "LocationRemoved": LocationRemoved,
        "ClaimForfeited": ClaimForfeited,
    },
)
