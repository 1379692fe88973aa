"""The two mailed links: to come into an account, and to get a new password."""

from __future__ import annotations

from pydantic import Field
from starlette.responses import Response

from gateway.calls import json_response
from gateway.door import CallDep, entrance, resource
from gateway.routes.fields import Body, Email, Found, Name, Password, Receipt, Secret

router = resource("sessions")

SERVICE = "identity"


class Link(Body):
    """The token of a mailed link."""

    token: Secret


class Accept(Link):
    """What the invited person types."""

    name: Name = Field(examples=["Tomás Ruiz"])
    password: Password = Field(examples=["Cuadrilla-Norte-2026"])


class Forgotten(Body):
    """Whose password was forgotten."""

    email: Email = Field(examples=["laura@example.com"])


class Reset(Link):
    """The password as it shall be."""

    password: Password = Field(examples=["Cuadrilla-Norte-2027"])


@router.post("/invitations/preview", summary="What an invitation says", response_model=Found, **entrance())
async def preview_invitation(body: Link, call: CallDep) -> Response:
    """A POST, because the token is a secret and addresses end up in logs."""
    return await call.query(SERVICE, "invitation", body.data())


@router.post("/invitations/accept", summary="Accept an invitation", response_model=Receipt, **entrance())
async def accept_invitation(body: Accept, call: CallDep) -> Response:
    """The person is active from now on and can log in."""
    return await call.command(SERVICE, "accept_invitation", body.data())


@router.post("/password-resets", status_code=202, summary="Ask for a new password", **entrance())
async def request_password_reset(body: Forgotten, call: CallDep) -> Response:
    """The answer is the same whether anybody has this address."""
    await call.execute(SERVICE, "request_password_reset", body.data())
    return json_response({}, status=202)


@router.post("/password-resets/complete", summary="Set the new password", response_model=Receipt, **entrance())
async def reset_password(body: Reset, call: CallDep) -> Response:
    """With the mailed token, once; every session ends."""
    return await call.command(SERVICE, "reset_password", body.data())
