"""Teams: a tree with leaders and members."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from starlette.responses import Response

from gateway.calls import Call
from gateway.door import CallDep, needs, resource
from gateway.routes.fields import EXAMPLE_ID, Body, Id, Listed, Name, PathId, Receipt

router = resource("teams")

SERVICE = "identity"
READ, EDIT = "teams:read", "teams:edit"


class CreateTeam(Body):
    """A new team, at the top or below another."""

    id: Id | None = Field(default=None, description="Made by the client, or by the server when absent.")
    name: Name = Field(examples=["Cuadrilla Norte"])
    parent: Id | None = None


class RenameTeam(Body):
    """The name as it shall be."""

    name: Name = Field(examples=["Cuadrilla Norte A"])


class MoveTeam(Body):
    """The team above; null: none."""

    parent: Id | None = Field(examples=[EXAMPLE_ID])


class SetLeaders(Body):
    """All leaders, as they are from now on."""

    leaders: Annotated[list[Id], Field(max_length=50)] = Field(examples=[[EXAMPLE_ID]])


class AddMember(Body):
    """Who joins."""

    user_id: Id = Field(examples=[EXAMPLE_ID])


async def _change(call: Call, name: str, data: dict[str, Any], *, created: str | None = None) -> Response:
    answer = await call.execute(SERVICE, name, data)
    # All teams of an account are one stream, whose id is the account's: version and ETag are of the whole tree.
    return call.receipt(answer | {"id": data["team_id"]}, created=created)


@router.post("/teams", status_code=201, summary="Create a team", response_model=Receipt, **needs(EDIT))
async def create_team(body: CreateTeam, call: CallDep) -> Response:
    """The version in the answer is that of the whole tree of teams."""
    data = body.data()
    data["team_id"] = data.pop("id", None) or call.new_id()
    return await _change(call, "create_team", data, created="/v1/teams")


@router.get("/teams", summary="The tree of teams", response_model=Listed, **needs(READ))
async def teams(call: CallDep) -> Response:
    """With leaders and members."""
    return await call.query(SERVICE, "teams")


@router.patch("/teams/{team_id}", summary="Rename a team", response_model=Receipt, **needs(EDIT))
async def rename_team(team_id: PathId, body: RenameTeam, call: CallDep) -> Response:
    """It stays where it is."""
    return await _change(call, "rename_team", {**body.data(), "team_id": str(team_id)})


@router.put("/teams/{team_id}/parent", summary="Move a team", response_model=Receipt, **needs(EDIT))
async def move_team(team_id: PathId, body: MoveTeam, call: CallDep) -> Response:
    """With everything below it."""
    return await _change(call, "move_team", {**body.data(), "team_id": str(team_id)})


@router.put("/teams/{team_id}/leaders", summary="Set the leaders", response_model=Receipt, **needs(EDIT))
async def set_team_leaders(team_id: PathId, body: SetLeaders, call: CallDep) -> Response:
    """A leader sees the tasks of the team and of all teams below it."""
    return await _change(call, "set_team_leaders", {**body.data(), "team_id": str(team_id)})


@router.post("/teams/{team_id}/members", summary="Add a member", response_model=Receipt, **needs(EDIT))
async def add_team_member(team_id: PathId, body: AddMember, call: CallDep) -> Response:
    """A person may belong to several teams."""
    return await _change(call, "add_team_member", {**body.data(), "team_id": str(team_id)})


@router.delete("/teams/{team_id}/members/{user_id}", summary="Remove a member", response_model=Receipt, **needs(EDIT))
async def remove_team_member(team_id: PathId, user_id: PathId, call: CallDep) -> Response:
    """What the person has claimed stays with the person."""
    return await _change(call, "remove_team_member", {"team_id": str(team_id), "user_id": str(user_id)})


@router.delete("/teams/{team_id}", summary="Delete a team", response_model=Receipt, **needs(EDIT))
async def delete_team(team_id: PathId, call: CallDep) -> Response:
    """Teams below it must have gone before."""
    return await _change(call, "delete_team", {"team_id": str(team_id)})
