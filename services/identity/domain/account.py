"""An account is a company on the platform: its name, its owners, and the policies its people log in under."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.identity.domain.permissions import Role
from services.identity.domain.staff import STAFF_COMPANY
from services.identity.domain.values import (
    Confidential,
    Country,
    Id,
    Language,
    Name,
    Network,
    TimeZone,
    allows,
)
from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData

State = Literal["active", "restricted", "suspended", "paused", "cancelled"]


class AccountRegistered(Event):
    """A company has come to the platform; its first owner is named."""

    account_id: str
    owner_id: str
    name: Confidential
    tax_id: Confidential
    country: str
    language: Language
    time_zone: str
    registered_at: AwareDatetime


class StaffAccountOpened(Event):
    """The platform has the account of its own people: no customer, without owner, plan or seats."""

    account_id: str


class AccountRenamed(Event):
    """The company goes by another name now."""

    account_id: str
    name: Confidential


class AccountPoliciesSet(Event):
    """The rules of logging in to this account, all of them as they are from now on."""

    account_id: str
    password_max_age_days: int | None
    inactivity_minutes: int | None
    required_mfa_roles: tuple[Role, ...]
    ip_allow_list: Annotated[tuple[str, ...] | Erased, TenantData()]


class OwnerAdded(Event):
    """One more person answers for the account."""

    account_id: str
    user_id: str


class OwnerRemoved(Event):
    """A person no longer answers for the account; others do."""

    account_id: str
    user_id: str


class AccountStateChanged(Event):
    """What the account's people may do has changed, by billing's word; `revision` counts the changes."""

    account_id: str
    state: State
    former: State
    revision: int


AccountEvent = (
    AccountRegistered
    | StaffAccountOpened
    | AccountRenamed
    | AccountPoliciesSet
    | OwnerAdded
    | OwnerRemoved
    | AccountStateChanged
)


class RegisterAccount(Command):
    """Open an account for a company."""

    account_id: Id
    owner_id: Id
    name: Name
    tax_id: Annotated[str, Field(max_length=40)] = ""
    country: Country = "CO"
    language: Language = "es"
    time_zone: TimeZone = "America/Bogota"


class OpenStaffAccount(Command):
    """Open the account of the platform's own people."""

    account_id: Id


class RenameAccount(Command):
    """Give the company another name."""

    account_id: Id
    name: Name


class SetPolicies(Command):
    """Replace all log-in policies. `caller_ip` is where the request comes from."""

    account_id: Id
    password_max_age_days: Annotated[int, Field(ge=1, le=3650)] | None = None
    inactivity_minutes: Annotated[int, Field(ge=10, le=43_200)] | None = None
    required_mfa_roles: tuple[Role, ...] = ()
    ip_allow_list: Annotated[tuple[Network, ...], Field(max_length=200)] = ()
    caller_ip: str | None = None


class AddOwner(Command):
    """Count this active person among the owners."""

    account_id: Id
    user_id: Id


class RemoveOwner(Command):
    """This person is about to stop being an active owner."""

    account_id: Id
    user_id: Id


class ChangeAccountState(Command):
    """Billing says how the account stands."""

    account_id: Id
    state: State


AccountCommand = (
    RegisterAccount | OpenStaffAccount | RenameAccount | SetPolicies | AddOwner | RemoveOwner | ChangeAccountState
)


@dataclass(frozen=True, slots=True)
class Policies:
    """The rules of logging in; the default is the platform's own."""

    password_max_age_days: int | None = None
    inactivity_minutes: int | None = None
    required_mfa_roles: tuple[Role, ...] = ()
    ip_allow_list: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Account:
    """`owners` are the active ones: there is always at least one. `state` is billing's word, `revision` its count."""

    status: Literal["none", "active"] = "none"
    name: str | Erased = ""
    language: Language = "es"
    owners: frozenset[str] = frozenset()
    policies: Policies = Policies()
    state: State = "active"
    revision: int = 0


initial_state = Account()


