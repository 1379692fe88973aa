"""A log-in name has one holder, and guessing at it gets slower and slower without ever locking anybody out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from services.identity.domain.login_name import (
    FREE_ATTEMPTS,
    LONGEST_DELAY,
    AskReset,
    ClaimLoginName,
    LoginFailed,
    LoginName,
    LoginNameClaimed,
    LoginNameReleased,
    LoginProven,
    NoteFailure,
    NoteSuccess,
    ReleaseLoginName,
    ResetAsked,
    login_name,
)
from services.identity.domain.values import normalise_email
from services.kernel.testing.given import given
from tests.examples.identity import ANA, ANDES, LUZ, NAME_ID, NOON, PHONE, ask, carry_out

claimed = LoginNameClaimed(name_id=NAME_ID, account_id=ANDES, user_id=ANA)
claim = ask(ClaimLoginName, name_id=NAME_ID, account_id=ANDES, user_id=ANA)
release = ask(ReleaseLoginName, name_id=NAME_ID, account_id=ANDES, user_id=ANA)


def failed(minute: float, device: str | None = None) -> LoginFailed:
    """A wrong attempt, so many minutes after noon."""
    return LoginFailed(
        name_id=NAME_ID,
        account_id=ANDES,
        user_id=ANA,
        device_id=device,
        failed_at=NOON + timedelta(minutes=minute),
    )


def test_it_is_claimed_once() -> None:
    given(login_name).when(claim).then(claimed)
    given(login_name).when(claim).then_repeating_adds_nothing()


def test_nobody_else_can_claim_it() -> None:
    other = ask(ClaimLoginName, name_id=NAME_ID, account_id=ANDES, user_id=LUZ)
    given(login_name, claimed).when(other).then_rejected("email-taken")


def test_released_it_is_free_for_anybody() -> None:
    other = ask(ClaimLoginName, name_id=NAME_ID, account_id=ANDES, user_id=LUZ)
    story = given(login_name, claimed).when(release)
    free = story.then(LoginNameReleased(name_id=NAME_ID, account_id=ANDES, user_id=ANA))
    free.when(release).then_nothing()
    free.when(other).then_repeating_adds_nothing()


def test_only_the_holder_gives_it_up() -> None:
    other = ask(ReleaseLoginName, name_id=NAME_ID, account_id=ANDES, user_id=LUZ)
    given(login_name, claimed).when(other).then_nothing()


def test_failures_are_noted_for_unknown_names_too() -> None:
    note = ask(NoteFailure, name_id=NAME_ID)
    unknown = failed(0).model_copy(update={"account_id": None, "user_id": None})
    given(login_name).when(note).then(unknown)
    given(login_name, claimed).when(note).then(failed(0))
    given(login_name, claimed).when(note).then_repeating_adds_nothing()


def test_the_first_failures_are_free_then_each_doubles_the_delay() -> None:
    state = login_name.replay([claimed])
    waits = []
    at = NOON
    for _ in range(16):
        state = login_name.replay(login_name.decide(ask(NoteFailure, name_id=NAME_ID, after=at - NOON), state), state)
        waits.append(state.retry_after(None, at))
        at += timedelta(seconds=waits[-1] + 1)
    assert waits == [0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]


def test_while_delayed_neither_right_nor_wrong_is_heard() -> None:
    story = given(login_name, claimed, failed(0), failed(0.1), failed(0.2), failed(0.3))
    soon = timedelta(minutes=0.3, seconds=1)
    story.when(ask(NoteFailure, name_id=NAME_ID, after=soon)).then_rejected("login-delayed")
    story.when(ask(NoteSuccess, name_id=NAME_ID, after=soon)).then_rejected("login-delayed")
    later = soon + timedelta(seconds=2)
    story.when(ask(NoteSuccess, name_id=NAME_ID, after=later)).then(LoginProven(name_id=NAME_ID, device_id=None)).when(
        ask(NoteSuccess, name_id=NAME_ID, after=later)
    ).then_nothing()


def test_a_stranger_does_not_delay_the_holder_on_a_known_device() -> None:
    state = given(login_name, claimed, *(failed(n) for n in range(20))).state
    assert state.retry_after(None, NOON + timedelta(minutes=20)) > 0
    assert state.retry_after(PHONE, NOON + timedelta(minutes=20)) == 0


def test_a_day_later_all_is_forgotten() -> None:
    state = given(login_name, claimed, *(failed(n) for n in range(20))).state
    tomorrow = timedelta(hours=25)
    assert state.retry_after(None, NOON + tomorrow) == 0
    again = login_name.replay([failed(tomorrow / timedelta(minutes=1))], state)
    assert again.failures[None].count == 1


def test_a_forgotten_password_is_asked_for_at_most_once_a_minute() -> None:
    asked = ask(AskReset, name_id=NAME_ID)
    fact = ResetAsked(name_id=NAME_ID, account_id=ANDES, user_id=ANA, asked_at=NOON)
    story = given(login_name, claimed).when(asked).then(fact)
    story.when(ask(AskReset, name_id=NAME_ID, after=timedelta(seconds=59))).then_nothing()
    story.when(ask(AskReset, name_id=NAME_ID, after=timedelta(minutes=2))).then_repeating_adds_nothing()


@forall(st.lists(st.integers(min_value=0, max_value=3_000), max_size=60))
def test_the_delay_is_never_longer_than_its_bound_and_bounds_the_guesses(pauses: list[int]) -> None:
    state = LoginName()
    elapsed = heard = 0
    for pause in pauses:
        elapsed += pause
        note = ask(NoteFailure, name_id=NAME_ID, after=timedelta(seconds=elapsed))
        before = state
        state, refused = carry_out(login_name, note, state)
        heard += state is not before
        assert refused is None or 0 < refused.details["retry_after"] <= LONGEST_DELAY.total_seconds()
    assert heard <= FREE_ATTEMPTS + 10 + elapsed / LONGEST_DELAY.total_seconds() or elapsed > 24 * 3600


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (" Ana@Andes.CO ", "ana@andes.co"),
        ("STRASSE@x.de", "strasse@x.de"),
        ("\uff41na@andes.co", "ana@andes.co"),  # a full-width letter
    ],
)
def test_spellings_of_one_address_are_one_name(typed: str, meant: str) -> None:
    assert normalise_email(typed) == meant


@pytest.mark.parametrize("typed", ["", "ana", "ana@", "@andes.co", "a b@c.co", "a@b", "<a@b.co>", "a@b.co\n c"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address"):
        normalise_email(typed)
