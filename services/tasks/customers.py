"""What the service does before a customer may decide: claiming its code, taking the flat request apart."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from services.kernel.application import Ask
from services.kernel.domain import Rejected
from services.tasks.domain.customer import CreateCustomer, EditCustomer, ForfeitClaim, Profile, customer
from services.tasks.domain.customer_code import ClaimCode, Code, customer_code
from services.tasks.own_fields import with_own_fields
from services.tasks.standing import demand

Fields = Mapping[str, Any]


def plain_code(code: str) -> str:
    """Codes that differ in case or spaces only are one code."""
    return " ".join(unicodedata.normalize("NFKC", code).casefold().split())


def code_key(ask: Ask, code: str) -> str:
    """The name of the code's stream: a keyed fingerprint, for a code may be somebody's identity number."""
    return ask.secrets.fingerprint("customer-code", f"{ask.caller.tenant}:{plain_code(code)}")


def holder_of(ask: Ask, code: str) -> str | None:
    """The id of the customer that has this code now."""
    held: Code = ask.state(customer_code, code_key(ask, code))
    if held.customer_id is None or ask.state(customer, held.customer_id).claim != held.claim:
        return None
    return held.customer_id


def claim(ask: Ask, customer_id: str, code: str) -> str:
    """Claim a code for a customer; answers the claim. Raises Rejected("customer-code-taken").

    The steps and why they are safe under races and crashes stand in `domain/customer_code`.
    """
    key = code_key(ask, code)
    held: Code = ask.state(customer_code, key)
    if held.customer_id == customer_id and held.claim not in ask.state(customer, customer_id).forfeited:
        return held.claim
    if held.customer_id is not None:
        forfeit = ask.make(ForfeitClaim, {"customer_id": held.customer_id, "claim": held.claim})
        ask.handle(customer, held.customer_id, forfeit, part=f"forfeit/{held.claim}")
    wanted = ask.make(ClaimCode, {"key": key, "customer_id": customer_id, "after": held.serial})
    ask.handle(customer_code, key, wanted, part=f"claim/{key}/{held.serial}")
    claimed: Code = ask.state(customer_code, key)
    if claimed.customer_id != customer_id:
        raise Rejected("customer-code-taken")
    return claimed.claim


def creating(ask: Ask) -> Fields:
    """Who may create a customer, under which claim: the office, and whoever meets a new one in the field."""
    demand(ask.caller, "customers:edit", "tasks:execute")
    if ask.state(customer, str(ask.data.get("customer_id"))).exists:
        return creation(ask, ask.data)
    return creation(ask, with_own_fields(ask, "customer", None, ask.data))


def creation(ask: Ask, data: Fields) -> Fields:
    """The fields of a creation."""
    customer_id, profile = _split(data, "customer_id")
    asked = ask.make(CreateCustomer, {**customer_id, "claim": "", "profile": profile})
    assert isinstance(asked, CreateCustomer)
    known = ask.state(customer, asked.customer_id)
    if known.exists:  # a repeat, or a mistake: the customer decides, no claim is touched
        return {**customer_id, "claim": known.claim, "profile": profile}
    return {**customer_id, "claim": claim(ask, asked.customer_id, asked.profile.code), "profile": profile}


def editing(ask: Ask) -> Fields:
    """Who may edit a customer, and the claim for the code it will then have."""
    demand(ask.caller, "customers:edit")
    known = ask.state(customer, str(ask.data.get("customer_id"))).profile
    before = known.fields if isinstance(known, Profile) else {}
    return edition(ask, with_own_fields(ask, "customer", before, ask.data))


def edition(ask: Ask, data: Fields) -> Fields:
    """The fields of an edit."""
    customer_id, changes = _split(data, "customer_id")
    asked = ask.make(EditCustomer, {**customer_id, "claim": "", "changes": changes})
    assert isinstance(asked, EditCustomer)
    known = ask.state(customer, asked.customer_id)
    kept = not known.exists or "code" not in changes or not isinstance(known.profile, Profile)
    held = known.claim if kept else claim(ask, asked.customer_id, asked.changes.code)
    return {**customer_id, "claim": held, "changes": changes}


def placing(ask: Ask) -> Fields:
    """Who may add a location."""
    demand(ask.caller, "customers:edit", "tasks:execute")
    ids, place = _split(ask.data, "customer_id", "location_id")
    return {**ids, "place": place}


def moving(ask: Ask) -> Fields:
    """Who may edit a location."""
    demand(ask.caller, "customers:edit")
    ids, changes = _split(ask.data, "customer_id", "location_id")
    return {**ids, "changes": changes}


def _split(data: Fields, *ids: str) -> tuple[dict[str, Any], dict[str, Any]]:
    return (
        {name: value for name, value in data.items() if name in ids},
        {name: value for name, value in data.items() if name not in ids},
    )
