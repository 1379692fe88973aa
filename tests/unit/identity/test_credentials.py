"""Passwords are changed by who knows them and reset by who has the link; second proofs are used once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.identity.domain.credentials import (
    ChangePassword,
    PasswordChanged,
    PasswordRehashed,
    PasswordReset,
    PasswordResetRequested,
    RehashPassword,
    RequestPasswordReset,
    ResetPassword,
)
from services.identity.domain.second_factor import (
    AcceptTotp,
    ConfirmTotp,
    DisableTotp,
    EnrolTotp,
    RecoveryCodeUsed,
    TotpAccepted,
    TotpConfirmed,
    TotpDisabled,
    TotpEnrolmentStarted,
    UseRecoveryCode,
)
from services.identity.domain.user import UserEpochRaised, UserEvent, user
from services.kernel.domain import ERASED
from services.kernel.testing.given import given
from tests.examples.identity import (
    ANA,
    HASH,
    NOON,
    OTHER_HASH,
    SECRET,
    SESSION,
    TEO,
    ask,
    invited,
    owner,
    with_totp,
)

HOUR = timedelta(hours=1)


def epoch(number: int, because: str, ends: bool = False, kept: str | None = None) -> UserEpochRaised:
    """Tokens before this one are void."""
    return UserEpochRaised(user_id=ANA, epoch=number, ends_sessions=ends, kept_session=kept, because=because)


def requested(number: int, after: timedelta) -> PasswordResetRequested:
    """A link that lasts an hour."""
    return PasswordResetRequested(user_id=ANA, number=number, expires_at=NOON + after + HOUR)


def reset(number: int, after: timedelta, password_hash: str = OTHER_HASH) -> ResetPassword:
    """The link is used."""
    return ask(ResetPassword, after=after, user_id=ANA, number=number, password_hash=password_hash)


change = ask(
    ChangePassword, user_id=ANA, password_hash=OTHER_HASH, proven_hash=HASH, kept_session=SESSION, request="r-1"
)
reset_done = PasswordReset(user_id=ANA, number=1, password_hash=OTHER_HASH, set_at=NOON)


def test_a_changed_password_keeps_only_the_present_session() -> None:
    changed = PasswordChanged(user_id=ANA, password_hash=OTHER_HASH, set_at=NOON, kept_session=SESSION, request="r-1")
    story = given(user, *owner).when(change)
    after = story.then(changed, epoch(1, "PasswordChanged", ends=True, kept=SESSION))
    after.when(change).then_nothing()
    assert after.state.entitles(SESSION, 0)
    assert not after.state.entitles(TEO, 0)


def test_who_proved_a_former_password_changes_nothing() -> None:
    late = change.model_copy(update={"proven_hash": "former"})
    given(user, *owner).when(late).then_rejected("credentials-invalid")


def test_a_link_is_asked_for() -> None:
    asked = ask(RequestPasswordReset, user_id=ANA)
    story = given(user, *owner).when(asked).then(requested(1, timedelta()))
    story.when(asked).then_nothing()
    story.when(ask(RequestPasswordReset, user_id=ANA, after=HOUR)).then(requested(2, HOUR))


def test_a_link_is_used_once_and_ends_every_session() -> None:
    use = reset(1, timedelta())
    story = given(user, *owner, requested(1, timedelta())).when(use)
    done = story.then(reset_done, epoch(1, "PasswordReset", ends=True))
    done.when(use).then_nothing()
    done.when(reset(1, timedelta(), "third")).then_rejected("reset-invalid")
    assert not done.state.entitles(SESSION, 0)


def test_a_link_lasts_an_hour_and_a_new_one_replaces_it() -> None:
    story = given(user, *owner, requested(1, timedelta()))
    story.when(reset(1, HOUR)).then_rejected("reset-expired")
    two = given(user, *owner, requested(1, timedelta()), requested(2, timedelta(minutes=5)))
    two.when(reset(1, timedelta(minutes=6))).then_rejected("reset-invalid")
    two.when(reset(2, timedelta(minutes=6))).then_repeating_adds_nothing()


def test_a_changed_password_voids_the_link() -> None:
    story = given(user, *owner, requested(1, timedelta())).when(change).then_repeating_adds_nothing()
    story.when(reset(1, timedelta(minutes=1), "third")).then_rejected("reset-invalid")


def test_the_same_password_is_hashed_anew_unless_it_changed_meanwhile() -> None:
    rehash = ask(RehashPassword, user_id=ANA, password_hash=OTHER_HASH, proven_hash=HASH)
    given(user, *owner).when(rehash).then(PasswordRehashed(user_id=ANA, password_hash=OTHER_HASH))
    given(user, *owner).when(rehash).then_repeating_adds_nothing()
    given(user, *owner).when(rehash.model_copy(update={"proven_hash": "former"})).then_nothing()


def test_a_password_grows_old() -> None:
    state = given(user, *owner).state.credentials
    assert not state.expired(None, NOON + timedelta(days=5000))
    assert not state.expired(90, NOON + timedelta(days=90))
    assert state.expired(90, NOON + timedelta(days=91))


@pytest.mark.parametrize(
    "command",
    [
        ask(RequestPasswordReset, user_id=TEO),
        ask(EnrolTotp, user_id=TEO, secret=SECRET),
        ask(AcceptTotp, user_id=TEO, timecode=1),
    ],
)
def test_only_an_active_person_has_proofs(command: object) -> None:
    given(user, *invited).when(command).then_rejected("user-not-active")  # type: ignore[arg-type]


enrol = ask(EnrolTotp, user_id=ANA, secret=SECRET)
started = TotpEnrolmentStarted(user_id=ANA, secret=SECRET)
confirm = ask(ConfirmTotp, user_id=ANA, secret=SECRET, timecode=100, recovery_hashes=("r1", "r2"))


def test_an_authenticator_counts_once_it_has_shown_a_code() -> None:
    shown = given(user, *owner).when(enrol).then(started)
    shown.when(enrol).then_nothing()
    assert not shown.state.factor.enabled
    works = shown.when(confirm).then(
        TotpConfirmed(user_id=ANA, timecode=100, recovery_hashes=("r1", "r2")), epoch(1, "TotpConfirmed")
    )
    works.when(confirm).then_nothing()
    assert works.state.factor.enabled


def test_a_secret_not_confirmed_is_replaced_by_the_next() -> None:
    second = enrol.model_copy(update={"secret": "OTHER"})
    story = given(user, *owner, started).when(second).then_repeating_adds_nothing()
    story.when(confirm).then_rejected("totp-not-enrolled")


def test_a_working_authenticator_is_not_replaced_by_surprise() -> None:
    second = enrol.model_copy(update={"secret": "OTHER"})
    given(user, *with_totp).when(second).then_rejected("totp-already-enabled")
    given(user, *with_totp).when(confirm.model_copy(update={"secret": "OTHER"})).then_rejected("totp-already-enabled")
    given(user, *owner).when(confirm).then_rejected("totp-not-enrolled")


def test_a_code_is_accepted_once_and_never_an_earlier_one() -> None:
    use = ask(AcceptTotp, user_id=ANA, timecode=101)
    story = given(user, *with_totp).when(use).then(TotpAccepted(user_id=ANA, timecode=101))
    story.when(use).then_rejected("totp-invalid")
    story.when(ask(AcceptTotp, user_id=ANA, timecode=100)).then_rejected("totp-invalid")
    story.when(ask(AcceptTotp, user_id=ANA, timecode=102)).then(TotpAccepted(user_id=ANA, timecode=102))
    given(user, *owner).when(use).then_rejected("totp-invalid")


def test_a_used_step_stays_used_when_the_authenticator_is_renewed() -> None:
    story = given(user, *with_totp, TotpDisabled(user_id=ANA), started)
    story.when(confirm).then_rejected("totp-invalid")
    story.when(confirm.model_copy(update={"timecode": 101})).then_repeating_adds_nothing()


def test_a_recovery_code_is_spent() -> None:
    use = ask(UseRecoveryCode, user_id=ANA, code_hash="r1")
    story = given(user, *with_totp).when(use).then(RecoveryCodeUsed(user_id=ANA, code_hash="r1"))
    story.when(use).then_rejected("totp-invalid")
    story.when(ask(UseRecoveryCode, user_id=ANA, code_hash="r2")).then(RecoveryCodeUsed(user_id=ANA, code_hash="r2"))


def test_the_second_proof_is_given_up_unless_policy_demands_it() -> None:
    disable = ask(DisableTotp, user_id=ANA, required=False)
    given(user, *with_totp).when(disable).then(TotpDisabled(user_id=ANA), epoch(1, "TotpDisabled"))
    given(user, *with_totp).when(disable).then_repeating_adds_nothing()
    given(user, *with_totp).when(ask(DisableTotp, user_id=ANA, required=True)).then_rejected("totp-required-by-policy")


def test_erased_proofs_prove_nothing() -> None:
    facts: list[UserEvent] = [
        *owner,
        started.model_copy(update={"secret": ERASED}),
        TotpConfirmed(user_id=ANA, timecode=100, recovery_hashes=ERASED),
        RecoveryCodeUsed(user_id=ANA, code_hash=ERASED),
    ]
    state = user.replay(facts)
    assert state.factor.enabled
    assert state.factor.recovery_hashes == frozenset()
