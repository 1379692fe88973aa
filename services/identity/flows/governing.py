"""What administrators decide over people: roles, profiles, access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.identity import activation, ids, seats
from services.identity.domain.device import RevokeDevice, device
from services.identity.domain.membership import ChangeRole, DeactivateUser, ReactivateUser
from services.identity.domain.profile import Profile, profile
from services.identity.domain.user import User, user
from services.identity.domain.values import Id
from services.kernel.application import Ask
from services.kernel.domain import Command, Rejected


def change_role(ask: Ask) -> dict[str, Any]:
    """Give a person another role."""
    command: Any = ask.make(ChangeRole, {**ask.data, "by_role": ask.caller.role})
    return activation.carry_out(ask, command).to_wire()


def deactivate_user(ask: Ask) -> dict[str, Any]:
    """End a person's access at once."""
    command: Any = ask.make(DeactivateUser, {**ask.data, "by_role": ask.caller.role})
    return activation.carry_out(ask, command).to_wire()


def reactivate_user(ask: Ask) -> dict[str, Any]:
    """Let a person work again."""
    command: Any = ask.make(ReactivateUser, {**ask.data, "by_role": ask.caller.role})
    return activation.carry_out(ask, command).to_wire()


class SettleSeat(Command):
    """Whose seat to look at."""

    user_id: Id


def settle_seat(ask: Ask) -> dict[str, Any]:
    """Make this person and the seat pool agree."""
    wanted: Any = ask.make(SettleSeat, ask.data)
    seats.settle(ask, ask.caller.tenant, wanted.user_id)
    return {}


def with_profile(ask: Ask) -> Mapping[str, Any]:
    """What the profile grants, and what the assigner may grant. Raises Rejected("profile-unknown")."""
    granted: frozenset[str] = frozenset()
    if (profile_id := ask.data.get("profile_id")) is not None:
        given: Profile = ask.state(profile, str(profile_id))
        if given.status != "defined":
            raise Rejected("profile-unknown", profile_id=profile_id)
        granted = given.permissions
    own = {"by_role": ask.caller.role, "by_permissions": ask.caller.permissions}
    return {"profile_id": None, **ask.data, "granted": granted, **own}


def revoke_device(ask: Ask) -> dict[str, Any]:
    """Send one of a person's devices away; others' devices only with authority over people."""
    user_id = ask.data.get("user_id", ask.caller.actor)
    if self_or(ask, "users:edit") not in (None, user_id):
        raise Rejected("forbidden")
    command: Any = ask.make(RevokeDevice, {**ask.data, "user_id": user_id})
    place = ids.of_device(ask, command.user_id, command.device_id)
    return ask.handle(device, place, command, part="device").to_wire()


def demand_person(ask: Ask, user_id: object) -> None:
    """Refuse an id that names nobody in this account. Raises Rejected("user-unknown")."""
    person: User = ask.state(user, str(user_id))
    if person.member.status in ("none", "withdrawn"):
        raise Rejected("user-unknown", user_id=user_id)


def self_or(ask: Ask, permission: str) -> str | None:
    """None for whoever holds `permission` (any person is meant), else the caller's own id."""
    return None if permission in ask.caller.permissions else ask.caller.actor
