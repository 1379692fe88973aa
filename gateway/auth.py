"""Turns what stands in the Authorization header into a verified caller, or refuses."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import jwt

from gateway.caches import LruCache
from gateway.errors import Problem
from gateway.principals import ANONYMOUS, Principal
from gateway.revocations import RevocationFeed, Revocations
from gateway.signing_keys import ALGORITHM, NO_ANSWER, Ask, SigningKeys
from services.kernel import logging
from services.kernel.rpc import RemoteError

TOKEN_TYPE = "at+jwt"  # noqa: S105  # a media type, no secret
LEEWAY_SECONDS = 5
LONGEST_TOKEN = 4096
API_TOKEN_TRUSTED_SECONDS = 30.0
STATUS_TRUSTED_SECONDS = 1.0
SILENT_SECONDS = 1.0
PROOF_SECONDS = 600
LONGEST_AWAY_SECONDS = 90 * 24 * 3600
"""A phone that was away for longer has no session that could go on."""

_API_TOKEN = re.compile(r"cop_[0-9A-Za-z_\-]{16,200}")
_REQUIRED = ["exp", "iat", "iss", "aud", "sub", "tid", "sid", "epoch"]

log = logging.get(__name__)


def _refused(code: str) -> Problem:
    return Problem(code, headers={"WWW-Authenticate": 'Bearer realm="checkop", error="invalid_token"'})


class Authenticator:
    """Verifies access tokens here, API tokens with identity, and both against what was revoked."""

    def __init__(
        self,
        ask: Ask,
        revocations: Revocations,
        feed: RevocationFeed,
        *,
        issuer: str,
        audience: str,
        on_token_use: Callable[[Principal], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        cache: int = 20_000,
    ) -> None:
        self._ask = ask
        self._revocations = revocations
        self._feed = feed
        self._issuer = issuer
        self._audience = audience
        self._on_token_use = on_token_use
        self._clock = clock
        self._keys = SigningKeys(ask)
        self._verified: LruCache[bytes, Principal] = LruCache(cache)
        self._tokens: LruCache[bytes, tuple[Principal, float]] = LruCache(cache)
        self._silent_until = float("-inf")
        self._active: LruCache[str, float] = LruCache(cache)

    async def authenticate(self, authorization: str | None, *, ip: str, safe: bool) -> Principal:
        """The caller. Raises Problem with 401, or 503 when a revocation cannot be ruled out.

        `safe`: the request only reads. When identity has fallen silent and cannot be asked either, reading
        goes on until the token expires; changes are refused.
        """
        if authorization is None:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or len(token) > LONGEST_TOKEN or not token.isascii():
            raise _refused("token-invalid")
        digest = hashlib.sha256(token.encode()).digest()
        if token.startswith("cop_"):
            return await self._api_token(token, digest, ip, safe)
        principal = self._verified.get(digest)
        if principal is None:
            principal = await self._verify(token)
            self._verified.put(digest, principal)
        elif principal.expires_at + LEEWAY_SECONDS <= self._clock():
            self._verified.drop(digest)
            raise _refused("token-expired")
        await self.still_valid(principal, safe=safe)
        return principal

    def standing(self, principal: Principal) -> str:
        """How the caller's account stands now, as far as is known here."""
        return self._revocations.standings.of(principal)

    def has_proven(self, principal: Principal) -> bool:
        """Whether the caller typed a password in the last ten minutes."""
        return self._clock() - principal.proven_at <= PROOF_SECONDS

    def is_revoked(self, principal: Principal) -> bool:
        """Whether the caller's session, token or epoch is known here to have ended."""
        return self._revocations.has_ended(principal)

    async def still_valid(self, principal: Principal, *, safe: bool) -> None:
        """Raises Problem when the caller's session has ended meanwhile, or that cannot be ruled out."""
        if self._revocations.has_ended(principal):
            raise _refused("session-revoked")
        if principal.session is not None and not self._feed.is_fresh:
            await self._ask_status(principal, safe)

    async def once_verified(self, authorization: str | None) -> Principal:
        """Whoever an access token was made for, even if it has run out or its session has ended meanwhile.

        Good for nothing but to know whose phone it is that proves itself by its own key. Raises Problem.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or len(token) > LONGEST_TOKEN:
            raise _refused("token-invalid")
        return await self._verify(token.strip(), leeway=LONGEST_AWAY_SECONDS)

    async def device_standing(self, principal: Principal) -> Mapping[str, Any]:
        """Since when the work of this phone takes no effect, and why; identity says so. Raises Problem."""
        whose = {"tenant": principal.tenant, "device_id": principal.device, "user_id": principal.actor}
        try:
            standing: Mapping[str, Any] = await self._ask("device_standing", whose)
        except (*NO_ANSWER, RemoteError) as why:
            log.warning("device_standing_unknown", why=repr(why))
            raise Problem("service-unavailable", headers={"Retry-After": "2"}, service="identity") from why
        return standing

    async def _verify(self, token: str, leeway: float = LEEWAY_SECONDS) -> Principal:
        try:
            header = jwt.get_unverified_header(token)
            kid = header.get("kid")
            if header.get("alg") != ALGORITHM or header.get("typ") != TOKEN_TYPE or not isinstance(kid, str):
                raise _refused("token-invalid")
            key = await self._keys.get(kid)
            if key is None:
                raise _refused("token-invalid")
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=leeway,
                options={"require": _REQUIRED},
            )
            return Principal(
                tenant=claims["tid"],
                actor=claims["sub"],
                role=claims.get("role", ""),
                permissions=frozenset(claims.get("perms", ())),
                session=claims["sid"],
                token=None,
                epoch=int(claims["epoch"]),
                expires_at=float(claims["exp"]),
                state=str(claims.get("acc", "active")),
                revision=int(claims.get("acr", 0)),
                proven_at=float(claims.get("auth_time", 0)),
                device=claims.get("did"),
                device_key=claims["cnf"]["jwk"]["x"] if "did" in claims else None,
            )
        except jwt.ExpiredSignatureError:
            raise _refused("token-expired") from None
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, KeyError, RecursionError):
            raise _refused("token-invalid") from None

    async def _api_token(self, token: str, digest: bytes, ip: str, safe: bool) -> Principal:
        if not _API_TOKEN.fullmatch(token):
            raise _refused("token-invalid")
        key = digest + ip.encode()
        known = self._tokens.get(key)
        trusted = known is not None and known[1] > self._clock() and (self._feed.is_fresh or safe)
        # A raised epoch may mean other permissions only: then the token is looked up again.
        if known is not None and trusted and not self._revocations.has_ended(known[0]):
            return known[0]
        principal = await self._look_up(token, ip)
        if self._revocations.has_ended(principal):
            raise _refused("session-revoked")
        trusted_until = min(self._clock() + API_TOKEN_TRUSTED_SECONDS, principal.expires_at)
        self._tokens.put(key, (principal, trusted_until))
        self._on_token_use(principal)
        return principal

    async def _look_up(self, token: str, ip: str) -> Principal:
        try:
            found = await self._ask("authenticate_api_token", {"token": token, "ip": ip})
        except RemoteError as error:
            if error.rejection is None:
                raise
            raise _refused("token-invalid") from None
        return Principal(
            tenant=found["tenant"],
            actor=found["user_id"],
            role=found.get("role", ""),
            permissions=frozenset(found["permissions"]),
            session=None,
            token=found["token_id"],
            epoch=int(found["epoch"]),
            expires_at=_timestamp(found["expires_at"]),
            state=str(found.get("state", "active")),
            revision=int(found.get("revision", 0)),
        )

    async def _ask_status(self, principal: Principal, safe: bool) -> None:
        session = principal.credential
        asked_at = self._active.get(session)
        if asked_at is not None and self._clock() - asked_at < STATUS_TRUSTED_SECONDS:
            return
        answer = await self._answer_of_identity(principal)
        if answer is None:
            if safe:
                return
            raise Problem("revocation-unverifiable", headers={"Retry-After": "2"})
        status = answer["sessions"].get(session)
        if status is None or not status["active"] or principal.epoch < int(status["epoch"]):
            self._revocations.end(session)
            raise _refused("session-revoked")
        if "state" in status:
            self._revocations.standings.learn(principal.tenant, status["state"], int(status["revision"]))
        self._active.put(session, self._clock())

    async def _answer_of_identity(self, principal: Principal) -> Mapping[str, Any] | None:
        if self._clock() < self._silent_until:
            return None  # it has just not answered: waiting again would hold up everybody
        asked = {"sessions": [{"tenant": principal.tenant, "session_id": principal.credential}]}
        try:
            answer: Mapping[str, Any] = await self._ask("session_status", asked)
        except (*NO_ANSWER, RemoteError) as why:
            log.warning("session_status_unknown", why=repr(why))
            self._silent_until = self._clock() + SILENT_SECONDS
            return None
        return answer


def _timestamp(moment: str | float) -> float:
    return datetime.fromisoformat(moment).timestamp() if isinstance(moment, str) else float(moment)
