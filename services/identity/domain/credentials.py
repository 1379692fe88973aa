"""A person's password and the single-use links that replace it; a part of the user's own stream."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from pydantic import AwareDatetime

from services.identity.domain.values import Id, Personal
from services.kernel.domain import Command, Erased, Event, Rejected

RESET_VALID_FOR = timedelta(hours=1)


class PasswordSet(Event):
    """The person chose a first password."""

    user_id: str
    password_hash: Personal
    set_at: AwareDatetime


class PasswordChanged(Event):
    """The person, knowing the old password, chose a new one; only `kept_session` goes on.

    `request` is the request's own id: a repeat of it cannot prove the old password any more.
    """

    user_id: str
    password_hash: Personal
    set_at: AwareDatetime
    kept_session: str | None
    request: str


class PasswordResetRequested(Event):
    """A single-use link was asked for; it replaces any earlier one."""

    user_id: str
    number: int
    expires_at: AwareDatetime


class PasswordReset(Event):
    """The link was used: a new password, and every session ends."""

    user_id: str
    number: int
    password_hash: Personal
    set_at: AwareDatetime


class PasswordRehashed(Event):
    """The same password, hashed with today's parameters."""

    user_id: str
    password_hash: Personal


CredentialEvent = PasswordSet | PasswordChanged | PasswordResetRequested | PasswordReset | PasswordRehashed


class ChangePassword(Command):
    """Replace the password. `proven_hash` is the one the old password was checked against."""

    user_id: Id
    password_hash: str
    proven_hash: str
    kept_session: str | None = None
    request: str


class RequestPasswordReset(Command):
    """Ask for a single-use link."""

    user_id: Id


class ResetPassword(Command):
    """Use the link `number`."""

    user_id: Id
    number: int
    password_hash: str


class RehashPassword(Command):
    """Store the proven password under new parameters."""

    user_id: Id
    password_hash: str
    proven_hash: str


CredentialCommand = ChangePassword | RequestPasswordReset | ResetPassword | RehashPassword


@dataclass(frozen=True, slots=True)
class Credentials:
    """`reset_expires_at` is set while the link `reset_number` can still be used."""

    password_hash: str | Erased = ""
    set_at: datetime | None = None
    reset_number: int = 0
    reset_expires_at: datetime | None = None
    changed_by_request: str = ""

    def expired(self, max_age_days: int | None, at: datetime) -> bool:
        """Whether the password is older than the account allows."""
        if max_age_days is None or self.set_at is None:
            return False
        return at - self.set_at > timedelta(days=max_age_days)


def decide(command: CredentialCommand, state: Credentials) -> list[CredentialEvent]:
    """What a request about an active person's password leads to."""
    match command:
        case ChangePassword(password_hash=new) | RehashPassword(password_hash=new) if new == state.password_hash:
            return []
        case ChangePassword(user_id=user_id, password_hash=new):
            if command.proven_hash != state.password_hash:
                raise Rejected("credentials-invalid")
            return [
                PasswordChanged(
                    user_id=user_id,
                    password_hash=new,
                    set_at=command.at,
                    kept_session=command.kept_session,
                    request=command.request,
                )
            ]
        case RequestPasswordReset(user_id=user_id):
            expires_at = command.at + RESET_VALID_FOR
            if state.reset_expires_at == expires_at:
                return []
            return [PasswordResetRequested(user_id=user_id, number=state.reset_number + 1, expires_at=expires_at)]
        case ResetPassword():
            return _reset(command, state)
        case RehashPassword(user_id=user_id, password_hash=new):
            # Somebody changed the password meanwhile: the old one must not come back.
            if command.proven_hash != state.password_hash:
                return []
            return [PasswordRehashed(user_id=user_id, password_hash=new)]
        case _:
            assert_never(command)


def _reset(command: ResetPassword, state: Credentials) -> list[CredentialEvent]:
    if command.number != state.reset_number:
        raise Rejected("reset-invalid")
    if state.reset_expires_at is None:
        if command.password_hash == state.password_hash:
            return []
        raise Rejected("reset-invalid")
    if command.at >= state.reset_expires_at:
        raise Rejected("reset-expired")
    return [
        PasswordReset(
            user_id=command.user_id,
            number=command.number,
            password_hash=command.password_hash,
            set_at=command.at,
        )
    ]


def evolve(state: Credentials, event: CredentialEvent) -> Credentials:
    """The credentials after one more fact."""
    match event:
        case PasswordSet(password_hash=new, set_at=at):
            return replace(state, password_hash=new, set_at=at, reset_expires_at=None)
        case PasswordChanged(password_hash=new, set_at=at, request=request):
            return replace(state, password_hash=new, set_at=at, reset_expires_at=None, changed_by_request=request)
        case PasswordResetRequested(number=number, expires_at=expires_at):
            return replace(state, reset_number=number, reset_expires_at=expires_at)
        case PasswordReset(password_hash=new, set_at=at):
            return replace(state, password_hash=new, set_at=at, reset_expires_at=None)
        case PasswordRehashed(password_hash=new):
            return replace(state, password_hash=new)
        case _:
            assert_never(event)


EVENTS: dict[str, type[CredentialEvent]] = {
    "PasswordSet": PasswordSet,
    "PasswordChanged": PasswordChanged,
    "PasswordResetRequested": PasswordResetRequested,
    "PasswordReset": PasswordReset,
    "PasswordRehashed": PasswordRehashed,
}
