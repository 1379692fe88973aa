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
    keyring_kek: str = Field(default_factory=_key)
    token_seed: str = Field(default_factory=_key)


def load_or_make(path: Path) -> Credentials:
    if path.exists():
        return Credentials.model_validate_json(path.read_text())
    made = Credentials()
    write_private(path, json.dumps(made.model_dump(), indent=1) + "\n")
    return made
