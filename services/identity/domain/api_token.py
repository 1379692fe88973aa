"""An API token lets a program act for its maker, within narrower permissions and for a limited time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Literal, assert_never

from pydantic import AwareDatetime, Field

from services.identity.domain.permissions import FIELD
from services.identity.domain.values import Confidential, Id, Name, Network
from services.kernel.domain import Command, Decider, Erased, Event, Rejected, TenantData

LONGEST_LIFE = timedelta(days=366)


class ApiTokenCreated(Event):
    """A program got a key; the key itself was shown once, here is its hash."""

    token_id: str
    user_id: str
    name: Confidential
    secret_hash: Confidential
    scopes: tuple[str, ...]
    expires_at: AwareDatetime
    ip_allow_list: Annotated[tuple[str, ...] | Erased, TenantData()]


class ApiTokenUsed(Event):
    """It was used on this day for the first time."""

    token_id: str
    day: date


class ApiTokenRevoked(Event):
    """The key opens nothing any more."""

    token_id: str


ApiTokenEvent = ApiTokenCreated | ApiTokenUsed | ApiTokenRevoked


class CreateApiToken(Command):
    """Make a key for oneself, with no more than one's own permissions."""

    token_id: Id
    user_id: Id
    name: Name
    secret_hash: str
    scopes: Annotated[frozenset[str], Field(min_length=1)]
    expires_at: AwareDatetime
    ip_allow_list: Annotated[tuple[Network, ...], Field(max_length=50)] = ()
    by_permissions: frozenset[str]


class NoteApiTokenUse(Command):
    """It has just been used."""

    token_id: Id


class RevokeApiToken(Command):
    """Take the key back."""

    token_id: Id


ApiTokenCommand = CreateApiToken | NoteApiTokenUse | RevokeApiToken


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is needed to recognise the key and to say what it opens."""

    status: Literal["none", "active", "revoked"] = "none"
    user_id: str = ""
    secret_hash: str | Erased = ""
    scopes: frozenset[str] = frozenset()
    expires_at: datetime | None = None
    ip_allow_list: tuple[str, ...] = ()
    used_on: date | None = None

    def usable(self, at: datetime) -> bool:
        """Whether it still opens anything."""
        return self.status == "active" and self.expires_at is not None and at < self.expires_at


initial_state = ApiToken()


def decide(command: ApiTokenCommand, state: ApiToken) -> list[ApiTokenEvent]:
    """What a request about this token leads to."""
    match command:
        case CreateApiToken():
            return _create(command, state)
        case NoteApiTokenUse() | RevokeApiToken() if state.status == "none":
            raise Rejected("token-unknown", token_id=command.token_id)
        case NoteApiTokenUse(token_id=token_id, at=at):
            if not state.usable(at) or state.used_on == at.date():
                return []
            return [ApiTokenUsed(token_id=token_id, day=at.date())]
        case RevokeApiToken(token_id=token_id):
            return [] if state.status == "revoked" else [ApiTokenRevoked(token_id=token_id)]
        case _:
            assert_never(command)


def _create(command: CreateApiToken, state: ApiToken) -> list[ApiTokenEvent]:
    if state.status != "none":
        if command.secret_hash == state.secret_hash:
            return []
        raise Rejected("token-exists", token_id=command.token_id)
    if beyond := command.scopes - (command.by_permissions - FIELD):
        raise Rejected("beyond-own-permissions", permissions=sorted(beyond))
    if not command.at < command.expires_at <= command.at + LONGEST_LIFE:
        raise Rejected("expiry-out-of-range", longest_days=LONGEST_LIFE.days)
    return [
        ApiTokenCreated(
            token_id=command.token_id,
            user_id=command.user_id,
            name=command.name,
            secret_hash=command.secret_hash,
            scopes=tuple(sorted(command.scopes)),
            expires_at=command.expires_at,
            ip_allow_list=command.ip_allow_list,
        )
    ]


def evolve(state: ApiToken, event: ApiTokenEvent) -> ApiToken:
    """The token after one more fact."""
    match event:
        case ApiTokenCreated(ip_allow_list=networks):
            return ApiToken(
                status="active",
                user_id=event.user_id,
                secret_hash=event.secret_hash,
                scopes=frozenset(event.scopes),
                expires_at=event.expires_at,
                ip_allow_list=() if isinstance(networks, Erased) else networks,
            )
        case ApiTokenUsed(day=day):
            return replace(state, used_on=day)
        case ApiTokenRevoked():
            return replace(state, status="revoked")
        case _:
            assert_never(event)


api_token = Decider(
    "api_token",
    initial_state,
    decide,
    evolve,
    events={
        "ApiTokenCreated": ApiTokenCreated,
        "ApiTokenUsed": ApiTokenUsed,
        "ApiTokenRevoked": ApiTokenRevoked,
    },
)
