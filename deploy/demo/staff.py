"""People of Progresus on a running platform: the operator lets them in, they set a second factor up, and set prices."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyotp

from deploy.demo.client import Person, mail_to
from deploy.demo.company import invitation_token

REPOSITORY = Path(__file__).resolve().parents[2]
PASSWORD = "Calle-93-Torre-Sur"  # noqa: S105  # of people who exist for a minute
SINCE = "2026-01-01"

PRICES: tuple[dict[str, Any], ...] = (
    {"interval": "monthly", "base_fee": {"amount": "950000"}, "extra_seat": {"amount": "95000"}},
    {"interval": "annual", "base_fee": {"amount": "9500000"}, "extra_seat": {"amount": "950000"}},
)
TAX = {"applies_to": "domestic", "tax_code": "IVA19", "rate": "0.19", "basis": "E.T. art. 468"}
RANGES: tuple[dict[str, Any], ...] = (
    {"prefix": "CHK", "resolution": "18764000000001", "first": 1, "last": 100_000},
    {"prefix": "NC", "resolution": "18764000000002", "first": 1, "last": 100_000},
)


def let_in(env: Mapping[str, str], role: str) -> Person:
    """A new colleague of this role, logged in with a second factor, as `make staff` begins it. Raises Refused."""
    base_url, email = env["CHECKOP_GATEWAY_URL"], f"{role}-{uuid.uuid4().hex[:6]}@progresus.example.com"
    command = [sys.executable, "-m", "services.identity.staff", "--email", email, "--name", "Carla Rojas"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    subprocess.run(
        [*command, "--role", role],
        cwd=REPOSITORY,
        env=kept | dict(env) | {"PYTHONPATH": str(REPOSITORY)},
        check=True,
        capture_output=True,
        timeout=60,
    )
    token = invitation_token(mail_to(env["MAILBOX_URL"], email))
    Person(base_url).post("/v1/invitations/accept", {"token": token, "name": "Carla Rojas", "password": PASSWORD})
    newcomer = Person(base_url).log_in(email, PASSWORD)
    secret = newcomer.post("/v1/me/totp", {"password": PASSWORD})["secret"]
    codes = newcomer.post("/v1/me/totp/confirm", {"code": pyotp.TOTP(secret).now()})["recovery_codes"]
    # A code of the authenticator serves once, and the one of this half minute is spent.
    return Person(base_url, f"Carla Rojas ({role})").log_in(email, PASSWORD, recovery_code=codes[0])


def set_prices(finance: Person) -> None:
    """What the plan costs, how it is taxed, and which invoice numbers may be used; said again, it changes nothing."""
    for price in PRICES:
        finance.post("/ops/catalog/prices", {**price, "effective_from": SINCE})
    finance.post("/ops/catalog/taxes", {**TAX, "effective_from": SINCE})
    for authorised in RANGES:
        finance.post("/ops/catalog/number-ranges", {**authorised, "valid_from": SINCE, "valid_to": "2028-12-31"})
