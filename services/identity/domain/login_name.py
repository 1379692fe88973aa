"""A log-in name is one e-mail address, claimed by at most one person on the whole platform.

It also keeps count of failed attempts, for addresses nobody has claimed as well: whether an address
is known must not show in how a failed log-in is answered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import ceil
from typing import assert_never

from pydantic import AwareDatetime

from services.identity.domain.values import Id
from services.kernel.domain import Command, Decider, Event, Rejected

FREE_ATTEMPTS = 3
LONGEST_DELAY = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(hours=24)
ONE_RESET_PER = timedelta(minutes=1)


class LoginNameClaimed(Event):
    """From now on this address logs in as this person."""

    name_id: str
    account_id: str
    user_id: str


class LoginNameReleased(Event):
    """The address is free for anybody again."""

    name_id: str
    account_id: str
    user_id: str


class LoginFailed(Event):
    """Someone tried to log in under this name and could not prove it. `device_id`: from this known device."""

    name_id: str
    account_id: str | None
    user_id: str | None
    device_id: str | None
    failed_at: AwareDatetime


class LoginProven(Event):
    """A log-in succeeded after failures: the count starts anew."""

    name_id: str
    device_id: str | None


class ResetAsked(Event):
    """Somebody who gave this address has forgotten the password; whether anybody holds it stays untold."""

    name_id: str
    account_id: str | None
    user_id: str | None
    asked_at: AwareDatetime


LoginNameEvent = LoginNameClaimed | LoginNameReleased | LoginFailed | LoginProven | ResetAsked


class ClaimLoginName(Command):
    """Reserve the address for this person."""

    name_id: str
    account_id: Id
    user_id: Id


class ReleaseLoginName(Command):
    """Give the address up, if this person holds it."""

    name_id: str
    account_id: Id
    user_id: Id


class NoteFailure(Command):
    """An attempt was wrong. `device_id` only for a device this person is known to use."""

    name_id: str
    device_id: Id | None = None


class NoteSuccess(Command):
    """An attempt was right."""

    name_id: str
    device_id: Id | None = None


class AskReset(Command):
    """The password was forgotten."""

    name_id: str


LoginNameCommand = ClaimLoginName | ReleaseLoginName | NoteFailure | NoteSuccess | AskReset


@dataclass(frozen=True, slots=True)
class Failures:
    """How often in a row, and when last."""

    count: int
    last_at: datetime

    def retry_after(self, at: datetime) -> int:
        """Seconds until the next attempt is heard; doubles with each failure, never becomes a lock."""
        if self.count < FREE_ATTEMPTS or at - self.last_at > FORGOTTEN_AFTER:
            return 0
        delay = min(timedelta(seconds=2.0 ** min(self.count - FREE_ATTEMPTS, 20)), LONGEST_DELAY)
        return max(0, ceil((self.last_at + delay - at).total_seconds()))


@dataclass(frozen=True, slots=True)
class LoginName:
    """Failures are counted apart for each known device, so that a stranger cannot delay the holder there."""

    account_id: str | None = None
    user_id: str | None = None
    failures: Mapping[str | None, Failures] = field(default_factory=dict)
    reset_asked_at: datetime | None = None

    def retry_after(self, device_id: str | None, at: datetime) -> int:
        """Seconds this device (None: any unknown one) has to wait."""
        failures = self.failures.get(device_id)
        return failures.retry_after(at) if failures else 0


initial_state = LoginName()


def decide(command: LoginNameCommand, state: LoginName) -> list[LoginNameEvent]:
    """What a request about this name leads to."""
    match command:
        case ClaimLoginName(name_id=name_id, account_id=account_id, user_id=user_id):
            if state.user_id == user_id:
                return []
            if state.user_id is not None:
                raise Rejected("email-taken")
            return [LoginNameClaimed(name_id=name_id, account_id=account_id, user_id=user_id)]
        case ReleaseLoginName(user_id=user_id) if user_id != state.user_id:
            return []
        case ReleaseLoginName(name_id=name_id, account_id=account_id, user_id=user_id):
            return [LoginNameReleased(name_id=name_id, account_id=account_id, user_id=user_id)]
        case NoteFailure():
            return _note_failure(command, state)
        case NoteSuccess(name_id=name_id, device_id=device_id):
            _refuse_when_delayed(state, device_id, command.at)
            if device_id not in state.failures:
                return []
            return [LoginProven(name_id=name_id, device_id=device_id)]
        case AskReset(name_id=name_id, at=at):
            if state.reset_asked_at is not None and at - state.reset_asked_at < ONE_RESET_PER:
                return []
            return [ResetAsked(name_id=name_id, account_id=state.account_id, user_id=state.user_id, asked_at=at)]
        case _:
            assert_never(command)


def _note_failure(command: NoteFailure, state: LoginName) -> list[LoginNameEvent]:
    known = state.failures.get(command.device_id)
    if known and known.last_at == command.at:
        return []
    _refuse_when_delayed(state, command.device_id, command.at)
    return [
        LoginFailed(
            name_id=command.name_id,
            account_id=state.account_id,
            user_id=state.user_id,
            device_id=command.device_id,
            failed_at=command.at,
        )
    ]


def _refuse_when_delayed(state: LoginName, device_id: str | None, at: datetime) -> None:
    # Attempts made at once all pass the check before the hashing; the one here, under the stream's
    # version, is what bounds how many of them get an answer.
    if wait := state.retry_after(device_id, at):
        raise Rejected("login-delayed", retry_after=wait)


def evolve(state: LoginName, event: LoginNameEvent) -> LoginName:
    """The name after one more fact."""
    match event:
        case LoginNameClaimed(account_id=account_id, user_id=user_id):
            return replace(state, account_id=account_id, user_id=user_id)
        case LoginNameReleased():
            return replace(state, account_id=None, user_id=None)
        case LoginFailed(device_id=device_id, failed_at=failed_at):
            before = state.failures.get(device_id)
            if before is None or failed_at - before.last_at > FORGOTTEN_AFTER:
                before = Failures(0, failed_at)
            return replace(state, failures={**state.failures, device_id: Failures(before.count + 1, failed_at)})
        case LoginProven(device_id=device_id):
            rest = {device: failures for device, failures in state.failures.items() if device != device_id}
            return replace(state, failures=rest)
        case ResetAsked(asked_at=at):
            return replace(state, reset_asked_at=at)
        case _:
            assert_never(event)


login_name = Decider(
    "login_name",
    initial_state,
    decide,
    evolve,
    events={
        "LoginNameClaimed": LoginNameClaimed,
        "LoginNameReleased": LoginNameReleased,
        "LoginFailed": LoginFailed,
        "LoginProven": LoginProven,
        "ResetAsked": ResetAsked,
    },
)
