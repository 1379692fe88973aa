"""One company and its people, as facts and commands: Andes Service, Ana who owns it, Teo who works in the field."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from services.identity.domain import account as accounts
from services.identity.domain.api_token import ApiTokenCreated
from services.identity.domain.credentials import PasswordSet
from services.identity.domain.invitation import (
    InvitationAccepted,
    InvitationIssued,
    UserInvited,
    UserRegistered,
)
from services.identity.domain.membership import UserActivated
from services.identity.domain.second_factor import TotpConfirmed, TotpEnrolmentStarted
from services.identity.domain.session import SessionOpened
from services.kernel.domain import Command, Decider, Rejected

C = TypeVar("C", bound=Command)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def uuid(n: int) -> str:
    """A readable id."""
    return f"00000000-0000-7000-8000-{n:012d}"


ANDES, ANA, LUZ, TEO, SARA = (uuid(n) for n in range(1, 6))
PHONE, SESSION, TEAM, PROFILE, TOKEN = (uuid(n) for n in range(11, 16))
NAME_ID = "5f0c"
HASH, OTHER_HASH = "$argon2id$one", "$argon2id$two"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def ask(command: type[C], *, by: str = ANA, after: timedelta = timedelta(), **fields: Any) -> C:
    """A command as the kernel would make it, `after` noon."""
    return command(at=NOON + after, by=by, **fields)


def carry_out(decider: Decider[Any, Any, Any], command: Command, state: Any) -> tuple[Any, Rejected | None]:
    """The state after the command, and the refusal if there was one: for long random stories."""
    try:
        return decider.replay(decider.decide(command, state), state), None
    except Rejected as refused:
        return state, refused


registered = accounts.AccountRegistered(
    account_id=ANDES,
    owner_id=ANA,
    name="Andes Service S.A.S.",
    tax_id="900.123.456-7",
    country="CO",
    language="es",
    time_zone="America/Bogota",
    registered_at=NOON,
)

owner = (
    UserRegistered(user_id=ANA, email="ana@andes.co", name="Ana Ruiz", role="owner", licence="standard", language="es"),
    PasswordSet(user_id=ANA, password_hash=HASH, set_at=NOON),
    UserActivated(user_id=ANA, role="owner", licence="standard"),
)

invited = (
    UserInvited(
        user_id=TEO,
        email="teo@andes.co",
        name="Teo Paz",
        role="technician",
        licence="operational",
        language="es",
    ),
    InvitationIssued(user_id=TEO, number=1, expires_at=NOON + timedelta(hours=72)),
)

technician = (
    *invited,
    InvitationAccepted(user_id=TEO, number=1, name="Teo Paz"),
    PasswordSet(user_id=TEO, password_hash=HASH, set_at=NOON),
    UserActivated(user_id=TEO, role="technician", licence="operational", seat=1),
)

with_totp = (
    *owner,
    TotpEnrolmentStarted(user_id=ANA, secret=SECRET),
    TotpConfirmed(user_id=ANA, timecode=100, recovery_hashes=("r1", "r2")),
)

phone_session = SessionOpened(
    session_id=SESSION,
    user_id=TEO,
    kind="device",
    device_id=PHONE,
    label="Pixel 8",
    origin_id=None,
    epoch=0,
    opened_at=NOON,
)

token_created = ApiTokenCreated(
    token_id=TOKEN,
    user_id=ANA,
    name="ERP",
    secret_hash="abc",
    scopes=("tasks:read",),
    expires_at=NOON + timedelta(days=90),
    ip_allow_list=(),
)
