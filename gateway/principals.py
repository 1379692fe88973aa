"""Who sends a request, once a token has been verified, and what that person may do."""

from __future__ import annotations

from dataclasses import dataclass

ANONYMOUS_TENANT = "platform"
ANONYMOUS_ACTOR = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller. `session` is the session's id, or the API token's."""

    tenant: str
    actor: str
    role: str
    permissions: frozenset[str]
    session: str
    epoch: int
    expires_at: float
    is_api_token: bool = False

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody has signed in."""
        return self.actor == ANONYMOUS_ACTOR


ANONYMOUS = Principal(
    tenant=ANONYMOUS_TENANT,
    actor=ANONYMOUS_ACTOR,
    role="",
    permissions=frozenset(),
    session="",
    epoch=0,
    expires_at=float("inf"),
)
