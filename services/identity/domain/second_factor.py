"""A person's second proof at log-in: time-based codes, and recovery codes for when the phone is lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, assert_never

from pydantic import Field

from services.identity.domain.values import Id, Personal
from services.kernel.domain import Command, Erased, Event, Rejected, Subject


class TotpEnrolmentStarted(Event):
    """A secret was shown to the person; it counts only once a code of it has been given back."""

    user_id: str
    secret: Personal


class TotpConfirmed(Event):
    """The authenticator works; from now on it is asked for. Recovery codes are kept as hashes."""

    user_id: str
    timecode: int
    recovery_hashes: Annotated[tuple[str, ...] | Erased, Subject("user_id")]


class TotpAccepted(Event):
    """The code of this time step was used; no code of it or an earlier one is ever taken again."""

    user_id: str
    timecode: int


class RecoveryCodeUsed(Event):
    """One recovery code stood in for the phone; it is spent."""

    user_id: str
    code_hash: Personal


class TotpDisabled(Event):
    """The second proof is no longer asked for."""

    user_id: str


FactorEvent = TotpEnrolmentStarted | TotpConfirmed | TotpAccepted | RecoveryCodeUsed | TotpDisabled


class EnrolTotp(Command):
    """Begin with a fresh secret; replaces one not confirmed yet."""

    user_id: Id
    secret: str


class ConfirmTotp(Command):
    """A right code of the time step `timecode` was shown for `secret`."""

    user_id: Id
    secret: str
    timecode: int
    recovery_hashes: Annotated[tuple[str, ...], Field(min_length=1)]


class AcceptTotp(Command):
    """A right code of the time step `timecode` was given at log-in."""

    user_id: Id
    timecode: int


class UseRecoveryCode(Command):
    """A recovery code with this hash was given at log-in."""

    user_id: Id
    code_hash: str


class DisableTotp(Command):
    """Stop asking for the second proof. `required`: the account's policy demands it of this person."""

    user_id: Id
    required: bool


FactorCommand = EnrolTotp | ConfirmTotp | AcceptTotp | UseRecoveryCode | DisableTotp


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """`pending` is a secret shown but not confirmed; `last_timecode` outlives a secret on purpose."""

    secret: str | Erased = ""
    pending: str | Erased = ""
    enabled: bool = False
    last_timecode: int = 0
    recovery_hashes: frozenset[str] = frozenset()


def decide(command: FactorCommand, state: SecondFactor) -> list[FactorEvent]:
    """What a request about an active person's second proof leads to."""
    match command:
        case EnrolTotp(user_id=user_id, secret=secret):
            if state.enabled:
                raise Rejected("totp-already-enabled")
            return [] if secret == state.pending else [TotpEnrolmentStarted(user_id=user_id, secret=secret)]
        case ConfirmTotp():
            return _confirm(command, state)
        case AcceptTotp(user_id=user_id, timecode=timecode):
            if not state.enabled or timecode <= state.last_timecode:
                raise Rejected("totp-invalid")
            return [TotpAccepted(user_id=user_id, timecode=timecode)]
        case UseRecoveryCode(user_id=user_id, code_hash=code_hash):
            if not state.enabled or code_hash not in state.recovery_hashes:
                raise Rejected("totp-invalid")
            return [RecoveryCodeUsed(user_id=user_id, code_hash=code_hash)]
        case DisableTotp() if not state.enabled:
            return []
        case DisableTotp(required=True):
            raise Rejected("totp-required-by-policy")
        case DisableTotp(user_id=user_id):
            return [TotpDisabled(user_id=user_id)]
        case _:
            assert_never(command)


def _confirm(command: ConfirmTotp, state: SecondFactor) -> list[FactorEvent]:
    if state.enabled:
        if command.secret == state.secret:
            return []
        raise Rejected("totp-already-enabled")
    if not state.pending or command.secret != state.pending:
        raise Rejected("totp-not-enrolled")
    if command.timecode <= state.last_timecode:
        raise Rejected("totp-invalid")
    return [TotpConfirmed(user_id=command.user_id, timecode=command.timecode, recovery_hashes=command.recovery_hashes)]


def evolve(state: SecondFactor, event: FactorEvent) -> SecondFactor:
    """The second proof after one more fact."""
    match event:
        case TotpEnrolmentStarted(secret=secret):
            return replace(state, pending=secret)
        case TotpConfirmed(timecode=timecode, recovery_hashes=hashes):
            codes = frozenset() if isinstance(hashes, Erased) else frozenset(hashes)
            return replace(
                state,
                secret=state.pending,
                pending="",
                enabled=True,
                last_timecode=timecode,
                recovery_hashes=codes,
            )
        case TotpAccepted(timecode=timecode):
            return replace(state, last_timecode=timecode)
        case RecoveryCodeUsed(code_hash=code_hash):
            return replace(state, recovery_hashes=state.recovery_hashes - {code_hash})
        case TotpDisabled():
            return replace(state, secret="", pending="", enabled=False, recovery_hashes=frozenset())
        case _:
            assert_never(event)


EVENTS: dict[str, type[FactorEvent]] = {
    "TotpEnrolmentStarted": TotpEnrolmentStarted,
    "TotpConfirmed": TotpConfirmed,
    "TotpAccepted": TotpAccepted,
    "RecoveryCodeUsed": RecoveryCodeUsed,
    "TotpDisabled": TotpDisabled,
}
