"""The account as its administrators see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

from services.identity.domain.account import (
    AccountEvent,
    AccountPoliciesSet,
    AccountRegistered,
    AccountRenamed,
    AccountStateChanged,
    OwnerAdded,
    OwnerRemoved,
    StaffAccountOpened,
    account,
)
from services.kernel.application import Answers, Ask, Query
from services.kernel.commit import Recorded
from services.kernel.domain import Erased, Rejected
from services.kernel.readmodel import ReadModel
from services.kernel.shown import shown, stamp


class Accounts(ReadModel):
    """One document: the account."""

    name = "accounts"
    categories = ("account",)

    def keys(self, fact: Recorded) -> list[str]:
        """The account itself."""
        return [fact.event.account_id]

    def evolve(self, doc: dict[str, Any] | None, fact: Recorded) -> dict[str, Any] | None:
        """The account after one more fact."""
        event: AccountEvent = fact.event
        before = doc or {}
        match event:
            case AccountRegistered():
                return {
                    "account_id": event.account_id,
                    "name": shown(event.name),
                    "tax_id": shown(event.tax_id),
                    "country": event.country,
                    "language": event.language,
                    "time_zone": event.time_zone,
                    "registered_at": stamp(event.registered_at),
                    "owners": [event.owner_id],
                    "state": "active",
                    "policies": {
                        "password_max_age_days": None,
                        "inactivity_minutes": None,
                        "required_mfa_roles": [],
                        "ip_allow_list": [],
                    },
                }
            case StaffAccountOpened():
                return doc  # nobody's own: there is nothing to administer
            case AccountRenamed(name=name):
                return before | {"name": shown(name)}
            case AccountPoliciesSet(ip_allow_list=networks):
                policies = {
                    "password_max_age_days": event.password_max_age_days,
                    "inactivity_minutes": event.inactivity_minutes,
                    "required_mfa_roles": list(event.required_mfa_roles),
                    "ip_allow_list": [] if isinstance(networks, Erased) else list(networks),
                }
                return before | {"policies": policies}
            case AccountStateChanged(state=state):
                return before | {"state": state}
            case OwnerAdded(user_id=user_id):
                return before | {"owners": [*before.get("owners", []), user_id]}
            case OwnerRemoved(user_id=user_id):
                return before | {"owners": [o for o in before.get("owners", []) if o != user_id]}
            case _:
                assert_never(event)


class ThisAccount(Query):
    """The caller's account."""


def this_account(query: ThisAccount, ask: Ask) -> dict[str, Any]:
    """Name, place, policies. Raises Rejected("account-unknown")."""
    row = ask.reads["accounts"].one(ask.caller.tenant)
    if row is None:
        raise Rejected("account-unknown", account_id=ask.caller.tenant)
    row.pop("id")
    return {**row, "version": ask.version(account, ask.caller.tenant)}


QUERIES: Mapping[str, Answers] = {"account": (ThisAccount, this_account)}
