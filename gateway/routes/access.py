"""Profiles, devices and API tokens: what else decides who gets in and may do what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from gateway.door import CallDep, needs, resource, signed_in
from gateway.routes.fields import Body, Id, Listed, Moment, Name, Network, PathId, Permission, Receipt

profiles = resource("profiles")
devices = resource("devices")
api_tokens = resource("api-tokens")

SERVICE = "identity"

Permissions = Annotated[list[Permission], Field(max_length=100)]


class Profile(Body):
    """A named set of permissions."""

    name: Name = Field(examples=["Field supervisor"])
    permissions: Permissions = Field(examples=[["tasks:read", "tasks:edit"]])


class NewProfile(Profile):
    """A new one."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")


class NewToken(Body):
    """A key for a program, with no more than one's own permissions."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    name: Name = Field(examples=["Nightly report"])
    scopes: Annotated[list[Permission], Field(min_length=1, max_length=100)] = Field(examples=[["tasks:read"]])
    expires_at: Moment = Field(examples=["2027-06-30T00:00:00Z"])
    ip_allow_list: Annotated[list[Network], Field(max_length=50)] = Field(
        default_factory=list, examples=[["203.0.113.7"]]
    )


@profiles.post(
    "/profiles", status_code=201, summary="Define a profile", response_model=Receipt, **needs("profiles:edit")
)
async def define_profile(body: NewProfile, call: CallDep) -> Response:
    """With no more than one's own permissions."""
    data = body.data()
    data["profile_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "define_profile", data, created="/v1/profiles")


@profiles.get("/profiles", summary="All profiles", response_model=Listed, **needs("profiles:read"))
async def list_profiles(call: CallDep) -> Response:
    """With their permissions."""
    return await call.query(SERVICE, "profiles")


@profiles.put("/profiles/{profile_id}", summary="Change a profile", response_model=Receipt, **needs("profiles:edit"))
async def change_profile(profile_id: PathId, body: Profile, call: CallDep) -> Response:
    """Whoever has it gets new tokens with the new permissions."""
    return await call.command(SERVICE, "change_profile", {**body.data(), "profile_id": str(profile_id)})


@profiles.delete("/profiles/{profile_id}", summary="Delete a profile", response_model=Receipt, **needs("profiles:edit"))
async def delete_profile(profile_id: PathId, call: CallDep) -> Response:
    """Whoever had it is left with what the role gives."""
    return await call.command(SERVICE, "delete_profile", {"profile_id": str(profile_id)})


@devices.get("/devices", summary="One's own devices", response_model=Listed, **signed_in())
async def own_devices(call: CallDep) -> Response:
    """Where one has logged in with the mobile app."""
    return await call.query(SERVICE, "devices")


@devices.delete("/devices/{device_id}", summary="Lock a device out", response_model=Receipt, **signed_in())
async def revoke_device(device_id: PathId, call: CallDep) -> Response:
    """One's own; its sessions end."""
    return await call.command(SERVICE, "revoke_device", {"device_id": str(device_id)})


@api_tokens.post(
    "/api-tokens", status_code=201, summary="Create an API token", response_model=Receipt, **needs("tokens:edit")
)
async def create_api_token(body: NewToken, call: CallDep) -> Response:
    """Answers `token`, shown this once; one year at most."""
    data = body.data()
    data["token_id"] = data.pop("id", None) or call.new_id()
    return await call.command(SERVICE, "create_api_token", data, created="/v1/api-tokens")


@api_tokens.get("/api-tokens", summary="All API tokens", response_model=Listed, **needs("tokens:read"))
async def list_api_tokens(call: CallDep) -> Response:
    """Without the keys themselves."""
    return await call.query(SERVICE, "api_tokens")


@api_tokens.delete(
    "/api-tokens/{token_id}", summary="Revoke an API token", response_model=Receipt, **needs("tokens:edit")
)
async def revoke_api_token(token_id: PathId, call: CallDep) -> Response:
    """It stops working within two seconds."""
    return await call.command(SERVICE, "revoke_api_token", {"token_id": str(token_id)})
