"""A session is one log-in on one device or browser, kept alive by refresh tokens that rotate with each use.

The tokens are derived from the session's id and generation, so only the generation is remembered. Field
phones lose answers: the direct predecessor may come once more within the grace and gets the same successor.
Anything older is a stolen token, and the whole session ends.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.identity.domain.values import Id, Personal
from services.kernel.domain import Command, Decider, Event, Rejected

GRACE = timedelta(seconds=30)

Kind = Literal["web", "device"]
IDLE: dict[Kind, timedelta] = {"web": timedelta(hours=12), "device": timedelta(days=30)}
ABSOLUTE: dict[Kind, timedelta] = {"web": timedelta(days=30), "device": timedelta(days=90)}


class SessionOpened(Event):
    """A person logged in. `epoch` is the person's at that moment."""

    session_id: str
    user_id: str
    kind: Kind
    device_id: str | None
    label: Personal
    origin_id: str | None
    epoch: int
    opened_at: AwareDatetime


class SessionRefreshed(Event):
    """The refresh token was exchanged for its successor."""

    session_id: str
    user_id: str
    generation: int
    refreshed_at: AwareDatetime


class RefreshReused(Event):
    """A refresh token that was exchanged long ago came again: somebody else has a copy."""

    session_id: str
    user_id: str
    generation: int


class SessionRevoked(Event):
    """No token of this session counts any more."""

    session_id: str
    user_id: str
    reason: str


class SessionProven(Event):
    """Its holder has typed the password (and code) once more, while logged in."""

    session_id: str
    user_id: str
    proven_at: AwareDatetime


SessionEvent = SessionOpened | SessionRefreshed | RefreshReused | SessionRevoked | SessionProven


class OpenSession(Command):
    """Begin a session for a person whose identity is proven."""

    session_id: Id
    user_id: Id
    kind: Kind
    device_id: Id | None = None
    label: Annotated[str, Field(max_length=200)] = ""
    origin_id: Id | None = None
    epoch: int


class RefreshSession(Command):
    """Exchange the token of `generation`. `entitled`: person and device may still have this session.

    `idle_minutes` is the account's own limit for browsers.
    """

    session_id: Id
    generation: int
    entitled: bool
    idle_minutes: int | None = None


class RevokeSession(Command):
    """End the session. `user_id` must be its holder's, when given."""

    session_id: Id
    reason: str
    user_id: Id | None = None


class ProveSession(Command):
    """Its holder has just proven anew who they are."""

    session_id: Id
    user_id: Id


SessionCommand = OpenSession | RefreshSession | RevokeSession | ProveSession


@dataclass(frozen=True, slots=True)
class Session:
    """Idle time is measured from the last refresh: an active client refreshes every few minutes.

    `proven_at` is when the holder last typed a password: at the log-in, or once more since.
    """

    status: Literal["none", "open", "revoked"] = "none"
    user_id: str = ""
    kind: Kind = "web"
    device_id: str | None = None
    epoch: int = 0
    generation: int = 0
    opened_at: datetime | None = None
    refreshed_at: datetime | None = None
    proven_at: datetime | None = None

    def expired(self, at: datetime, idle_minutes: int | None) -> bool:
        """Whether it has been idle or open for too long."""
        if self.opened_at is None or self.refreshed_at is None:
            return True
        idle = IDLE[self.kind]
        if self.kind == "web" and idle_minutes is not None:
            idle = timedelta(minutes=idle_minutes)
        return at - self.refreshed_at > idle or at - self.opened_at > ABSOLUTE[self.kind]


initial_state = Session()


def decide(command: SessionCommand, state: Session) -> list[SessionEvent]:
    """What a request about this session leads to."""
    match command:
        case OpenSession():
            return _open(command, state)
        case RefreshSession() | RevokeSession() | ProveSession() if state.status == "none":
            raise Rejected("session-unknown", session_id=command.session_id)
        case RefreshSession():
            return _refresh(command, state)
        case RevokeSession(user_id=user_id) | ProveSession(user_id=user_id) if user_id not in (None, state.user_id):
            raise Rejected("session-unknown", session_id=command.session_id)
        case ProveSession() if state.status == "revoked":
            raise Rejected("session-revoked")
        case ProveSession(session_id=session_id, user_id=user_id, at=at):
            proven = SessionProven(session_id=session_id, user_id=user_id, proven_at=at)
            return [] if state.proven_at == at else [proven]
        case RevokeSession() if state.status == "revoked":
            return []
        case RevokeSession(session_id=session_id, reason=reason):
            return [SessionRevoked(session_id=session_id, user_id=state.user_id, reason=reason)]
        case _:
            assert_never(command)


def _open(command: OpenSession, state: Session) -> list[SessionEvent]:
    if state.status != "none":
        if command.user_id == state.user_id:
            return []
        raise Rejected("session-exists")
    return [
        SessionOpened(
            session_id=command.session_id,
            user_id=command.user_id,
            kind=command.kind,
            device_id=command.device_id,
            label=command.label,
            origin_id=command.origin_id,
            epoch=command.epoch,
            opened_at=command.at,
        )
    ]


def _refresh(command: RefreshSession, state: Session) -> list[SessionEvent]:
    session_id, user_id, at = command.session_id, state.user_id, command.at
    if state.status == "revoked":
        raise Rejected("session-revoked")

    def revoked(reason: str) -> SessionRevoked:
        return SessionRevoked(session_id=session_id, user_id=user_id, reason=reason)

    if not command.entitled:
        return [revoked("no-longer-entitled")]
    if command.generation > state.generation:
        raise Rejected("token-invalid")
    if command.generation < state.generation:
        direct = command.generation == state.generation - 1
        if direct and state.refreshed_at is not None and at - state.refreshed_at <= GRACE:
            return []
        reused = RefreshReused(session_id=session_id, user_id=user_id, generation=command.generation)
        return [reused, revoked("refresh-reused")]
    if state.expired(at, command.idle_minutes):
        return [revoked("expired")]
    return [SessionRefreshed(session_id=session_id, user_id=user_id, generation=state.generation + 1, refreshed_at=at)]


def evolve(state: Session, event: SessionEvent) -> Session:
    """The session after one more fact."""
    match event:
        case SessionOpened():
            return Session(
                status="open",
                user_id=event.user_id,
                kind=event.kind,
                device_id=event.device_id,
                epoch=event.epoch,
                opened_at=event.opened_at,
                refreshed_at=event.opened_at,
                proven_at=event.opened_at,
            )
        case SessionRefreshed(generation=generation, refreshed_at=at):
            return replace(state, generation=generation, refreshed_at=at)
        case RefreshReused():
            return state
        case SessionRevoked():
            return replace(state, status="revoked")
        case SessionProven(proven_at=at):
            return replace(state, proven_at=at)
        case _:
            assert_never(event)


session = Decider(
    "session",
    initial_state,
    decide,
    evolve,
    events={
        "SessionOpened": SessionOpened,
        "SessionRefreshed": SessionRefreshed,
        "RefreshReused": RefreshReused,
        "SessionRevoked": SessionRevoked,
        "SessionProven": SessionProven,
    },
)
