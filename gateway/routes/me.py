"""What everybody may see and do about himself."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, resource, signed_in
from gateway.routes.fields import Body, Found, Name, Password, Receipt

router = resource("me")

SERVICE = "identity"


class Rename(Body):
    """The name as it shall be."""

    name: Name = Field(examples=["Laura Gómez R."])


class ChangePassword(Body):
    """The password as it was, and as it shall be."""

    current_password: Password
    new_password: Password


class Prove(Body):
    """One's own password, once more."""

    password: Password


class Confirm(Body):
    """The code that the authenticator shows."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")] = Field(examples=["123456"])


@router.get("/me", summary="Who one is", response_model=Found, **signed_in())
async def me(call: CallDep) -> Response:
    """With role, permissions and the account's name."""
    return await call.query(SERVICE, "me")


@router.patch("/me", summary="Correct one's name", response_model=Receipt, **signed_in())
async def rename_me(body: Rename, call: CallDep) -> Response:
    """As others see it."""
    return await call.command(SERVICE, "rename_user", body.data())


@router.post("/me/password", summary="Change one's password", response_model=Receipt, **signed_in())
async def change_password(body: ChangePassword, call: CallDep) -> Response:
    """Every other session ends."""
    return await call.command(SERVICE, "change_password", body.data())


@router.post("/me/totp", summary="Set up a second factor", response_model=Receipt, **signed_in())
async def enrol_totp(body: Prove, call: CallDep) -> Response:
    """Answers `secret` and `otpauth_uri`; it counts once a code was confirmed."""
    return await call.command(SERVICE, "enrol_totp", body.data())


@router.post("/me/totp/confirm", summary="Confirm the second factor", response_model=Receipt, **signed_in())
async def confirm_totp(body: Confirm, call: CallDep) -> Response:
    """Answers ten `recovery_codes`, shown this once."""
    return await call.command(SERVICE, "confirm_totp", body.data())


@router.post("/me/totp/disable", summary="Remove the second factor", response_model=Receipt, **signed_in())
async def disable_totp(body: Prove, call: CallDep) -> Response:
    """Unless the account's policy asks for it."""
    return await call.command(SERVICE, "disable_totp", body.data())