def decide(command: AccountCommand, state: Account) -> list[AccountEvent]:
    """What a request to this account leads to."""
    if isinstance(command, RegisterAccount):
        return _register(command, state)
    if isinstance(command, OpenStaffAccount):
        return [] if state.status != "none" else [StaffAccountOpened(account_id=command.account_id)]
    if state.status == "none":
        raise Rejected("account-unknown", account_id=command.account_id)
    match command:
        case RenameAccount(account_id=account_id, name=name):
            return [] if name == state.name else [AccountRenamed(account_id=account_id, name=name)]
        case SetPolicies():
            return _set_policies(command, state)
        case AddOwner(account_id=account_id, user_id=user_id):
            return [] if user_id in state.owners else [OwnerAdded(account_id=account_id, user_id=user_id)]
        case RemoveOwner(user_id=user_id) if user_id not in state.owners:
            return []
        case RemoveOwner() if len(state.owners) == 1:
            raise Rejected("last-owner", user_id=command.user_id)
        case RemoveOwner(account_id=account_id, user_id=user_id):
            return [OwnerRemoved(account_id=account_id, user_id=user_id)]
        case ChangeAccountState(account_id=account_id, state=wanted):
            if wanted == state.state:
                return []
            return [
                AccountStateChanged(
                    account_id=account_id, state=wanted, former=state.state, revision=state.revision + 1
                )
            ]
        case _:
            assert_never(command)


def _register(command: RegisterAccount, state: Account) -> list[AccountEvent]:
    if state.status != "none":
        if command.owner_id in state.owners:
            return []
        raise Rejected("account-exists", account_id=command.account_id)
    return [
        AccountRegistered(
            account_id=command.account_id,
            owner_id=command.owner_id,
            name=command.name,
            tax_id=command.tax_id,
            country=command.country,
            language=command.language,
            time_zone=command.time_zone,
            registered_at=command.at,
        )
    ]


def _set_policies(command: SetPolicies, state: Account) -> list[AccountEvent]:
    wanted = Policies(
        password_max_age_days=command.password_max_age_days,
        inactivity_minutes=command.inactivity_minutes,
        required_mfa_roles=tuple(sorted(set(command.required_mfa_roles))),
        ip_allow_list=tuple(dict.fromkeys(command.ip_allow_list)),
    )
    if wanted == state.policies:
        return []
    if not allows(wanted.ip_allow_list, command.caller_ip):
        raise Rejected("ip-list-excludes-you", ip=command.caller_ip)
    return [
        AccountPoliciesSet(
            account_id=command.account_id,
            password_max_age_days=wanted.password_max_age_days,
            inactivity_minutes=wanted.inactivity_minutes,
            required_mfa_roles=wanted.required_mfa_roles,
            ip_allow_list=wanted.ip_allow_list,
        )
    ]


def evolve(state: Account, event: AccountEvent) -> Account:
    """The account after one more fact."""
    match event:
        case AccountRegistered():
            return Account(
                status="active", name=event.name, language=event.language, owners=frozenset({event.owner_id})
            )
        case StaffAccountOpened():
            return Account(status="active", name=STAFF_COMPANY)
        case AccountRenamed(name=name):
            return replace(state, name=name)
        case AccountPoliciesSet(ip_allow_list=networks):
            policies = Policies(
                password_max_age_days=event.password_max_age_days,
                inactivity_minutes=event.inactivity_minutes,
                required_mfa_roles=event.required_mfa_roles,
                ip_allow_list=() if isinstance(networks, Erased) else networks,
            )
            return replace(state, policies=policies)
        case OwnerAdded(user_id=user_id):
            return replace(state, owners=state.owners | {user_id})
        case OwnerRemoved(user_id=user_id):
            return replace(state, owners=state.owners - {user_id})
        case AccountStateChanged():
            return replace(state, state=event.state, revision=event.revision)
        case _:
            assert_never(event)


account = Decider(
    "account",
    initial_state,
    decide,
    evolve,
    events={
        "AccountRegistered": AccountRegistered,
        "StaffAccountOpened": StaffAccountOpened,
        "AccountRenamed": AccountRenamed,
        "AccountPoliciesSet": AccountPoliciesSet,
        "OwnerAdded": OwnerAdded,
        "OwnerRemoved": OwnerRemoved,
        "AccountStateChanged": AccountStateChanged,
    },
)
