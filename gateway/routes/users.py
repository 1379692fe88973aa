"""The people of the account: invited, given roles and profiles, sent away, taken back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from gateway.door import CallDep, needs, resource
from gateway.routes.fields import (
    EXAMPLE_ID,
    PRINTABLE,
    Body,
    Cursor,
    Email,
    Found,
    Id,
    Language,
    Limit,
    Listed,
    Name,
    PathId,
    Receipt,
    Role,
    given,
)

router = resource("users")

SERVICE = "identity"
READ, EDIT = "users:read", "users:edit"


class Invite(Body):
    """Whom to ask in, and as what."""

    email: Email = Field(examples=["tomas@example.com"])
    name: Name = Field(examples=["Tomás Ruiz"])
    role: Role = Field(examples=["technician"])
    language: Language | None = None


class Rename(Body):
    """The name as it shall be."""

    name: Name = Field(examples=["Tomás Ruiz P."])


class ChangeRole(Body):
    """The role as it shall be."""

    role: Role = Field(examples=["supervisor"])


class AssignProfile(Body):
    """The profile as it shall be; null: what the role gives."""

    profile_id: Id | None = Field(examples=[EXAMPLE_ID])


@router.post("/users", status_code=201, summary="Invite", response_model=Receipt, **needs(EDIT))
async def invite_user(body: Invite, call: CallDep) -> Response:
    """The person gets a link by mail, good for 72 hours."""
    return await call.command(SERVICE, "invite_user", body.data(), created="/v1/users/{id}")


@router.get("/users", summary="All users", response_model=Listed, **needs(READ))
async def users(
    call: CallDep,
    text: Annotated[
        str | None, Query(max_length=100, pattern=PRINTABLE, description="Part of the name or address.")
    ] = None,
    role: Role | None = None,
    status: Literal["invited", "active", "inactive"] | None = None,
    team_id: Id | None = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """By name."""
    params = given(text=text, role=role, status=status, team_id=team_id, limit=limit, cursor=cursor)
    return await call.query(SERVICE, "users", params)


@router.get("/users/{user_id}", summary="A user", response_model=Found, **needs(READ))
async def user(user_id: PathId, call: CallDep) -> Response:
    """In full."""
    return await call.query(SERVICE, "user", {"user_id": str(user_id)})


@router.patch("/users/{user_id}", summary="Rename a user", response_model=Receipt, **needs(EDIT))
async def rename_user(user_id: PathId, body: Rename, call: CallDep) -> Response:
    """As others see the name."""
    return await call.command(SERVICE, "rename_user", {**body.data(), "user_id": str(user_id)})


@router.post("/users/{user_id}/invitation", summary="Invite again", response_model=Receipt, **needs(EDIT))
async def resend_invitation(user_id: PathId, call: CallDep) -> Response:
    """The former link no longer works."""
    return await call.command(SERVICE, "resend_invitation", {"user_id": str(user_id)})


@router.delete("/users/{user_id}/invitation", summary="Withdraw an invitation", response_model=Receipt, **needs(EDIT))
async def withdraw_invitation(user_id: PathId, call: CallDep) -> Response:
    """The link no longer works and the address is free."""
    return await call.command(SERVICE, "withdraw_invitation", {"user_id": str(user_id)})


@router.put("/users/{user_id}/role", summary="Give another role", response_model=Receipt, **needs(EDIT))
async def change_role(user_id: PathId, body: ChangeRole, call: CallDep) -> Response:
    """Never above one's own."""
    return await call.command(SERVICE, "change_role", {**body.data(), "user_id": str(user_id)})


@router.put("/users/{user_id}/profile", summary="Assign a profile", response_model=Receipt, **needs(EDIT))
async def assign_profile(user_id: PathId, body: AssignProfile, call: CallDep) -> Response:
    """It defines the permissions in place of the role, within the licence."""
    return await call.command(SERVICE, "assign_profile", {**body.data(), "user_id": str(user_id)})


@router.post("/users/{user_id}/deactivate", summary="Deactivate", response_model=Receipt, **needs(EDIT))
async def deactivate_user(user_id: PathId, call: CallDep) -> Response:
    """Access ends within two seconds."""
    return await call.command(SERVICE, "deactivate_user", {"user_id": str(user_id)})


@router.post("/users/{user_id}/reactivate", summary="Reactivate", response_model=Receipt, **needs(EDIT))
async def reactivate_user(user_id: PathId, call: CallDep) -> Response:
    """The person can log in again."""
    return await call.command(SERVICE, "reactivate_user", {"user_id": str(user_id)})


@router.get("/users/{user_id}/sessions", summary="A user's sessions", response_model=Listed, **needs(EDIT))
async def sessions_of(user_id: PathId, call: CallDep) -> Response:
    """End one with `DELETE /v1/sessions/{session_id}`."""
    return await call.query(SERVICE, "sessions", {"user_id": str(user_id)})


@router.get("/users/{user_id}/devices", summary="A user's devices", response_model=Listed, **needs(EDIT))
async def devices_of(user_id: PathId, call: CallDep) -> Response:
    """Where the person has logged in with the mobile app."""
    return await call.query(SERVICE, "devices", {"user_id": str(user_id)})


@router.delete(
    "/users/{user_id}/devices/{device_id}", summary="Lock a user's device out", response_model=Receipt, **needs(EDIT)
)
async def revoke_device_of(user_id: PathId, device_id: PathId, call: CallDep) -> Response:
    """Its sessions end."""
    data = {"user_id": str(user_id), "device_id": str(device_id)}
    return await call.command(SERVICE, "revoke_device", data)
