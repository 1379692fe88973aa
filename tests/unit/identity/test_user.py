"""A person's standing: invited, active, in a role; and what ends the tokens already handed out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from services.identity.domain import permissions
from services.identity.domain.credentials import PasswordSet
from services.identity.domain.invitation import (
    AcceptInvitation,
    ExpireInvitation,
    InvitationExpired,
    InvitationIssued,
    InvitationWithdrawn,
    InviteUser,
    RegisterOwner,
    ResendInvitation,
    WithdrawInvitation,
)
from services.identity.domain.membership import (
    AssignProfile,
    ChangeRole,
    DeactivateUser,
    LoginRefused,
    NoteRefusedLogin,
    ProfileAssigned,
    ReactivateUser,
    RenameUser,
    UserActivated,
    UserDeactivated,
    UserRenamed,
    UserRoleChanged,
)
from services.identity.domain.user import RaiseEpoch, UserEpochRaised, user
from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from tests.examples.identity import (
    ANA,
    HASH,
    LUZ,
    NOON,
    OTHER_HASH,
    PROFILE,
    SESSION,
    TEO,
    ask,
    invited,
    owner,
    technician,
)

THREE_DAYS = timedelta(hours=72)
invite = ask(
    InviteUser,
    user_id=TEO,
    email="Teo@Andes.co",
    name="Teo Paz",
    role="technician",
    language="es",
    by_role="owner",
)


def epoch(number: int, because: str, ends: bool = False, kept: str | None = None, who: str = TEO) -> UserEpochRaised:
    """Tokens before this one are void."""
    return UserEpochRaised(user_id=who, epoch=number, ends_sessions=ends, kept_session=kept, because=because)


def accept(number: int = 1, password_hash: str = HASH, after: timedelta = timedelta()) -> AcceptInvitation:
    """The link is used."""
    return ask(
        AcceptInvitation, after=after, user_id=TEO, number=number, name="Teo Paz", password_hash=password_hash, seat=1
    )


def test_the_first_owner_is_active_at_once() -> None:
    register = ask(RegisterOwner, user_id=ANA, email="ana@andes.co", name="Ana Ruiz", language="es", password_hash=HASH)
    given(user).when(register).then(*owner)
    given(user).when(register).then_repeating_adds_nothing()
    given(user, *invited).when(register).then_rejected("user-exists")


def test_a_person_is_invited_once() -> None:
    given(user).when(invite).then(*invited)
    given(user).when(invite).then_repeating_adds_nothing()


@pytest.mark.parametrize(
    ("by_role", "role", "allowed"),
    [
        ("owner", "owner", True),
        ("admin", "owner", False),
        ("admin", "admin", True),
        ("supervisor", "admin", False),
        ("supervisor", "technician", True),
        ("viewer", "supervisor", False),
        ("", "viewer", False),
    ],
)
def test_nobody_raises_anybody_above_the_own_role(by_role: str, role: permissions.Role, allowed: bool) -> None:
    asked = given(user).when(invite.model_copy(update={"by_role": by_role, "role": role}))
    if allowed:
        asked.then_repeating_adds_nothing()
    else:
        asked.then_rejected("role-above-own")


def test_the_link_makes_the_person_active() -> None:
    given(user, *invited).when(accept()).then(*technician[2:])
    given(user, *invited).when(accept()).then_repeating_adds_nothing()


def test_the_link_works_once() -> None:
    given(user, *technician).when(accept(password_hash=OTHER_HASH)).then_rejected("invitation-invalid")


def test_the_link_lasts_72_hours() -> None:
    given(user, *invited).when(accept(after=THREE_DAYS - timedelta(seconds=1))).then_repeating_adds_nothing()
    given(user, *invited).when(accept(after=THREE_DAYS)).then_rejected("invitation-expired")


def test_sending_again_revokes_the_former_link() -> None:
    resend = ask(ResendInvitation, user_id=TEO, after=timedelta(hours=1))
    second = InvitationIssued(user_id=TEO, number=2, expires_at=NOON + timedelta(hours=73))
    story = given(user, *invited).when(resend).then(second)
    story.when(resend).then_nothing()
    story.when(accept(1)).then_rejected("invitation-invalid")
    story.when(accept(2)).then_repeating_adds_nothing()
    given(user, *technician).when(resend).then_rejected("user-not-invited")


def test_a_link_expires_by_itself_and_can_be_sent_again() -> None:
    expire = ask(ExpireInvitation, user_id=TEO, number=1, after=THREE_DAYS)
    gone = given(user, *invited).when(expire).then(InvitationExpired(user_id=TEO, number=1))
    gone.when(expire).then_nothing()
    gone.when(accept(after=THREE_DAYS)).then_rejected("invitation-expired")
    gone.when(ask(ResendInvitation, user_id=TEO, after=THREE_DAYS)).then_repeating_adds_nothing()


def test_only_the_present_link_expires() -> None:
    second = InvitationIssued(user_id=TEO, number=2, expires_at=NOON + timedelta(hours=73))
    late = ask(ExpireInvitation, user_id=TEO, number=1, after=THREE_DAYS)
    given(user, *invited, second).when(late).then_nothing()
    given(user, *invited).when(ask(ExpireInvitation, user_id=TEO, number=1)).then_nothing()
    given(user, *technician).when(late).then_nothing()


def test_an_invitation_is_withdrawn() -> None:
    withdraw = ask(WithdrawInvitation, user_id=TEO, by_role="admin")
    story = given(user, *invited).when(withdraw).then(InvitationWithdrawn(user_id=TEO))
    story.when(withdraw).then_nothing()
    story.when(accept()).then_rejected("invitation-invalid")
    given(user, *technician).when(withdraw).then_rejected("user-not-invited")
    given(user, *invited).when(ask(WithdrawInvitation, user_id=TEO, by_role="")).then_rejected("role-above-own")


def test_a_new_role_ends_the_tokens_but_not_the_sessions() -> None:
    change = ask(ChangeRole, user_id=TEO, role="supervisor", by_role="admin")
    changed = UserRoleChanged(user_id=TEO, former_role="technician", role="supervisor", licence="standard")
    story = given(user, *technician).when(change).then(changed, epoch(1, "UserRoleChanged"))
    story.when(change).then_nothing()
    assert story.state.entitles(SESSION, 0)


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (ask(ChangeRole, user_id=TEO, role="owner", by_role="admin"), "role-above-own"),
        (ask(ChangeRole, user_id=TEO, role="admin", by_role="owner", by=TEO), "own-role"),
        (ask(DeactivateUser, user_id=TEO, by_role="owner", by=TEO), "cannot-deactivate-yourself"),
        (ask(DeactivateUser, user_id=TEO, by_role=""), "role-above-own"),
        (
            ask(
                AssignProfile,
                user_id=TEO,
                profile_id=PROFILE,
                granted={"users:edit"},
                by_role="supervisor",
                by_permissions={"tasks:edit"},
            ),
            "beyond-own-permissions",
        ),
        (
            ask(
                AssignProfile,
                by=TEO,
                user_id=TEO,
                profile_id=PROFILE,
                granted=set(),
                by_role="admin",
                by_permissions=set(),
            ),
            "own-role",
        ),
    ],
)
def test_what_is_refused(command: Any, code: str) -> None:
    given(user, *technician).when(command).then_rejected(code)


def test_an_admin_does_not_decide_over_an_owner() -> None:
    for command in (
        ask(ChangeRole, user_id=ANA, role="viewer", by_role="admin", by=LUZ),
        ask(DeactivateUser, user_id=ANA, by_role="admin", by=LUZ),
    ):
        given(user, *owner).when(command).then_rejected("role-above-own")


def test_deactivation_ends_every_session_and_reactivation_brings_none_back() -> None:
    deactivate = ask(DeactivateUser, user_id=TEO, by_role="admin")
    gone = given(user, *technician).when(deactivate)
    story = gone.then(UserDeactivated(user_id=TEO, role="technician"), epoch(1, "UserDeactivated", ends=True))
    story.when(deactivate).then_nothing()
    assert not story.state.entitles(SESSION, 0)
    assert not story.state.entitles(SESSION, 1)
    for spent in (0, 1):
        story.when(ask(ReactivateUser, user_id=TEO, by_role="admin", seat=spent)).then_rejected("seat-forfeited")
    reactivate = ask(ReactivateUser, user_id=TEO, by_role="admin", seat=2)
    back = story.when(reactivate).then(UserActivated(user_id=TEO, role="technician", licence="operational", seat=2))
    back.when(reactivate).then_nothing()
    assert not back.state.entitles(SESSION, 0)
    assert back.state.entitles(SESSION, 1)


def test_an_invited_person_is_not_deactivated_but_uninvited() -> None:
    given(user, *invited).when(ask(DeactivateUser, user_id=TEO, by_role="admin")).then_rejected("user-not-active")


def test_only_who_was_deactivated_is_reactivated() -> None:
    given(user, *invited).when(ask(ReactivateUser, user_id=TEO, by_role="admin")).then_rejected("user-not-active")


def test_a_profile_is_assigned_and_taken_away() -> None:
    assign = ask(
        AssignProfile,
        user_id=TEO,
        profile_id=PROFILE,
        granted={"tasks:read", "tasks:execute"},
        by_role="admin",
        by_permissions={"tasks:read"},
    )
    story = given(user, *technician).when(assign)
    assigned = story.then(ProfileAssigned(user_id=TEO, profile_id=PROFILE), epoch(1, "ProfileAssigned"))
    assigned.when(assign).then_nothing()
    none = assign.model_copy(update={"profile_id": None, "granted": frozenset()})
    assigned.when(none).then(ProfileAssigned(user_id=TEO, profile_id=None), epoch(2, "ProfileAssigned"))


def test_a_name_is_corrected() -> None:
    rename = ask(RenameUser, user_id=TEO, name="Teodoro Paz")
    given(user, *technician).when(rename).then(UserRenamed(user_id=TEO, name="Teodoro Paz"))
    given(user, *technician).when(rename).then_repeating_adds_nothing()


def test_a_refused_login_is_noted() -> None:
    note = ask(NoteRefusedLogin, user_id=TEO, failed_at=NOON)
    given(user, *technician).when(note).then(LoginRefused(user_id=TEO, failed_at=NOON))
    given(user, *technician).when(note).then_repeating_adds_nothing()


def test_a_changed_profile_raises_the_epoch_once() -> None:
    raise_it = ask(RaiseEpoch, user_id=TEO, because="profile:x:1")
    given(user, *technician).when(raise_it).then(epoch(1, "profile:x:1"))
    given(user, *technician).when(raise_it).then_repeating_adds_nothing()


@pytest.mark.parametrize(
    "command",
    [
        accept(),
        ask(ResendInvitation, user_id=TEO),
        ask(ChangeRole, user_id=TEO, role="viewer", by_role="owner"),
        ask(DeactivateUser, user_id=TEO, by_role="owner"),
        ask(RenameUser, user_id=TEO, name="X"),
        ask(RaiseEpoch, user_id=TEO, because="x"),
    ],
)
def test_of_a_stranger_nothing_is_known(command: Any) -> None:
    given(user).when(command).then_rejected("user-unknown")


def test_an_erased_person_can_still_be_folded() -> None:
    facts = [fact.model_copy(update={"email": ERASED, "name": ERASED}) for fact in technician[:1]]
    password = PasswordSet(user_id=TEO, password_hash=ERASED, set_at=NOON)
    state = user.replay([*facts, *technician[1:2], password, *technician[4:]])
    assert state.member.email is ERASED
    assert not state.credentials.password_hash
    assert state.active


def test_a_profile_stays_within_the_licence() -> None:
    everything = permissions.PERMISSIONS
    assert permissions.effective("viewer", everything) == permissions.OFFICE
    assert permissions.effective("technician", everything) == everything
    assert permissions.effective("owner", frozenset()) == permissions.OFFICE | permissions.OWNERS_OWN
    assert permissions.effective("admin", frozenset({"tasks:read", "tasks:execute"})) == {"tasks:read"}
    for role in permissions.ROLES:
        default = permissions.effective(role, None)
        assert default <= everything | permissions.OWNERS_OWN
        assert bool(default & permissions.FIELD) == (permissions.licence_of(role) == "operational")
