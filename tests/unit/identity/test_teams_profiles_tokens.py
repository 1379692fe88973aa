"""Teams form a tree, profiles and API tokens never exceed their maker, devices and origins are known once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.identity.domain.api_token import (
    ApiTokenRevoked,
    ApiTokenUsed,
    CreateApiToken,
    NoteApiTokenUse,
    RevokeApiToken,
    api_token,
)
from services.identity.domain.device import (
    DeviceRegistered,
    DeviceRevoked,
    RegisterDevice,
    RevokeDevice,
    device,
)
from services.identity.domain.origin import ObserveOrigin, OriginObserved, origin
from services.identity.domain.profile import (
    ChangeProfile,
    DefineProfile,
    DeleteProfile,
    ProfileChanged,
    ProfileDefined,
    ProfileDeleted,
    profile,
)
from services.identity.domain.team import (
    AddTeamMember,
    CreateTeam,
    DeleteTeam,
    MoveTeam,
    RemoveTeamMember,
    RenameTeam,
    SetTeamLeaders,
    TeamCreated,
    TeamDeleted,
    TeamLeadersSet,
    TeamMemberAdded,
    TeamMemberRemoved,
    TeamMoved,
    TeamRenamed,
    team,
)
from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from tests.examples.identity import (
    ANA,
    ANDES,
    LUZ,
    NOON,
    PHONE,
    PROFILE,
    SESSION,
    TEAM,
    TEO,
    TOKEN,
    ask,
    carry_out,
    token_created,
    uuid,
)

NORTH, SOUTH = uuid(21), uuid(22)
field = TeamCreated(team_id=TEAM, name="Field", parent=None)
north = TeamCreated(team_id=NORTH, name="North", parent=TEAM)


def for_team(command: type[Any], team_id: str = TEAM, **fields: Any) -> Any:
    """A request about one of the account's teams."""
    return ask(command, account_id=ANDES, team_id=team_id, **fields)


@pytest.mark.parametrize(
    ("facts", "command", "fact"),
    [
        ([], for_team(CreateTeam, name="Field"), field),
        ([field], for_team(CreateTeam, NORTH, name="North", parent=TEAM), north),
        ([field], for_team(RenameTeam, name="Campo"), TeamRenamed(team_id=TEAM, name="Campo")),
        ([field, north], for_team(MoveTeam, NORTH, parent=None), TeamMoved(team_id=NORTH, parent=None)),
        (
            [field],
            for_team(SetTeamLeaders, leaders=[LUZ, ANA, LUZ]),
            TeamLeadersSet(team_id=TEAM, leaders=(LUZ, ANA)),
        ),
        ([field], for_team(AddTeamMember, user_id=TEO), TeamMemberAdded(team_id=TEAM, user_id=TEO)),
        (
            [field, TeamMemberAdded(team_id=TEAM, user_id=TEO)],
            for_team(RemoveTeamMember, user_id=TEO),
            TeamMemberRemoved(team_id=TEAM, user_id=TEO),
        ),
        ([field], for_team(DeleteTeam), TeamDeleted(team_id=TEAM)),
    ],
)
def test_a_team_request_leads_to_its_fact_once(facts: list[Any], command: Any, fact: Any) -> None:
    given(team, *facts).when(command).then(fact)
    given(team, *facts).when(command).then_repeating_adds_nothing()


@pytest.mark.parametrize(
    ("facts", "command", "code"),
    [
        ([], for_team(RenameTeam, name="X"), "team-unknown"),
        ([], for_team(CreateTeam, name="X", parent=SOUTH), "team-unknown"),
        ([field], for_team(CreateTeam, name="Other"), "team-exists"),
        ([field, TeamDeleted(team_id=TEAM)], for_team(CreateTeam, name="Field"), "team-exists"),
        ([field, TeamDeleted(team_id=TEAM)], for_team(AddTeamMember, user_id=TEO), "team-unknown"),
        ([field], for_team(MoveTeam, parent=SOUTH), "team-unknown"),
        ([field], for_team(MoveTeam, parent=TEAM), "team-cycle"),
        ([field, north], for_team(MoveTeam, parent=NORTH), "team-cycle"),
        ([field, north], for_team(DeleteTeam), "team-has-children"),
    ],
)
def test_a_team_request_is_refused(facts: list[Any], command: Any, code: str) -> None:
    given(team, *facts).when(command).then_rejected(code)


@forall(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 5))), max_size=40))
def test_no_sequence_of_moves_ever_makes_a_circle(moves: list[tuple[int, int | None]]) -> None:
    ids = [uuid(30 + n) for n in range(6)]
    state = team.replay([TeamCreated(team_id=id, name=id, parent=None) for id in ids])
    for moved, below in moves:
        command = for_team(MoveTeam, ids[moved], parent=None if below is None else ids[below])
        state, refused = carry_out(team, command, state)
        assert refused is None or refused.code == "team-cycle"
        for id in ids:
            assert len(state.above(id)) <= len(ids)  # would not end in a circle


defined = ProfileDefined(profile_id=PROFILE, name="Planner", permissions=("tasks:edit", "tasks:read"))
ADMIN = frozenset({"tasks:read", "tasks:edit", "users:read"})


def of_profile(command: type[Any], **fields: Any) -> Any:
    """A request about the profile by someone with some permissions."""
    return ask(command, profile_id=PROFILE, **{"name": "Planner", "by_permissions": ADMIN} | fields)


define = of_profile(DefineProfile, permissions=["tasks:read", "tasks:edit"])


