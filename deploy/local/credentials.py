"""The secrets of one local stack: made once, kept in a file that only its owner reads."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from deploy.local.engine import write_private


def _key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _word() -> str:
    return secrets.token_hex(16)


class Credentials(BaseModel):
    model_config = ConfigDict(frozen=True)

    amqp_user: str = "checkop"
    amqp_password: str = Field(default_factory=_word)
    s3_access_key: str = Field(default_factory=_word)
    s3_secret_key: str = Field(default_factory=_key)
    s3_gateway_access_key: str = Field(default_factory=_word)
    s3_gateway_secret_key: str = Field(default_factory=_key)
    keyring_kek: str = Field(default_factory=_key)
    token_seed: str = Field(default_factory=_key)


def load_or_make(path: Path) -> Credentials:
    known = json.loads(path.read_text()) if path.exists() else {}
    made = Credentials.model_validate(known)
    if made.model_dump() != known:
        # Also where a file of an earlier edition lacks some.
        write_private(path, json.dumps(made.model_dump(), indent=1) + "\n")
    return made
