"""Who sends a request, once a token has been verified, and what that person may do."""

from __future__ import annotations

from dataclasses import dataclass

ANONYMOUS_TENANT = "platform"
ANONYMOUS_ACTOR = "anonymous"


@dataclass(frozen=True, slots=True)
class Principal:
    """A verified caller: a person in a session, or a program with an API token."""

    tenant: str
    actor: str
    role: str
    permissions: frozenset[str]
    session: str | None
    token: str | None
    epoch: int
    expires_at: float
    state: str = "active"
    """How the account stood when the token was made."""
    revision: int = 0
    proven_at: float = 0.0
    """When this person last typed a password (Unix seconds); never, for a program."""
    device: str | None = None
    """The enrolled phone that the session lives on, and the public half of its key."""
    device_key: str | None = None

    @property
    def credential(self) -> str:
        """The id of the session or API token; empty for nobody."""
        return self.session or self.token or ""

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody has signed in."""
        return self.actor == ANONYMOUS_ACTOR


ANONYMOUS = Principal(
    tenant=ANONYMOUS_TENANT,
    actor=ANONYMOUS_ACTOR,
    role="",
    permissions=frozenset(),
    session=None,
    token=None,
    epoch=0,
    expires_at=float("inf"),
)
