"""What a process is told from outside: addresses of the engines, secrets, and its place among others."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment; the engines' addresses go by their usual names, the rest by `CHECKOP_…`."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    mongo_url: SecretStr = Field(alias="MONGO_URL")
    amqp_url: SecretStr = Field(alias="AMQP_URL")
    s3_endpoint: str = Field(default="http://127.0.0.1:8333", alias="S3_ENDPOINT")
    s3_access_key: SecretStr = Field(default=SecretStr(""), alias="S3_ACCESS_KEY")
    s3_secret_key: SecretStr = Field(default=SecretStr(""), alias="S3_SECRET_KEY")
    s3_bucket: str = Field(default="checkop", alias="CHECKOP_S3_BUCKET")
    """Imports and exports on their way."""
    s3_incoming_bucket: str = Field(default="checkop-incoming", alias="CHECKOP_S3_INCOMING_BUCKET")
    """Evidence on its way in, plain, for some days at most."""
    s3_media_bucket: str = Field(default="checkop-media", alias="CHECKOP_S3_MEDIA_BUCKET")
    """Evidence as it is kept, sealed."""
    smtp_url: SecretStr = Field(default=SecretStr("smtp://127.0.0.1:2525"), alias="SMTP_URL")
    mail_from: str = Field(default="CheckOP <no-reply@checkop.co>", alias="CHECKOP_MAIL_FROM")
    app_url: str = Field(default="https://app.checkop.co", alias="CHECKOP_APP_URL")

    keyring_dir: Path = Field(alias="CHECKOP_KEYRING_DIR")
    keyring_kek: SecretStr = Field(alias="CHECKOP_KEYRING_KEK")
    token_seed: SecretStr = Field(alias="CHECKOP_TOKEN_SEED")

    db_prefix: str = Field(default="", alias="CHECKOP_DB_PREFIX")
    log_level: str = Field(default="INFO", alias="CHECKOP_LOG_LEVEL")
    rpc_workers: int = Field(default=32, alias="CHECKOP_RPC_WORKERS")
    parked_after_seconds: float = Field(default=5.0, alias="CHECKOP_PARKED_AFTER_SECONDS")
    timer_lease_seconds: float = Field(default=30.0, alias="CHECKOP_TIMER_LEASE_SECONDS")
    """How long a timer rests that a worker was running when it died."""
    fault_point: str = Field(default="", alias="CHECKOP_FAULT_POINT")


@lru_cache
def settings() -> Settings:
    """This process's settings, read once. Raises pydantic's ValidationError naming every missing variable."""
    return Settings()
