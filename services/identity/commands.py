"""Every request that identity carries out, by its name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.identity import ids, second_factor, tokens
from services.identity.domain.account import ChangeAccountState, RenameAccount, SetPolicies, account
from services.identity.domain.api_token import CreateApiToken, NoteApiTokenUse, RevokeApiToken, api_token
from services.identity.domain.membership import AssignProfile, RenameUser
from services.identity.domain.origin import ObserveOrigin, origin
from services.identity.domain.profile import ChangeProfile, DefineProfile, DeleteProfile, profile
from services.identity.domain.seat_pool import (
    ApplySeatReduction,
    RaiseSeatLimit,
    ReleaseSeatReduction,
    ReserveSeatReduction,
    seat_pool,
)
from services.identity.domain.second_factor import ConfirmTotp, DisableTotp, EnrolTotp
from services.identity.domain.session import RevokeSession, session
from services.identity.domain.team import (
    AddTeamMember,
    CreateTeam,
    DeleteTeam,
    MoveTeam,
    RemoveTeamMember,
    RenameTeam,
    SetTeamLeaders,
    team,
)
from services.identity.domain.user import RaiseEpoch, user
from services.identity.flows import (
    enrolling,
    governing,
    inviting,
    logging_in,
    passwords_anew,
    proving,
    refreshing,
    registering,
    staffing,
)
from services.kernel.application import Ask, Do, Handles, On
from services.kernel.commands import Receipt
from services.kernel.domain import Command, Rejected


def _of_account(ask: Ask) -> Mapping[str, Any]:
    return {**ask.data, "account_id": ask.caller.tenant}


def _with_ip(ask: Ask) -> Mapping[str, Any]:
    policies = {name: value for name, value in ask.data.items() if name != "ip"}
    return policies | {"account_id": ask.caller.tenant, "caller_ip": ask.data.get("ip")}


def _rename_user(ask: Ask) -> Mapping[str, Any]:
    user_id = ask.data.get("user_id", ask.caller.actor)
    if governing.self_or(ask, "users:edit") not in (None, user_id):
        raise Rejected("forbidden")
    return {**ask.data, "user_id": user_id}


def _revoke_session(ask: Ask) -> Mapping[str, Any]:
    return {**ask.data, "reason": "revoked", "user_id": governing.self_or(ask, "users:edit")}


def _observe(ask: Ask) -> Mapping[str, Any]:
    source = ask.data.get("session_id") or ask.data.get("token_id") or ask.caller.session or ""
    origin_id = ids.of_origin(ask, str(source), str(ask.data.get("ip", "")))
    return {**ask.data, "origin_id": origin_id, "user_id": ask.caller.actor}


def _with_people(ask: Ask) -> Mapping[str, Any]:
    people = ask.data.get("leaders", [ask.data.get("user_id")])
    for user_id in people if isinstance(people, list) else []:
        governing.demand_person(ask, user_id)
    return _of_account(ask)


def _with_permissions(ask: Ask) -> Mapping[str, Any]:
    return {**ask.data, "by_permissions": ask.caller.permissions}


def _new_token(ask: Ask) -> Mapping[str, Any]:
    return {**_with_permissions(ask), "user_id": ask.caller.actor, "secret_hash": tokens.hash_of(_api_key(ask))}


def _api_key(ask: Ask) -> str:
    try:
        return tokens.api_key(ask.secrets, ask.caller.tenant, str(ask.data.get("token_id")), ask.command_id)
    except ValueError:
        raise Rejected("invalid", errors=[{"loc": ["token_id"], "msg": "not an id", "type": "value_error"}]) from None


def _shown_once(ask: Ask, receipt: Receipt, state: Any) -> Mapping[str, Any]:
    key = _api_key(ask)
    return {"token": key} if state.secret_hash == tokens.hash_of(key) else {}


def _team_id(ask: Ask, receipt: Receipt, state: Any) -> Mapping[str, Any]:
    return {"team_id": ask.data["team_id"]}


def _on_team(command: type[Command], *, people: bool = False) -> On:
    return On(team, command, id="account_id", prepare=_with_people if people else _of_account, answer=_team_id)


COMMANDS: Mapping[str, Handles] = {
    "register_account": Do(registering.register_account),
    "release_unused_login_name": Do(registering.release_unused_login_name),
    "rename_account": On(account, RenameAccount, id="account_id", prepare=_of_account),
    "set_policies": On(account, SetPolicies, id="account_id", prepare=_with_ip),
    "change_account_state": On(account, ChangeAccountState, id="account_id"),
    "invite_staff": Do(staffing.invite_staff),
    "dismiss_staff": Do(staffing.dismiss_staff),
    "login": Do(logging_in.login),
    "note_refused_login": Do(passwords_anew.note_refused_login),
    "refresh": Do(refreshing.refresh),
    "logout": Do(logging_in.logout),
    "prove_session": Do(proving.prove_session),
    "revoke_session": On(session, RevokeSession, id="session_id", prepare=_revoke_session),
    "end_session": On(session, RevokeSession, id="session_id"),
    "enrol_device": Do(enrolling.enrol_device),
    "revoke_device": Do(governing.revoke_device),
    "observe_origin": On(origin, ObserveOrigin, id="origin_id", prepare=_observe),
    "request_password_reset": Do(passwords_anew.request_password_reset),
    "start_password_reset": Do(passwords_anew.start_password_reset),
    "reset_password": Do(passwords_anew.reset_password),
    "change_password": Do(passwords_anew.change_password),
    "enrol_totp": On(
        user,
        EnrolTotp,
        id="user_id",
        prepare=second_factor.prepare_enrolment,
        answer=second_factor.answer_enrolment,
    ),
    "confirm_totp": On(
        user,
        ConfirmTotp,
        id="user_id",
        prepare=second_factor.prepare_confirmation,
        answer=second_factor.answer_confirmation,
    ),
    "disable_totp": On(user, DisableTotp, id="user_id", prepare=second_factor.prepare_disabling),
    "invite_user": Do(inviting.invite_user),
    "resend_invitation": Do(inviting.resend_invitation),
    "withdraw_invitation": Do(inviting.withdraw_invitation),
    "expire_invitation": Do(inviting.expire_invitation),
    "accept_invitation": Do(inviting.accept_invitation),
    "change_role": Do(governing.change_role),
    "assign_profile": On(user, AssignProfile, id="user_id", prepare=governing.with_profile),
    "deactivate_user": Do(governing.deactivate_user),
    "reactivate_user": Do(governing.reactivate_user),
    "settle_seat": Do(governing.settle_seat),
    "raise_seat_limit": On(seat_pool, RaiseSeatLimit, id="account_id"),
    "reserve_seat_reduction": On(seat_pool, ReserveSeatReduction, id="account_id"),
    "release_seat_reduction": On(seat_pool, ReleaseSeatReduction, id="account_id"),
    "apply_seat_reduction": On(seat_pool, ApplySeatReduction, id="account_id"),
    "rename_user": On(user, RenameUser, id="user_id", prepare=_rename_user),
    "raise_epoch": On(user, RaiseEpoch, id="user_id"),
    "create_team": _on_team(CreateTeam),
    "rename_team": _on_team(RenameTeam),
    "move_team": _on_team(MoveTeam),
    "set_team_leaders": _on_team(SetTeamLeaders, people=True),
    "add_team_member": _on_team(AddTeamMember, people=True),
    "remove_team_member": _on_team(RemoveTeamMember),
    "delete_team": _on_team(DeleteTeam),
    "define_profile": On(profile, DefineProfile, id="profile_id", prepare=_with_permissions),
    "change_profile": On(profile, ChangeProfile, id="profile_id", prepare=_with_permissions),
    "delete_profile": On(profile, DeleteProfile, id="profile_id"),
    "create_api_token": On(api_token, CreateApiToken, id="token_id", prepare=_new_token, answer=_shown_once),
    "note_api_token_use": On(api_token, NoteApiTokenUse, id="token_id"),
    "revoke_api_token": On(api_token, RevokeApiToken, id="token_id"),
}
