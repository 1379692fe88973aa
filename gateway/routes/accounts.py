"""The company on the platform and the policies its people log in under."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, entrance, needs, resource
from gateway.routes.fields import (
    PRINTABLE,
    Body,
    Email,
    Found,
    Language,
    Name,
    Network,
    Password,
    Receipt,
    Role,
)

router = resource("accounts")

SERVICE = "identity"


class RegisterAccount(Body):
    """A company and the person who answers for it."""

    name: Name = Field(examples=["Frío Andino S.A.S."])
    tax_id: Annotated[str, StringConstraints(strip_whitespace=True, max_length=40, pattern=PRINTABLE)] = Field(
        default="", examples=["900123456-7"]
    )
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = Field(default="CO", examples=["CO"])
    language: Language = "es"
    time_zone: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")] = Field(
        default="America/Bogota", examples=["America/Bogota"]
    )
    owner_name: Name = Field(examples=["Laura Gómez"])
    email: Email = Field(examples=["laura@example.com"])
    password: Password = Field(examples=["Cuadrilla-Norte-2026"])


class RenameAccount(Body):
    """Another name."""

    name: Name = Field(examples=["Frío Andino Ltda."])


class Policies(Body):
    """All log-in policies, as they are from now on; null or absent means the platform's own."""

    password_max_age_days: int | None = Field(default=None, ge=1, le=3650, examples=[180])
    inactivity_minutes: int | None = Field(default=None, ge=10, le=43_200, examples=[480])
    required_mfa_roles: Annotated[list[Role], Field(max_length=5)] = Field(
        default_factory=list, examples=[["owner", "admin"]]
    )
    ip_allow_list: Annotated[list[Network], Field(max_length=200)] = Field(
        default_factory=list, examples=[["203.0.113.0/24"]]
    )


@router.post("/accounts", status_code=201, summary="Register a company", response_model=Receipt, **entrance())
async def register_account(body: RegisterAccount, call: CallDep) -> Response:
    """With its first owner, who can log in at once. Answers `account_id` and `user_id`."""
    return await call.command(SERVICE, "register_account", body.data(), created="/v1/account")


@router.get("/account", summary="The own account", response_model=Found, **needs("accounts:read"))
async def account(call: CallDep) -> Response:
    """With its policies."""
    return await call.query(SERVICE, "account")


@router.patch("/account", summary="Rename the account", response_model=Receipt, **needs("accounts:edit"))
async def rename_account(body: RenameAccount, call: CallDep) -> Response:
    """The company goes by another name now."""
    return await call.command(SERVICE, "rename_account", body.data())


@router.put("/account/policies", summary="Set the policies", response_model=Receipt, **needs("accounts:edit"))
async def set_policies(body: Policies, call: CallDep) -> Response:
    """An allow list must contain the address it is set from."""
    return await call.command(SERVICE, "set_policies", {**body.data(), "ip": call.context.ip})
