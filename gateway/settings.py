"""What the gateway is told from outside: where the broker and the object store are, and how strict to be."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Network = IPv4Network | IPv6Network


class GatewaySettings(BaseSettings):
    """Read from the environment. The gateway gets no key and no database address, only what is here."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    amqp_url: SecretStr = Field(alias="AMQP_URL")
    s3_endpoint: str = Field(default="http://127.0.0.1:8333", alias="S3_ENDPOINT")
    s3_access_key: SecretStr = Field(default=SecretStr(""), alias="S3_ACCESS_KEY")
    s3_secret_key: SecretStr = Field(default=SecretStr(""), alias="S3_SECRET_KEY")
    s3_region: str = Field(default="us-east-1", alias="S3_REGION")
    s3_public_endpoint: str = Field(default="", alias="CHECKOP_S3_PUBLIC_ENDPOINT")
    """Where browsers find the object store, to send it files themselves. Empty: where the gateway finds it."""
    s3_bucket: str = Field(default="checkop", alias="CHECKOP_S3_BUCKET")
    s3_incoming_bucket: str = Field(default="checkop-incoming", alias="CHECKOP_S3_INCOMING_BUCKET")
    """Evidence on its way in, plain and for hours only."""
    s3_media_bucket: str = Field(default="checkop-media", alias="CHECKOP_S3_MEDIA_BUCKET")
    """Evidence that is kept, sealed."""
    log_level: str = Field(default="INFO", alias="CHECKOP_LOG_LEVEL")

    public_url: str = Field(default="http://127.0.0.1:8080", alias="CHECKOP_PUBLIC_URL")
    """Where the world finds this gateway: public links begin with it."""

    access_log: bool = Field(default=True, alias="CHECKOP_ACCESS_LOG")

    issuer: str = Field(default="checkop", alias="CHECKOP_TOKEN_ISSUER")
    audience: str = Field(default="checkop", alias="CHECKOP_TOKEN_AUDIENCE")

    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(default=(), alias="CHECKOP_TRUSTED_PROXIES")
    """Networks whose `X-Forwarded-For` is believed, separated by commas. Empty: nobody's."""

    rpc_timeout_seconds: float = Field(default=10.0, alias="CHECKOP_RPC_TIMEOUT_SECONDS")
    rpc_in_flight: int = Field(default=256, alias="CHECKOP_RPC_IN_FLIGHT")
    """Requests under way per service; more wait."""
    rpc_wait_seconds: float = Field(default=1.0, alias="CHECKOP_RPC_WAIT_SECONDS")
    """How long a request may wait for its turn before it is turned away."""

    max_json_bytes: int = Field(default=1024 * 1024, alias="CHECKOP_MAX_JSON_BYTES")
    max_upload_bytes: int = Field(default=6 * 1024 * 1024, alias="CHECKOP_MAX_UPLOAD_BYTES")
    max_media_bytes: int = Field(default=2 * 1024 * 1024 * 1024, alias="CHECKOP_MAX_MEDIA_BYTES")
    media_in_flight: int = Field(default=64, alias="CHECKOP_MEDIA_IN_FLIGHT")
    """Requests that bring evidence at the same time, a few MiB of memory each; more are asked to come again."""

    subject_per_second: float = Field(default=50.0, alias="CHECKOP_RATE_SUBJECT_PER_SECOND")
    subject_burst: int = Field(default=200, alias="CHECKOP_RATE_SUBJECT_BURST")
    address_per_second: float = Field(default=10.0, alias="CHECKOP_RATE_ADDRESS_PER_SECOND")
    address_burst: int = Field(default=60, alias="CHECKOP_RATE_ADDRESS_BURST")
    entrance_per_minute: float = Field(default=20.0, alias="CHECKOP_RATE_ENTRANCE_PER_MINUTE")
    """Log-in, registration and password reset, per address."""
    entrance_burst: int = Field(default=40, alias="CHECKOP_RATE_ENTRANCE_BURST")
    """A crew that begins its day behind one address; guessing at one person is slowed down by identity as well."""

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())
        return value


@lru_cache
def settings() -> GatewaySettings:
    """This process's settings, read once. Raises pydantic's ValidationError naming every missing variable."""
    return GatewaySettings()