def test_a_profile_is_defined_changed_and_deleted() -> None:
    given(profile).when(define).then(defined)
    given(profile).when(define).then_repeating_adds_nothing()
    change = of_profile(ChangeProfile, permissions=["tasks:read", "tasks:execute"])
    changed = ProfileChanged(
        profile_id=PROFILE, revision=1, name="Planner", permissions=("tasks:execute", "tasks:read")
    )
    story = given(profile, defined).when(change).then(changed)
    story.when(change).then_nothing()
    delete = ask(DeleteProfile, profile_id=PROFILE)
    gone = story.when(delete).then(ProfileDeleted(profile_id=PROFILE, revision=2))
    gone.when(delete).then_nothing()
    assert gone.state.permissions == frozenset()
    gone.when(change).then_rejected("profile-unknown")
    gone.when(define).then_rejected("profile-exists")


@pytest.mark.parametrize(
    ("permissions", "code"),
    [(["tasks:fly"], "permission-unknown"), (["tasks:read", "users:edit"], "beyond-own-permissions")],
)
def test_nobody_writes_a_profile_beyond_the_own(permissions: list[str], code: str) -> None:
    given(profile).when(of_profile(DefineProfile, permissions=permissions)).then_rejected(code)
    given(profile, defined).when(of_profile(ChangeProfile, permissions=permissions)).then_rejected(code)


def test_what_a_profile_already_grants_may_stay() -> None:
    strong = defined.model_copy(update={"permissions": ("tasks:read", "users:edit")})
    rename = of_profile(ChangeProfile, name="Other", permissions=["tasks:read", "users:edit"])
    given(profile, strong).when(rename).then_repeating_adds_nothing()


create = ask(
    CreateApiToken,
    token_id=TOKEN,
    user_id=ANA,
    name="ERP",
    secret_hash="abc",
    scopes=["tasks:read"],
    expires_at=NOON + timedelta(days=90),
    by_permissions=ADMIN,
)


def test_a_token_is_created_used_and_revoked() -> None:
    given(api_token).when(create).then(token_created)
    given(api_token).when(create).then_repeating_adds_nothing()
    use = ask(NoteApiTokenUse, token_id=TOKEN, after=timedelta(hours=1))
    used = ApiTokenUsed(token_id=TOKEN, day=NOON.date())
    story = given(api_token, token_created).when(use).then(used)
    story.when(ask(NoteApiTokenUse, token_id=TOKEN, after=timedelta(hours=5))).then_nothing()
    story.when(ask(NoteApiTokenUse, token_id=TOKEN, after=timedelta(days=1))).then_repeating_adds_nothing()
    revoke = ask(RevokeApiToken, token_id=TOKEN)
    dead = story.when(revoke).then(ApiTokenRevoked(token_id=TOKEN))
    dead.when(revoke).then_nothing()
    dead.when(ask(NoteApiTokenUse, token_id=TOKEN, after=timedelta(days=2))).then_nothing()
    assert not dead.state.usable(NOON)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"scopes": frozenset({"users:edit"})}, "beyond-own-permissions"),
        (
            {"scopes": frozenset({"tasks:execute"}), "by_permissions": frozenset({"tasks:execute"})},
            "beyond-own-permissions",
        ),
        ({"expires_at": NOON}, "expiry-out-of-range"),
        ({"expires_at": NOON + timedelta(days=367)}, "expiry-out-of-range"),
    ],
)
def test_a_token_is_no_stronger_and_no_longer_than_allowed(changes: dict[str, Any], code: str) -> None:
    given(api_token).when(create.model_copy(update=changes)).then_rejected(code)


def test_tokens_that_are_not_there_or_not_yours() -> None:
    given(api_token).when(ask(RevokeApiToken, token_id=TOKEN)).then_rejected("token-unknown")
    other = create.model_copy(update={"secret_hash": "other"})
    given(api_token, token_created).when(other).then_rejected("token-exists")


def test_a_token_ends_by_itself() -> None:
    state = given(api_token, token_created).state
    assert state.usable(NOON + timedelta(days=89))
    assert not state.usable(NOON + timedelta(days=90))


def test_an_erased_token_can_still_be_folded() -> None:
    erased = token_created.model_copy(update={"name": ERASED, "secret_hash": ERASED, "ip_allow_list": ERASED})
    assert not api_token.replay([erased]).secret_hash


register = ask(RegisterDevice, device_id=PHONE, user_id=TEO, label="Pixel 8")
known = DeviceRegistered(device_id=PHONE, user_id=TEO, label="Pixel 8", registered_at=NOON)
revoke = ask(RevokeDevice, device_id=PHONE, user_id=TEO)


def test_a_device_is_registered_once_and_a_revoked_one_never_again() -> None:
    story = given(device).when(register).then(known)
    story.when(register).then_nothing()
    gone = story.when(revoke).then(DeviceRevoked(device_id=PHONE, user_id=TEO, revoked_at=NOON))
    gone.when(revoke).then_nothing()
    gone.when(register).then_rejected("device-revoked")
    given(device).when(revoke).then_rejected("device-unknown")


def test_an_origin_is_observed_once() -> None:
    observe = ask(ObserveOrigin, origin_id=uuid(40), user_id=TEO, session_id=SESSION, ip="10.0.0.9")
    seen = OriginObserved(
        origin_id=uuid(40),
        user_id=TEO,
        session_id=SESSION,
        token_id=None,
        ip="10.0.0.9",
        observed_at=NOON,
    )
    given(origin).when(observe).then(seen)
    given(origin).when(observe).then_repeating_adds_nothing()
