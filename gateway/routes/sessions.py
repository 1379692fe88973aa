"""Logging in, staying logged in, logging out."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, StringConstraints
from starlette.responses import Response

from gateway.door import CallDep, anybody, entrance, resource, signed_in
from gateway.routes.fields import EXAMPLE_ID, Body, Email, Id, Label, Listed, Password, PathId, Receipt, Secret

router = resource("sessions")

SERVICE = "identity"

Totp = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]
RecoveryCode = Annotated[str, StringConstraints(max_length=40, pattern=r"^[0-9A-Za-z -]+$")]


class LogIn(Body):
    """Who one is, and on which device. A second factor is asked for with `totp-required`."""

    email: Email = Field(examples=["laura@example.com"])
    password: Password = Field(examples=["Cuadrilla-Norte-2026"])
    totp: Totp | None = Field(default=None, examples=["123456"])
    recovery_code: RecoveryCode | None = None
    kind: Literal["web", "device"] = "web"
    device_id: Id | None = Field(default=None, description="Made once by the device and kept there.")
    device_label: Label = ""


class ProveAnew(Body):
    """One's password once more, and the second factor where one is set up."""

    password: Password = Field(examples=["Cuadrilla-Norte-2026"])
    totp: Totp | None = Field(default=None, examples=["123456"])
    recovery_code: RecoveryCode | None = None


class Renew(Body):
    """The refresh token of the last answer; each is good once."""

    refresh_token: Secret


class Admission(Receipt):
    """The tokens, and who this is."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "id": EXAMPLE_ID,
                "version": 1,
                "position": 77,
                "access_token": "eyJ…",
                "expires_in": 300,
                "refresh_token": "cor.…",
                "user_id": EXAMPLE_ID,
                "account_id": EXAMPLE_ID,
                "session_id": EXAMPLE_ID,
                "role": "admin",
                "permissions": ["tasks:read"],
                "must_enrol_totp": False,
            }
        },
    )
    access_token: str
    expires_in: int
    refresh_token: str
    user_id: str
    account_id: str
    session_id: str
    role: str
    permissions: list[str]
    must_enrol_totp: bool


@router.post("/sessions", status_code=201, summary="Log in", response_model=Admission, **entrance())
async def log_in(body: LogIn, call: CallDep) -> Response:
    """The access token lives five minutes; renew it with the refresh token."""
    answer = await call.execute(SERVICE, "login", {**body.data(), "ip": call.context.ip})
    _learn_origin(call, answer)
    return call.receipt(answer, created="/v1/sessions")


@router.post("/sessions/refresh", summary="Renew", response_model=Admission, **anybody())
async def refresh(body: Renew, call: CallDep) -> Response:
    """The successor of a token comes again within thirty seconds; an older token ends the whole session."""
    answer = await call.execute(SERVICE, "refresh", {**body.data(), "ip": call.context.ip})
    return call.receipt(answer)


@router.post("/sessions/current/proof", summary="Prove oneself anew", response_model=Admission, **signed_in())
async def prove_session(body: ProveAnew, call: CallDep) -> Response:
    """For what asks for a password typed in the last ten minutes; the new access token says that it was."""
    return call.receipt(await call.execute(SERVICE, "prove_session", body.data()))


def _learn_origin(call: CallDep, answer: dict[str, Any]) -> None:
    origin = answer.pop("origin_id", None)
    if origin is not None:
        call.services.origins.learn(answer["session_id"], call.context.ip, origin)


@router.get("/sessions", summary="One's own sessions", response_model=Listed, **signed_in())
async def own_sessions(call: CallDep) -> Response:
    """Where one is logged in."""
    return await call.query(SERVICE, "sessions")


@router.delete("/sessions/current", summary="Log out", response_model=Receipt, **signed_in())
async def log_out(call: CallDep) -> Response:
    """Ends this session; its tokens stop working within two seconds."""
    return await call.command(SERVICE, "logout", {})


@router.delete("/sessions/{session_id}", summary="End a session", response_model=Receipt, **signed_in())
async def revoke_session(session_id: PathId, call: CallDep) -> Response:
    """One's own, or with `users:edit` anybody's."""
    return await call.command(SERVICE, "revoke_session", {"session_id": str(session_id)})
