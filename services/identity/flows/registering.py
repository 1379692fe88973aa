"""A company comes to the platform: its owner's address is claimed, the account opened, the owner made."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from pydantic import StringConstraints

from services.identity import ids, passwords, seats
from services.identity.domain.account import RegisterAccount, account
from services.identity.domain.invitation import RegisterOwner
from services.identity.domain.login_name import ClaimLoginName, ReleaseLoginName, login_name
from services.identity.domain.password_rules import demand_good
from services.identity.domain.user import User, user
from services.identity.domain.values import Country, Email, Id, Language, Name, TimeZone
from services.kernel.application import Ask
from services.kernel.commit import PLATFORM
from services.kernel.domain import Command

Password = Annotated[str, StringConstraints(max_length=1024)]


class RegisterCompany(Command):
    """What a visitor types to open an account."""

    name: Name
    tax_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40)] = ""
    country: Country = "CO"
    language: Language = "es"
    time_zone: TimeZone = "America/Bogota"
    owner_name: Name
    email: Email
    password: Password


def register_account(ask: Ask) -> dict[str, Any]:
    """Open an account with its first owner."""
    wanted: Any = ask.make(RegisterCompany, ask.data)
    demand_good(wanted.password, (wanted.name, wanted.owner_name, wanted.email.split("@")[0]))
    account_id, user_id = ids.of_request(ask, "account"), ids.of_request(ask, "owner")
    ask.caller = replace(ask.caller, actor=user_id)
    claim(ask, wanted.email, account_id, user_id)
    company = {"account_id": account_id, "owner_id": user_id, "name": wanted.name, "tax_id": wanted.tax_id}
    company |= {"country": wanted.country, "language": wanted.language, "time_zone": wanted.time_zone}
    ask.handle(account, account_id, ask.make(RegisterAccount, company), part="account", tenant=account_id)
    owner = {"user_id": user_id, "email": wanted.email, "name": wanted.owner_name, "language": wanted.language}
    owner["password_hash"] = passwords.hash_of(wanted.password)
    receipt = ask.handle(user, user_id, ask.make(RegisterOwner, owner), part="owner", tenant=account_id)
    seats.open_pool(ask, account_id)  # last: without it, the first person to sit down opens the pool
    return receipt.to_wire() | {"account_id": account_id, "user_id": user_id}


def claim(ask: Ask, email: str, account_id: str, user_id: str) -> None:
    """Reserve the address for this person. Raises Rejected("email-taken")."""
    name_id = ids.of_login_name(ask, email)
    holder = {"name_id": name_id, "account_id": account_id, "user_id": user_id}
    ask.handle(login_name, name_id, ask.make(ClaimLoginName, holder), part="claim", tenant=PLATFORM)


def release(ask: Ask, email: str, account_id: str, user_id: str) -> None:
    """Give the person's address up, so that anybody may use it."""
    name_id = ids.of_login_name(ask, email)
    holder = {"name_id": name_id, "account_id": account_id, "user_id": user_id}
    ask.handle(login_name, name_id, ask.make(ReleaseLoginName, holder), part="release", tenant=PLATFORM)


class ReleaseUnused(Command):
    """A claim was made some time ago."""

    name_id: str
    account_id: Id
    user_id: Id


def release_unused_login_name(ask: Ask) -> dict[str, Any]:
    """Free an address whose claim was not followed by a person, because a process died in between."""
    claimed: Any = ask.make(ReleaseUnused, ask.data)
    person: User = ask.state(user, claimed.user_id, tenant=claimed.account_id)
    if person.member.status != "none":
        return {}
    freed = ask.make(ReleaseLoginName, ask.data)
    return ask.handle(login_name, claimed.name_id, freed, part="release", tenant=PLATFORM).to_wire()
