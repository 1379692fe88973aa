"""What a person may do at this moment, from role, profile and the account's policies together."""

from __future__ import annotations

from services.identity.domain.account import Account
from services.identity.domain.permissions import demands_totp, effective
from services.identity.domain.profile import Profile, profile
from services.identity.domain.user import User
from services.kernel.application import Ask


def granted(ask: Ask, tenant: str, person: User, company: Account) -> tuple[frozenset[str], bool]:
    """What the person may do now, and whether an authenticator has to be enrolled before anything else."""
    if demands_totp(person.member.role, company.policies.required_mfa_roles) and not person.factor.enabled:
        return frozenset(), True
    own: frozenset[str] | None = None
    if person.member.profile_id is not None:
        given: Profile = ask.state(profile, person.member.profile_id, tenant=tenant)
        own = given.permissions if given.status == "defined" else None
    return effective(person.member.role, own), False
